package delta

import (
	"context"

	"golang.org/x/sync/errgroup"

	"launchlake/internal/objstore"
)

// headByChecksum reads the head of a version from its checksum, if that says all: two small objects in place of the checkpoint and the
// commits behind it. nil when it does not, or is not known to be that of the commit, or anything is wrong: the log then tells.
func (t *Table) headByChecksum(ctx context.Context, seg *segment) *Head {
	if !seg.checksum || seg.end.Key == "" {
		return nil
	}
	var sum *versionChecksum
	var newest *commitFile
	group, ahead := errgroup.WithContext(ctx)
	group.Go(func() error {
		text, err := objstore.ReadAll(ahead, t.store, checksumKey(seg.version))
		if err == nil {
			sum, err = parseChecksum(text)
		}
		return err
	})
	group.Go(func() (err error) {
		newest, err = t.readListedCommit(ahead, seg.end, headActions)
		return err
	})
	if group.Wait() != nil || !sum.isOf(newest) {
		return nil
	}
	h, err := t.newHead(sum.state(seg.version), seg.end.ModTime)
	if err != nil || h.endWith(ctx, seg, newest) != nil {
		return nil
	}
	return h
}

// isOf is whether the checksum is that of a commit, by the id that both have of its transaction, and has all of a head.
func (c *versionChecksum) isOf(commit *commitFile) bool {
	return c.Metadata != nil && c.Protocol != nil && c.Txns != nil && c.Domains != nil && c.Protocol.check() == nil &&
		c.TxnID != "" && c.TxnID == parseCommitInfo(commit.info).TxnID
}

// state is the state at the checksum's version, without files.
func (c *versionChecksum) state(v Version) *state {
	s := &state{version: v, protocol: c.Protocol, metadata: c.Metadata, txns: map[string]txnAction{}, domains: map[string]domainAction{}}
	for _, txn := range c.Txns {
		s.txns[txn.AppID] = txn
	}
	for _, d := range c.Domains {
		if !d.Removed {
			s.domains[d.Domain] = d
		}
	}
	return s
}

package delta

import (
	"context"
	"maps"
	"reflect"

	"launchlake/internal/objstore"
)

// compactions compares each compaction with the commits that it stands for, when they are all there.
func (c *checker) compactions(ctx context.Context, l *listing) error {
	for i := range l.compactions {
		compacted := &l.compactions[i]
		infos, err := l.commitRange(compacted.first, compacted.last)
		if err != nil {
			continue // a gap was told of, and without it nothing is known
		}
		if err := c.compaction(ctx, compacted, infos); err != nil {
			return err
		}
	}
	return nil
}

func (c *checker) compaction(ctx context.Context, compacted *compaction, infos []objstore.Info) error {
	want, got := newLedger(), newLedger()
	for commit, err := range c.table.commitFiles(ctx, infos) {
		if isDamage(err) {
			return nil // was told of with the commit
		}
		if err != nil {
			return err
		}
		want.commit(commit)
	}
	there, err := c.table.readCompaction(ctx, compacted, allActions)
	switch {
	case isMissing(err):
		return nil // cleaned away since it was listed
	case isDamage(err):
		return c.found(FalseCompaction, compacted.info.Key, "%v", err)
	case err != nil:
		return err
	}
	got.commit(there)
	if !want.equal(got) {
		return c.found(FalseCompaction, compacted.info.Key, "it is not what the commits %d to %d add up to", compacted.first, compacted.last)
	}
	return nil
}

// equal compares what two ledgers of the same commits hold.
func (l *ledger) equal(other *ledger) bool {
	sameProtocol := (l.protocol == nil) == (other.protocol == nil) && (l.protocol == nil || l.protocol.parse().equal(other.protocol.parse()))
	sameMetadata := (l.metadata == nil) == (other.metadata == nil) && (l.metadata == nil || l.metadata.same(other.metadata))
	return sameProtocol && sameMetadata && l.totals == other.totals && len(l.otherwise(other)) == 0 &&
		len(missingFrom(l.files, other.files, nil)) == 0 && len(missingFrom(l.tombstones, other.tombstones, nil)) == 0 &&
		len(l.files) == len(other.files) && len(l.tombstones) == len(other.tombstones) &&
		reflect.DeepEqual(l.txns, other.txns) && maps.Equal(l.domains, other.domains)
}

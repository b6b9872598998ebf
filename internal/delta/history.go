package delta

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"slices"
	"time"

	"launchlake/internal/objstore"
)

// Commits yields the commits from one version to another, both included, in ascending order. It ends after the first
// error, which is a *[VersionError] when one of them is not in the log.
func (t *Table) Commits(ctx context.Context, from, to Version) iter.Seq2[Commit, error] {
	return func(yield func(Commit, error) bool) {
		if from > to {
			return
		}
		latest, err := t.Snapshot(ctx)
		if err != nil {
			yield(Commit{}, err)
			return
		}
		l, err := t.list(ctx, 0)
		if err != nil {
			yield(Commit{}, err)
			return
		}
		infos, err := l.commitRange(from, to)
		if err != nil {
			yield(Commit{}, err)
			return
		}
		times := l.commitTimes()
		columns := slices.Collect(latest.metadata.leaves())
		for c, err := range t.commitFiles(ctx, infos) {
			if err != nil {
				yield(Commit{}, err)
				return
			}
			out, err := c.public(&latest.metadata, columns, times[c.version])
			if !yield(out, err) || err != nil {
				return
			}
		}
	}
}

// History yields the commits that the log still has, newest first, without their files. It needs no table feature.
func (t *Table) History(ctx context.Context) iter.Seq2[Commit, error] {
	return func(yield func(Commit, error) bool) {
		l, err := t.list(ctx, 0)
		if err == nil && l.latest == noVersion {
			err = ErrNotATable
		}
		if err != nil {
			yield(Commit{}, err)
			return
		}
		times := l.commitTimes()
		var infos []objstore.Info
		for _, v := range slices.Backward(l.versions()) {
			infos = append(infos, l.commits[v])
		}
		for c, err := range t.commitFiles(ctx, infos) {
			if err != nil {
				yield(Commit{}, err)
				return
			}
			info := parseCommitInfo(c.info)
			if !yield(Commit{Version: c.version, Timestamp: inCommitTimestamp(c, times[c.version]), Info: info}, nil) {
				return
			}
		}
	}
}

// versions lists the commits in ascending order.
func (l *listing) versions() []Version { return slices.Sorted(maps.Keys(l.commits)) }

func (l *listing) commitRange(from, to Version) ([]objstore.Info, error) {
	var infos []objstore.Info
	versions := l.versions()
	for v := from; v <= to; v++ {
		info, ok := l.commits[v]
		if !ok {
			e := &VersionError{Asked: fmt.Sprintf("commit %d", v), First: l.first(), Latest: l.latest}
			if len(versions) > 0 {
				e.First, e.gone = versions[0], v >= 0 && v < versions[0]
			}
			return nil, e
		}
		infos = append(infos, info)
	}
	return infos, nil
}

// public gives the commit as callers see it. Statistics are read by the table's present schema, which holds every column
// that files of older versions have.
func (c *commitFile) public(m *Metadata, columns []leaf, at time.Time) (Commit, error) {
	out := Commit{Version: c.version, Info: parseCommitInfo(c.info), Timestamp: inCommitTimestamp(c, at)}
	if c.protocol != nil {
		protocol := c.protocol.parse()
		out.Protocol = &protocol
	}
	if c.metadata != nil {
		metadata, err := c.metadata.parse()
		if err != nil {
			return Commit{}, &CorruptError{Key: commitKey(c.version), Err: fmt.Errorf("metaData: %w", err)}
		}
		out.Metadata = &metadata
	}
	for _, txn := range c.txns {
		out.Transactions = append(out.Transactions, txn.public())
	}
	for _, a := range c.adds {
		out.Add = append(out.Add, a.public(m, columns))
	}
	for _, r := range c.removes {
		out.Remove = append(out.Remove, r.public(m))
	}
	return out, nil
}

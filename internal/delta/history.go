package delta

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"math"
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
		l, infos, err := t.listCommits(ctx, from, to)
		if err != nil {
			yield(Commit{}, err)
			return
		}
		times := l.commitTimes()
		stats := latest.metadata.statsReader()
		for c, err := range t.commitFiles(ctx, infos) {
			if err != nil {
				yield(Commit{}, err)
				return
			}
			out, err := c.public(&latest.metadata, stats, times[c.version])
			if !yield(out, err) || err != nil {
				return
			}
		}
	}
}

// timeContext is how many commits are listed before those that are asked for, because the time of a commit without its own
// depends on those before it.
const timeContext = 100

// listCommits lists a range of commits, and some before them.
func (t *Table) listCommits(ctx context.Context, from, to Version) (*listing, []objstore.Info, error) {
	l, err := t.listRange(ctx, max(0, from-timeContext), to)
	if err != nil {
		return nil, nil, err
	}
	infos, err := l.commitRange(from, to)
	if err == nil {
		return l, infos, nil
	}
	if l, err = t.list(ctx, 0); err != nil { // to say which there are
		return nil, nil, err
	}
	infos, err = l.commitRange(from, to)
	return l, infos, err
}

// History yields the commits that the log still has, newest first, without their files. It needs no table feature. The log is
// read as far as the caller goes.
func (t *Table) History(ctx context.Context) iter.Seq2[Commit, error] {
	return func(yield func(Commit, error) bool) {
		from, to := max(t.readLastCheckpoint(ctx), 0), Version(math.MaxInt64)
		some := false
		for window := Version(historyWindow); to >= 0; window *= 4 {
			l, err := t.listRange(ctx, max(0, from-timeContext), to)
			if err != nil {
				yield(Commit{}, err)
				return
			}
			some = some || l.latest != noVersion
			if !t.historyOf(ctx, l, from, yield) {
				return
			}
			from, to = max(0, from-window), from-1
		}
		if !some {
			yield(Commit{}, ErrNotATable)
		}
	}
}

// historyWindow is how many commits before the last checkpoint are listed at first.
const historyWindow = 250

// historyOf yields the listed commits from a version on, newest first; false when nobody wants more, or after an error.
func (t *Table) historyOf(ctx context.Context, l *listing, from Version, yield func(Commit, error) bool) bool {
	times := l.commitTimes()
	var infos []objstore.Info
	for _, v := range slices.Backward(l.versions()) {
		if v >= from {
			infos = append(infos, l.commits[v])
		}
	}
	for c, err := range t.commitFiles(ctx, infos) {
		if err != nil {
			yield(Commit{}, err)
			return false
		}
		info := parseCommitInfo(c.info)
		if !yield(Commit{Version: c.version, Timestamp: inCommitTimestamp(c, times[c.version]), Info: info}, nil) {
			return false
		}
	}
	return true
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
func (c *commitFile) public(m *Metadata, stats *statsReader, at time.Time) (Commit, error) {
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
		out.Add = append(out.Add, a.public(m, stats))
	}
	for _, r := range c.removes {
		out.Remove = append(out.Remove, r.public(m))
	}
	return out, nil
}

package delta

import (
	"context"
	"fmt"
	"sort"
	"strconv"
	"time"
)

// Properties of in-commit timestamps. Where a table had commits before they were enabled, the others say since when it has them.
const (
	inCommitTimestampsProperty  = "delta.enableInCommitTimestamps"
	enablementVersionProperty   = "delta.inCommitTimestampEnablementVersion"
	enablementTimestampProperty = "delta.inCommitTimestampEnablementTimestamp"
)

// SnapshotAsOf reads the version that was the latest at a moment. The error is a *[VersionError] when the moment is
// before the first version that can be read, or after the latest.
func (t *Table) SnapshotAsOf(ctx context.Context, at time.Time) (*Snapshot, error) {
	latest, err := t.Snapshot(ctx)
	if err != nil {
		return nil, err
	}
	l, err := t.list(ctx, 0)
	if err != nil {
		return nil, err
	}
	v, err := t.versionAsOf(ctx, l, latest, at.UTC())
	if err != nil {
		return nil, fmt.Errorf("open table: %w", err)
	}
	if v == latest.Version() {
		return latest, nil
	}
	return t.SnapshotAt(ctx, v)
}

// versionAsOf finds the last version that was committed at a moment or before. Versions with in-commit timestamps are found by
// those, older ones by the times of their objects (spec: In-Commit Timestamps, Recommendations for Readers).
func (t *Table) versionAsOf(ctx context.Context, l *listing, latest *Snapshot, at time.Time) (Version, error) {
	times := l.commitTimes()
	first, last := l.first(), latest.Version()
	outside := &VersionError{Asked: at.Format(time.RFC3339Nano), First: first, Latest: last}
	if latest.inCommitTimestamps() {
		from, since := latest.metadata.inCommitEnablement()
		if !at.Before(since) {
			return t.searchInCommit(ctx, max(from, first), last, at, outside)
		}
		last = from - 1
		if last < first {
			outside.gone = true
			return 0, outside
		}
	}
	if last == latest.Version() && at.After(times[last]) {
		return 0, outside
	}
	for v := last; v >= first; v-- {
		if commitTime, ok := times[v]; ok && !commitTime.After(at) {
			return v, nil
		}
	}
	outside.gone = first > 0
	return 0, outside
}

func (t *Table) searchInCommit(ctx context.Context, first, last Version, at time.Time, outside *VersionError) (Version, error) {
	var failure error
	timeOf := func(v Version) time.Time {
		c, err := t.readCommit(ctx, v)
		if err != nil {
			failure = err
			return time.Time{}
		}
		return inCommitTimestamp(c, time.Time{})
	}
	if at.After(timeOf(last)) {
		return 0, firstError(failure, outside)
	}
	after := sort.Search(int(last-first)+1, func(i int) bool { return timeOf(first + Version(i)).After(at) })
	if failure != nil || after == 0 {
		outside.gone = first > 0
		return 0, firstError(failure, outside)
	}
	return first + Version(after) - 1, nil
}

func firstError(err error, otherwise error) error {
	if err != nil {
		return err
	}
	return otherwise
}

// inCommitEnablement says since which version and moment commits carry their own time. A table that does not say has had it
// from the start.
func (m *Metadata) inCommitEnablement() (Version, time.Time) {
	v, errV := strconv.ParseInt(m.Configuration[enablementVersionProperty], 10, 64)
	ms, errT := strconv.ParseInt(m.Configuration[enablementTimestampProperty], 10, 64)
	if errV != nil || errT != nil {
		return 0, time.Time{}
	}
	return Version(v), time.UnixMilli(ms).UTC()
}

// commitTimes gives the time of each commit by its object, raised where it does not come after the one before.
func (l *listing) commitTimes() map[Version]time.Time {
	times := make(map[Version]time.Time, len(l.commits))
	var previous time.Time
	for _, v := range l.versions() {
		at := l.commits[v].ModTime.UTC().Truncate(time.Millisecond)
		if !at.After(previous) {
			at = previous.Add(time.Millisecond)
		}
		times[v], previous = at, at
	}
	return times
}

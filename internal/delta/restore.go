package delta

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// ErrFilesGone: files of the version to go back to were deleted.
var ErrFilesGone = errors.New("files of the version are gone")

// RestoreOptions adjust a restore; the zero value serves.
type RestoreOptions struct {
	WithoutGoneFiles bool      // restore what is left of the version; the rows of files that are gone are lost
	AsOf             time.Time // for the history, when the version was chosen by a time
	UserMetadata     string
}

// Restored is what a restore did.
type Restored struct {
	Before, After Version // of the table; equal when it was as asked for already
	Added         int     // files that are back
	Removed       int     // files that are not part of the table any more
	BytesAdded    int64
	BytesRemoved  int64
	Gone          []string // files of the version that are not there any more
}

// Restore makes the table what it was at a version, rows and metadata, by one commit: files that came since are removed and those
// that went are added again. Nothing is copied, and the versions in between stay in the history. The table's protocol, its
// metadata domains and the progress of applications stay as they are, so an application does not write again what the restore took away. The error matches
// [ErrFilesGone] when a vacuum has deleted files of the version, and is a *[ConflictError] when others change the table meanwhile.
func (t *Table) Restore(ctx context.Context, v Version, o RestoreOptions) (Restored, error) {
	done, err := t.restore(ctx, v, o)
	if err != nil {
		return done, fmt.Errorf("restore version %d: %w", v, err)
	}
	return done, nil
}

func (t *Table) restore(ctx context.Context, v Version, o RestoreOptions) (Restored, error) {
	now, err := t.Snapshot(ctx)
	if err != nil {
		return Restored{}, err
	}
	done := Restored{Before: now.Version(), After: now.Version()}
	then, err := t.SnapshotAt(ctx, v)
	if err != nil {
		return done, err
	}
	back, away := difference(now.state.files, then.state.files)
	if back, done.Gone, err = t.withoutGone(ctx, back); err != nil {
		return done, err
	}
	if n := len(done.Gone); n > 0 && !o.WithoutGoneFiles {
		return done, fmt.Errorf("%w: %d of them, such as %s", ErrFilesGone, n, done.Gone[0])
	}
	p, err := now.prepareRestore(then, back, away, o)
	if err != nil {
		return done, err
	}
	if len(back)+len(away) == 0 && p.metadata == nil {
		return done, nil
	}
	done.Added, done.Removed = len(back), len(away)
	done.BytesAdded, done.BytesRemoved = totalSize(back), totalSize(away)
	s, err := p.commit(ctx)
	if err != nil {
		return done, err
	}
	done.After = s.Version()
	return done, nil
}

// difference gives the files that are only in then, and those that are only in now.
func difference(now, then addList) (back, away []*addAction) {
	return then.without(now), now.without(then)
}

// withoutGone leaves out the files whose objects are not there any more, and names them.
func (t *Table) withoutGone(ctx context.Context, files []*addAction) (left []*addAction, gone []string, err error) {
	if len(files) == 0 {
		return nil, nil, nil
	}
	needed, err := t.wanted(slices.Values(files))
	if err != nil {
		return nil, nil, err
	}
	missing := map[string]bool{}
	for f, err := range t.locate(ctx, needed, nil) {
		if err != nil {
			return nil, nil, fmt.Errorf("look for the files: %w", err)
		}
		if f.info == nil {
			missing[f.key] = true
			gone = append(gone, f.key)
		}
	}
	for _, a := range files {
		needed, err := t.wanted(slices.Values([]*addAction{a}))
		if err != nil {
			return nil, nil, err
		}
		if !slices.ContainsFunc(needed, func(f wantedFile) bool { return missing[f.key] }) {
			left = append(left, a)
		}
	}
	return left, gone, nil
}

func (s *Snapshot) prepareRestore(then *Snapshot, back, away []*addAction, o RestoreOptions) (*prepared, error) {
	p := &prepared{table: s.table, base: s, reads: []Predicate{And()}}
	if err := s.restoredMetadata(p, then); err != nil {
		return nil, err
	}
	if len(away) > 0 && (p.afterCommit.enabled("delta.appendOnly") || s.metadata.enabled("delta.appendOnly")) {
		return nil, fmt.Errorf("remove %d files: %w (delta.appendOnly)", len(away), ErrAppendOnly)
	}
	at := s.table.now()
	for _, a := range away {
		p.removes = append(p.removes, a.tombstone(at, true))
	}
	for _, a := range back {
		again := *a
		again.DataChange = true
		p.adds = append(p.adds, &again)
	}
	version := s.Version()
	p.info = restoreOperation(then, back, away, o).commitInfo(s.table)
	p.info.ReadVersion = &version
	p.info.IsolationLevel = isolation(&s.metadata)
	return p, nil
}

// restoredMetadata brings the old metadata back. What belongs to the course of the log, in-commit timestamps, stays.
func (s *Snapshot) restoredMetadata(p *prepared, then *Snapshot) error {
	if missing := s.protocol.lacks(then.protocol); len(missing) > 0 {
		return fmt.Errorf("the version needs table features that were removed since: %s", strings.Join(missing, ", "))
	}
	action := *then.state.metadata
	action.Configuration = maps.Clone(action.Configuration)
	if action.Configuration == nil {
		action.Configuration = map[string]string{}
	}
	for _, configuration := range []map[string]string{s.state.metadata.Configuration, action.Configuration} {
		for key := range configuration {
			if !strings.Contains(strings.ToLower(key), "incommittimestamp") {
				continue
			}
			if value, ok := s.state.metadata.Configuration[key]; ok {
				action.Configuration[key] = value
			} else {
				delete(action.Configuration, key)
			}
		}
	}
	if err := keepColumnIDs(&action, &s.metadata, &then.metadata); err != nil {
		return err
	}
	action.fill()
	var err error
	if p.afterCommit, err = action.parse(); err != nil {
		return err
	}
	if !s.state.metadata.same(&action) {
		p.metadata = &action
	}
	u := then.usage()
	u.metadata = &p.afterCommit
	return s.protocol.checkWrite(u)
}

// keepColumnIDs leaves the highest id that a mapped column ever had as it is: no id is used again.
func keepColumnIDs(action *metadataAction, now, then *Metadata) error {
	if _, ok := now.Configuration[maxColumnIDProperty]; !ok {
		return nil
	}
	highest := 0
	for _, m := range []*Metadata{now, then} {
		n, err := m.maxColumnID()
		if err != nil {
			return err
		}
		highest = max(highest, n)
	}
	action.Configuration[maxColumnIDProperty] = strconv.Itoa(highest)
	return nil
}

// lacks names the features that another protocol has and this one has not.
func (p Protocol) lacks(other Protocol) []string {
	var out []string
	for _, write := range []bool{false, true} {
		have := p.listed(write)
		for _, name := range other.listed(write) {
			if !slices.Contains(have, name) && !slices.Contains(out, name) {
				out = append(out, name)
			}
		}
	}
	return out
}

func restoreOperation(then *Snapshot, back, away []*addAction, o RestoreOptions) Operation {
	op := Operation{Name: "RESTORE", UserMetadata: o.UserMetadata, Parameters: map[string]string{"version": fmt.Sprint(then.Version())},
		Metrics: map[string]int64{
			"numRestoredFiles":       int64(len(back)),
			"restoredFilesSize":      totalSize(back),
			"numRemovedFiles":        int64(len(away)),
			"removedFilesSize":       totalSize(away),
			"numOfFilesAfterRestore": int64(then.NumFiles()),
			"tableSizeAfterRestore":  then.SizeInBytes(),
		}}
	if !o.AsOf.IsZero() {
		op.Parameters["timestamp"] = o.AsOf.UTC().Format(time.RFC3339)
	}
	return op
}

func totalSize(files []*addAction) (sum int64) {
	for _, a := range files {
		sum += a.Size
	}
	return sum
}

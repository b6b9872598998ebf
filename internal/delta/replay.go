package delta

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"time"

	"launchlake/internal/objstore"
)

// commitsAhead is how many commits are being fetched while older ones are taken in. It bounds memory as well.
const commitsAhead = 8

// replay reads a segment, newest first.
func (t *Table) replay(ctx context.Context, seg *segment) (*state, *commitFile, error) {
	r := newReconciler(seg.version)
	var newest *commitFile
	newestFirst := slices.Clone(seg.commits)
	slices.Reverse(newestFirst)
	for c, err := range t.commitFiles(ctx, newestFirst) {
		if err != nil {
			return nil, nil, err
		}
		if newest == nil {
			newest = c
		}
		r.commit(c)
	}
	if seg.checkpoint != nil {
		if err := t.readCheckpoint(ctx, seg.checkpoint, r.part); err != nil {
			return nil, nil, err
		}
	}
	s := r.finish()
	switch {
	case s.protocol == nil:
		return nil, nil, &CorruptError{Key: commitKey(seg.version), Err: errors.New("no protocol action up to this version")}
	case s.metadata == nil:
		return nil, nil, &CorruptError{Key: commitKey(seg.version), Err: errors.New("no metaData action up to this version")}
	}
	return s, newest, nil
}

// commitFiles reads commits in the given order, some of them ahead.
func (t *Table) commitFiles(ctx context.Context, commits []objstore.Info) iter.Seq2[*commitFile, error] {
	type result struct {
		commit *commitFile
		err    error
	}
	return func(yield func(*commitFile, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		pending := make(chan chan result, commitsAhead)
		go func() {
			defer close(pending)
			for _, info := range commits {
				one := make(chan result, 1)
				select {
				case pending <- one:
				case <-ctx.Done():
					return
				}
				go func() {
					c, err := t.readCommit(ctx, parseLogName(info.Key).version)
					if err == nil {
						c.modTime, c.mark.object = info.ModTime, info
					}
					one <- result{c, err}
				}()
			}
		}()
		for range commits {
			one, ok := <-pending
			if !ok {
				yield(nil, ctx.Err())
				return
			}
			r := <-one
			if !yield(r.commit, r.err) || r.err != nil {
				return
			}
		}
	}
}

// open makes the snapshot of a segment and refuses what cannot be read rightly.
func (t *Table) open(ctx context.Context, seg *segment) (*Snapshot, error) {
	state, newest, err := t.replay(ctx, seg)
	if err != nil {
		return nil, fmt.Errorf("read version %d: %w", seg.version, err)
	}
	s, err := t.newSnapshot(state, seg.end.ModTime)
	if err != nil {
		return nil, fmt.Errorf("read version %d: %w", seg.version, err)
	}
	if s.end.object = seg.end; newest != nil {
		s.end = newest.mark
	}
	if s.inCommitTimestamps() {
		if newest == nil {
			newest, err = t.readCommit(ctx, seg.version)
		}
		switch {
		case err == nil:
			s.timestamp = inCommitTimestamp(newest, s.timestamp)
		case !isMissing(err):
			return nil, err
		}
	}
	if s.timestamp.IsZero() && seg.checkpoint != nil {
		s.timestamp = seg.checkpoint.files[0].ModTime
	}
	return s, nil
}

// inCommitTimestamp is the time that a commit gives itself, else the given one.
func inCommitTimestamp(c *commitFile, otherwise time.Time) time.Time {
	if t := parseCommitInfo(c.info).InCommitTimestamp; !t.IsZero() {
		return t
	}
	return otherwise
}

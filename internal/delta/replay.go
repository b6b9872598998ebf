package delta

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"launchlake/internal/objstore"
)

// commitsAhead is how many commits are being fetched while older ones are taken in. It bounds memory as well.
const commitsAhead = 8

// scope is which actions a replay is about.
type scope int

const (
	allActions  scope = iota
	headActions       // all but those on files
)

// replay reads a segment, newest first.
func (t *Table) replay(ctx context.Context, seg *segment, wanted scope) (*state, *commitFile, error) {
	r := newReconciler(seg.version)
	var newest *commitFile
	read := func(ctx context.Context, s stretch) ([]*commitFile, error) { return t.readStretch(ctx, s, wanted) }
	for commits, err := range ahead(ctx, seg.stretches(), read) {
		if err != nil {
			return nil, nil, err
		}
		for _, c := range commits {
			newest = cmp.Or(newest, c)
			r.commit(c)
		}
	}
	if seg.checkpoint != nil {
		if err := t.readCheckpoint(ctx, seg.checkpoint, wanted, r.part); err != nil {
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
	return ahead(ctx, commits, func(ctx context.Context, info objstore.Info) (*commitFile, error) {
		return t.readListedCommit(ctx, info, allActions)
	})
}

func (t *Table) readListedCommit(ctx context.Context, info objstore.Info, wanted scope) (*commitFile, error) {
	c, err := t.readActions(ctx, parseLogName(info.Key).version, wanted)
	if err == nil {
		c.modTime, c.mark.object = info.ModTime, info
	}
	return c, err
}

// ahead yields what read gives for each item, in their order, and calls it for some items ahead. It ends with the first error.
func ahead[In, Out any](ctx context.Context, items []In, read func(context.Context, In) (Out, error)) iter.Seq2[Out, error] {
	type result struct {
		out Out
		err error
	}
	return func(yield func(Out, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		pending := make(chan chan result, commitsAhead)
		go func() {
			defer close(pending)
			for _, item := range items {
				one := make(chan result, 1)
				select {
				case pending <- one:
				case <-ctx.Done():
					return
				}
				go func() {
					out, err := read(ctx, item)
					one <- result{out, err}
				}()
			}
		}()
		for range items {
			one, ok := <-pending
			if !ok {
				var none Out
				yield(none, ctx.Err())
				return
			}
			r := <-one
			if !yield(r.out, r.err) || r.err != nil {
				return
			}
		}
	}
}

// open makes the snapshot of a segment and refuses what cannot be read rightly.
func (t *Table) open(ctx context.Context, seg *segment) (*Snapshot, error) {
	state, newest, err := t.replay(ctx, seg, allActions)
	if err != nil {
		return nil, fmt.Errorf("read version %d: %w", seg.version, err)
	}
	s, err := t.newSnapshot(state, seg.end.ModTime)
	if err != nil {
		return nil, fmt.Errorf("read version %d: %w", seg.version, err)
	}
	return s, s.endWith(ctx, seg, newest)
}

// inCommitTimestamp is the time that a commit gives itself, else the given one.
func inCommitTimestamp(c *commitFile, otherwise time.Time) time.Time {
	if t := parseCommitInfo(c.info).InCommitTimestamp; !t.IsZero() {
		return t
	}
	return otherwise
}

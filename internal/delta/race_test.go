package delta_test

import (
	"fmt"
	"strings"
	"testing"

	"golang.org/x/sync/errgroup"

	"launchlake/internal/delta"
)

func TestWritersThatRaceLoseNothingAndDoubleNothing(t *testing.T) {
	const writers, commits = 16, 50
	for name, open := range stores {
		t.Run(name, func(t *testing.T) {
			store := open(t)
			if _, err := delta.Open(store).Create(t.Context(), delta.Metadata{Schema: plainTable.Schema}); err != nil {
				t.Fatal(err)
			}
			group, ctx := errgroup.WithContext(t.Context())
			for w := range writers {
				group.Go(func() error {
					s, err := delta.Open(store).Snapshot(ctx)
					if err != nil {
						return err
					}
					for c := range commits {
						tx := s.Begin(delta.Operation{Name: "WRITE"})
						tx.Add(delta.Add{Path: fmt.Sprintf("writer %d/%d", w, c), Stats: &delta.Stats{NumRecords: 1}})
						tx.SetTransaction(fmt.Sprint("writer ", w), int64(c))
						if s, err = tx.Commit(ctx); err != nil {
							return fmt.Errorf("writer %d, commit %d: %w", w, c, err)
						}
					}
					return nil
				})
			}
			if err := group.Wait(); err != nil {
				t.Fatal(err)
			}
			times := map[string]int{}
			for c, err := range delta.Open(store).Commits(t.Context(), 1, writers*commits) {
				if err != nil {
					t.Fatal(err)
				}
				for _, a := range c.Add {
					times[a.Path]++
				}
			}
			for w := range writers {
				for c := range commits {
					if n := times[fmt.Sprintf("writer %d/%d", w, c)]; n != 1 {
						t.Errorf("commit %d of writer %d is in the log %d times", c, w, n)
					}
				}
			}
			s, err := delta.Open(store).Snapshot(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if s.Version() != writers*commits || s.NumFiles() != writers*commits {
				t.Errorf("version %d with %d files, want %d of both", s.Version(), s.NumFiles(), writers*commits)
			}
			checkpoints := 0
			for info, err := range store.List(t.Context(), "_delta_log/", "") {
				if err != nil {
					t.Fatal(err)
				}
				if strings.HasSuffix(info.Key, ".checkpoint.parquet") {
					checkpoints++
				}
			}
			if checkpoints != writers*commits/10 {
				t.Errorf("%d checkpoints, want one for each 10 commits", checkpoints)
			}
		})
	}
}

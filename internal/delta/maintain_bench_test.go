package delta_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"launchlake/internal/delta"
	"launchlake/internal/objstore"
)

// manyFilesTable has 100 commits of 1,000 files each, whose objects are there and empty.
func manyFilesTable(b *testing.B) *objstore.Memory {
	b.Helper()
	store := objstore.NewMemory()
	s, err := delta.Open(store).Create(b.Context(), plainTable)
	for commit := range 100 {
		tx := s.Begin(delta.Operation{Name: "WRITE"})
		for n := range 1000 {
			path := fmt.Sprintf("part-%03d-%04d.parquet", commit, n)
			if err == nil {
				err = store.Put(b.Context(), path, strings.NewReader(""))
			}
			tx.Add(delta.Add{Path: path, Stats: &delta.Stats{NumRecords: 1}})
		}
		if err == nil {
			s, err = tx.Commit(b.Context())
		}
		if err != nil {
			b.Fatal(err)
		}
	}
	return store
}

// BenchmarkMaintain100000Files checks the log and the files of a table, and looks for what a vacuum would delete.
func BenchmarkMaintain100000Files(b *testing.B) {
	store := manyFilesTable(b)
	b.Run("check", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			for f, err := range delta.Open(store).Check(b.Context(), delta.CheckOptions{Sample: -1}) {
				b.Fatal(f, err)
			}
		}
	})
	b.Run("vacuum", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			done, err := delta.Open(store).Vacuum(b.Context(), delta.VacuumOptions{Retention: time.Hour, ShortRetention: true, DryRun: true})
			if err != nil || done.Files != 0 {
				b.Fatal(done, err)
			}
		}
	})
}

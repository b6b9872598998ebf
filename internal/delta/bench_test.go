package delta

import (
	"bytes"
	"fmt"
	"sync"
	"testing"

	"launchlake/internal/objstore"
)

// benchTable makes a table of many commits, each with some files, and no checkpoint.
func benchTable(b *testing.B, commits, filesEach int) (*objstore.Memory, *Snapshot) {
	b.Helper()
	store := objstore.NewMemory()
	s, err := Open(store).Create(b.Context(), Metadata{
		Schema: &Schema{Fields: []Field{{Name: "id", Type: Long}, {Name: "name", Type: String, Nullable: true}, {Name: "at", Type: Timestamp, Nullable: true},
			{Name: "day", Type: Date, Nullable: true}}},
		PartitionColumns: []string{"day"}, Configuration: map[string]string{"delta.checkpointInterval": "1000000"},
	})
	if err != nil {
		b.Fatal(err)
	}
	for c := range commits {
		tx := s.Begin(Operation{Name: "WRITE"})
		for f := range filesEach {
			day := fmt.Sprintf("2024-01-%02d", 1+c%28)
			nulls := int64(0)
			tx.Add(Add{Path: "day=" + day + "/" + NewDataFileName("zstd.parquet"), PartitionValues: map[string]*string{"day": &day}, Size: 1 << 20,
				Stats: &Stats{NumRecords: 1000, Columns: map[string]ColumnStats{
					"id": {Min: int64(f), Max: int64(f + 1000), NullCount: &nulls}, "name": {Min: "Ariane", Max: "Vostok", NullCount: &nulls}}}})
		}
		if s, err = tx.Commit(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
	return store, s
}

func BenchmarkReplay(b *testing.B) {
	for _, commits := range []int{10, 100, 1000} {
		b.Run(fmt.Sprintf("commits=%d", commits), func(b *testing.B) {
			store, _ := benchTable(b, commits, 10)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Open(store).Snapshot(b.Context()); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkCheckpointWrite(b *testing.B) {
	_, s := benchTable(b, 10, 1000)
	b.ReportAllocs()
	for b.Loop() {
		body, _, err := s.encodeCheckpoint(s.Timestamp())
		if err != nil {
			b.Fatal(err)
		}
		b.SetBytes(int64(len(body)))
	}
	b.ReportMetric(float64(s.NumFiles())*float64(b.N)/b.Elapsed().Seconds(), "files/s")
}

func BenchmarkCheckpointRead(b *testing.B) {
	_, s := benchTable(b, 10, 1000)
	body, _, err := s.encodeCheckpoint(s.Timestamp())
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	files := 0
	for b.Loop() {
		if err := readParquetActions(bytes.NewReader(body), int64(len(body)), allActions, oneAtATime(&sync.Mutex{}, func(l checkpointLine) {
			if l.Add != nil {
				files++
			}
		})); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(files)/b.Elapsed().Seconds(), "files/s")
}

func BenchmarkCommit(b *testing.B) {
	stores := map[string]func() objstore.Store{
		"memory": func() objstore.Store { return objstore.NewMemory() },
		"dir": func() objstore.Store {
			d, err := objstore.NewDir(b.TempDir())
			if err != nil {
				b.Fatal(err)
			}
			return d
		},
	}
	for name, open := range stores {
		b.Run(name, func(b *testing.B) {
			s, err := Open(open()).Create(b.Context(), Metadata{Schema: &Schema{Fields: []Field{{Name: "id", Type: Long}}}})
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for n := 0; b.Loop(); n++ {
				tx := s.Begin(Operation{Name: "WRITE"})
				tx.Add(Add{Path: fmt.Sprint(n), Stats: &Stats{NumRecords: 1}})
				if s, err = tx.Commit(b.Context()); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkPrune(b *testing.B) {
	_, s := benchTable(b, 10, 1000)
	b.ReportAllocs()
	for b.Loop() {
		for _, err := range s.Files(Col("id").Lt(5)) {
			if err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(float64(s.NumFiles())*float64(b.N)/b.Elapsed().Seconds(), "files/s")
}

package delta_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sync/errgroup"

	"launchlake/internal/delta"
	"launchlake/internal/objstore"
	"launchlake/internal/objstore/s3"
)

// writeLog puts a log of many commits, each with some files, into a folder, as fast as the folder takes it. Version 0 creates the
// table.
func writeLog(b *testing.B, folder string, commits, files int) {
	b.Helper()
	log := filepath.Join(folder, "_delta_log")
	if err := os.MkdirAll(log, 0o755); err != nil {
		b.Fatal(err)
	}
	for v := range commits + 1 {
		var text bytes.Buffer
		fmt.Fprintf(&text, `{"commitInfo":{"timestamp":%d,"operation":"WRITE"}}`+"\n", 1_700_000_000_000+v)
		if v == 0 {
			text.WriteString(`{"protocol":{"minReaderVersion":1,"minWriterVersion":2}}` + "\n" + `{"metaData":{"id":"t","format":{"provider":"parquet","options":{}},` +
				`"schemaString":"{\"type\":\"struct\",\"fields\":[{\"name\":\"id\",\"type\":\"long\",\"nullable\":true,\"metadata\":{}}]}","partitionColumns":[],"configuration":{}}}` + "\n")
		}
		for f := range files * min(v, 1) {
			fmt.Fprintf(&text, `{"add":{"path":"part-%08x-%08x-c000.parquet","partitionValues":{},"size":%d,"modificationTime":1700000000000,"dataChange":true,`+
				`"stats":"{\"numRecords\":%d,\"minValues\":{\"id\":%d},\"maxValues\":{\"id\":%d},\"nullCount\":{\"id\":0}}"}}`+"\n", uint32(f*40503)*2654435761, v, v+f, f, v, v+f)
		}
		if err := os.WriteFile(filepath.Join(log, fmt.Sprintf("%020d.json", v)), text.Bytes(), 0o644); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkOpen opens tables by the length of their logs, anew and by a Table that has read them before. The longest is measured
// where LAKE_TEST_SOAK is set.
func BenchmarkOpen(b *testing.B) {
	for _, size := range []struct{ commits, files int }{{1, 1}, {100, 1}, {10_000, 1}, {100_000, 1}, {100, 10_000}} {
		if size.commits*size.files > 10_000 && os.Getenv("LAKE_TEST_SOAK") == "" {
			continue
		}
		for _, checkpoint := range []bool{false, true} {
			b.Run(fmt.Sprintf("commits=%d/files=%d/checkpoint=%t", size.commits, size.commits*size.files, checkpoint), func(b *testing.B) {
				folder := b.TempDir()
				writeLog(b, folder, size.commits, size.files)
				store, err := objstore.NewDir(folder)
				if err != nil {
					b.Fatal(err)
				}
				table := delta.Open(store)
				s, err := table.Snapshot(b.Context())
				if err == nil && checkpoint {
					err = table.Checkpoint(b.Context(), s)
				}
				if err != nil {
					b.Fatal(err)
				}
				for name, open := range map[string]func() *delta.Table{
					"anew": func() *delta.Table { return delta.Open(store) }, "again": func() *delta.Table { return table },
				} {
					b.Run(name, func(b *testing.B) {
						b.ReportAllocs()
						for b.Loop() {
							if s, err := open().Snapshot(b.Context()); err != nil || s.NumFiles() != size.commits*size.files {
								b.Fatal(s, err)
							}
						}
					})
				}
			})
		}
	}
}

// BenchmarkOpenMinIO opens a table with a log of 10,000 versions, of which the last four are behind the last checkpoint, on a real
// MinIO: what a run that finds nothing new does for each of its tables.
func BenchmarkOpenMinIO(b *testing.B) {
	const commits, oneByOne = 10_004, 5 // the last ones are committed as by any writer, with a checkpoint at 10,000
	name, options := bucket(b)
	store, err := s3.Open(b.Context(), name, "table", options)
	if err != nil {
		b.Fatal(err)
	}
	s, err := delta.Open(store).Create(b.Context(), delta.Metadata{Schema: plainTable.Schema})
	if err != nil {
		b.Fatal(err)
	}
	var group errgroup.Group
	group.SetLimit(32)
	for v := 1; v <= commits-oneByOne; v++ {
		group.Go(func() error {
			text := fmt.Sprintf(`{"commitInfo":{"timestamp":%d,"operation":"WRITE"}}`+"\n", 1_700_000_000_000+v)
			return store.PutIfAbsent(b.Context(), fmt.Sprintf("_delta_log/%020d.json", v), []byte(text))
		})
	}
	table := delta.Open(store)
	if err = group.Wait(); err == nil {
		s, err = table.Snapshot(b.Context())
	}
	if err == nil {
		err = table.Checkpoint(b.Context(), s)
	}
	for range oneByOne {
		if err == nil {
			s, err = s.Begin(delta.Operation{Name: "WRITE"}).Commit(b.Context())
		}
	}
	if err != nil {
		b.Fatal(err)
	}
	for name, open := range map[string]func() *delta.Table{
		"anew": func() *delta.Table { return delta.Open(store) }, "again": func() *delta.Table { return table },
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if s, err := open().Snapshot(b.Context()); err != nil || s.Version() != commits {
					b.Fatal(s, err)
				}
			}
		})
	}
}

// BenchmarkHistory reads the newest ten commits of a long log.
func BenchmarkHistory(b *testing.B) {
	folder := b.TempDir()
	writeLog(b, folder, 10_000, 1)
	store, err := objstore.NewDir(folder)
	if err == nil {
		err = store.Put(b.Context(), "_delta_log/_last_checkpoint", strings.NewReader(`{"version":9990}`))
	}
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		read := 0
		for _, err := range delta.Open(store).History(b.Context()) {
			if err != nil {
				b.Fatal(err)
			}
			if read++; read == 10 {
				break
			}
		}
	}
}

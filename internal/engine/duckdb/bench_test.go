package duckdb_test

import (
	"fmt"
	"slices"
	"testing"

	"launchlake/internal/contract"
	"launchlake/internal/delta"
	"launchlake/internal/engine"
	"launchlake/internal/engine/duckdb"
	"launchlake/internal/launchapi/recorded"
	"launchlake/internal/objstore"
)

// documents of a benchmark: enough to fill all threads.
const benchDocuments = 20_000

// BenchmarkParse parses launches to all columns of their contract, without keeping them.
func BenchmarkParse(b *testing.B) {
	c, err := contract.Load("launches")
	if err != nil {
		b.Fatal(err)
	}
	e, err := duckdb.Open(b.Context(), duckdb.Options{Folder: b.TempDir()})
	if err != nil {
		b.Fatal(err)
	}
	defer e.Close()
	var bytes int64
	raws := slices.Collect(recorded.Generate(1000, 1))
	rows := "select unhex('') as raw where false"
	for _, raw := range raws {
		bytes += int64(len(raw))
		rows += fmt.Sprintf(" union all select unhex('%x')", []byte(raw))
	}
	if err := e.Define(b.Context(), "originals", rows, engine.Once); err != nil {
		b.Fatal(err)
	}
	if err := e.Define(b.Context(), "documents", fmt.Sprintf("select raw from originals cross join range(%d) r", benchDocuments/len(raws)), engine.Once); err != nil {
		b.Fatal(err)
	}
	documents := engine.Documents{From: "documents", Document: "raw"}
	sums := "count(*)"
	for _, column := range c.Columns {
		if len(column.Paths) > 0 {
			documents.Columns = append(documents.Columns, engine.Column{Name: column.Name, Type: column.Type, Paths: column.Paths})
			sums += ", count(" + column.Name + ")"
		}
	}
	if err := e.Parse(b.Context(), "parsed", documents); err != nil {
		b.Fatal(err)
	}
	b.SetBytes(bytes * benchDocuments / int64(len(raws)))
	for n := 0; b.Loop(); n++ {
		if err := e.Define(b.Context(), fmt.Sprintf("counted_%d", n), "select "+sums+" from parsed", engine.Once); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkMerge replaces a tenth of the rows of a table of 40 columns.
func BenchmarkMerge(b *testing.B) {
	const rows = 100_000
	row := "md5(cast(i as varchar)) as k, %d as v"
	for n := range 38 {
		row += fmt.Sprintf(", md5(cast(i + %d as varchar)) as s%[1]d", n)
	}
	e, err := duckdb.Open(b.Context(), duckdb.Options{Folder: b.TempDir()})
	if err != nil {
		b.Fatal(err)
	}
	defer e.Close()
	store, err := objstore.NewDir(b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	out := engine.Output{Table: delta.Open(store), Mode: engine.Merge, Keys: []string{"k"}, Newer: "source.v > target.v"}
	merge := func(version, step int) {
		b.Helper()
		done, err := e.Publish(b.Context(), fmt.Sprintf("select "+row+" from range(0, %d, %d) r(i)", version, rows, step), out)
		if err != nil || done.Inserted+done.Updated != int64(rows/step) {
			b.Fatal(done, err)
		}
	}
	merge(0, 1)
	for version := 1; b.Loop(); version++ {
		merge(version, 10)
	}
	b.ReportMetric(float64(rows)*float64(b.N)/b.Elapsed().Seconds(), "target-rows/s")
}

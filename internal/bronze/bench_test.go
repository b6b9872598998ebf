package bronze_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"iter"
	"slices"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/klauspost/compress/zstd"

	"launchlake/internal/bench/cputime"
	"launchlake/internal/bronze"
	"launchlake/internal/delta"
	"launchlake/internal/launchapi/recorded"
	"launchlake/internal/objstore"
	"launchlake/internal/rawjson"
)

const benchLaunches = 10_000

// pages is a source of pages that are there already, and were checked.
type pages []bronze.Page

func (p pages) Pages(context.Context, time.Time) iter.Seq2[bronze.Page, error] {
	return func(yield func(bronze.Page, error) bool) {
		for _, page := range p {
			if !yield(page, nil) {
				return
			}
		}
	}
}

func pagesOf(records []json.RawMessage) (all pages) {
	for results := range slices.Chunk(records, 100) {
		page := bronze.Page{URL: "http://localhost/launches/", Status: 200, FetchedAt: day, Results: results}
		for _, raw := range results {
			var key bronze.Key
			for name, value := range rawjson.Members(raw) {
				switch string(name) {
				case "id":
					key.ID = value
				case "last_updated":
					key.LastUpdated = value
				}
			}
			page.Keys = append(page.Keys, key)
		}
		all = append(all, page)
	}
	return all
}

func generated() (records []json.RawMessage, size int64) {
	for raw := range recorded.Generate(benchLaunches, 1) {
		records, size = append(records, raw), size+int64(len(raw))
	}
	return records, size
}

// BenchmarkIngest brings launches into a table in memory.
func BenchmarkIngest(b *testing.B) {
	records, size := generated()
	source := pagesOf(records)
	b.ReportAllocs()
	defer cputime.PerMB(b, size)()
	for b.Loop() {
		done, err := bronze.Ingest(b.Context(), source, delta.Open(objstore.NewMemory()), bronze.Options{})
		if err != nil || done.RowsRead != benchLaunches {
			b.Fatal(done, err)
		}
	}
}

// BenchmarkLimit measures what ingest cannot do without, each alone: what is left of BenchmarkIngest is the Parquet around it.
func BenchmarkLimit(b *testing.B) {
	records, size := generated()
	body := slices.Concat([]byte(`{"results":[`), bytes.Join(asBytes(records[:1000]), []byte(",")), []byte("]}"))
	b.Run("json", func(b *testing.B) {
		const levels = 4 // down to the members of the records
		defer cputime.PerMB(b, int64(len(body)))()
		for b.Loop() {
			values := 0
			if _, ok := new(rawjson.Walker).Walk(body, levels, func(int, []byte, []byte) { values++ }); !ok || values < 1000 {
				b.Fatal("not valid")
			}
		}
	})
	b.Run("utf8", func(b *testing.B) {
		defer cputime.PerMB(b, int64(len(body)))()
		for b.Loop() {
			if !utf8.Valid(body) {
				b.Fatal("not valid")
			}
		}
	})
	b.Run("sha256", func(b *testing.B) {
		defer cputime.PerMB(b, int64(len(body)))()
		for b.Loop() {
			for _, raw := range records[:1000] {
				sha256.Sum256(raw)
			}
		}
	})
	encoder, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithNoEntropyCompression(true),
		zstd.WithEncoderConcurrency(1), zstd.WithEncoderCRC(false))
	if err != nil {
		b.Fatal(err)
	}
	pageBytes := len(body) // the documents of a row group
	b.Run("zstd", func(b *testing.B) {
		var out []byte
		defer cputime.PerMB(b, int64(len(body)))()
		for b.Loop() {
			total := 0
			for page := range slices.Chunk(body, pageBytes) {
				out = encoder.EncodeAll(page, out[:0])
				total += len(out)
			}
			b.ReportMetric(float64(len(body))/float64(total), "ratio")
		}
	})
	b.Run("folder", func(b *testing.B) { // the compressed file, and the disk
		store, err := objstore.NewDir(b.TempDir())
		if err != nil {
			b.Fatal(err)
		}
		all := bytes.Join(asBytes(records), nil)
		var file []byte
		for page := range slices.Chunk(all, pageBytes) {
			file = encoder.EncodeAll(page, file)
		}
		defer cputime.PerMB(b, size)()
		for b.Loop() {
			if err := store.Put(b.Context(), "file", bytes.NewReader(file)); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func asBytes(records []json.RawMessage) [][]byte {
	all := make([][]byte, len(records))
	for i, raw := range records {
		all[i] = raw
	}
	return all
}

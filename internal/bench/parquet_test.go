package bench_test

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"testing"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress/zstd"
	"github.com/xitongsys/parquet-go-source/buffer"
	xparquet "github.com/xitongsys/parquet-go/parquet"
	"github.com/xitongsys/parquet-go/reader"
	"github.com/xitongsys/parquet-go/writer"
)

// The two Go libraries for Parquet on Bronze's shape: short envelope columns beside a payload of about 4 KB. Both
// write zstd, both read every column back. The pages read are those that the library under test wrote.

const parquetRows = 5_000

type parquetGoRow struct {
	ID          string `parquet:"id,optional"`
	LastUpdated int64  `parquet:"last_updated,timestamp(microsecond)"`
	Raw         []byte `parquet:"raw,plain"`
	SHA256      string `parquet:"sha256,plain"`
	Page        int32  `parquet:"page"`
	FetchedAt   int64  `parquet:"fetched_at,timestamp(microsecond)"`
}

type xitongsysRow struct {
	ID          *string `parquet:"name=id, type=BYTE_ARRAY, convertedtype=UTF8, repetitiontype=OPTIONAL"`
	LastUpdated int64   `parquet:"name=last_updated, type=INT64, convertedtype=TIMESTAMP_MICROS"`
	Raw         string  `parquet:"name=raw, type=BYTE_ARRAY, omitstats=true"`
	SHA256      string  `parquet:"name=sha256, type=BYTE_ARRAY, convertedtype=UTF8"`
	Page        int32   `parquet:"name=page, type=INT32"`
	FetchedAt   int64   `parquet:"name=fetched_at, type=INT64, convertedtype=TIMESTAMP_MICROS"`
}

// payload is JSON-like text that compresses about as launches do: fixed keys, values drawn from words and numbers.
func payload(r *rand.Rand) []byte {
	words := []string{"Falcon 9", "Soyuz", "Success", "Low Earth Orbit", "Kennedy", "Baikonur", "null", "true"}
	var b bytes.Buffer
	b.WriteByte('{')
	for i := 0; b.Len() < 4_000; i++ {
		fmt.Fprintf(&b, `"field_%d":"%s %d",`, i, words[r.IntN(len(words))], r.IntN(1_000_000))
	}
	b.WriteString(`"end":null}`)
	return b.Bytes()
}

func sampleRows() []parquetGoRow {
	r := rand.New(rand.NewPCG(1, 2))
	rows := make([]parquetGoRow, parquetRows)
	for i := range rows {
		rows[i] = parquetGoRow{
			ID:          fmt.Sprintf("%08x-0000-4000-8000-%012x", r.Uint32(), i),
			LastUpdated: 1_700_000_000_000_000 + int64(i)*1_000_000,
			Raw:         payload(r),
			SHA256:      fmt.Sprintf("%016x%016x%016x%016x", r.Uint64(), r.Uint64(), r.Uint64(), r.Uint64()),
			Page:        int32(i / 100),
			FetchedAt:   1_790_000_000_000_000,
		}
	}
	return rows
}

func rawBytes(rows []parquetGoRow) (n int64) {
	for _, row := range rows {
		n += int64(len(row.Raw))
	}
	return n
}

func writeParquetGo(tb testing.TB, rows []parquetGoRow) []byte {
	var out bytes.Buffer
	w := parquet.NewGenericWriter[parquetGoRow](&out, parquet.Compression(&zstd.Codec{Level: zstd.SpeedFastest}))
	if _, err := w.Write(rows); err != nil {
		tb.Fatal(err)
	}
	if err := w.Close(); err != nil {
		tb.Fatal(err)
	}
	return out.Bytes()
}

func writeXitongsys(tb testing.TB, rows []parquetGoRow) []byte {
	var out bytes.Buffer
	w, err := writer.NewParquetWriterFromWriter(&out, new(xitongsysRow), 2)
	if err != nil {
		tb.Fatal(err)
	}
	w.CompressionType = xparquet.CompressionCodec_ZSTD
	for i := range rows {
		row := &rows[i]
		err := w.Write(xitongsysRow{&row.ID, row.LastUpdated, string(row.Raw), row.SHA256, row.Page, row.FetchedAt})
		if err != nil {
			tb.Fatal(err)
		}
	}
	if err := w.WriteStop(); err != nil {
		tb.Fatal(err)
	}
	return out.Bytes()
}

func readParquetGo(tb testing.TB, file []byte) (n int) {
	r := parquet.NewGenericReader[parquetGoRow](bytes.NewReader(file))
	defer r.Close()
	rows := make([]parquetGoRow, 256)
	for {
		k, err := r.Read(rows)
		n += k
		if err == io.EOF {
			return n
		}
		if err != nil {
			tb.Fatal(err)
		}
	}
}

func readXitongsys(tb testing.TB, file []byte) (n int) {
	r, err := reader.NewParquetReader(buffer.NewBufferFileFromBytesNoAlloc(file), new(xitongsysRow), 2)
	if err != nil {
		tb.Fatal(err)
	}
	defer r.ReadStop()
	for n < int(r.GetNumRows()) {
		rows := make([]xitongsysRow, 256)
		if err := r.Read(&rows); err != nil {
			tb.Fatal(err)
		}
		if len(rows) == 0 {
			break
		}
		n += len(rows)
	}
	return n
}

func BenchmarkParquetWrite(b *testing.B) {
	rows := sampleRows()
	for name, write := range map[string]func(testing.TB, []parquetGoRow) []byte{
		"parquet-go": writeParquetGo, "xitongsys": writeXitongsys,
	} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(rawBytes(rows))
			b.ReportAllocs()
			for b.Loop() {
				b.ReportMetric(float64(len(write(b, rows))), "file-bytes")
			}
		})
	}
}

func BenchmarkParquetRead(b *testing.B) {
	rows := sampleRows()
	for name, lib := range map[string]struct {
		file []byte
		read func(testing.TB, []byte) int
	}{
		"parquet-go": {writeParquetGo(b, rows), readParquetGo},
		"xitongsys":  {writeXitongsys(b, rows), readXitongsys},
	} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(rawBytes(rows))
			b.ReportAllocs()
			for b.Loop() {
				if n := lib.read(b, lib.file); n != len(rows) {
					b.Fatalf("read %d rows of %d", n, len(rows))
				}
			}
		})
	}
}

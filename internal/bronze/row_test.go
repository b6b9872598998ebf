package bronze_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/xitongsys/parquet-go-source/buffer"
	xparquet "github.com/xitongsys/parquet-go/parquet"
	"github.com/xitongsys/parquet-go/reader"

	"launchlake/internal/bronze"
	"launchlake/internal/delta"
	"launchlake/internal/objstore"
)

// oddRecords are JSON values that an API should not serve, or that a careless writer would change, and what their rows
// hold besides.
var oddRecords = []struct {
	name, raw, id, updated, defect string // "" is null
}{
	{"plain", `{"id":"a","last_updated":"2026-03-01T10:00:00Z"}`, "a", "2026-03-01T10:00:00Z", ""},
	{"spaces and order", "{ \"last_updated\" : \"2026-03-01T10:00:00Z\" ,\n\t\"id\":\"b\" }", "b", "2026-03-01T10:00:00Z", ""},
	{"fraction and offset", `{"id":"c","last_updated":"2026-03-01T12:00:00.123456789+02:00"}`, "c", "2026-03-01T10:00:00.123456Z", ""},
	{"number as id", `{"id":12345678901234567890.50,"last_updated":null}`, "12345678901234567890.50", "", ""},
	{"object as id", `{"id":{"id":"inner"},"last_updated":5}`, "", "", ""},
	{"nested names", `{"pad":{"id":"x","last_updated":"2026-03-01T10:00:00Z"},"id":"d"}`, "d", "", ""},
	{"other case", `{"ID":"x","Last_Updated":"2026-03-01T10:00:00Z"}`, "", "", ""},
	{"names twice", `{"id":"e","id":"f"}`, "f", "", ""},
	{"escaped name", `{"\u0069d":"g"}`, "g", "", ""},
	{"escapes in id", `{"id":"h\u00e9\ud83d\ude80\"\\"}`, "hé🚀\"\\", "", ""},
	{"no escaping", `{"id":"<&>é🚀","x":"\u2028\/"}`, "<&>é🚀", "", ""},
	{"not a date", `{"id":"i","last_updated":"2026-02-30T10:00:00Z"}`, "i", "", ""},
	{"empty id", `{"id":""}`, "", "", ""},
	{"number text kept", `{"id":"j","v":1.0000000000000000000000001e400}`, "j", "", ""},
	{"null", `null`, "", "", "not_an_object"},
	{"number", `-0.0`, "", "", "not_an_object"},
	{"text", `"id"`, "", "", "not_an_object"},
	{"array", `[{"id":"k"}]`, "", "", "not_an_object"},
	{"empty object", `{}`, "", "", ""},
	{"not UTF-8", "{\"id\":\"l\",\"name\":\"\xff\xfe\"}", "l", "", "not_utf8"},
	{"id not UTF-8", "{\"id\":\"\xff\",\"last_updated\":\"2026-03-01T10:00:00Z\"}", "", "2026-03-01T10:00:00Z", "not_utf8"},
	{"text not UTF-8", "\"\xc3\"", "", "", "not_utf8"},
	{"zero byte escaped", `{"id":"m\u0000"}`, "m\x00", "", ""},
	{"deep", `{"id":"o","x":` + strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000) + `}`, "o", "", ""},
	{"1 MB", `{"id":"n","text":"` + strings.Repeat("launch ", 150_000) + `"}`, "n", "", ""},
}

func oddRaw() []json.RawMessage {
	var list []json.RawMessage
	for _, r := range oddRecords {
		list = append(list, json.RawMessage(r.raw))
	}
	return list
}

// ingestOdd ingests the odd records and returns the table and its one file.
func ingestOdd(t *testing.T) (*delta.Table, delta.Add) {
	t.Helper()
	table := memoryTable()
	result := mustIngest(t, startAPI(t, apiOptions{}, oddRaw()...), table, bronze.Options{RunID: "r"})
	if result.RowsOdd != 7 {
		t.Errorf("%d odd rows were counted", result.RowsOdd)
	}
	snapshot, err := table.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var files []delta.Add
	for file, err := range snapshot.Files() {
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	if len(files) != 1 {
		t.Fatalf("%d files", len(files))
	}
	return table, files[0]
}

func TestOddRecordsAreKeptByteForByteWithWhatCanBeTold(t *testing.T) {
	table, _ := ingestOdd(t)
	rows := rowsOf(t, table)
	for _, want := range oddRecords {
		t.Run(want.name, func(t *testing.T) {
			at := slices.IndexFunc(rows, func(r fileRow) bool { return string(r.Raw) == want.raw })
			if at < 0 {
				t.Fatal("its bytes are not in the table")
			}
			row := rows[at]
			updated := ""
			if row.LastUpdated != nil {
				updated = row.LastUpdated.UTC().Format(time.RFC3339Nano)
			}
			sum := sha256.Sum256([]byte(want.raw))
			got := []string{text(row.ID), updated, text(row.Defect), row.SHA256}
			if diff := cmp.Diff([]string{want.id, want.updated, want.defect, hex.EncodeToString(sum[:])}, got); diff != "" {
				t.Errorf("id, last_updated, defect, sha256 (-want +got):\n%s", diff)
			}
		})
	}
	if second := mustIngest(t, startAPI(t, apiOptions{}, oddRaw()...), table, bronze.Options{}); second.RowsNew != 0 {
		t.Errorf("the second pass took rows again: %+v", second)
	}
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// independentRow is how another Parquet library sees a row; its tags are that library's.
type independentRow struct {
	ID          *string `parquet:"name=id, type=BYTE_ARRAY, convertedtype=UTF8, repetitiontype=OPTIONAL"`
	LastUpdated *int64  `parquet:"name=last_updated, type=INT64, convertedtype=TIMESTAMP_MICROS, repetitiontype=OPTIONAL"`
	Raw         string  `parquet:"name=raw, type=BYTE_ARRAY"`
	SHA256      string  `parquet:"name=sha256, type=BYTE_ARRAY, convertedtype=UTF8"`
	Defect      *string `parquet:"name=defect, type=BYTE_ARRAY, convertedtype=UTF8, repetitiontype=OPTIONAL"`
	RequestURL  *string `parquet:"name=request_url, type=BYTE_ARRAY, convertedtype=UTF8, repetitiontype=OPTIONAL"`
	HTTPStatus  *int32  `parquet:"name=http_status, type=INT32, repetitiontype=OPTIONAL"`
	Page        *int32  `parquet:"name=page, type=INT32, repetitiontype=OPTIONAL"`
	Position    *int32  `parquet:"name=position, type=INT32, repetitiontype=OPTIONAL"`
	FetchedAt   *int64  `parquet:"name=fetched_at, type=INT64, convertedtype=TIMESTAMP_MICROS, repetitiontype=OPTIONAL"`
	APIVersion  *string `parquet:"name=api_version, type=BYTE_ARRAY, convertedtype=UTF8, repetitiontype=OPTIONAL"`
	RunID       *string `parquet:"name=run_id, type=BYTE_ARRAY, convertedtype=UTF8, repetitiontype=OPTIONAL"`
}

func TestIndependentReaderReadsTheSameRows(t *testing.T) {
	table, add := ingestOdd(t)
	content, err := objstore.ReadAll(t.Context(), table.Store(), add.Path)
	if err != nil {
		t.Fatal(err)
	}
	file := buffer.NewBufferFileFromBytes(content)
	r, err := reader.NewParquetReader(file, new(independentRow), 1)
	if err != nil {
		t.Fatal(err)
	}
	defer r.ReadStop()
	theirs := make([]independentRow, r.GetNumRows())
	if err := r.Read(&theirs); err != nil {
		t.Fatal(err)
	}
	var ours []independentRow
	for _, row := range rowsOf(t, table) {
		ours = append(ours, independentRow{
			row.ID, micros(row.LastUpdated), string(row.Raw), row.SHA256, row.Defect, row.RequestURL,
			row.HTTPStatus, row.Page, row.Position, micros(row.FetchedAt), row.APIVersion, row.RunID,
		})
	}
	if diff := cmp.Diff(ours, theirs); diff != "" {
		t.Errorf("rows (-parquet-go +xitongsys):\n%s", diff)
	}
	checkFooter(t, r)
}

func micros(at *time.Time) *int64 {
	if at == nil {
		return nil
	}
	n := at.UnixMicro()
	return &n
}

// checkFooter compares the file's own description with the table's schema.
func checkFooter(t *testing.T, r *reader.ParquetReader) {
	t.Helper()
	var got []string
	for _, e := range r.Footer.Schema[1:] {
		line := fmt.Sprint(e.Name, " ", e.Type, " ", e.RepetitionType)
		if l := e.LogicalType; l != nil && l.TIMESTAMP != nil {
			line += fmt.Sprint(" utc=", l.TIMESTAMP.IsAdjustedToUTC, " micros=", l.TIMESTAMP.Unit.MICROS != nil)
		}
		got = append(got, strings.ToLower(line))
	}
	want := []string{
		"id byte_array optional", "last_updated int64 optional utc=true micros=true", "raw byte_array required",
		"sha256 byte_array required", "defect byte_array optional", "request_url byte_array optional",
		"http_status int32 optional", "page int32 optional", "position int32 optional",
		"fetched_at int64 optional utc=true micros=true", "api_version byte_array optional", "run_id byte_array optional",
	}
	for i := range want {
		// The independent reader takes its own names for the columns.
		want[i] = strings.ReplaceAll(want[i], "_", "")
		got[i] = strings.ReplaceAll(got[i], "_", "")
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("columns of the file (-want +got):\n%s", diff)
	}
	raw := r.Footer.RowGroups[0].Columns[2].MetaData
	if raw.Codec != xparquet.CompressionCodec_ZSTD || slices.Contains(raw.Encodings, xparquet.Encoding_RLE_DICTIONARY) {
		t.Errorf("raw is written by %v in %v", raw.Codec, raw.Encodings)
	}
	if s := raw.Statistics; s != nil && len(s.MaxValue)+len(s.MinValue) > 0 {
		t.Error("the footer holds whole documents as bounds")
	}
}

func TestStatisticsOfAFileSayWhatPrunesIt(t *testing.T) {
	records := []json.RawMessage{
		json.RawMessage(`{"id":"b","last_updated":"2026-03-01T00:10:00Z"}`),
		json.RawMessage(`{"id":"a","last_updated":"2026-03-01T00:19:00Z"}`),
		json.RawMessage(`{"x":1}`), json.RawMessage(`7`),
	}
	api := startAPI(t, apiOptions{}, records...)
	table := memoryTable()
	mustIngest(t, api, table, bronze.Options{RunID: "r"})
	snapshot, err := table.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for file, err := range snapshot.Files() {
		if err != nil {
			t.Fatal(err)
		}
		none, two, three := int64(0), int64(2), int64(3)
		want := map[string]delta.ColumnStats{
			"id":           {Min: "a", Max: "b", NullCount: &two},
			"last_updated": {Min: day.Add(10 * time.Minute), Max: day.Add(19 * time.Minute), NullCount: &two},
			"raw":          {NullCount: &none},
			"defect":       {Min: "not_an_object", Max: "not_an_object", NullCount: &three},
			"http_status":  {Min: int64(200), Max: int64(200), NullCount: &none},
			"page":         {Min: int64(0), Max: int64(0), NullCount: &none},
			"position":     {Min: int64(0), Max: three, NullCount: &none},
			"api_version":  {Min: "2.3.0", Max: "2.3.0", NullCount: &none},
			"run_id":       {Min: "r", Max: "r", NullCount: &none},
		}
		got := map[string]delta.ColumnStats{}
		for name := range want {
			got[name] = file.Stats.Columns[name]
		}
		if diff := cmp.Diff(want, got, cmpopts.EquateApproxTime(time.Millisecond)); diff != "" {
			t.Errorf("statistics (-want +got):\n%s", diff)
		}
		if s := file.Stats.Columns["sha256"]; s.Min == nil || s.Max == nil || file.Stats.NumRecords != 4 {
			t.Errorf("statistics %+v", file.Stats)
		}
		if !strings.HasPrefix(file.Path, "ingest_date="+*file.PartitionValues["ingest_date"]+"/") {
			t.Errorf("path %s, partition %v", file.Path, *file.PartitionValues["ingest_date"])
		}
	}
}

func TestFileReadBackWithoutKnownRowsKeepsTheOthersBytes(t *testing.T) {
	// Two passes over one table: the second finds, when it commits, that the first was there. See also the test of
	// passes side by side; here the rows are the odd ones.
	table := memoryTable()
	api := startAPI(t, apiOptions{}, oddRaw()...)
	other := startAPI(t, apiOptions{}, oddRaw()[:12]...)
	api.BeforeEach(func(int) { mustIngest(t, other, table, bronze.Options{}) })
	result := mustIngest(t, api, table, bronze.Options{})
	if result.RowsKnown != 12 || result.RowsNew != int64(len(oddRecords)-12) {
		t.Errorf("result %+v", result)
	}
	checkRecords(t, table, oddRaw())
	for _, row := range rowsOf(t, table) {
		sum := sha256.Sum256(row.Raw)
		if row.SHA256 != hex.EncodeToString(sum[:]) {
			t.Errorf("the hash of %.40q is another", row.Raw)
		}
	}
	checkNoOrphans(t, table)
}

// checkNoOrphans fails the test when data files lie in the store that no version of the table names.
func checkNoOrphans(t *testing.T, table *delta.Table) {
	t.Helper()
	snapshot, err := table.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	live := map[string]bool{}
	for file, err := range snapshot.Files() {
		if err != nil {
			t.Fatal(err)
		}
		live[file.Path] = true
	}
	for info, err := range table.Store().List(t.Context(), "", "") {
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(info.Key, ".parquet") && !strings.HasPrefix(info.Key, "_delta_log/") && !live[info.Key] {
			t.Errorf("orphan: %s", info.Key)
		}
	}
}

package bronze_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/parquet-go/parquet-go"

	"launchlake/internal/bronze"
	"launchlake/internal/delta"
	"launchlake/internal/launchapi"
	"launchlake/internal/launchapi/launchapitest"
	"launchlake/internal/objstore"
)

// day is the first day of the launches of these tests; the API's clock stands days later.
var day = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)

// launch is a record of which the i-th minute of day is the last_updated.
func launch(i int) json.RawMessage { return launchAt(i, day.Add(time.Duration(i)*time.Minute), "") }

func launchAt(i int, updated time.Time, name string) json.RawMessage {
	return json.RawMessage(fmt.Sprintf(`{"id":"%08d-0000-4000-8000-000000000000","name":%q,"last_updated":%q}`,
		i, name, updated.Format(time.RFC3339Nano)))
}

func launches(from, to int) []json.RawMessage {
	var list []json.RawMessage
	for i := from; i < to; i++ {
		list = append(list, launch(i))
	}
	return list
}

// api is the fake API and a client of it as the task wires it.
type api struct {
	*launchapitest.Server
	client *launchapi.Client
	limit  int
}

type apiOptions struct {
	launchapitest.Options
	limit int // records a page; 0: 100
	query string
}

// startAPI serves records by a clock that stands at day 20 of March, unless the options have another.
func startAPI(t testing.TB, o apiOptions, records ...json.RawMessage) *api {
	t.Helper()
	if o.Now == nil {
		o.Now = func() time.Time { return day.AddDate(0, 0, 19) }
	}
	if o.States == nil {
		o.States = [][]json.RawMessage{records}
	}
	server := launchapitest.Start(t, o.Options)
	client, err := launchapi.New(server.URL()+o.query, launchapi.Options{Retries: launchapi.NoRetries})
	if err != nil {
		t.Fatal(err)
	}
	return &api{server, client, o.limit}
}

// Pages implements bronze.Source.
func (a *api) Pages(ctx context.Context, since time.Time) iter.Seq2[bronze.Page, error] {
	return func(yield func(bronze.Page, error) bool) {
		for p, err := range a.client.Pages(ctx, launchapi.Query{Since: since, Limit: a.limit}) {
			page := bronze.Page{
				URL: p.URL, Status: p.Status, APIVersion: a.client.Version(), FetchedAt: p.FetchedAt,
				ServerTime: p.ServerTime, Bytes: p.Bytes, First: p.Skipped, Results: p.Results,
				Release: p.Release,
			}
			for _, key := range p.Keys {
				page.Keys = append(page.Keys, bronze.Key(key))
			}
			if !yield(page, err) || err != nil {
				return
			}
		}
	}
}

// fileRow is a row as it lies in a data file, read without the package's own type.
type fileRow struct {
	ID          *string    `parquet:"id"`
	LastUpdated *time.Time `parquet:"last_updated,timestamp(microsecond)"`
	Raw         []byte     `parquet:"raw"`
	SHA256      string     `parquet:"sha256"`
	Defect      *string    `parquet:"defect"`
	RequestURL  *string    `parquet:"request_url"`
	HTTPStatus  *int32     `parquet:"http_status"`
	Page        *int32     `parquet:"page"`
	Position    *int32     `parquet:"position"`
	FetchedAt   *time.Time `parquet:"fetched_at,timestamp(microsecond)"`
	APIVersion  *string    `parquet:"api_version"`
	RunID       *string    `parquet:"run_id"`
}

// rowsOf reads all rows of the table's live files.
func rowsOf(t testing.TB, table *delta.Table) []fileRow {
	t.Helper()
	snapshot, err := table.Snapshot(t.Context())
	if errors.Is(err, delta.ErrNotATable) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	var rows []fileRow
	for file, err := range snapshot.Files() {
		if err != nil {
			t.Fatal(err)
		}
		read := rowsOfFile(t, table, file)
		if file.Stats != nil && file.Stats.NumRecords != int64(len(read)) {
			t.Errorf("%s has %d rows, its statistics are %+v", file.Path, len(read), file.Stats)
		}
		rows = append(rows, read...)
	}
	return rows
}

func rowsOfFile(t testing.TB, table *delta.Table, file delta.Add) []fileRow {
	t.Helper()
	content, err := objstore.ReadAll(t.Context(), table.Store(), file.Path)
	if err != nil {
		t.Fatal(err)
	}
	if int64(len(content)) != file.Size {
		t.Errorf("%s has %d bytes, the log says %d", file.Path, len(content), file.Size)
	}
	reader := parquet.NewGenericReader[fileRow](bytes.NewReader(content))
	defer reader.Close()
	rows := make([]fileRow, reader.NumRows())
	if n, err := reader.Read(rows); n != len(rows) || err != nil && !errors.Is(err, io.EOF) {
		t.Fatalf("read %s: %d of %d rows: %v", file.Path, n, len(rows), err)
	}
	return rows
}

// checkRecords fails the test unless the table has each of the records exactly once, and nothing else.
func checkRecords(t testing.TB, table *delta.Table, want []json.RawMessage) {
	t.Helper()
	var got, wanted []string
	for _, r := range rowsOf(t, table) {
		got = append(got, string(r.Raw))
	}
	for _, raw := range want {
		wanted = append(wanted, string(raw))
	}
	slices.Sort(got)
	slices.Sort(wanted)
	if diff := cmp.Diff(wanted, got); diff != "" {
		t.Errorf("records in the table (-want +got):\n%s", diff)
	}
}

func memoryTable() *delta.Table { return delta.Open(objstore.NewMemory()) }

func mustIngest(t testing.TB, source bronze.Source, table *delta.Table, o bronze.Options) bronze.Result {
	t.Helper()
	result, err := bronze.Ingest(t.Context(), source, table, o)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

package ingest_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/parquet-go/parquet-go"

	"launchlake/internal/lake"
	"launchlake/internal/launchapi/launchapitest"
	"launchlake/internal/launchapi/recorded"
	"launchlake/internal/objstore"
	"launchlake/internal/task"
	"launchlake/internal/task/ingest"
)

// configOf is the configuration of an environment in which only these variables are set.
func configOf(t testing.TB, env map[string]string) ingest.Config {
	t.Helper()
	for name, value := range env {
		t.Setenv(name, value)
	}
	var c ingest.Config
	if err := task.Load(&c); err != nil {
		t.Fatal(err)
	}
	return c
}

func run(t *testing.T, c ingest.Config) task.Result {
	t.Helper()
	result, err := ingest.Run(t.Context(), c, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return result
}

// row is what these tests look at of a row.
type row struct {
	Raw        []byte  `parquet:"raw"`
	RequestURL *string `parquet:"request_url"`
}

// rowsOf reads the lake's Bronze table.
func rowsOf(t *testing.T, c ingest.Config) []row {
	t.Helper()
	l, err := lake.Open(t.Context(), c.Lake())
	if err != nil {
		t.Fatal(err)
	}
	table := l.Table(ingest.Table)
	snapshot, err := table.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var all []row
	for file, err := range snapshot.Files() {
		if err != nil {
			t.Fatal(err)
		}
		content, err := objstore.ReadAll(t.Context(), table.Store(), file.Path)
		if err != nil {
			t.Fatal(err)
		}
		reader := parquet.NewGenericReader[row](bytes.NewReader(content))
		rows := make([]row, reader.NumRows())
		if _, err := reader.Read(rows); err != nil && !errors.Is(err, io.EOF) {
			t.Fatal(err)
		}
		all = append(all, rows...)
		_ = reader.Close()
	}
	return all
}

// recordsOf gives the records of the lake's Bronze table.
func recordsOf(t *testing.T, c ingest.Config) []string {
	t.Helper()
	var records []string
	for _, r := range rowsOf(t, c) {
		records = append(records, string(r.Raw))
	}
	slices.Sort(records)
	return records
}

func stateOf(t *testing.T, states ...int) []string {
	t.Helper()
	var records []string
	for _, n := range states {
		launches, err := recorded.State(n)
		if err != nil {
			t.Fatal(err)
		}
		for _, raw := range launches {
			records = append(records, string(raw))
		}
	}
	slices.Sort(records)
	return slices.Compact(records)
}

func TestRecordedStatesArriveWholeAndOnce(t *testing.T) {
	c := configOf(t, map[string]string{"LAKE_URL": filepath.Join(t.TempDir(), "lake")})
	run(t, c)
	if diff := cmp.Diff(stateOf(t, 1), recordsOf(t, c)); diff != "" {
		t.Errorf("records of the first state (-want +got):\n%s", diff)
	}
	c.SampleState = 2
	result := run(t, c)
	if result.Requests > 4 {
		t.Errorf("%d requests for the changes", result.Requests)
	}
	got := recordsOf(t, c)
	if n := len(slices.Compact(slices.Clone(got))); n != len(got) {
		t.Errorf("%d of %d records came twice", len(got)-n, len(got))
	}
	// What changed without a word, or has no last_updated to ask for, comes with a sweep.
	have := map[string]bool{}
	for _, raw := range got {
		have[revisionOf(raw)] = true
	}
	for _, raw := range stateOf(t, 1, 2) {
		if revision := revisionOf(raw); revision != "" && !have[revision] {
			t.Errorf("not in Bronze: %.300s", raw)
		}
	}
	c.Sweep = true
	run(t, c)
	if diff := cmp.Diff(stateOf(t, 1, 2), recordsOf(t, c)); diff != "" {
		t.Errorf("records after the sweep (-want +got):\n%s", diff)
	}
}

// revisionOf is what the API changes with every revision; "" for a record that has no date.
func revisionOf(raw string) string {
	var r struct {
		ID      json.RawMessage `json:"id"`
		Updated time.Time       `json:"last_updated"`
	}
	if err := json.Unmarshal([]byte(raw), &r); err != nil {
		return ""
	}
	return string(r.ID) + " " + r.Updated.String()
}

func TestSmallBatchesGiveTheSameRecords(t *testing.T) {
	c := configOf(t, map[string]string{"LAKE_URL": filepath.Join(t.TempDir(), "lake"), "BATCH_BYTES": "100000"})
	result := run(t, c)
	if result.Tables[0].FilesAdded < 5 {
		t.Errorf("result %+v", result)
	}
	if diff := cmp.Diff(stateOf(t, 1), recordsOf(t, c)); diff != "" {
		t.Errorf("records (-want +got):\n%s", diff)
	}
}

func TestDefaultsAreThoseOfTheHelp(t *testing.T) {
	c := configOf(t, map[string]string{"LAKE_URL": "/lake"})
	got := []any{c.SourceURL, c.SampleState, c.Overlap, c.BatchPages, c.BatchBytes, c.RequestTimeout, c.RequestRetries}
	want := []any{"sample:", 1, 12 * time.Hour, 100, int64(32 << 20), 90 * time.Second, 3}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("defaults (-want +got):\n%s", diff)
	}
}

func TestKeyInTheAPIsAddressIsNotKept(t *testing.T) {
	api := launchapitest.Start(t, launchapitest.Options{States: [][]json.RawMessage{{json.RawMessage(`{"id":"1"}`)}}})
	c := configOf(t, map[string]string{
		"LAKE_URL": filepath.Join(t.TempDir(), "lake"), "SOURCE_URL": api.URL() + "?api_key=abcdef&lsp__id=121",
	})
	run(t, c)
	rows := rowsOf(t, c)
	if len(rows) != 1 || strings.Contains(*rows[0].RequestURL, "abcdef") || !strings.Contains(*rows[0].RequestURL, "lsp__id=121") {
		t.Errorf("request_url is %s", *rows[0].RequestURL)
	}
}

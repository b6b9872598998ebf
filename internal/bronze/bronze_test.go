package bronze_test

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"launchlake/internal/bronze"
	"launchlake/internal/delta"
	"launchlake/internal/launchapi"
	"launchlake/internal/launchapi/launchapitest"
	"launchlake/internal/objstore"
)

func TestFirstPassTakesEverythingAndTheSecondCommitsNothing(t *testing.T) {
	api := startAPI(t, apiOptions{}, launches(0, 250)...)
	table := memoryTable()
	got := mustIngest(t, api, table, bronze.Options{RunID: "first"})
	want := bronze.Result{
		VersionBefore: bronze.NoVersion, Version: 1, Watermark: day.Add(249 * time.Minute),
		Pages: 3, Bytes: got.Bytes, RowsRead: 250, RowsNew: 250, FilesAdded: 1, Commits: 1,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("first pass (-want +got):\n%s", diff)
	}
	checkRecords(t, table, launches(0, 250))

	got = mustIngest(t, api, table, bronze.Options{RunID: "second"})
	want = bronze.Result{
		VersionBefore: 1, Version: 1, Watermark: day.Add(249 * time.Minute),
		Pages: 1, Bytes: got.Bytes, RowsRead: 1, RowsKnown: 1,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("second pass (-want +got):\n%s", diff)
	}
}

func TestPassTakesWhatChangedSinceTheLast(t *testing.T) {
	api := startAPI(t, apiOptions{}, launches(0, 250)...)
	table := memoryTable()
	mustIngest(t, api, table, bronze.Options{})
	revised := launchAt(7, day.Add(300*time.Minute), "revised")
	api.Revise(revised, launch(301))
	got := mustIngest(t, api, table, bronze.Options{})
	if got.RowsNew != 2 || got.RowsKnown != 1 || got.Pages != 1 || got.Version != 2 {
		t.Errorf("result %+v", got)
	}
	checkRecords(t, table, append(launches(0, 250), revised, launch(301)))
}

func TestRowTellsWhereItCameFrom(t *testing.T) {
	api := startAPI(t, apiOptions{limit: 2}, launches(0, 4)...)
	table := memoryTable()
	before := time.Now()
	mustIngest(t, api, table, bronze.Options{RunID: "run-7"})
	rows := rowsOf(t, table)
	row := rows[len(rows)-1]
	switch {
	case *row.ID != "00000003-0000-4000-8000-000000000000",
		!row.LastUpdated.Equal(day.Add(3 * time.Minute)),
		row.Defect != nil,
		!strings.HasPrefix(*row.RequestURL, api.URL()+"/launches/?") || !strings.Contains(*row.RequestURL, "offset="),
		*row.HTTPStatus != 200, *row.Page == 0, *row.Position < 1, *row.APIVersion != "2.3.0", *row.RunID != "run-7",
		row.FetchedAt.Before(before.Add(-time.Second)) || row.FetchedAt.After(time.Now()):
		text, _ := json.MarshalIndent(row, "", " ")
		t.Errorf("row: %s", text)
	}
}

func TestBatchesAreCommittedAsThePassGoesOn(t *testing.T) {
	for name, options := range map[string]bronze.Options{
		"by pages": {BatchPages: 2},
		"by bytes": {BatchBytes: 15_000},
		"by age":   {BatchAge: time.Minute, Now: ticking(time.Minute)},
	} {
		t.Run(name, func(t *testing.T) {
			api := startAPI(t, apiOptions{}, launches(0, 1000)...)
			table := memoryTable()
			got := mustIngest(t, api, table, options)
			if got.Commits < 5 || got.FilesAdded != got.Commits || got.Version != delta.Version(got.Commits) {
				t.Errorf("result %+v", got)
			}
			checkRecords(t, table, launches(0, 1000))
		})
	}
}

// ticking is a clock that goes on by a step each time it is read.
func ticking(step time.Duration) func() time.Time {
	now := day
	return func() time.Time {
		now = now.Add(step)
		return now
	}
}

func TestBudgetThatEndsMidPassIsResumedWithoutLossOrDouble(t *testing.T) {
	now := day.AddDate(0, 0, 19)
	api := startAPI(t, apiOptions{Options: launchapitest.Options{
		Throttle: launchapitest.Throttle{Limit: 4, Window: time.Hour},
		Now:      func() time.Time { return now },
	}}, launches(0, 1000)...)
	table := memoryTable()
	passes := 0
	for {
		passes++
		result, err := bronze.Ingest(t.Context(), api, table, bronze.Options{BatchPages: 3})
		if err == nil {
			break
		}
		budget, ok := errors.AsType[*launchapi.BudgetError](err)
		if !ok || budget.RetryAfter <= 0 {
			t.Fatal(err)
		}
		if result.RowsNew < 390 {
			t.Errorf("pass %d: only %d rows of 4 requests were committed", passes, result.RowsNew)
		}
		now = now.Add(budget.RetryAfter)
	}
	if passes != 3 {
		t.Errorf("%d passes for 1000 records at 4 requests each", passes)
	}
	checkRecords(t, table, launches(0, 1000))
}

func TestSourceThatFailsAtOnceLeavesNoTable(t *testing.T) {
	api := startAPI(t, apiOptions{}, launches(0, 10)...)
	api.FailAlways(launchapitest.ErrorPage(503))
	store := objstore.NewMemory()
	result, err := bronze.Ingest(t.Context(), api, delta.Open(store), bronze.Options{})
	if !errors.Is(err, launchapi.ErrUnavailable) || result.Version != bronze.NoVersion {
		t.Errorf("result %+v, error %v", result, err)
	}
	for info := range store.List(t.Context(), "", "") {
		t.Errorf("left behind: %s", info.Key)
	}
}

func TestSourceThatFailsMidPassKeepsWhatItServed(t *testing.T) {
	api := startAPI(t, apiOptions{}, launches(0, 500)...)
	table := memoryTable()
	api.FailAt(3, launchapitest.Truncated())
	result, err := bronze.Ingest(t.Context(), api, table, bronze.Options{})
	if !errors.Is(err, launchapi.ErrUnavailable) || result.RowsNew < 190 {
		t.Fatalf("result %+v, error %v", result, err)
	}
	mustIngest(t, api, table, bronze.Options{})
	checkRecords(t, table, launches(0, 500))
}

func TestEmptySourceMakesAnEmptyTable(t *testing.T) {
	api := startAPI(t, apiOptions{})
	table := memoryTable()
	got := mustIngest(t, api, table, bronze.Options{})
	if got.Version != 0 || got.VersionBefore != bronze.NoVersion {
		t.Errorf("result %+v", got)
	}
	if got := mustIngest(t, api, table, bronze.Options{}); got.Version != 0 || got.Commits != 0 {
		t.Errorf("second pass: %+v", got)
	}
}

func TestCancelledPassCommitsItsBatchAndSaysWhy(t *testing.T) {
	api := startAPI(t, apiOptions{}, launches(0, 500)...)
	table := memoryTable()
	ctx, cancel := context.WithCancelCause(t.Context())
	stopped := errors.New("stopped by signal")
	api.BeforeEach(func(number int) {
		if number == 3 {
			cancel(stopped)
		}
	})
	result, err := bronze.Ingest(ctx, api, table, bronze.Options{})
	if err == nil || !errors.Is(err, context.Canceled) && !errors.Is(err, stopped) {
		t.Errorf("error %v", err)
	}
	// The third answer may have been on its way faster than the news.
	if result.RowsNew < 199 || result.RowsNew > 300 || result.RowsNew != result.RowsRead || result.Watermark.IsZero() {
		t.Errorf("result %+v: the pages that were read are lost", result)
	}
	mustIngest(t, api, table, bronze.Options{})
	checkRecords(t, table, launches(0, 500))
}

func TestProbeIsAskedForOnlyBeforeANewTable(t *testing.T) {
	api := startAPI(t, apiOptions{}, launches(0, 10)...)
	table := memoryTable()
	unsafe := errors.New("unsafe store")
	calls := 0
	probe := func(answer error) bronze.Options {
		return bronze.Options{BeforeCreate: func(context.Context) error { calls++; return answer }}
	}
	if _, err := bronze.Ingest(t.Context(), api, table, probe(unsafe)); !errors.Is(err, unsafe) {
		t.Errorf("error %v", err)
	}
	if n := len(api.Requests()); n != 0 {
		t.Errorf("%d requests were spent for a store that cannot be used", n)
	}
	mustIngest(t, api, table, probe(nil))
	mustIngest(t, api, table, probe(unsafe))
	if calls != 2 {
		t.Errorf("%d calls, want one for each pass without a table", calls)
	}
}

func TestTableThatIsNotBronzeIsRefused(t *testing.T) {
	good := bronze.Schema()
	change := func(f func(*delta.Schema)) *delta.Schema {
		s := bronze.Schema()
		f(s)
		return s
	}
	tests := []struct {
		name   string
		schema *delta.Schema
		days   []string
		want   string
	}{
		{"missing column", &delta.Schema{Fields: good.Fields[1:]}, []string{"ingest_date"}, "no column id"},
		{"other type", change(func(s *delta.Schema) { s.Fields[6].Type = delta.String }), []string{"ingest_date"}, "http_status is string, not integer"},
		{"unknown required column", change(func(s *delta.Schema) {
			s.Fields = append(s.Fields, delta.Field{Name: "extra", Type: delta.String})
		}), []string{"ingest_date"}, "extra that must not be null"},
		{"other partitions", good, []string{"run_id"}, "partitioned by"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			api := startAPI(t, apiOptions{}, launches(0, 3)...)
			table := memoryTable()
			if _, err := table.Create(t.Context(), delta.Metadata{Schema: test.schema, PartitionColumns: test.days}); err != nil {
				t.Fatal(err)
			}
			_, err := bronze.Ingest(t.Context(), api, table, bronze.Options{})
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want %q", err, test.want)
			}
			if n := len(api.Requests()); n != 0 {
				t.Errorf("%d requests were spent", n)
			}
		})
	}
}

func TestTableWithAColumnMoreIsServed(t *testing.T) {
	schema := bronze.Schema()
	schema.Fields = append(schema.Fields, delta.Field{Name: "note", Type: delta.String, Nullable: true})
	table := memoryTable()
	if _, err := table.Create(t.Context(), delta.Metadata{Schema: schema, PartitionColumns: []string{"ingest_date"}}); err != nil {
		t.Fatal(err)
	}
	mustIngest(t, startAPI(t, apiOptions{}, launches(0, 3)...), table, bronze.Options{})
	checkRecords(t, table, launches(0, 3))
}

func TestPagesAreReleasedOnceWhenTheirRowsAreWritten(t *testing.T) {
	records := launches(0, 2500)
	source := pagesOf(slices.Concat(launches(0, 2500), launches(0, 100))) // the last page has nothing new
	var released atomic.Int64
	for i := range source {
		results := source[i].Results
		source[i].Release = func() {
			released.Add(1)
			for _, raw := range results {
				clear(raw)
			}
		}
	}
	table := memoryTable()
	mustIngest(t, source, table, bronze.Options{BatchPages: 4})
	if n := released.Load(); n != int64(len(source)) {
		t.Errorf("%d of %d pages were released", n, len(source))
	}
	checkRecords(t, table, records)
}

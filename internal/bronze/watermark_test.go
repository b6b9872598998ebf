package bronze_test

import (
	"bytes"
	"context"
	"encoding/json"
	"iter"
	"slices"
	"testing"
	"time"

	"launchlake/internal/bronze"
	"launchlake/internal/delta"
	"launchlake/internal/launchapi/launchapitest"
	"launchlake/internal/objstore"
)

// at makes records with these times of last_updated.
func at(times ...time.Time) []json.RawMessage {
	var list []json.RawMessage
	for i, updated := range times {
		list = append(list, launchAt(i, updated, ""))
	}
	return list
}

func TestWatermarkIsTheLastRecordThatIsOldEnough(t *testing.T) {
	noon := day.Add(12 * time.Hour)
	tests := []struct {
		name    string
		records []time.Time
		overlap time.Duration
		want    time.Time
	}{
		{"all old", []time.Time{noon.Add(-48 * time.Hour), noon.Add(-24 * time.Hour)}, 0, noon.Add(-24 * time.Hour)},
		{"some within the overlap", []time.Time{noon.Add(-48 * time.Hour), noon.Add(-13 * time.Hour), noon.Add(-time.Hour)}, 0, noon.Add(-13 * time.Hour)},
		{"all within the overlap", []time.Time{noon.Add(-time.Hour)}, 0, time.Time{}},
		{"shorter overlap", []time.Time{noon.Add(-90 * time.Minute), noon.Add(-30 * time.Minute)}, time.Hour, noon.Add(-90 * time.Minute)},
		{"on the edge", []time.Time{noon.Add(-12 * time.Hour)}, 0, noon.Add(-12 * time.Hour)},
		{"from the future", []time.Time{noon.Add(-24 * time.Hour), noon.AddDate(100, 0, 0)}, 0, noon.Add(-24 * time.Hour)},
		{"fraction of a second", []time.Time{noon.Add(-24*time.Hour + 900*time.Millisecond)}, 0, noon.Add(-24 * time.Hour)},
		{"before 1970", []time.Time{time.Date(1957, 10, 4, 19, 28, 34, 0, time.UTC)}, 0, time.Date(1957, 10, 4, 19, 28, 34, 0, time.UTC)},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			records := at(test.records...)
			api := startAPI(t, apiOptions{Options: launchapitest.Options{Now: func() time.Time { return noon }}}, records...)
			table := memoryTable()
			got := mustIngest(t, api, table, bronze.Options{Overlap: test.overlap})
			if !got.Watermark.Equal(test.want) {
				t.Errorf("watermark %v, want %v", got.Watermark, test.want)
			}
			checkRecords(t, table, records)
			if second := mustIngest(t, api, table, bronze.Options{Overlap: test.overlap}); second.Commits != 0 {
				t.Errorf("the second pass committed: %+v", second)
			}
		})
	}
}

func TestRecordThatTheAPIShowsLateIsFoundWithinTheOverlap(t *testing.T) {
	now := day.Add(24 * time.Hour)
	clock := func() time.Time { return now }
	api := startAPI(t, apiOptions{Options: launchapitest.Options{Now: clock}}, at(now.Add(-20*time.Hour), now.Add(-time.Minute))...)
	table := memoryTable()
	mustIngest(t, api, table, bronze.Options{})
	late := launchAt(9, now.Add(-11*time.Hour), "shown late")
	api.Revise(late)
	now = now.Add(time.Hour)
	if got := mustIngest(t, api, table, bronze.Options{}); got.RowsNew != 1 || got.RowsKnown != 2 {
		t.Errorf("result %+v", got)
	}
	checkRecords(t, table, append(at(day.Add(4*time.Hour), day.Add(24*time.Hour-time.Minute)), late))
}

// skewed is an API whose pages our clock stamps wrong.
type skewed struct {
	*api
	by         time.Duration
	withoutOwn bool // the API does not tell its own time
}

func (s skewed) Pages(ctx context.Context, since time.Time) iter.Seq2[bronze.Page, error] {
	return func(yield func(bronze.Page, error) bool) {
		for page, err := range s.api.Pages(ctx, since) {
			page.FetchedAt = page.ServerTime.Add(s.by)
			if s.withoutOwn {
				page.ServerTime = time.Time{}
			}
			if !yield(page, err) {
				return
			}
		}
	}
}

func TestClockThatIsWrongDoesNotMoveTheWatermark(t *testing.T) {
	noon := day.Add(12 * time.Hour)
	for _, by := range []time.Duration{-1000 * time.Hour, 1000 * time.Hour} {
		api := startAPI(t, apiOptions{Options: launchapitest.Options{Now: func() time.Time { return noon }}},
			at(noon.Add(-20*time.Hour), noon.Add(-2*time.Hour))...)
		table := memoryTable()
		got := mustIngest(t, skewed{api, by, false}, table, bronze.Options{})
		if want := noon.Add(-20 * time.Hour); !got.Watermark.Equal(want) {
			t.Errorf("clock wrong by %v: watermark %v, want %v", by, got.Watermark, want)
		}
		got = mustIngest(t, skewed{api, by, true}, memoryTable(), bronze.Options{})
		if want := noon.Add(-20 * time.Hour); by < 0 && !got.Watermark.IsZero() || by > 0 && got.Watermark.Before(want) {
			t.Errorf("clock wrong by %v, API without one: watermark %v", by, got.Watermark)
		}
	}
}

func TestMoreThanAPageOfEqualTimes(t *testing.T) {
	same := make([]time.Time, 350)
	for i := range same {
		same[i] = day
	}
	times := append(append([]time.Time{day.Add(-time.Hour)}, same...), day.Add(time.Hour))
	now := day.AddDate(0, 0, 10)
	api := startAPI(t, apiOptions{Options: launchapitest.Options{
		Throttle: launchapitest.Throttle{Limit: 2, Window: time.Hour},
		Now:      func() time.Time { return now },
	}}, at(times...)...)
	table := memoryTable()
	// Two requests a pass never get beyond 200 equal times, for each pass begins with the first of them.
	for range 3 {
		_, _ = bronze.Ingest(t.Context(), api, table, bronze.Options{})
		now = now.Add(2 * time.Hour)
	}
	if n := len(rowsOf(t, table)); n != 200 && n != 199 {
		t.Errorf("%d rows by passes of 2 requests", n)
	}
	free := startAPI(t, apiOptions{}, at(times...)...)
	mustIngest(t, free, table, bronze.Options{})
	checkRecords(t, table, at(times...))
}

func TestRecordsRevisedDuringThePassAreNotLost(t *testing.T) {
	api := startAPI(t, apiOptions{}, launches(0, 600)...)
	table := memoryTable()
	want := launches(0, 600)
	api.BeforeEach(func(number int) {
		if number < 2 || number > 5 {
			return
		}
		// Three that were read already, and one that was not, move to the end.
		for k := range 4 {
			i := (number-2)*80 + k*30
			revised := launchAt(i, day.Add(time.Duration(1000+number*10+k)*time.Minute), "revised")
			api.Revise(revised)
			want = append(want, revised)
		}
	})
	mustIngest(t, api, table, bronze.Options{BatchPages: 1})
	api.BeforeEach(nil)
	mustIngest(t, api, table, bronze.Options{})
	have := map[string]int{}
	for _, row := range rowsOf(t, table) {
		have[string(row.Raw)]++
	}
	for raw, n := range have {
		if n > 1 {
			t.Errorf("%d times: %s", n, raw)
		}
	}
	// A record that was revised before it was read exists in its new form only.
	for _, raw := range want {
		if have[string(raw)] == 0 && !slices.ContainsFunc(want, func(other json.RawMessage) bool {
			return string(other[:50]) == string(raw[:50]) && have[string(other)] == 1
		}) {
			t.Errorf("lost: %s", raw)
		}
	}
}

// scripted is a source that serves these pages whatever is asked.
type scripted [][]json.RawMessage

func (s scripted) Pages(context.Context, time.Time) iter.Seq2[bronze.Page, error] {
	return func(yield func(bronze.Page, error) bool) {
		for _, results := range s {
			now := day.AddDate(0, 0, 10)
			if !yield(bronze.Page{URL: "http://api/", Status: 200, FetchedAt: now, ServerTime: now, Results: results}, nil) {
				return
			}
		}
	}
}

func TestSourceThatDoesNotFilterDoublesNothing(t *testing.T) {
	table := memoryTable()
	first := scripted{launches(0, 50), launches(50, 100)}
	mustIngest(t, first, table, bronze.Options{BatchPages: 1})
	again := scripted{launches(0, 50), launches(50, 120)}
	got := mustIngest(t, again, table, bronze.Options{BatchPages: 1})
	if got.RowsNew != 20 || got.RowsKnown != 100 {
		t.Errorf("result %+v", got)
	}
	checkRecords(t, table, launches(0, 120))
}

func TestSourceOutOfOrderMovesTheWatermarkOnlyWhenAllIsRead(t *testing.T) {
	table := memoryTable()
	backwards := scripted{launches(50, 100), launches(0, 50), launches(100, 101)}
	var watermarks []int64
	got := mustIngest(t, backwards, table, bronze.Options{BatchPages: 1})
	for commit, err := range table.Commits(t.Context(), 1, got.Version) {
		if err != nil {
			t.Fatal(err)
		}
		for _, app := range commit.Transactions {
			watermarks = append(watermarks, app.Version)
		}
	}
	// The first page came before the disorder; what it promised, the next pass would not have found without a filter.
	if last := watermarks[len(watermarks)-1]; last != launchTime(100) || len(watermarks) != 2 {
		t.Errorf("watermarks %v, the last should be %d", watermarks, launchTime(100))
	}
	checkRecords(t, table, launches(0, 101))
}

func launchTime(i int) int64 { return day.Add(time.Duration(i) * time.Minute).Unix() }

func TestRowsOfTwoDaysLieInTwoPartitions(t *testing.T) {
	api := startAPI(t, apiOptions{}, launches(0, 250)...)
	table := memoryTable()
	mustIngest(t, acrossMidnight{api}, table, bronze.Options{})
	snapshot, err := table.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var days []string
	for file, err := range snapshot.Files() {
		if err != nil {
			t.Fatal(err)
		}
		days = append(days, *file.PartitionValues["ingest_date"])
	}
	if !slices.Equal(days, []string{"2026-03-31", "2026-04-01"}) {
		t.Errorf("partitions %v", days)
	}
	checkRecords(t, table, launches(0, 250))
}

type acrossMidnight struct{ *api }

func (a acrossMidnight) Pages(ctx context.Context, since time.Time) iter.Seq2[bronze.Page, error] {
	return func(yield func(bronze.Page, error) bool) {
		midnight := time.Date(2026, 4, 1, 2, 0, 0, 0, time.FixedZone("two hours east", 2*60*60))
		n := time.Duration(0)
		for page, err := range a.api.Pages(ctx, since) {
			page.FetchedAt = midnight.Add(-time.Second + n*time.Second)
			n++
			if !yield(page, err) {
				return
			}
		}
	}
}

func TestForeignFilesWithoutStatisticsCountAsKnown(t *testing.T) {
	table := memoryTable()
	mustIngest(t, scripted{launches(0, 10)}, table, bronze.Options{})
	stripStatistics(t, table)
	got := mustIngest(t, scripted{launches(5, 15)}, table, bronze.Options{})
	if got.RowsNew != 5 {
		t.Errorf("result %+v", got)
	}
	distinct := map[string]bool{}
	for _, row := range rowsOf(t, table) {
		distinct[row.SHA256] = true
	}
	if len(distinct) != 15 {
		t.Errorf("%d distinct records", len(distinct))
	}
}

// stripStatistics replaces the table's file by itself without statistics, as a writer that collects none would.
func stripStatistics(t *testing.T, table *delta.Table) {
	t.Helper()
	snapshot, err := table.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	tx := snapshot.Begin(delta.Operation{Name: "OPTIMIZE", Rearrange: true})
	for file, err := range snapshot.Files() {
		if err != nil {
			t.Fatal(err)
		}
		content, err := objstore.ReadAll(t.Context(), table.Store(), file.Path)
		if err != nil {
			t.Fatal(err)
		}
		tx.Remove(file)
		file.Path += ".copy.parquet"
		file.Stats = nil
		if err := table.Store().Put(t.Context(), file.Path, bytes.NewReader(content)); err != nil {
			t.Fatal(err)
		}
		tx.Add(file)
	}
	if _, err := tx.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestSweepFindsWhatChangedWithoutAWord(t *testing.T) {
	records := launches(0, 250)
	api := startAPI(t, apiOptions{}, records...)
	table := memoryTable()
	before := mustIngest(t, api, table, bronze.Options{})
	// The first launch is renamed, but keeps its last_updated.
	renamed := launchAt(0, day, "renamed")
	api.SetRecords(append([]json.RawMessage{renamed}, records[1:]...))
	if got := mustIngest(t, api, table, bronze.Options{}); got.RowsNew != 0 {
		t.Fatalf("a pass that asks from the watermark on found %d rows", got.RowsNew)
	}
	got := mustIngest(t, api, table, bronze.Options{Sweep: true})
	if got.RowsNew != 1 || got.RowsKnown < 249 || !got.Watermark.Equal(before.Watermark) {
		t.Errorf("the sweep: %+v", got)
	}
	checkRecords(t, table, append(records, renamed))
	if again := mustIngest(t, api, table, bronze.Options{Sweep: true}); again.Commits != 0 {
		t.Errorf("the second sweep committed: %+v", again)
	}
}

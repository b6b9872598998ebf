package duckdb_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"launchlake/internal/delta"
	"launchlake/internal/engine"
	"launchlake/internal/engine/duckdb"
	"launchlake/internal/objstore"
	"launchlake/internal/objstore/storetest"
)

func publish(t *testing.T, e engine.Engine, query string, out engine.Output) engine.Published {
	t.Helper()
	done, err := e.Publish(t.Context(), query, out)
	if err != nil {
		t.Fatal(err)
	}
	return done
}

func query(t *testing.T, e engine.Engine, text string) ([][]any, error) {
	t.Helper()
	rows, err := e.Query(t.Context(), text)
	if err != nil {
		return nil, err
	}
	var got [][]any
	for row, err := range rows.All {
		if err != nil {
			return nil, err
		}
		got = append(got, row)
	}
	return got, nil
}

func TestSQLCannotLeaveTheEngine(t *testing.T) {
	outside := filepath.Join(t.TempDir(), "secret.csv")
	if err := os.WriteFile(outside, []byte("a\n1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	e := open(t)
	defer e.Close()
	for _, text := range []string{
		"select * from read_csv('" + outside + "')",
		"select * from '" + outside + "'",
		"select * from read_text('" + outside + "')",
		"select * from glob('" + filepath.Dir(outside) + "/*')",
		"copy (select 1) to '" + outside + ".parquet'",
		"attach '" + outside + ".db' as other",
		"install httpfs", "load httpfs",
		"set enable_external_access = true", "set memory_limit = '10GB'", "reset allowed_directories",
		"select * from read_parquet('https://example.org/x.parquet')",
		"select getenv('HOME')",
	} {
		if rows, err := query(t, e, text); err == nil {
			t.Errorf("%s gives %v", text, rows)
		}
	}
}

func TestFetchedFilesAreKeptForLaterSessionsUpToALimit(t *testing.T) {
	counted := storetest.NewFaulty(objstore.NewMemory())
	fetched := func() (n int) {
		for _, call := range counted.Calls() {
			if call.Op == storetest.Get && strings.HasSuffix(call.Key, ".parquet") {
				n++
			}
		}
		return n
	}
	table := delta.Open(counted)
	for n := range 3 {
		e := open(t)
		publish(t, e, fmt.Sprintf("select %d as n", n), engine.Output{Table: table, Mode: engine.Append})
		_ = e.Close()
	}
	read := func(o duckdb.Options) {
		t.Helper()
		e := openWith(t, o)
		s, err := table.Snapshot(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"one", "two"} {
			if err := e.Bind(t.Context(), name, engine.Input{Snapshot: s}); err != nil {
				t.Fatal(err)
			}
		}
		if rows, err := query(t, e, "select count(*) from one join two using (n)"); err != nil || rows[0][0] != int64(3) {
			t.Errorf("read %v, %v", rows, err)
		}
		if err := e.Close(); err != nil {
			t.Fatal(err)
		}
	}
	folder := t.TempDir()
	for i, step := range []struct {
		options duckdb.Options
		want    int
	}{
		{duckdb.Options{Folder: folder}, 3},
		{duckdb.Options{Folder: folder}, 3},                 // all from the cache, which is then shrunk to less than a file
		{duckdb.Options{Folder: folder, CacheBytes: 1}, 3},  //
		{duckdb.Options{Folder: folder}, 6},                 // so they are fetched again
		{duckdb.Options{Folder: folder, CacheBytes: -1}, 9}, // and without a cache always
	} {
		read(step.options)
		if got := fetched(); got != step.want {
			t.Errorf("after session %d there were %d fetches, want %d", i+1, got, step.want)
		}
	}
	left, _ := filepath.Glob(filepath.Join(folder, "session-*"))
	if len(left) > 0 {
		t.Errorf("sessions left %v behind", left)
	}
}

func TestAFetchThatBreaksOffLeavesNothingInTheCache(t *testing.T) {
	memory := objstore.NewMemory()
	e := open(t)
	publish(t, e, "select 1 as n", engine.Output{Table: delta.Open(memory), Mode: engine.Append})
	_ = e.Close()
	folder := t.TempDir()
	for i, fault := range []storetest.Fault{
		{Op: storetest.Get, Key: ".parquet", How: storetest.Halfway}, {Op: storetest.Get, Key: ".parquet"}, {Op: storetest.Get, Key: "no such key"},
	} {
		e := openWith(t, duckdb.Options{Folder: folder})
		s, err := delta.Open(storetest.NewFaulty(memory, fault)).Snapshot(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		err = e.Bind(t.Context(), "t", engine.Input{Snapshot: s})
		if broken := i < 2; broken != (err != nil) {
			t.Errorf("%s: %v", fault, err)
		}
		if cached, _ := os.ReadDir(filepath.Join(folder, "cache")); i < 2 && len(cached) > 0 {
			t.Errorf("%s: the cache holds %v", fault, cached)
		}
		_ = e.Close()
	}
}

func TestAMissingDataFileIsAnErrorThatNamesIt(t *testing.T) {
	store := objstore.NewMemory()
	table := delta.Open(store)
	e := open(t)
	defer e.Close()
	publish(t, e, "select 1 as n", engine.Output{Table: table, Mode: engine.Append})
	s, err := table.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for add := range s.Files() {
		if err := store.Delete(t.Context(), add.Path); err != nil {
			t.Fatal(err)
		}
		if err := e.Bind(t.Context(), "t", engine.Input{Snapshot: s}); err == nil || !strings.Contains(err.Error(), add.Path) {
			t.Errorf("got %v", err)
		}
	}
}

// While a merge works another writer changes the row that it is about to replace. The merge begins anew, on the table as it
// then is, and takes back what it had stored.
func TestAMergeThatIsOvertakenIsDoneAgain(t *testing.T) {
	store := objstore.NewMemory()
	table := delta.Open(store)
	setup, rival := open(t), open(t)
	defer setup.Close()
	defer rival.Close()
	out := engine.Output{Table: table, Mode: engine.Merge, Keys: []string{"k"}, Newer: "source.v > target.v"}
	publish(t, setup, "select 'a' as k, 1 as v union all select 'b', 1", out)

	overtake := storetest.Fault{Op: storetest.PutIfAbsent, Key: "_delta_log/", Nth: 1, How: storetest.Not, Hook: func(storetest.Call) {
		publish(t, rival, "select 'a' as k, 5 as v union all select 'c', 5", out)
	}}
	e := open(t)
	defer e.Close()
	mine := out
	mine.Table = delta.Open(storetest.NewFaulty(store, overtake))
	mine.Progress = []engine.Progress{{AppID: "mine", Version: 1}}
	done := publish(t, e, "select 'a' as k, 3 as v union all select 'b', 3 union all select 'c', 9", mine)
	if done.Updated != 2 || done.Unchanged != 1 || done.Inserted != 0 || done.After != 3 {
		t.Errorf("counts: %+v", done)
	}
	s, err := table.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Bind(t.Context(), "t", engine.Input{Snapshot: s}); err != nil {
		t.Fatal(err)
	}
	rows, err := query(t, e, "select k, v from t order by k")
	if diff := cmp.Diff([][]any{{"a", int64(5)}, {"b", int64(3)}, {"c", int64(9)}}, rows); err != nil || diff != "" {
		t.Errorf("rows: %v (-want +got):\n%s", err, diff)
	}
	known := map[string]bool{}
	for commit, err := range table.Commits(t.Context(), 0, s.Version()) {
		if err != nil {
			t.Fatal(err)
		}
		for _, add := range commit.Add {
			known[add.Path] = true
		}
	}
	for info, err := range store.List(t.Context(), "part-", "") {
		if err != nil {
			t.Fatal(err)
		}
		if !known[info.Key] {
			t.Errorf("%s was stored and is in no commit", info.Key)
		}
	}
}

func TestACommitWhoseReplyIsLostIsReportedAsDone(t *testing.T) {
	store := objstore.NewMemory()
	e := open(t)
	defer e.Close()
	out := engine.Output{Table: delta.Open(store), Mode: engine.Append, Progress: []engine.Progress{{AppID: "a", Version: 1}}}
	publish(t, e, "select 0 as n where false", engine.Output{Table: delta.Open(store), Mode: engine.Append})
	out.Table = delta.Open(storetest.NewFaulty(store, storetest.Fault{Op: storetest.PutIfAbsent, Key: "_delta_log/", Nth: 1, How: storetest.After}))
	if done := publish(t, e, "select 1 as n", out); done.AlreadyApplied || done.Inserted != 1 {
		t.Errorf("got %+v", done)
	}
	if done := publish(t, e, "select 1 as n", out); !done.AlreadyApplied {
		t.Errorf("again: %+v", done)
	}
}

// Documents larger in all than the memory limit are kept, parsed, merged and read.
func TestMemoryIsBounded(t *testing.T) {
	if testing.Short() {
		t.Skip("writes and reads 500 MB")
	}
	e := openWith(t, duckdb.Options{Folder: t.TempDir(), MemoryLimit: "300MB", Threads: 2})
	defer e.Close()
	const rows = 100_000 // of 5 KB that do not compress
	define := fmt.Sprintf("select i as n, '{\"k\":' || i || ',\"s\":\"' || repeat(md5(cast(i as varchar)), 160) || '\"}' as raw from range(%d) r(i)", rows)
	if err := e.Define(t.Context(), "documents", define, engine.Once); err != nil {
		t.Fatal(err)
	}
	err := e.Parse(t.Context(), "parsed", engine.Documents{From: "documents", Document: "raw", Columns: []engine.Column{{Name: "k", Type: delta.Long, Paths: []string{"$.k"}}}})
	if err != nil {
		t.Fatal(err)
	}
	table := delta.Open(dir(t))
	out := engine.Output{Table: table, Mode: engine.Merge, Keys: []string{"n"}, Newer: "true"}
	publish(t, e, "select p.n, p.k, d.raw from parsed p join documents d on d.n = p.n", out)
	if done := publish(t, e, "select n, k, 'short' as raw from parsed where n % 2 = 0", out); done.Updated != rows/2 {
		t.Errorf("counts: %+v", done)
	}
}

func TestValuesOfAllTypesComeAsPromised(t *testing.T) {
	e := open(t)
	defer e.Close()
	rows, err := e.Query(t.Context(), `select 1::tinyint, 2::smallint, 3::int, 4::bigint, 5::utinyint, 6::usmallint, 7::uinteger, 8::ubigint, 9::hugeint, 1.5::float, 2.5::double,
		'x', true, 'ab'::blob, date '2026-01-02', timestamptz '2026-01-02T03:04:05.000006Z', timestamp '2026-01-02 03:04:05', -1.50::decimal(9,2), 0.05::decimal(38,2),
		[1, null], {'a': 1, 'b': [{'c': 'x'}]}, map {'k': 1.5::double}, null, interval 3 day, 'd3b07384-d9a0-4c9b-8f3c-000000000001'::uuid, '{"a":1}'::json, time '03:04:05'`)
	if err != nil {
		t.Fatal(err)
	}
	var got []any
	for row, err := range rows.All {
		if err != nil {
			t.Fatal(err)
		}
		got = row
	}
	day := time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC)
	moment := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	want := []any{
		int64(1), int64(2), int64(3), int64(4), int64(5), int64(6), int64(7), delta.DecimalValue("8"), delta.DecimalValue("9"), 1.5, 2.5,
		"x", true, []byte("ab"), day, moment.Add(6 * time.Microsecond), moment, delta.DecimalValue("-1.50"), delta.DecimalValue("0.05"),
		[]any{int64(1), nil}, map[string]any{"a": int64(1), "b": []any{map[string]any{"c": "x"}}}, [][2]any{{"k", 1.5}}, nil,
		"3 days", "d3b07384-d9a0-4c9b-8f3c-000000000001", `{"a":1}`, "03:04:05",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("values (-want +got):\n%s", diff)
	}
}

func TestAStatementEndsWithItsContext(t *testing.T) {
	e := open(t)
	defer e.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	start := time.Now()
	err := e.Define(ctx, "endless", "select count(*) as n from range(1000000000000) r", engine.Once)
	if err == nil || ctx.Err() == nil || time.Since(start) > time.Minute {
		t.Errorf("after %v: %v", time.Since(start), err)
	}
}

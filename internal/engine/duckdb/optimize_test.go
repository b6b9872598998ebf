package duckdb_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"launchlake/internal/delta"
	"launchlake/internal/engine"
	"launchlake/internal/objstore"
	"launchlake/internal/objstore/storetest"
)

// manyFiles makes a table of 40 files: ten appends of 4 partitions each, with values of every kind that is easily spoilt.
func manyFiles(t *testing.T, store objstore.Store, configuration map[string]string) *delta.Table {
	t.Helper()
	e := open(t)
	defer e.Close()
	table := delta.Open(store)
	const rows = `select i + %d as id, CAST((i * 7919) %% 1000 AS INTEGER) as x, CAST((i * 104729) %% 1000 AS INTEGER) as y,
		case i %% 5 when 0 then null when 1 then 'NaN'::double when 2 then -0.0::double when 3 then 'Infinity'::double else i / 3 end as d,
		encode('bytes ' || i) as b, CAST(i AS DECIMAL(20, 4)) / 8 as n, timestamptz '2024-01-01 00:00:00+00' + to_microseconds(i * 1234567) as at,
		timestamp '1001-02-03 04:05:06.789012' as ntz, date '2024-02-29' + CAST(i AS INTEGER) as day, [i, null, 2] as list,
		{'a': i, 'b': null::varchar} as s, map {'k' || i: i} as m, case when i %% 3 = 0 then null else repeat('text "é" ', 9) || i end as text,
		case i %% 4 when 0 then null else 'p/' || (i %% 4) || '=%%' end as part from range(0, 100) r(i)`
	e2, err := table.Snapshot(t.Context())
	if errors.Is(err, delta.ErrNotATable) {
		schema := &delta.Schema{}
		for _, f := range []struct {
			name string
			typ  delta.Type
		}{
			{"id", delta.Long}, {"x", delta.Integer}, {"y", delta.Integer}, {"d", delta.Double}, {"b", delta.Binary},
			{"n", delta.Decimal{Precision: 22, Scale: 5}}, {"at", delta.Timestamp}, {"ntz", delta.TimestampNTZ}, {"day", delta.Date},
			{"list", &delta.Array{Element: delta.Long, ContainsNull: true}},
			{"s", &delta.Struct{Fields: []delta.Field{{Name: "a", Type: delta.Long, Nullable: true}, {Name: "b", Type: delta.String, Nullable: true}}}},
			{"m", &delta.Map{Key: delta.String, Value: delta.Long, ValueContainsNull: true}}, {"text", delta.String}, {"part", delta.String},
		} {
			schema.Fields = append(schema.Fields, delta.Field{Name: f.name, Type: f.typ, Nullable: true})
		}
		e2, err = table.Create(t.Context(), delta.Metadata{Schema: schema, PartitionColumns: []string{"part"}, Configuration: configuration})
	}
	if err != nil {
		t.Fatal(err)
	}
	for i := range 10 {
		publish(t, e, fmt.Sprintf(rows, i*100), engine.Output{Table: table, Mode: engine.Append, Schema: e2.Schema()})
	}
	return table
}

// contents gives all rows of a table as sorted text.
func contents(t *testing.T, table *delta.Table) []string {
	t.Helper()
	e := open(t)
	defer e.Close()
	s, err := table.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Bind(t.Context(), "all_rows", engine.Input{Snapshot: s}); err != nil {
		t.Fatal(err)
	}
	rows, err := query(t, e, "select * from all_rows")
	if err != nil {
		t.Fatal(err)
	}
	out := make([]string, len(rows))
	for i, row := range rows {
		out[i] = fmt.Sprintf("%v", row)
	}
	slices.Sort(out)
	return out
}

func isSound(t *testing.T, table *delta.Table) {
	t.Helper()
	for f, err := range table.Check(t.Context(), delta.CheckOptions{Deep: true}) {
		t.Errorf("the check finds %v, %v", f, err)
	}
}

func optimize(t *testing.T, table *delta.Table, o engine.OptimizeOptions) engine.Optimized {
	t.Helper()
	e := open(t)
	defer e.Close()
	done, err := e.Optimize(t.Context(), table, o)
	if err != nil {
		t.Fatal(err)
	}
	return done
}

func TestOptimizePutsSmallFilesTogetherAndChangesNoRow(t *testing.T) {
	for _, tt := range []struct {
		name  string
		o     engine.OptimizeOptions
		files int // of 40
	}{
		{"one file a partition", engine.OptimizeOptions{}, 4},
		{"one partition", engine.OptimizeOptions{Where: []delta.Predicate{delta.Col("part").IsNull()}}, 31},
		{"files that are large enough", engine.OptimizeOptions{TargetBytes: 100}, 40},
		{"by two columns", engine.OptimizeOptions{ZOrder: []string{"x", "y"}}, 4},
		{"by two columns of one partition, in files of a size", engine.OptimizeOptions{ZOrder: []string{"x", "y"}, TargetBytes: 20000,
			Where: []delta.Predicate{delta.Col("part").IsNull()}}, 32},
		{"by columns of other types", engine.OptimizeOptions{ZOrder: []string{"text", "d", "b", "at"}}, 4},
	} {
		t.Run(tt.name, func(t *testing.T) {
			table := manyFiles(t, dir(t), map[string]string{"delta.appendOnly": "true"})
			before := contents(t, table)
			done := optimize(t, table, tt.o)
			if diff := cmp.Diff(before, contents(t, table)); diff != "" {
				t.Errorf("rows (-before +after):\n%s", diff)
			}
			s, err := table.Snapshot(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if s.NumFiles() != tt.files || done.FilesAdded-done.FilesRemoved != tt.files-40 {
				t.Errorf("%d files after %+v, want %d", s.NumFiles(), done, tt.files)
			}
			if n, ok := s.NumRecords(); n != 1000 || !ok {
				t.Errorf("the statistics say %d rows", n)
			}
			isSound(t, table)
			changes(t, table, done)
			if again := optimize(t, table, tt.o); again.After != again.Before {
				t.Errorf("a second run finds something to do: %+v", again)
			}
		})
	}
}

// changes checks that the commit says that no row changed.
func changes(t *testing.T, table *delta.Table, done engine.Optimized) {
	t.Helper()
	if done.After == done.Before {
		return
	}
	for c, err := range table.Commits(t.Context(), done.After, done.After) {
		if err != nil {
			t.Fatal(err)
		}
		if c.Info.Operation != "OPTIMIZE" || len(c.Add) != done.FilesAdded || len(c.Remove) != done.FilesRemoved {
			t.Errorf("the log has %s with %d and %d files, want %+v", c.Info.Operation, len(c.Add), len(c.Remove), done)
		}
		for _, f := range c.Add {
			if f.DataChange {
				t.Errorf("%s is said to change rows", f.Path)
			}
		}
		for _, f := range c.Remove {
			if f.DataChange {
				t.Errorf("the removal of %s is said to change rows", f.Path)
			}
		}
	}
}

func TestAZOrderLetsQueriesSkipFilesByEachOfItsColumns(t *testing.T) {
	table := delta.Open(objstore.NewMemory())
	e := open(t)
	defer e.Close()
	publish(t, e, `select CAST((i * 7919) % 10007 AS INTEGER) as x, CAST((i * 104729) % 10009 AS INTEGER) as y, md5(CAST(i AS VARCHAR)) as noise
		from range(0, 20000) r(i)`, engine.Output{Table: table, Mode: engine.Append})
	s, err := table.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	done := optimize(t, table, engine.OptimizeOptions{ZOrder: []string{"x", "y"}, TargetBytes: s.SizeInBytes() / 16})
	if s, err = table.Snapshot(t.Context()); err != nil {
		t.Fatal(err)
	}
	if done.FilesAdded < 16 {
		t.Fatalf("%d files, want 16 or 17", done.FilesAdded)
	}
	for _, column := range []string{"x", "y"} {
		kept := 0
		for _, err := range s.Files(delta.Col(column).Eq(1234)) {
			if err != nil {
				t.Fatal(err)
			}
			kept++
		}
		if kept > 2*done.FilesAdded/5 {
			t.Errorf("a value of %s may lie in %d of %d files", column, kept, done.FilesAdded)
		}
	}
}

func TestOptimizeRefusesColumnsThatItCannotOrderBy(t *testing.T) {
	table := manyFiles(t, objstore.NewMemory(), nil)
	e := open(t)
	defer e.Close()
	for _, tt := range []struct{ columns, want string }{
		{"nope", "no such column"}, {"part", "partition column"}, {"x,x", "twice"}, {"list", "no order"},
		{"x,y,d,b,n,at,ntz,day,text", "more than 8"},
	} {
		_, err := e.Optimize(t.Context(), table, engine.OptimizeOptions{ZOrder: strings.Split(tt.columns, ",")})
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want %q", tt.columns, err, tt.want)
		}
	}
}

func TestAppendsDuringAnOptimizeAreKeptAndDoNotStopIt(t *testing.T) {
	store := objstore.NewMemory()
	table := manyFiles(t, store, nil)
	before := contents(t, table)
	s, err := table.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	faulty := storetest.NewFaulty(store, storetest.Fault{Op: storetest.PutIfAbsent, Key: "_delta_log/", Nth: 1, How: storetest.Not, Hook: func(storetest.Call) {
		other := open(t)
		defer other.Close()
		publish(t, other, "select 12345 as id, 'appended' as text, 'late' as part", engine.Output{Table: table, Mode: engine.Append,
			Schema: &delta.Schema{Fields: []delta.Field{s.Schema().Fields[0], s.Schema().Fields[12], s.Schema().Fields[13]}}})
	}})
	e := open(t)
	defer e.Close()
	done, err := e.Optimize(t.Context(), delta.Open(faulty), engine.OptimizeOptions{})
	if err != nil || done.After != done.Before+2 || faulty.Count(storetest.Put, "part-") != 4 {
		t.Errorf("got %+v, %v with %d files written; want it behind the append at the first go", done, err, faulty.Count(storetest.Put, "part-"))
	}
	after := contents(t, table)
	late := slices.DeleteFunc(slices.Clone(after), func(r string) bool { return !strings.Contains(r, "12345") })
	if len(after) != len(before)+1 || len(late) != 1 {
		t.Errorf("%d rows, want %d and the one appended meanwhile: %q", len(after), len(before), late)
	}
	isSound(t, table)
}

func TestAnOptimizeStartsAgainWhenItsFilesAreRemovedMeanwhile(t *testing.T) {
	store := objstore.NewMemory()
	table := manyFiles(t, store, nil)
	faulty := storetest.NewFaulty(store, storetest.Fault{Op: storetest.PutIfAbsent, Key: "_delta_log/", Nth: 1, How: storetest.Not, Hook: func(storetest.Call) {
		s, err := table.Snapshot(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		tx := s.Begin(delta.Operation{Name: "DELETE"})
		for f := range s.Files(delta.Col("part").IsNull()) {
			tx.Remove(f)
		}
		if _, err := tx.Commit(t.Context()); err != nil {
			t.Fatal(err)
		}
	}})
	e := open(t)
	defer e.Close()
	done, err := e.Optimize(t.Context(), delta.Open(faulty), engine.OptimizeOptions{})
	if err != nil || done.FilesAdded != 3 || done.FilesRemoved != 30 {
		t.Errorf("got %+v, %v; want the three partitions that are left", done, err)
	}
	if n := len(contents(t, table)); n != 750 {
		t.Errorf("%d rows, want the 750 that were not deleted", n)
	}
	isSound(t, table)
	live := 0
	for range mustFiles(t, table) {
		live++
	}
	if live != 3 {
		t.Errorf("%d files live, want 3", live)
	}
}

func mustFiles(t *testing.T, table *delta.Table) []delta.Add {
	t.Helper()
	s, err := table.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var out []delta.Add
	for f, err := range s.Files() {
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, f)
	}
	return out
}

func TestWhateverCallOfAnOptimizeFailsTheTableStaysWholeAndARerunConverges(t *testing.T) {
	small := func(t *testing.T) *objstore.Memory {
		store := objstore.NewMemory()
		e := open(t)
		defer e.Close()
		for i := range 4 {
			publish(t, e, fmt.Sprintf("select %d as id, 'row' as text", i), engine.Output{Table: delta.Open(store), Mode: engine.Append})
		}
		return store
	}
	run := func(store objstore.Store) error {
		e := open(t)
		defer e.Close()
		_, err := e.Optimize(t.Context(), delta.Open(store), engine.OptimizeOptions{})
		return err
	}
	clean := storetest.NewFaulty(small(t))
	if err := run(clean); err != nil {
		t.Fatal(err)
	}
	for fault := range storetest.Each(clean.Calls(), storetest.Any) {
		fault.Op, fault.Key = storetest.Any, ""
		for _, fault.Kill = range []bool{false, true} {
			t.Run(fmt.Sprintf("%v kill %t", fault, fault.Kill), func(t *testing.T) {
				store := small(t)
				table := delta.Open(store)
				before := contents(t, table)
				err := run(storetest.NewFaulty(store, fault))
				if diff := cmp.Diff(before, contents(t, table)); diff != "" {
					t.Errorf("rows after %v (-before +after):\n%s", err, diff)
				}
				if err := run(store); err != nil {
					t.Errorf("the rerun fails: %v", err)
				}
				if files := mustFiles(t, table); len(files) != 1 {
					t.Errorf("%d files after the rerun, want 1", len(files))
				}
				if diff := cmp.Diff(before, contents(t, table)); diff != "" {
					t.Errorf("rows after the rerun (-before +after):\n%s", diff)
				}
				isSound(t, table)
			})
		}
	}
}

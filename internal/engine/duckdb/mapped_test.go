package duckdb_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/parquet-go/parquet-go"

	"launchlake/internal/delta"
	"launchlake/internal/engine"
	"launchlake/internal/objstore"
)

// launchRows has members at every kind of place.
const launchRows = `select i::int as id, 'site ' || (i %% 3) as site, {'name': 'pad ' || i, 'height': i::float} as pad,
	[{'n': i::smallint, 't': 'x'}] as stages, map {'a' || i: {'mass': (i / 2)::decimal(6,2)}} as parts from range(%d, %d) r(i)`

func mappedTable(t *testing.T, mode string) *delta.Table {
	t.Helper()
	e := open(t)
	defer e.Close()
	table := delta.Open(objstore.NewMemory())
	schema := launchSchema(t)
	if _, err := table.Create(t.Context(), delta.Metadata{Schema: schema, PartitionColumns: []string{"site"},
		Configuration: map[string]string{"delta.columnMapping.mode": mode}}); err != nil {
		t.Fatal(err)
	}
	publish(t, e, fmt.Sprintf(launchRows, 0, 9), engine.Output{Table: table, Mode: engine.Append})
	return table
}

// launchSchema is that of launchRows.
func launchSchema(t *testing.T) *delta.Schema {
	t.Helper()
	e := open(t)
	defer e.Close()
	rows, err := e.Query(t.Context(), fmt.Sprintf(launchRows, 0, 1))
	if err != nil {
		t.Fatal(err)
	}
	rows.Close()
	return rows.Schema
}

func alter(t *testing.T, table *delta.Table, changes ...delta.ColumnChange) {
	t.Helper()
	if _, err := table.Alter(t.Context(), changes...); err != nil {
		t.Fatal(err)
	}
}

func TestMappedTablesAreWrittenUnderPhysicalNamesWithFieldIDs(t *testing.T) {
	for _, mode := range []string{"name", "id"} {
		t.Run(mode, func(t *testing.T) {
			table := mappedTable(t, mode)
			s, err := table.Snapshot(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			m := s.Metadata()
			want := map[string]int{}
			var walk func(t delta.Type)
			walk = func(t delta.Type) {
				switch t := t.(type) {
				case *delta.Struct:
					for _, f := range t.Fields {
						if f.Name != "site" {
							want[m.PhysicalName(f)] = int(m.FieldID(f))
						}
						walk(f.Type)
					}
				case *delta.Array:
					walk(t.Element)
				case *delta.Map:
					walk(t.Value)
				}
			}
			walk(s.Schema())
			files := 0
			for f, err := range s.Files() {
				if err != nil {
					t.Fatal(err)
				}
				files++
				if diff := cmp.Diff(want, fieldIDs(t, table, f.Path)); diff != "" {
					t.Errorf("field ids of %s (-want +got):\n%s", f.Path, diff)
				}
				if f.Stats.Columns["pad.height"].Max == nil || f.Stats.Columns["id"].NullCount == nil {
					t.Errorf("statistics %+v", f.Stats)
				}
				if f.PartitionValues["site"] == nil {
					t.Errorf("partition values %v", f.PartitionValues)
				}
			}
			if files != 3 {
				t.Errorf("%d files for 3 sites", files)
			}
			log, err := objstore.ReadAll(t.Context(), table.Store(), "_delta_log/00000000000000000001.json")
			if err != nil {
				t.Fatal(err)
			}
			for _, name := range []string{"site", "pad", "height"} {
				if strings.Contains(string(log), `\"`+name+`\":`) || strings.Contains(string(log), `{"`+name+`":`) {
					t.Errorf("the log knows column %s by its logical name:\n%s", name, log)
				}
			}
		})
	}
}

// fieldIDs gives the field ids of a data file by the names in it.
func fieldIDs(t *testing.T, table *delta.Table, path string) map[string]int {
	t.Helper()
	body, err := objstore.ReadAll(t.Context(), table.Store(), path)
	if err != nil {
		t.Fatal(err)
	}
	file, err := parquet.OpenFile(bytes.NewReader(body), int64(len(body)))
	if err != nil {
		t.Fatal(err)
	}
	ids := map[string]int{}
	for _, e := range file.Metadata().Schema[1:] {
		if e.FieldID != 0 { // absent
			ids[e.Name] = int(e.FieldID)
		}
	}
	return ids
}

func TestMappedTablesGoOnAfterColumnsAreRenamedDroppedAndAdded(t *testing.T) {
	for _, mode := range []string{"name", "id", "name, later"} {
		t.Run(mode, func(t *testing.T) {
			var table *delta.Table
			if mode == "name, later" {
				table = mappedTable(t, "none")
				if _, err := table.SetProperties(t.Context(), map[string]string{"delta.columnMapping.mode": "name"}); err != nil {
					t.Fatal(err)
				}
			} else {
				table = mappedTable(t, mode)
			}
			alter(t, table, delta.RenameColumn{Column: "id", To: "number of it"}, delta.RenameColumn{Column: "site", To: "id"},
				delta.RenameColumn{Column: "parts.value.mass", To: "weight"}, delta.DropColumn{Column: "stages.element.t"},
				delta.DropColumn{Column: "pad.height"}, delta.AddColumn{Column: "pad.height", Type: delta.String})
			e := open(t)
			defer e.Close()
			const more = `select i::int as "number of it", 'site ' || (i %% 3) as id, {'name': 'PAD ' || i, 'height': 'high'} as pad,
				[{'n': i::smallint}] as stages, map {'a' || i: {'weight': (i / 2)::decimal(6,2)}} as parts, 'new' as note from range(%d, %d) r(i)`
			// Some rows are replaced, some are new, and so is a column.
			publish(t, e, fmt.Sprintf(more, 8, 11), engine.Output{Table: table, Mode: engine.Merge, Keys: []string{"number of it"}, Newer: "true"})
			want := []string{}
			for i := range 11 {
				pad, note := fmt.Sprintf("pad %d ·", i), "·"
				if i >= 8 {
					pad, note = fmt.Sprintf("PAD %d high", i), "new"
				}
				want = append(want, fmt.Sprintf("%d|site %d|%s|%d|%.2f|%s", i, i%3, pad, i, float64(i)/2, note))
			}
			check := func(when string) {
				t.Helper()
				s, err := table.Snapshot(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				e := open(t)
				defer e.Close()
				if err := e.Bind(t.Context(), "t", engine.Input{Snapshot: s}); err != nil {
					t.Fatal(err)
				}
				rows, err := query(t, e, `select concat_ws('|', "number of it", id, pad.name || ' ' || coalesce(pad.height, '·'), stages[1].n,
					parts['a' || "number of it"].weight, coalesce(note, '·')) from t order by "number of it"`)
				if err != nil {
					t.Fatal(err)
				}
				got := []string{}
				for _, row := range rows {
					got = append(got, fmt.Sprint(row[0]))
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("%s (-want +got):\n%s", when, diff)
				}
				isSound(t, table)
			}
			check("after the merge")
			optimize(t, table, engine.OptimizeOptions{})
			check("after an optimize")
			optimize(t, table, engine.OptimizeOptions{ZOrder: []string{"number of it"}})
			check("after a Z-order")
			before, err := table.Snapshot(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if err := e.Bind(t.Context(), "same", engine.Input{Snapshot: before}); err != nil {
				t.Fatal(err)
			}
			publish(t, e, "select * from same", engine.Output{Table: table, Mode: engine.Overwrite})
			check("after an overwrite")
			if err := table.Checkpoint(t.Context(), before); err != nil {
				t.Fatal(err)
			}
			check("after a checkpoint")
		})
	}
}

func TestAnOverwriteThatChangesNothingOfAMappedTableWritesNothing(t *testing.T) {
	table := delta.Open(objstore.NewMemory())
	e := open(t)
	defer e.Close()
	out := engine.Output{Table: table, Mode: engine.Overwrite, Configuration: map[string]string{"delta.columnMapping.mode": "name"}}
	publish(t, e, fmt.Sprintf(launchRows, 0, 5), out)
	if done := publish(t, e, fmt.Sprintf(launchRows, 0, 5), out); done.Unchanged != 5 || done.After != done.Before {
		t.Errorf("%+v", done)
	}
}

func TestWidenedColumnsTakeNarrowAndWideRows(t *testing.T) {
	e := open(t)
	defer e.Close()
	table := delta.Open(objstore.NewMemory())
	narrow := `select 1::int as id, 1.5::float as height, [1::tinyint] as counts, date '2024-05-01' as day, 1.25::decimal(4,2) as mass`
	publish(t, e, narrow, engine.Output{Table: table, Mode: engine.Append, Configuration: map[string]string{"delta.enableTypeWidening": "true"}})
	alter(t, table, delta.WidenColumn{Column: "id", Type: delta.Long}, delta.WidenColumn{Column: "height", Type: delta.Double},
		delta.WidenColumn{Column: "counts.element", Type: delta.Short}, delta.WidenColumn{Column: "day", Type: delta.TimestampNTZ},
		delta.WidenColumn{Column: "mass", Type: delta.Decimal{Precision: 20, Scale: 4}})
	publish(t, e, strings.Replace(narrow, "1::int", "2::int", 1), engine.Output{Table: table, Mode: engine.Append})
	publish(t, e, `select 5000000000 as id, 0.1::double as height, [300::smallint] as counts, timestamp '2024-05-01 12:00:00' as day, 12345678.1234::decimal(20,4) as mass
		union all select 1, 2.5, [2::smallint], timestamp '2024-05-02 01:00:00', 3`, engine.Output{Table: table, Mode: engine.Merge, Keys: []string{"id"}, Newer: "true"})
	want := []string{
		"1|2.5|[2]|2024-05-02 01:00:00|3.0000", "2|1.5|[1]|2024-05-01 00:00:00|1.2500", "5000000000|0.1|[300]|2024-05-01 12:00:00|12345678.1234",
	}
	s, err := table.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Bind(t.Context(), "t", engine.Input{Snapshot: s}); err != nil {
		t.Fatal(err)
	}
	rows, err := query(t, e, "select concat_ws('|', id, height, counts, day, mass) from t order by id")
	if err != nil {
		t.Fatal(err)
	}
	got := []string{}
	for _, row := range rows {
		got = append(got, fmt.Sprint(row[0]))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	isSound(t, table)
	for f, err := range s.Files(delta.Col("id").Gt(int64(4000000000))) {
		if err != nil || f.Stats.Columns["id"].Max != int64(5000000000) {
			t.Errorf("%v, %v", f.Stats, err)
		}
	}
}

func TestAnOverwriteMayChangeTheSchemaWhenToldTo(t *testing.T) {
	for _, mode := range []string{"none", "name"} {
		t.Run("mapping "+mode, func(t *testing.T) {
			e := open(t)
			defer e.Close()
			table := delta.Open(objstore.NewMemory())
			publish(t, e, "select 1 as id, 'a' as name, 2 as gone", engine.Output{Table: table, Mode: engine.Overwrite,
				Configuration: map[string]string{"delta.columnMapping.mode": mode}})
			out := engine.Output{Table: table, Mode: engine.Overwrite}
			const other = "select 'one' as id, 'a' as name"
			if _, err := e.Publish(t.Context(), other, out); err == nil || !strings.Contains(err.Error(), "may change the schema") {
				t.Errorf("without being told to: %v", err)
			}
			out.OverwriteSchema = true
			publish(t, e, other, out)
			s, err := table.Snapshot(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if got := s.Schema().String(); got != "struct<id:string,name:string>" {
				t.Errorf("schema %s", got)
			}
			if rows, err := latestRows(t, table); err != nil || len(rows) != 1 {
				t.Errorf("%v, %v", rows, err)
			}
			isSound(t, table)
			if done := publish(t, e, other, out); done.After != done.Before {
				t.Errorf("the same again: %+v", done)
			}
			old, err := table.SnapshotAt(t.Context(), s.Version()-1)
			if err != nil {
				t.Fatal(err)
			}
			name, _ := json.Marshal(old.Schema())
			if rows, err := rowsOf(t, engine.Input{Snapshot: old}); err != nil || len(rows) != 1 {
				t.Errorf("before, with %s: %v, %v", name, rows, err)
			}
			out.Mode = engine.Append
			if _, err := e.Publish(t.Context(), other, out); err == nil {
				t.Error("an append overwrote the schema")
			}
		})
	}
}

func TestMappedTablesKeepTheirConstraints(t *testing.T) {
	e := open(t)
	defer e.Close()
	table := delta.Open(objstore.NewMemory())
	if _, err := table.Create(t.Context(), delta.Metadata{Schema: launchSchema(t), PartitionColumns: []string{"site"}, Configuration: map[string]string{
		"delta.columnMapping.mode": "name", "delta.constraints.high": "pad.height >= 0 AND site <> 'nowhere'"}}); err != nil {
		t.Fatal(err)
	}
	out := engine.Output{Table: table, Mode: engine.Append}
	publish(t, e, fmt.Sprintf(launchRows, 0, 3), out)
	for _, bad := range []string{"select * replace ({'name': 'x', 'height': -1::float} as pad) from (%s)", "select * replace ('nowhere' as site) from (%s)"} {
		_, err := e.Publish(t.Context(), fmt.Sprintf(bad, fmt.Sprintf(launchRows, 3, 4)), out)
		if _, broken := errors.AsType[*delta.ConstraintError](err); !broken {
			t.Errorf("%s: %v", bad, err)
		}
	}
}

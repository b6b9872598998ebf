package integration_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"launchlake/internal/delta"
	"launchlake/internal/engine"
)

// writtenKind is a kind of table that we make and write.
type writtenKind struct {
	name       string
	partitions []string
	properties map[string]string
	then       []delta.ColumnChange // that only such tables take
	sparkOnly  bool                 // the others refuse such tables
}

var writtenKinds = []writtenKind{
	{name: "plain"},
	{name: "partitioned", partitions: []string{"part"}},
	{name: "deletion vectors and change data", properties: map[string]string{
		"delta.enableDeletionVectors": "true", "delta.enableChangeDataFeed": "true",
	}},
	{name: "column mapping", properties: map[string]string{"delta.columnMapping.mode": "name"}, then: []delta.ColumnChange{
		delta.RenameColumn{Column: "name", To: "title of it"}, delta.DropColumn{Column: "day"},
	}},
	{name: "column mapping with change data", properties: map[string]string{
		"delta.columnMapping.mode": "id", "delta.enableDeletionVectors": "true", "delta.enableChangeDataFeed": "true",
	}},
	{name: "V2 checkpoints and in-commit timestamps", properties: map[string]string{
		"delta.checkpointPolicy": "v2", "delta.checkpointInterval": "4", "delta.enableInCommitTimestamps": "true",
	}},
	{name: "type widening", properties: map[string]string{"delta.enableTypeWidening": "true"}, sparkOnly: true, then: []delta.ColumnChange{
		delta.WidenColumn{Column: "small", Type: delta.Long},
	}},
}

// TestOthersReadEveryVersionOfEveryKindOfTableThatWeWrite lets Spark, delta-rs and DuckDB's Delta extension read all that we can do to a table,
// version by version, and its change data feed.
func TestOthersReadEveryVersionOfEveryKindOfTableThatWeWrite(t *testing.T) {
	spark(t)
	deltars(t)
	for _, kind := range writtenKinds {
		t.Run(kind.name, func(t *testing.T) {
			path := t.TempDir()
			latest := kind.write(t, path)
			for v := range latest + 1 {
				ours := cat(t, environment{}, path, "--version", fmt.Sprint(v))
				all := []found{{Reader: "spark", Rows: spark(t).rows(t, "read", arguments{"path": path, "version": v})}}
				if !kind.sparkOnly {
					all = append(all, readIndependently(t, path, v)...)
				}
				for _, f := range all {
					if diff := cmp.Diff(sorted(t, ours), sorted(t, f.Rows)); diff != "" {
						t.Errorf("version %d (-lake cat +%s):\n%.3000s", v, f.Reader, diff)
					}
				}
			}
			if kind.properties["delta.enableChangeDataFeed"] == "true" {
				kind.compareChanges(t, path, latest)
			}
		})
	}
}

// write does all that we can to a table, and gives its latest version.
func (kind writtenKind) write(t *testing.T, path string) delta.Version {
	t.Helper()
	table := openTable(t, path)
	schema := &delta.Schema{}
	for _, f := range []struct {
		name string
		typ  delta.Type
	}{{"id", delta.Long}, {"name", delta.String}, {"amount", delta.Double}, {"day", delta.Date}, {"small", delta.Short}, {"part", delta.String}} {
		schema.Fields = append(schema.Fields, delta.Field{Name: f.name, Type: f.typ, Nullable: true})
	}
	if _, err := table.Create(t.Context(), delta.Metadata{
		Schema: schema, PartitionColumns: kind.partitions, Configuration: kind.properties,
	}); err != nil {
		t.Fatal(err)
	}
	const rows = `select i as id, 'name ' || i as name, i / 8 as amount, date '1969-12-30' + CAST(i AS INTEGER) as day, CAST(i AS SMALLINT) as small,
		case i %% 3 when 0 then 'a' when 1 then 'b/c=d' end as part from range(%d, %d) r(i)`
	e := newOurPlayer(t).engine
	publish := func(query string, out engine.Output) {
		t.Helper()
		out.Table = table
		if _, err := e.Publish(t.Context(), query, out); err != nil {
			t.Fatal(err)
		}
	}
	publish(fmt.Sprintf(rows, 0, 30), engine.Output{Mode: engine.Append})
	publish(fmt.Sprintf(rows, 30, 60), engine.Output{Mode: engine.Append})
	publish("select * replace ('merged' as name) from ("+fmt.Sprintf(rows, 20, 70)+")",
		engine.Output{Mode: engine.Merge, Keys: []string{"id"}, Newer: "source.id % 2 = 0"})
	_, deleted := e.Delete(t.Context(), engine.Edit{Table: table, Where: "id % 7 = 3"})
	_, updated := e.Update(t.Context(), engine.Edit{Table: table, Where: "id % 5 = 1"}, []engine.Assignment{{Column: "amount", Value: "amount + 0.5"}})
	_, optimized := e.Optimize(t.Context(), table, engine.OptimizeOptions{Purge: true})
	_, altered := table.Alter(t.Context(), delta.AddColumn{Column: "more", Type: delta.String})
	for what, err := range map[string]error{"delete": deleted, "update": updated, "optimize": optimized, "add a column": altered} {
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
	}
	publish("select *, 'more' as more from ("+fmt.Sprintf(rows, 70, 80)+")", engine.Output{Mode: engine.Append})
	for _, change := range kind.then {
		if _, err := table.Alter(t.Context(), change); err != nil {
			t.Fatal(err)
		}
	}
	s, err := table.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := table.Checkpoint(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	return s.Version()
}

// compareChanges compares the change data feed of all versions but the first, which made the table.
func (kind writtenKind) compareChanges(t *testing.T, path string, latest delta.Version) {
	t.Helper()
	ours := withoutTimes(cat(t, environment{}, path, "--changes", fmt.Sprintf("1:%d", latest)))
	workers := []*worker{spark(t)}
	if kind.properties["delta.columnMapping.mode"] == "" { // delta-rs refuses the changes of tables that map columns
		workers = append(workers, deltars(t))
	}
	for _, w := range workers {
		theirs := withoutTimes(w.rows(t, "changes", arguments{"path": path, "first": 1, "last": latest}))
		if diff := cmp.Diff(sorted(t, ours), sorted(t, theirs)); diff != "" {
			t.Errorf("changes (-lake cat +%s):\n%.3000s", w.name, diff)
		}
	}
}

func withoutTimes(rows []map[string]any) []map[string]any {
	for _, row := range rows {
		delete(row, engine.CommitTimestamp)
	}
	return rows
}

package integration_test

import (
	"fmt"
	"maps"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"launchlake/internal/delta"
	"launchlake/internal/engine"
	"launchlake/internal/engine/duckdb"
)

// changedTables are tables whose rows are changed where they are, each in another way.
var changedTables = []struct {
	name          string
	configuration map[string]string
	partitions    []string
}{
	{"rewritten", map[string]string{"delta.enableChangeDataFeed": "true"}, nil},
	{"vectors", map[string]string{"delta.enableDeletionVectors": "true"}, nil},
}

// changeRows makes a table of many versions: rows that are appended, deleted, updated, merged, purged and restored.
func changeRows(t *testing.T, e *duckdb.Engine, table *delta.Table, configuration map[string]string, partitions []string) {
	t.Helper()
	schema := &delta.Schema{Fields: []delta.Field{
		{Name: "id", Type: delta.Long, Nullable: true}, {Name: "name", Type: delta.String, Nullable: true},
		{Name: "at", Type: delta.Timestamp, Nullable: true}, {Name: "part", Type: delta.String, Nullable: true},
	}}
	if _, err := table.Create(t.Context(), delta.Metadata{Schema: schema, PartitionColumns: partitions, Configuration: maps.Clone(configuration)}); err != nil {
		t.Fatal(err)
	}
	check := func(done engine.Published, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		if done.After == done.Before {
			t.Fatalf("nothing was changed: %+v", done)
		}
	}
	rows := func(from, to int) string {
		return fmt.Sprintf(`select cast(n as bigint) as id, 'name ' || n as name, timestamptz '2026-01-01 00:00:00.123456+00' + n * interval '1' day as "at",
			case when n %% 3 = 0 then null else 'part/' || (n %% 3) end as part from range(%d, %d) as r(n)`, from, to)
	}
	deleteRows := func(where string) {
		t.Helper()
		check(e.Delete(t.Context(), engine.Edit{Table: table, Where: where}))
	}
	update := func(where, column, value string) {
		t.Helper()
		check(e.Update(t.Context(), engine.Edit{Table: table, Where: where}, []engine.Assignment{{Column: column, Value: value}}))
	}
	appendRows := func(from, to int) {
		t.Helper()
		check(e.Publish(t.Context(), rows(from, to), engine.Output{Table: table, Mode: engine.Append}))
	}
	appendRows(0, 3000)
	appendRows(3000, 3010)
	deleteRows("id % 7 = 0")
	update("id between 10 and 20", "name", "upper(name)")
	check(e.Publish(t.Context(), "select *, id % 2 = 0 as gone from ("+rows(2900, 3100)+")", engine.Output{Table: table, Mode: engine.Merge,
		Keys: []string{"id"}, Newer: "true", Tombstone: "gone"}))
	deleteRows("id = 1")
	update("id in (2, 3, 2999)", "part", "'part/9'")
	deleteRows("id >= 3000 and id < 3050")
	for n := range 4 { // a checkpoint comes
		appendRows(4000+n, 4001+n)
	}
	deleteRows("id > 4001")
	if _, err := e.Optimize(t.Context(), table, engine.OptimizeOptions{Purge: true}); err != nil {
		t.Fatal(err)
	}
	deleteRows("id % 11 = 0")
	if _, err := table.Restore(t.Context(), 7, delta.RestoreOptions{}); err != nil {
		t.Fatal(err)
	}
	check(e.Publish(t.Context(), rows(0, 20), engine.Output{Table: table, Mode: engine.Merge, Keys: []string{"id"}, Newer: "source.name <> target.name",
		Prune: "target.id < 100"}))
	check(e.Publish(t.Context(), rows(0, 20), engine.Output{Table: table, Mode: engine.Overwrite}))
	deleteRows("true")
	appendRows(0, 5)
}

// TestIndependentReadersFindRowsThatWereChanged lets Spark, delta-rs and DuckDB's Delta extension read versions of tables whose rows were
// changed, and Spark their changes.
func TestIndependentReadersFindRowsThatWereChanged(t *testing.T) {
	folder := t.TempDir()
	env := environment{"LAKE_URL": "file://" + folder}
	e, err := duckdb.Open(t.Context(), duckdb.Options{Folder: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	for _, tt := range changedTables {
		path := filepath.Join(folder, tt.name)
		changeRows(t, e, openTable(t, path), tt.configuration, tt.partitions)
		latest := latestVersion(t, path)
		lakeSays(t, env, 0, "ok ", "fsck", path, "--deep")
		ours := map[delta.Version][]map[string]any{}
		for _, v := range []delta.Version{3, 5, 7, 12, latest} {
			ours[v] = cat(t, env, path, "--version", fmt.Sprint(v))
		}
		t.Run(tt.name+" by delta-rs", func(t *testing.T) {
			for v := range ours {
				for _, f := range readIndependently(t, path, v) {
					if diff := cmp.Diff(sorted(t, ours[v]), sorted(t, f.Rows)); diff != "" {
						t.Errorf("version %d (-lake cat +%s):\n%.2000s", v, f.Reader, diff)
					}
				}
			}
		})
		t.Run(tt.name+" by Spark", func(t *testing.T) {
			w := spark(t)
			for v := range ours {
				if diff := cmp.Diff(sorted(t, ours[v]), sorted(t, w.rows(t, "read", arguments{"path": path, "version": v}))); diff != "" {
					t.Errorf("version %d (-lake cat +spark):\n%.2000s", v, diff)
				}
			}
			if tt.configuration["delta.enableChangeDataFeed"] != "" {
				changes := w.rows(t, "changes", arguments{"path": path, "first": 1, "last": latest})
				if diff := cmp.Diff(sorted(t, cat(t, env, path, "--changes", fmt.Sprintf("1:%d", latest))), sorted(t, changes)); diff != "" {
					t.Errorf("changes (-lake cat +spark):\n%.2000s", diff)
				}
			}
		})
	}
}

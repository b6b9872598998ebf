package integration_test

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"launchlake/internal/delta"
	"launchlake/internal/objstore"
	"launchlake/internal/task"
)

// found is what an independent reader found in a table.
type found struct {
	Reader  string
	Version *delta.Version
	Schema  json.RawMessage
	Rows    []map[string]any
}

// TestIndependentReadersFindTheSame runs the pipeline over both states of the recorded API and reads every version of
// every table with delta-rs and DuckDB's Delta extension: each must find what `lake cat` finds.
func TestIndependentReadersFindTheSame(t *testing.T) {
	deltars(t)
	folder := t.TempDir()
	env := environment{"LAKE_URL": "file://" + folder, "SOURCE_URL": "sample:"}
	runPipeline(t, env, task.Done)
	runPipeline(t, env.with("SAMPLE_STATE", "2"), task.Done)

	names := tableNames(t, env)
	if len(names) < 8 {
		t.Fatalf("the pipeline wrote %d tables: %v", len(names), names)
	}
	for _, name := range names {
		path := filepath.Join(folder, name)
		for v := range latestVersion(t, path) + 1 {
			ours := cat(t, env, name, "--version", fmt.Sprint(v))
			for _, f := range readIndependently(t, path, v) {
				t.Run(fmt.Sprintf("%s reads %s at %d", f.Reader, name, v), func(t *testing.T) {
					compareFound(t, f, path, v, ours)
				})
			}
		}
	}
}

func compareFound(t *testing.T, f found, path string, version delta.Version, ours []map[string]any) {
	t.Helper()
	if diff := cmp.Diff(sorted(t, ours), sorted(t, f.Rows)); diff != "" {
		t.Errorf("rows (-lake cat +%s):\n%.4000s", f.Reader, diff)
	}
	if f.Reader != "deltars" {
		return
	}
	if *f.Version != version {
		t.Errorf("delta-rs opened version %d", *f.Version)
	}
	snapshot, err := openTable(t, path).SnapshotAt(t.Context(), *f.Version)
	if err != nil {
		t.Fatal(err)
	}
	schema, err := json.Marshal(snapshot.Schema())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(decoded(t, schema), decoded(t, f.Schema)); diff != "" {
		t.Errorf("schema (-ours +delta-rs):\n%s", diff)
	}
}

// TestSparkFindsTheSame lets Spark read the latest version of every table, and run the README's lines.
func TestSparkFindsTheSame(t *testing.T) {
	w := spark(t)
	folder := t.TempDir()
	env := environment{"LAKE_URL": "file://" + filepath.Join(folder, "lake"), "SOURCE_URL": "sample:"}
	runPipeline(t, env, task.Done)
	runPipeline(t, env.with("SAMPLE_STATE", "2"), task.Done)
	for _, block := range readmeBlocks(t, "python") {
		if strings.Contains(block, "spark.") {
			w.do(t, "python", arguments{"code": strings.ReplaceAll(block, `"lake/`, `"`+folder+`/lake/`)}, nil)
		}
	}
	for _, name := range tableNames(t, env) {
		rows := w.rows(t, "read", arguments{"path": filepath.Join(folder, "lake", name)})
		if diff := cmp.Diff(sorted(t, cat(t, env, name)), sorted(t, rows)); diff != "" {
			t.Errorf("%s (-lake cat +spark):\n%.4000s", name, diff)
		}
	}
}

// readIndependently reads a version of a table with delta-rs and with DuckDB's Delta extension.
func readIndependently(t *testing.T, path string, version delta.Version) []found {
	t.Helper()
	at := arguments{"path": path, "version": version}
	byDeltars := found{Reader: "deltars"}
	deltars(t).do(t, "read", at, &byDeltars)
	return []found{byDeltars, {Reader: "duckdb", Rows: deltars(t).rows(t, "read_duckdb", at)}}
}

func openTable(t *testing.T, path string) *delta.Table {
	t.Helper()
	store, err := objstore.NewDir(path)
	if err != nil {
		t.Fatal(err)
	}
	return delta.Open(store)
}

func latestVersion(t *testing.T, path string) delta.Version {
	t.Helper()
	snapshot, err := openTable(t, path).Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return snapshot.Version()
}

// tableNames lists the lake's tables as `lake tables` does.
func tableNames(t *testing.T, env environment) (names []string) {
	t.Helper()
	e := run(t, env, "lake", "tables", "--format", "json")
	if e.code != 0 {
		t.Fatalf("lake tables: %s", e)
	}
	for line := range strings.Lines(e.stdout) {
		var row struct{ Table string }
		if err := json.Unmarshal([]byte(line), &row); err != nil {
			t.Fatalf("lake tables printed %q: %v", line, err)
		}
		names = append(names, row.Table)
	}
	return names
}

// sorted gives rows a canonical order. Numbers are compared by value, not by spelling.
func sorted(t *testing.T, rows []map[string]any) []string {
	t.Helper()
	lines := make([]string, len(rows))
	for i, row := range rows {
		line, err := json.Marshal(canonical(row))
		if err != nil {
			t.Fatal(err)
		}
		lines[i] = string(line)
	}
	slices.Sort(lines)
	return lines
}

func canonical(value any) any {
	switch value := value.(type) {
	case json.Number:
		if n, err := value.Int64(); err == nil {
			return n
		}
		f, err := value.Float64()
		if err != nil {
			return value
		}
		return f
	case map[string]any:
		for key := range value {
			value[key] = canonical(value[key])
		}
	case []any:
		for i := range value {
			value[i] = canonical(value[i])
		}
	}
	return value
}

func decoded(t *testing.T, text []byte) (v any) {
	t.Helper()
	if err := json.Unmarshal(text, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

package integration_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"launchlake/internal/delta"
	"launchlake/internal/objstore"
	"launchlake/internal/task"
)

// found is what an independent reader found in a table.
type found struct {
	Table   string
	Reader  string
	Version *delta.Version
	Schema  json.RawMessage
	Rows    []map[string]any
}

// TestIndependentReadersFindTheSame runs the pipeline over both states of the recorded API and reads every version of
// every table with delta-rs and DuckDB's Delta extension: each must find what `lake cat` finds.
func TestIndependentReadersFindTheSame(t *testing.T) {
	interpreter := python(t)
	folder := t.TempDir()
	env := environment{"LAKE_URL": "file://" + folder, "SOURCE_URL": "sample:"}
	runPipeline(t, env, task.Done)
	runPipeline(t, env.with("SAMPLE_STATE", "2"), task.Done)

	var arguments []string
	versions := map[string]delta.Version{}
	for _, name := range tableNames(t, env) {
		latest := latestVersion(t, filepath.Join(folder, name))
		versions[name] = latest
		for v := delta.Version(0); v <= latest; v++ {
			arguments = append(arguments, fmt.Sprintf("%s@%d", filepath.Join(folder, name), v))
		}
	}
	if len(versions) < 8 {
		t.Fatalf("the pipeline wrote %d tables: %v", len(versions), versions)
	}
	all := readIndependently(t, interpreter, "read.py", arguments)
	if len(all) != 2*len(arguments) {
		t.Fatalf("read.py printed %d lines for %d tables and 2 readers", len(all), len(arguments))
	}
	for _, f := range all {
		path, version, _ := strings.Cut(f.Table, "@")
		name, err := filepath.Rel(folder, path)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(fmt.Sprintf("%s reads %s at %s", f.Reader, name, version), func(t *testing.T) {
			compareFound(t, f, path, version, cat(t, env, name, "--version", version))
		})
	}
}

func compareFound(t *testing.T, f found, path, version string, ours []map[string]any) {
	t.Helper()
	if diff := cmp.Diff(sorted(t, ours), sorted(t, f.Rows)); diff != "" {
		t.Errorf("rows (-lake cat +%s):\n%.4000s", f.Reader, diff)
	}
	if f.Reader != "deltars" {
		return
	}
	if got := strconv.Itoa(int(*f.Version)); got != version {
		t.Errorf("delta-rs opened version %s", got)
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
	interpreter := pythonWithSpark(t)
	folder := t.TempDir()
	env := environment{"LAKE_URL": "file://" + filepath.Join(folder, "lake"), "SOURCE_URL": "sample:"}
	runPipeline(t, env, task.Done)
	runPipeline(t, env.with("SAMPLE_STATE", "2"), task.Done)
	snippet := ""
	for _, block := range readmeBlocks(t, "python") {
		if strings.Contains(block, "spark.") {
			snippet = strings.ReplaceAll(block, `"lake/`, `"`+folder+`/lake/`)
		}
	}
	arguments := []string{snippet}
	for _, name := range tableNames(t, env) {
		arguments = append(arguments, filepath.Join(folder, "lake", name))
	}
	all := readIndependently(t, interpreter, "read_spark.py", arguments)
	if len(all) != len(arguments)-1 {
		t.Fatalf("Spark read %d tables of %d", len(all), len(arguments)-1)
	}
	for _, f := range all {
		ours := cat(t, env, f.Table)
		if diff := cmp.Diff(sorted(t, ours), sorted(t, f.Rows)); diff != "" {
			t.Errorf("%s (-lake cat +spark):\n%.4000s", f.Table, diff)
		}
	}
}

// readIndependently runs one of this folder's scripts.
func readIndependently(t *testing.T, interpreter, script string, arguments []string) (all []found) {
	t.Helper()
	c := exec.CommandContext(t.Context(), interpreter, append([]string{script}, arguments...)...)
	var stderr bytes.Buffer
	c.Stderr = &stderr
	out, err := c.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s", script, err, stderr.String())
	}
	decoder := json.NewDecoder(bytes.NewReader(out))
	decoder.UseNumber()
	for decoder.More() {
		var f found
		if err := decoder.Decode(&f); err != nil {
			t.Fatal(err)
		}
		all = append(all, f)
	}
	return all
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

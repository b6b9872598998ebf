package duckdb_test

import (
	"archive/tar"
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"launchlake/internal/delta"
	"launchlake/internal/engine"
	"launchlake/internal/objstore"
)

// shared finds reference data beside the checkout.
func shared(t *testing.T, path ...string) string {
	t.Helper()
	root, err := filepath.Abs(filepath.Join("..", "..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	found := filepath.Join(append([]string{root, "..", "shared"}, path...)...)
	if _, err := os.Stat(found); err != nil {
		t.Skipf("the reference data %s is not there", filepath.Join(append([]string{"..", "shared"}, path...)...))
	}
	return found
}

// referenceCase is a table that others wrote, with the rows that reading it must give.
type referenceCase struct {
	Specs []struct {
		ID, Kind  string
		Version   *delta.Version
		Timestamp string
		Predicate string
		Columns   []string
		Expected  string
		Error     any
		Optional  bool
	}
}

// TestTablesOfOtherWritersAreReadAsTheyMeantThem binds every reference table that package delta opens, and compares all
// rows. What it refuses is refused before the engine is asked.
func TestTablesOfOtherWritersAreReadAsTheyMeantThem(t *testing.T) {
	archives, err := filepath.Glob(filepath.Join(shared(t, "delta-tables"), "*", "*.tar.gz"))
	if err != nil {
		t.Fatal(err)
	}
	var read, refused int
	for _, archive := range archives {
		name := filepath.Join(filepath.Base(filepath.Dir(archive)), strings.TrimSuffix(filepath.Base(archive), ".tar.gz"))
		t.Run(name, func(t *testing.T) {
			folder := unpack(t, archive)
			text, err := os.ReadFile(filepath.Join(folder, "case.json"))
			if err != nil {
				t.Fatal(err)
			}
			var c referenceCase
			if err := json.Unmarshal(text, &c); err != nil {
				t.Fatal(err)
			}
			store, err := objstore.NewDir(filepath.Join(folder, "delta"))
			if err != nil {
				t.Fatal(err)
			}
			for _, spec := range c.Specs {
				if spec.Kind != "read" || spec.Error != nil || spec.Predicate != "" || spec.Timestamp != "" || len(spec.Columns) > 0 {
					continue
				}
				snapshot, err := snapshotOf(t, delta.Open(store), spec.Version)
				if _, ok := errors.AsType[*delta.UnsupportedError](err); ok {
					refused++
					continue
				}
				if err != nil {
					t.Errorf("spec %s: %v", spec.ID, err)
					continue
				}
				read++
				compareRows(t, snapshot, filepath.Join(folder, spec.Expected))
			}
		})
	}
	t.Logf("%d reads compared, %d refused by package delta", read, refused)
	if read == 0 {
		t.Error("nothing was compared")
	}
}

func snapshotOf(t *testing.T, table *delta.Table, version *delta.Version) (*delta.Snapshot, error) {
	if version != nil {
		return table.SnapshotAt(t.Context(), *version)
	}
	return table.Snapshot(t.Context())
}

func compareRows(t *testing.T, s *delta.Snapshot, expected string) {
	t.Helper()
	e := open(t)
	defer e.Close()
	if err := e.Bind(t.Context(), "t", engine.Input{Snapshot: s}); err != nil {
		t.Error(err)
		return
	}
	rows, err := e.Query(t.Context(), "select * from t")
	if err != nil {
		t.Error(err)
		return
	}
	var got []string
	for row, err := range rows.All {
		if err != nil {
			t.Error(err)
			return
		}
		members := map[string]any{}
		for i, f := range s.Schema().Fields {
			members[f.Name] = canonical(f.Type, row[i])
		}
		got = append(got, marshal(t, members))
	}
	want := expectedRows(t, s.Schema(), expected)
	slices.Sort(got)
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("version %d (-want +got):\n%.4000s", s.Version(), diff)
	}
}

// canonical gives a value the form of the expected rows.
func canonical(t delta.Type, v any) any {
	switch v := v.(type) {
	case nil:
		return nil
	case float64:
		switch {
		case math.IsNaN(v):
			return "NaN"
		case math.IsInf(v, 0):
			return map[bool]string{true: "-Infinity", false: "Infinity"}[v < 0]
		case v == 0 && math.Signbit(v):
			return "-0.0"
		}
		return json.Number(strconv.FormatFloat(v, 'g', 9, 64))
	case int64:
		return json.Number(strconv.FormatInt(v, 10))
	case []byte:
		return base64.StdEncoding.EncodeToString(v)
	case time.Time:
		return canonicalTime(t, v)
	case []any:
		elements := make([]any, len(v))
		for i := range v {
			elements[i] = canonical(t.(*delta.Array).Element, v[i])
		}
		return elements
	case map[string]any:
		members := map[string]any{}
		for _, f := range t.(*delta.Struct).Fields {
			members[f.Name] = canonical(f.Type, v[f.Name])
		}
		return members
	case [][2]any:
		m := t.(*delta.Map)
		pairs := make([]any, len(v))
		for i := range v {
			pairs[i] = []any{canonical(m.Key, v[i][0]), canonical(m.Value, v[i][1])}
		}
		sortPairs(pairs)
		return pairs
	default:
		return fmt.Sprint(v) // decimals and strings
	case bool:
		return v
	}
}

func canonicalTime(t delta.Type, v time.Time) string {
	switch t {
	case delta.Date:
		return v.Format("2006-01-02")
	case delta.TimestampNTZ:
		return v.Format("2006-01-02T15:04:05.000000")
	}
	return v.Format("2006-01-02T15:04:05.000000Z")
}

func sortPairs(pairs []any) {
	slices.SortFunc(pairs, func(a, b any) int {
		x, _ := json.Marshal(a)
		y, _ := json.Marshal(b)
		return bytes.Compare(x, y)
	})
}

// expectedRows reads the rows that must come, in the same form.
func expectedRows(t *testing.T, schema *delta.Schema, path string) []string {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var rows []string
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 64<<20)
	for lines.Scan() {
		decoder := json.NewDecoder(bytes.NewReader(lines.Bytes()))
		decoder.UseNumber()
		var row map[string]any
		if err := decoder.Decode(&row); err != nil {
			t.Fatal(err)
		}
		members := map[string]any{}
		for _, f := range schema.Fields {
			members[f.Name] = wanted(f.Type, row[f.Name])
		}
		for name := range maps.Keys(row) {
			if _, ok := schema.Field(name); !ok {
				members[name] = row[name]
			}
		}
		rows = append(rows, marshal(t, members))
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return rows
}

func wanted(t delta.Type, v any) any {
	switch v := v.(type) {
	case json.Number:
		if t == delta.Float || t == delta.Double {
			f, err := v.Float64()
			if err == nil {
				return canonical(t, f)
			}
		}
		return v
	case string:
		if t == delta.Timestamp && !strings.HasSuffix(v, "Z") {
			return v + "Z" // some expectations were written without the zone
		}
		return v
	case []any:
		elements := make([]any, len(v))
		for i := range v {
			switch t := t.(type) {
			case *delta.Array:
				elements[i] = wanted(t.Element, v[i])
			case *delta.Map:
				pair := v[i].([]any)
				elements[i] = []any{wanted(t.Key, pair[0]), wanted(t.Value, pair[1])}
			}
		}
		if _, ok := t.(*delta.Map); ok {
			sortPairs(elements)
		}
		return elements
	case map[string]any:
		members := map[string]any{}
		for _, f := range t.(*delta.Struct).Fields {
			members[f.Name] = wanted(f.Type, v[f.Name])
		}
		return members
	}
	return v
}

func marshal(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// unpack keeps the modification times, which are the commits' times.
func unpack(t *testing.T, archive string) string {
	t.Helper()
	folder := t.TempDir()
	file, err := os.Open(archive)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	unzipped, err := gzip.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	for entries := tar.NewReader(unzipped); ; {
		entry, err := entries.Next()
		if errors.Is(err, io.EOF) {
			return folder
		}
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(folder, entry.Name)
		if entry.Typeflag != tar.TypeReg {
			continue
		}
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(entries)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, entry.ModTime, entry.ModTime); err != nil {
			t.Fatal(err)
		}
	}
}

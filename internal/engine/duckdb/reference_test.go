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
	"regexp"
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
	Specs []referenceSpec
}

type referenceSpec struct {
	ID, Kind      string
	Version       *delta.Version
	Start, End    *delta.Version
	Timestamp     string
	Predicate     string
	Columns       []string
	Expected      string
	Error         any
	Optional      bool
	VariantAsJSON []string
}

// outcome is what became of a spec.
type outcome string

const (
	right   outcome = "right"
	refused outcome = "refused by name"
	wrong   outcome = "wrong"
)

// refusable are the features by whose names a table may be refused here.
var refusable = []string{"variantType", "variantShredding"}

// TestTablesOfOtherWritersAreReadAsTheyMeantThem runs every spec of the reference tables and compares all rows. Tables are
// refused by the name of a feature that is not built, and otherwise by nothing.
func TestTablesOfOtherWritersAreReadAsTheyMeantThem(t *testing.T) {
	archives, err := filepath.Glob(filepath.Join(shared(t, "delta-tables"), "*", "*.tar.gz"))
	if err != nil {
		t.Fatal(err)
	}
	type tally struct{ suite, kind string }
	counts := map[tally]map[outcome]int{}
	for _, archive := range archives {
		suite := filepath.Base(filepath.Dir(archive))
		t.Run(filepath.Join(suite, strings.TrimSuffix(filepath.Base(archive), ".tar.gz")), func(t *testing.T) {
			folder := unpack(t, archive)
			text, err := os.ReadFile(filepath.Join(folder, "case.json"))
			if err != nil {
				t.Fatal(err)
			}
			var c referenceCase
			if err := json.Unmarshal(text, &c); err != nil {
				t.Fatal(err)
			}
			e := open(t)
			defer e.Close()
			for _, spec := range c.Specs {
				kind := tally{suite, spec.Kind}
				if counts[kind] == nil {
					counts[kind] = map[outcome]int{}
				}
				t.Run(spec.ID, func(t *testing.T) { counts[kind][spec.run(t, e, folder)]++ })
			}
		})
	}
	if len(counts) == 0 {
		t.Error("nothing was compared")
	}
	for _, kind := range slices.SortedFunc(maps.Keys(counts), func(a, b tally) int {
		return strings.Compare(a.suite+a.kind, b.suite+b.kind)
	}) {
		c := counts[kind]
		t.Logf("%-8s %-5s %3d right, %d refused by name, %d wrong", kind.suite, kind.kind, c[right], c[refused], c[wrong])
	}
}

// run reads what a spec asks for, and says how that went. What is neither right nor a refusal that is owned up to fails the
// test.
func (spec referenceSpec) run(t *testing.T, e engine.Engine, folder string) outcome {
	got, schema, err := spec.rows(t, e, folder)
	if unsupported, ok := errors.AsType[*delta.UnsupportedError](err); ok && spec.Error == nil {
		for _, feature := range unsupported.Features {
			if !slices.Contains(refusable, feature) {
				t.Errorf("refused: %v", err)
			}
		}
		return refused
	}
	switch {
	case err != nil && spec.Error != nil:
		return right
	case err != nil:
		t.Error(err)
		return wrong
	case spec.Error != nil && spec.Optional:
		return right
	case spec.Error != nil:
		t.Errorf("%d rows, and it must fail: %v", len(got), spec.Error)
		return wrong
	}
	want := expectedRows(t, schema, filepath.Join(folder, spec.Expected))
	slices.Sort(got)
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("rows (-want +got):\n%.4000s", diff)
		return wrong
	}
	return right
}

// rows gives the rows that a spec asks for, in canonical form.
func (spec referenceSpec) rows(t *testing.T, e engine.Engine, folder string) ([]string, *delta.Schema, error) {
	store, err := objstore.NewDir(filepath.Join(folder, "delta"))
	if err != nil {
		t.Fatal(err)
	}
	in, schema, err := spec.input(t, delta.Open(store))
	if err != nil {
		return nil, nil, err
	}
	name := "t" + spec.ID
	if err := e.Bind(t.Context(), name, in); err != nil {
		return nil, nil, err
	}
	rows, err := e.Query(t.Context(), spec.query(name))
	if err != nil {
		return nil, nil, err
	}
	var got []string
	for row, err := range rows.All {
		if err != nil {
			return nil, nil, err
		}
		members := map[string]any{}
		for i, f := range rows.Schema.Fields {
			if f.Name == engine.CommitTimestamp {
				continue // not among the expected columns
			}
			typ := f.Type
			if own, ok := schema.Field(f.Name); ok {
				typ = own.Type
			}
			members[f.Name] = canonical(typ, row[i])
		}
		got = append(got, marshal(t, members))
	}
	return got, schema, nil
}

func (spec referenceSpec) input(t *testing.T, table *delta.Table) (engine.Input, *delta.Schema, error) {
	if spec.Kind == "cdf" {
		to := delta.Version(math.MaxInt64)
		if spec.End != nil {
			to = *spec.End
		}
		changes, err := table.Changes(t.Context(), *spec.Start, to)
		if err != nil {
			return engine.Input{}, nil, err
		}
		return engine.Input{Changes: changes}, changes.Snapshot().Schema(), nil
	}
	snapshot, err := spec.snapshot(t, table)
	if err != nil {
		return engine.Input{}, nil, err
	}
	return engine.Input{Snapshot: snapshot}, snapshot.Schema(), nil
}

func (spec referenceSpec) snapshot(t *testing.T, table *delta.Table) (*delta.Snapshot, error) {
	switch {
	case spec.Version != nil:
		return table.SnapshotAt(t.Context(), *spec.Version)
	case spec.Timestamp != "":
		at, err := time.Parse("2006-01-02 15:04:05", spec.Timestamp)
		if err != nil {
			t.Fatal(err)
		}
		return table.SnapshotAsOf(t.Context(), at)
	}
	return table.Snapshot(t.Context())
}

var callOfDouble = regexp.MustCompile(`double\(('[^']*')\)`)

func (spec referenceSpec) query(name string) string {
	columns := "*"
	if len(spec.Columns) > 0 {
		columns = `"` + strings.Join(spec.Columns, `", "`) + `"`
	}
	query := "SELECT " + columns + " FROM " + name
	if spec.Predicate != "" {
		// What Spark spells otherwise than DuckDB.
		predicate := strings.ReplaceAll(spec.Predicate, "`", `"`)
		query += " WHERE " + callOfDouble.ReplaceAllString(predicate, "CAST($1 AS DOUBLE)")
	}
	return query
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
		for name, value := range row {
			f, _ := schema.Field(name)
			members[name] = wanted(f.Type, value)
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

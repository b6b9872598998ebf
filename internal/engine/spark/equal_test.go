package spark_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"launchlake/internal/engine"
	"launchlake/internal/engine/duckdb"
	"launchlake/internal/engine/spark/connect"
	"launchlake/internal/lake"
	"launchlake/internal/launchapi/launchapitest"
	"launchlake/internal/launchapi/recorded"
	"launchlake/internal/secret"
	"launchlake/internal/sparktest"
	"launchlake/internal/task"
	"launchlake/internal/task/aggregate"
	"launchlake/internal/task/engines"
	"launchlake/internal/task/ingest"
	"launchlake/internal/task/refine"
)

// lakeOf is a lake in a folder, which tasks work on with one engine or the other.
type lakeOf struct {
	t      *testing.T
	common task.Common
}

func newLake(t *testing.T) lakeOf {
	return lakeOf{t, task.Common{LakeURL: "file://" + t.TempDir(), RunID: "run"}}
}

func (l lakeOf) engine(name string) engines.Config {
	return engines.Config{Engine: name, MemoryLimit: "1GB", WorkFolder: l.t.TempDir(), SparkRemote: secret.Text(sparktest.Remote(l.t))}
}

// ingest brings launches into Bronze as an API that serves them does.
func (l lakeOf) ingest(launches []json.RawMessage) {
	l.t.Helper()
	server := launchapitest.Start(l.t, launchapitest.Options{States: [][]json.RawMessage{launches}, Undated: true, Now: func() time.Time { return recorded.AsOf(1) }})
	c := ingest.Config{Common: l.common, SourceURL: server.URL(), Sweep: true, Overlap: 12 * time.Hour, BatchPages: 50, BatchBytes: 64 << 20, RequestTimeout: time.Minute}
	if _, err := ingest.Run(l.t.Context(), c, quiet); err != nil {
		l.t.Fatal(err)
	}
}

var quiet = slog.New(slog.DiscardHandler)

// transform runs refine and aggregate.
func (l lakeOf) transform(engine string) {
	l.t.Helper()
	if _, err := refine.Run(l.t.Context(), refine.Config{Common: l.common, Config: l.engine(engine), BronzeVersion: task.NoVersion}, quiet); err != nil {
		l.t.Fatalf("refine on %s: %v", engine, err)
	}
	if _, err := aggregate.Run(l.t.Context(), aggregate.Config{Common: l.common, Config: l.engine(engine), SilverVersion: task.NoVersion}, quiet); err != nil {
		l.t.Fatalf("aggregate on %s: %v", engine, err)
	}
}

// open gives the tables' places.
func (l lakeOf) open() *lake.Lake {
	l.t.Helper()
	opened, err := lake.Open(l.t.Context(), l.common.Lake())
	if err != nil {
		l.t.Fatal(err)
	}
	return opened
}

// rows are all rows of all Silver and Gold tables, each as exact text, sorted, by table. What tells when and from where a row was
// fetched is left out.
func (l lakeOf) rows() map[string][]string {
	l.t.Helper()
	opened := l.open()
	names, err := opened.Tables(l.t.Context())
	if err != nil {
		l.t.Fatal(err)
	}
	all := map[string][]string{}
	for _, name := range names {
		if strings.HasPrefix(name, "bronze/") {
			continue
		}
		s, err := opened.Table(name).Snapshot(l.t.Context())
		if err != nil {
			l.t.Fatal(err)
		}
		all[name] = l.read(engine.Input{Snapshot: s})
	}
	return all
}

func (l lakeOf) read(in engine.Input) []string {
	l.t.Helper()
	e, err := duckdb.Open(l.t.Context(), duckdb.Options{Folder: l.t.TempDir()})
	if err != nil {
		l.t.Fatal(err)
	}
	defer e.Close()
	err = e.Bind(l.t.Context(), "t", in)
	if err != nil {
		l.t.Fatal(err)
	}
	rows, err := e.Query(l.t.Context(), "SELECT * FROM t")
	if err != nil {
		l.t.Fatal(err)
	}
	all := []string{}
	for row, err := range rows.All {
		if err != nil {
			l.t.Fatal(err)
		}
		var cells []string
		for i, v := range row {
			if name := rows.Schema.Fields[i].Name; !slices.Contains([]string{"quarantined_at", "fetched_at", "request_url"}, name) {
				cells = append(cells, fmt.Sprintf("%s=%#v", name, exact(v)))
			}
		}
		all = append(all, strings.Join(cells, " "))
	}
	slices.Sort(all)
	return all
}

// exact spells a value so that other ones are spelled otherwise, also -0.0 and 0.0.
func exact(v any) any {
	if moment, ok := v.(time.Time); ok {
		return moment.UTC().Format(time.RFC3339Nano)
	}
	return v
}

// wantEqual compares the tables of two lakes row for row.
func wantEqual(t *testing.T, when string, want, got lakeOf) {
	t.Helper()
	wanted, found := want.rows(), got.rows()
	if diff := cmp.Diff(slices.Sorted(maps.Keys(wanted)), slices.Sorted(maps.Keys(found))); diff != "" {
		t.Errorf("%s: tables (-DuckDB +Spark):\n%s", when, diff)
	}
	for name, rows := range wanted {
		if len(rows) == 0 && name != "silver/launches_quarantine" {
			t.Errorf("%s: %s is empty", when, name)
		}
		if diff := cmp.Diff(rows, found[name]); diff != "" {
			t.Errorf("%s: %s (-DuckDB +Spark):\n%.4000s", when, name, diff)
		}
	}
}

// TestBothEnginesMakeEqualTables lets DuckDB alone work on one lake, and Spark and DuckDB by turns on another. In between Spark,
// which knows nothing of us, changes Silver in both: rows go by deletion vectors, and a constraint comes.
func TestBothEnginesMakeEqualTables(t *testing.T) {
	remote := sparktest.Remote(t)
	one, turns := newLake(t), newLake(t)
	step := func(when, engine string, launches []json.RawMessage) {
		t.Helper()
		for _, l := range []lakeOf{one, turns} {
			l.ingest(launches)
		}
		one.transform("duckdb")
		turns.transform(engine)
		wantEqual(t, when, one, turns)
	}
	step("the recorded launches and nasty values", "spark", append(state(t, 1), nasty(t)...))
	for _, l := range []lakeOf{one, turns} {
		changeFromOutside(t, remote, strings.TrimPrefix(l.common.LakeURL, "file://")+"/silver/launches")
	}
	step("their later state", "duckdb", state(t, 2))
	const generated = 20_000
	step("generated launches", "spark", slices.Collect(recorded.Generate(generated, 1)))
}

func state(t *testing.T, n int) []json.RawMessage {
	t.Helper()
	launches, err := recorded.State(n)
	if err != nil {
		t.Fatal(err)
	}
	return launches
}

// changeFromOutside does to a table what an administrator might.
func changeFromOutside(t *testing.T, remote, path string) {
	t.Helper()
	at, err := connect.ParseRemote(remote)
	if err != nil {
		t.Fatal(err)
	}
	c := connect.New(at, connect.Options{})
	defer c.Close()
	for _, statement := range []string{
		"ALTER TABLE {} SET TBLPROPERTIES ('delta.enableDeletionVectors' = 'true', 'delta.checkpointInterval' = '2')",
		"DELETE FROM {} WHERE pad_id = 16 OR name LIKE '%Test%'",
		"UPDATE {} SET last_updated = timestamp '2001-01-01 00:00:00' WHERE rocket_id = 164",
		"ALTER TABLE {} ADD CONSTRAINT dated CHECK (net > '1900-01-01')",
	} {
		if err := c.Run(t.Context(), strings.ReplaceAll(statement, "{}", "delta.`"+path+"`")); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
}

// nasty are launches with values at the edges of their types, and outside.
func nasty(t *testing.T) []json.RawMessage {
	t.Helper()
	base := state(t, 1)[0]
	var launches []json.RawMessage
	for i, changes := range []map[string]any{
		{"name": ""}, {"name": nil}, {"name": "null"}, {"name": "😀é\n\"'\\ \u0000 end"}, {"name": "{brace"}, {"name": "[1,2]"}, {"name": `{"a":1}`}, {"name": 17}, {"name": true},
		{"name": map[string]any{"a": 1}}, {"name": []any{"a"}}, {"name": strings.Repeat("ﷺ", 5000)}, {"name": " \t spaces  "}, {"failreason": "   "}, {"failreason": "\u00a0"},
		{"net": "0001-01-01T00:00:00Z"}, {"net": "9999-12-31T23:59:59Z"}, {"net": "2016-12-31T23:59:60Z"}, {"net": "2026-02-29T00:00:00Z"}, {"net": "1957-10-04 19:28:34"},
		{"net": "2026-07-20T16:49:32.1234567+02:00", "window_start": nil, "window_end": nil}, {"net": "2026-07-20T16:49:32+0530", "window_start": nil, "window_end": nil}, {"net": "2026-07-20"}, {"net": 1700000000}, {"net": ""},
		{"probability": 9223372036854775807}, {"probability": 2147483647}, {"probability": 2147483648}, {"probability": "55"}, {"probability": 55.0}, {"probability": 55.5},
		{"probability": json.RawMessage("5.5e1")}, {"probability": json.RawMessage("-0")}, {"probability": json.RawMessage("12345678.0")}, {"probability": "NaN"}, {"probability": json.RawMessage("1e400")},
		{"pad.latitude": json.RawMessage("-0.0")}, {"pad.latitude": "-0.0"}, {"pad.latitude": "NaN"}, {"pad.latitude": "Infinity"}, {"pad.latitude": json.RawMessage("4.9e-324")}, {"pad.latitude": json.RawMessage("90.00000000000001")},
		{"pad.latitude": "28.561941220"}, {"pad.longitude": json.RawMessage("1.7976931348623157e308")}, {"pad.longitude": json.RawMessage("0.1000000000000000055511151231257827")},
		{"pad.id": nil}, {"pad": nil}, {"pad": "a text"}, {"pad": []any{}}, {"status": map[string]any{"id": 99}}, {"status": map[string]any{"id": nil}}, {"mission": nil},
		// Losses in the moment of the others.
		{"status": map[string]any{"id": 4}}, {"status": map[string]any{"id": 7}},
		{"webcast_live": "true"}, {"webcast_live": 1}, {"webcast_live": "TRUE"}, {"program": nil}, {"program": "none"}, {"program": []any{}}, {"program": []any{nil, 3, map[string]any{"name": nil}, map[string]any{"name": "ü,ß"}, map[string]any{"other": 1}}},
		{"program": []any{map[string]any{"name": map[string]any{"deep": 1}}}}, {"program": []any{map[string]any{"name": 5}, map[string]any{"name": ""}}},
		{"rocket.configuration.families": []any{}}, {"rocket.configuration.families": []any{map[string]any{"name": "F", "parent": nil}}}, {"rocket.configuration.families": "Family", "rocket.configuration.family": "Old"},
		{"launch_service_provider.type": "Commercial"}, {"launch_service_provider.type": map[string]any{"id": 1, "name": nil}}, {"launch_service_provider.type": []any{1}},
		{"launch_service_provider.country": []any{map[string]any{"alpha_3_code": "FRA"}, map[string]any{"alpha_3_code": nil}, map[string]any{"alpha_3_code": "USA"}}}, {"launch_service_provider.country": map[string]any{"alpha_3_code": "FRA"}, "launch_service_provider.country_code": "XXX"},
		{"net_precision": map[string]any{"id": 6, "name": "Week"}}, {"net_precision": map[string]any{"id": 13, "name": "Half"}}, {"net_precision": map[string]any{"id": 20, "name": "Fiscal Year"}}, {"net_precision": map[string]any{"id": 21, "name": "Decade"}},
		{"id": "00000000-0000-4000-8000-00000000abcd\n"}, {"id": "ABCDEF00-0000-4000-8000-000000000001"}, {"id": 5}, {"last_updated": "2300-01-01T00:00:00Z"}, {"last_updated": "1970-01-01T00:00:00.999999999Z"},
	} {
		var document map[string]any
		if err := json.Unmarshal(base, &document); err != nil {
			t.Fatal(err)
		}
		document["id"] = fmt.Sprintf("00000000-0000-4000-8000-%012d", i)
		for path, value := range changes {
			set(document, strings.Split(path, "."), value)
		}
		text, err := json.Marshal(document)
		if err != nil {
			t.Fatal(err)
		}
		launches = append(launches, text)
	}
	return launches
}

func set(document map[string]any, path []string, value any) {
	for _, key := range path[:len(path)-1] {
		document = document[key].(map[string]any)
	}
	document[path[len(path)-1]] = value
}

func TestAServerThatIsNotThereIsUnavailable(t *testing.T) {
	l := newLake(t)
	c := engines.Config{Engine: "spark", MemoryLimit: "1GB", SparkRemote: "sc://127.0.0.1:1/;x-secret=hidden"}
	_, err := c.Open(t.Context(), l.open())
	if code := task.CodeOf(err); code != task.Unavailable || !errors.Is(err, engine.ErrUnavailable) || strings.Contains(err.Error(), "hidden") || !strings.Contains(err.Error(), "127.0.0.1:1") {
		t.Errorf("exit code %d: %v", code, err)
	}
}

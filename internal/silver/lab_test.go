package silver_test

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"launchlake/internal/contract"
	"launchlake/internal/delta"
	"launchlake/internal/engine"
	"launchlake/internal/engine/duckdb"
	"launchlake/internal/objstore"
	"launchlake/internal/silver"
)

// lab is a lake with a Bronze table that tests fill by hand.
type lab struct {
	t        testing.TB
	store    objstore.Store
	contract *contract.Contract
	options  silver.Options
}

func newLab(t testing.TB) *lab {
	t.Helper()
	c, err := contract.Load("launches")
	if err != nil {
		t.Fatal(err)
	}
	store, err := objstore.NewDir(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return &lab{t: t, store: store, contract: c}
}

func tables(store objstore.Store) silver.Tables {
	return silver.Tables{
		Bronze:     delta.Open(objstore.Sub(store, "bronze/launches")),
		Target:     delta.Open(objstore.Sub(store, "silver/launches")),
		Quarantine: delta.Open(objstore.Sub(store, "silver/launches_quarantine")),
	}
}

func open(t testing.TB) *duckdb.Engine {
	t.Helper()
	e, err := duckdb.Open(t.Context(), duckdb.Options{Folder: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close() })
	return e
}

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func (l *lab) tryRefine(ctx context.Context, store objstore.Store) (silver.Result, error) {
	o := l.options
	o.RunID, o.Now = "run-1's", func() time.Time { return noon }
	return silver.Refine(ctx, open(l.t), l.contract, tables(store), o)
}

func (l *lab) refine() silver.Result {
	l.t.Helper()
	result, err := l.tryRefine(l.t.Context(), l.store)
	if err != nil {
		l.t.Fatal(err)
	}
	return result
}

// record is a row of Bronze.
type record struct {
	raw    string
	defect string
}

// ingest commits records to Bronze as one version.
func (l *lab) ingest(raw ...string) {
	l.t.Helper()
	var records []record
	for _, r := range raw {
		records = append(records, record{raw: r})
	}
	l.ingestRecords(records...)
}

func (l *lab) ingestRecords(records ...record) {
	l.t.Helper()
	var rows []string
	for i, r := range records {
		sum := sha256.Sum256([]byte(r.raw))
		var envelope struct {
			ID          any
			LastUpdated string `json:"last_updated"`
		}
		_ = json.Unmarshal([]byte(r.raw), &envelope)
		id, updated := "cast(null as string)", "cast(null as timestamp)"
		if text, ok := envelope.ID.(string); ok {
			id = "'" + strings.ReplaceAll(text, "'", "") + "'"
		}
		if at, err := time.Parse(time.RFC3339, envelope.LastUpdated); err == nil {
			updated = at.UTC().Format("timestamp '2006-01-02 15:04:05'")
		}
		defect := "cast(null as string)"
		if r.defect != "" {
			defect = "'" + r.defect + "'"
		}
		rows = append(rows, fmt.Sprintf("select %s as id, %s as last_updated, unhex('%x') as raw, '%s' as sha256, %s as defect, 'https://api/launches/?page=0' as request_url, %d as position, timestamp '2026-11-23 10:00:00' as fetched_at, cast('2026-11-23' as date) as ingest_date",
			id, updated, r.raw, hex.EncodeToString(sum[:]), defect, i))
	}
	column := func(name string, t delta.Type) delta.Field { return delta.Field{Name: name, Type: t, Nullable: true} }
	table := tables(l.store).Bronze
	_, err := table.Create(l.t.Context(), delta.Metadata{PartitionColumns: []string{"ingest_date"}, Configuration: map[string]string{"delta.appendOnly": "true"},
		Schema: &delta.Schema{Fields: []delta.Field{
			column("id", delta.String), column("last_updated", delta.Timestamp), column("raw", delta.Binary), column("sha256", delta.String),
			column("defect", delta.String), column("request_url", delta.String), column("position", delta.Integer), column("fetched_at", delta.Timestamp),
			column("ingest_date", delta.Date),
		}}})
	if err != nil {
		l.t.Fatal(err)
	}
	s, err := table.Snapshot(l.t.Context())
	if err != nil {
		l.t.Fatal(err)
	}
	_, err = open(l.t).Publish(l.t.Context(), strings.Join(rows, " union all "), engine.Output{Table: table, Mode: engine.Append, Schema: s.Schema()})
	if err != nil {
		l.t.Fatal(err)
	}
}

// rows reads columns of a table, sorted as text.
func (l *lab) rows(table *delta.Table, columns string) []string {
	l.t.Helper()
	s, err := table.Snapshot(l.t.Context())
	if err != nil {
		l.t.Fatal(err)
	}
	e := open(l.t)
	if err := e.Bind(l.t.Context(), "t", engine.Input{Snapshot: s}); err != nil {
		l.t.Fatal(err)
	}
	rows, err := e.Query(l.t.Context(), "select "+columns+" from t")
	if err != nil {
		l.t.Fatal(err)
	}
	var got []string
	for row, err := range rows.All {
		if err != nil {
			l.t.Fatal(err)
		}
		texts := make([]string, len(row))
		for i, v := range row {
			texts[i] = show(v)
		}
		got = append(got, strings.Join(texts, "|"))
	}
	slices.Sort(got)
	return got
}

func show(v any) string {
	switch v := v.(type) {
	case time.Time:
		return v.UTC().Format("2006-01-02T15:04:05Z")
	case []byte:
		return string(v)
	case nil:
		return "null"
	}
	return fmt.Sprint(v)
}

func id(n int) string { return fmt.Sprintf("00000000-0000-4000-8000-%012d", n) }

// launch is a record that keeps all rules, with some places of it changed. A place is a path with dots; nil removes it.
func launch(n int, changes map[string]any) string {
	document := map[string]any{
		"id": id(n), "name": fmt.Sprintf("Rocket | Mission %d", n), "status": object("id", 1, "abbrev", "Go"),
		"net": "2026-07-20T14:49:32Z", "window_start": "2026-07-20T14:00:00Z", "window_end": "2026-07-20T18:00:00Z",
		"last_updated": "2026-07-01T00:00:00Z", "net_precision": object("id", 1, "name", "Minute"),
		"launch_service_provider": object("id", 121, "name", "SpaceX"),
		"rocket":                  object("configuration", object("id", 164, "name", "Falcon 9")),
		"mission":                 object("id", 1, "orbit", object("id", 8, "abbrev", "LEO")),
		"pad":                     object("id", 16, "latitude", 34.632, "longitude", -120.611),
	}
	for _, path := range slices.Sorted(maps.Keys(changes)) {
		set(document, strings.Split(path, "."), changes[path])
	}
	text, err := json.Marshal(document)
	if err != nil {
		panic(err)
	}
	return string(text)
}

func object(pairs ...any) map[string]any {
	o := map[string]any{}
	for i := 0; i < len(pairs); i += 2 {
		o[pairs[i].(string)] = pairs[i+1]
	}
	return o
}

func set(document map[string]any, path []string, value any) {
	if len(path) > 1 {
		set(document[path[0]].(map[string]any), path[1:], value)
		return
	}
	if value == nil {
		delete(document, path[0])
		return
	}
	document[path[0]] = value
}

// broken lists the rules that were broken, with how often.
func broken(result silver.Result) []string {
	var got []string
	for _, rule := range result.Rules {
		if rule.Broken > 0 {
			got = append(got, fmt.Sprintf("%s %s %d", rule.Rule, rule.Action, rule.Broken))
		}
	}
	slices.SortFunc(got, func(a, b string) int { return cmp.Compare(a, b) })
	return got
}

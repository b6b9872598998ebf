package gold_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"launchlake/internal/contract"
	"launchlake/internal/delta"
	"launchlake/internal/engine"
	"launchlake/internal/engine/duckdb"
	"launchlake/internal/gold"
	"launchlake/internal/objstore"
)

// lab is a lake whose Silver table tests fill by hand.
type lab struct {
	t      *testing.T
	store  objstore.Store
	schema *delta.Schema
}

func newLab(t *testing.T) *lab {
	t.Helper()
	c, err := contract.Load("launches")
	if err != nil {
		t.Fatal(err)
	}
	return &lab{t, objstore.NewMemory(), c.Schema()}
}

func (l *lab) silver(name string) *delta.Table {
	return delta.Open(objstore.Sub(l.store, "silver/"+name))
}
func (l *lab) gold(name string) *delta.Table { return delta.Open(objstore.Sub(l.store, "gold/"+name)) }

func open(t *testing.T) *duckdb.Engine {
	t.Helper()
	e, err := duckdb.Open(t.Context(), duckdb.Options{Folder: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close() })
	return e
}

func (l *lab) aggregate(models ...gold.Model) gold.Result {
	l.t.Helper()
	result, err := gold.Aggregate(l.t.Context(), open(l.t), l.silver, l.gold, gold.Options{Models: models, RunID: "run-1"})
	if err != nil {
		l.t.Fatal(err)
	}
	return result
}

// row is a launch of Silver: SQL by column; the rest is null.
type row map[string]string

func text(s string) string   { return "'" + s + "'" }
func moment(s string) string { return "timestamp '" + s + "'" }
func number(n int) string    { return fmt.Sprint(n) }

// launch is a launch of a rocket from a pad; id, status and net matter most.
func launch(id string, status int, net string, more row) row {
	r := row{
		"id": text(id), "name": text("Launch " + id), "status_id": number(status), "net": moment(net), "last_updated": moment("2025-02-01 00:00:00"),
		"net_period_start": moment(net), "net_period_end": moment(net), "bronze_sha256": text("hash"), "is_suborbital": "false",
		"provider_id": "10", "provider_name": text("Alpha"), "rocket_id": "1", "rocket_full_name": text("Rocket 1"), "pad_id": "100", "pad_name": text("Pad A"),
		"celestial_body_id": "1",
	}
	for column, value := range more {
		r[column] = value
	}
	return r
}

// fill replaces the rows of Silver's launches.
func (l *lab) fill(rows ...row) {
	l.t.Helper()
	l.fillTable("launches", rows...)
}

func (l *lab) fillTable(name string, rows ...row) {
	l.t.Helper()
	where := ""
	if len(rows) == 0 {
		rows, where = []row{{}}, " where false"
	}
	var selects []string
	for _, r := range rows {
		var cells []string
		for _, f := range l.schema.Fields {
			value, ok := r[f.Name]
			if !ok {
				value = "null"
			}
			cells = append(cells, value+" as "+f.Name)
		}
		selects = append(selects, "select "+strings.Join(cells, ", ")+where)
	}
	_, err := open(l.t).Publish(l.t.Context(), strings.Join(selects, " union all "), engine.Output{Table: l.silver(name), Mode: engine.Overwrite, Schema: l.schema})
	if err != nil {
		l.t.Fatal(err)
	}
}

// rows reads columns of a Gold table in the order of its file.
func (l *lab) rows(name, columns string) []string {
	l.t.Helper()
	s, err := l.gold(name).Snapshot(l.t.Context())
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
			switch v := v.(type) {
			case nil:
				texts[i] = "null"
			case time.Time:
				texts[i] = strings.TrimSuffix(v.Format("2006-01-02 15:04:05"), " 00:00:00")
			default:
				texts[i] = fmt.Sprint(v)
			}
		}
		got = append(got, strings.Join(texts, "|"))
	}
	return got
}

func models(t *testing.T) []gold.Model {
	t.Helper()
	found, err := gold.Models()
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func model(t *testing.T, name string) gold.Model {
	t.Helper()
	all := models(t)
	i := slices.IndexFunc(all, func(m gold.Model) bool { return m.Name == name })
	if i < 0 {
		t.Fatalf("there is no model %s", name)
	}
	return all[i]
}

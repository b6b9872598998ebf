package integration_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"launchlake/internal/delta"
	"launchlake/internal/engine"
	"launchlake/internal/engine/duckdb"
)

// player is an implementation that takes turns on a table.
type player interface {
	name() string
	play(t *testing.T, o operation) error
}

// errNotOffered: an implementation has no such operation.
var errNotOffered = errors.New("not offered")

// query gives the operation's rows, in SQL that Spark and DuckDB understand.
func (o operation) query() string {
	types := map[string]string{"id": "BIGINT", "amount": "DOUBLE", "day": "DATE"}
	var lines []string
	for _, row := range o.rows {
		var cells []string
		for _, column := range o.columns {
			typ := types[column]
			if typ == "" {
				typ = "STRING"
			}
			value := "NULL"
			if row[column] != nil {
				value = "'" + fmt.Sprint(row[column]) + "'"
			}
			cells = append(cells, fmt.Sprintf("CAST(%s AS %s) AS %s", value, typ, column))
		}
		lines = append(lines, "SELECT "+strings.Join(cells, ", "))
	}
	return strings.Join(lines, " UNION ALL ")
}

func (o operation) where() string {
	return fmt.Sprintf("id %% %d = %d", o.modulus, o.remainder)
}

type sparkPlayer struct{ *worker }

func (p sparkPlayer) name() string { return "spark" }

func (p sparkPlayer) play(_ *testing.T, o operation) error {
	table := "delta.`" + o.path + "`"
	statement := map[string]string{
		"append":    "INSERT INTO " + table + " " + o.query(),
		"overwrite": "INSERT OVERWRITE " + table + " " + o.query(),
		"merge": "MERGE INTO " + table + " AS t USING (" + o.query() + ") AS s ON t.id = s.id " +
			"WHEN MATCHED THEN UPDATE SET * WHEN NOT MATCHED THEN INSERT *",
		"delete":     "DELETE FROM " + table + " WHERE " + o.where(),
		"update":     "UPDATE " + table + " SET name = '" + o.text + "' WHERE " + o.where(),
		"optimize":   "OPTIMIZE " + table,
		"vacuum":     "VACUUM " + table + " RETAIN 0 HOURS",
		"add column": "ALTER TABLE " + table + " ADD COLUMNS (" + o.text + " STRING)",
	}[o.kind]
	if statement == "" { // Spark writes its checkpoints by itself
		return errNotOffered
	}
	return p.try("sql", arguments{"text": statement}, nil)
}

type deltarsPlayer struct{ *worker }

func (p deltarsPlayer) name() string { return "delta-rs" }

func (p deltarsPlayer) play(_ *testing.T, o operation) error {
	with := arguments{"path": o.path}
	function := o.kind
	switch o.kind {
	case "append", "overwrite":
		function = "write"
		with["query"], with["mode"] = o.query(), o.kind
	case "merge":
		with["query"], with["key"] = o.query(), "id"
	case "delete":
		with["where"] = o.where()
	case "update":
		with["assignments"], with["where"] = map[string]string{"name": "'" + o.text + "'"}, o.where()
	case "vacuum":
		with["hours"] = 0
	case "add column":
		function = "add_column"
		with["name"], with["type"] = o.text, "string"
	}
	return p.try(function, with, nil)
}

// ourPlayer is this module's own engine.
type ourPlayer struct{ engine *duckdb.Engine }

func newOurPlayer(t *testing.T) ourPlayer {
	t.Helper()
	e, err := duckdb.Open(t.Context(), duckdb.Options{Folder: t.TempDir(), Threads: 2})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close() })
	return ourPlayer{e}
}

func (p ourPlayer) name() string { return "launchlake" }

func (p ourPlayer) play(t *testing.T, o operation) error {
	ctx, table := t.Context(), openTable(t, o.path)
	out := engine.Output{Table: table}
	switch o.kind {
	case "append":
		out.Mode = engine.Append
	case "overwrite":
		out.Mode = engine.Overwrite
	case "merge":
		out.Mode, out.Keys, out.Newer = engine.Merge, []string{"id"}, "true"
	case "optimize":
		_, err := p.engine.Optimize(ctx, table, engine.OptimizeOptions{})
		return err
	case "vacuum":
		_, err := table.Vacuum(ctx, delta.VacuumOptions{Retention: time.Nanosecond, ShortRetention: true})
		return err
	case "checkpoint":
		s, err := table.Snapshot(ctx)
		if err != nil {
			return err
		}
		return table.Checkpoint(ctx, s)
	case "add column":
		_, err := table.Alter(ctx, delta.AddColumn{Column: o.text, Type: delta.String})
		return err
	case "delete":
		_, err := p.engine.Delete(ctx, engine.Edit{Table: table, Where: o.where()})
		return err
	case "update":
		set := []engine.Assignment{{Column: "name", Value: "'" + o.text + "'"}}
		_, err := p.engine.Update(ctx, engine.Edit{Table: table, Where: o.where()}, set)
		return err
	default:
		return fmt.Errorf("%s: %w", o.kind, errNotOffered)
	}
	_, err := p.engine.Publish(ctx, o.query(), out)
	return err
}

// reader is an implementation that reads the latest version of a table.
type reader struct {
	name string
	read func(path string) ([]map[string]any, error)
}

func readers(t *testing.T) []reader {
	byWorker := func(w *worker, function string) func(string) ([]map[string]any, error) {
		return func(path string) (rows []map[string]any, err error) {
			return rows, w.try(function, arguments{"path": path}, &rows)
		}
	}
	return []reader{
		{"launchlake", func(path string) ([]map[string]any, error) { return cat(t, environment{}, path), nil }},
		{"spark", byWorker(spark(t), "read")},
		{"delta-rs", func(path string) ([]map[string]any, error) {
			var f found
			err := deltars(t).try("read", arguments{"path": path}, &f)
			return f.Rows, err
		}},
		{"duckdb", byWorker(deltars(t), "read_duckdb")},
	}
}

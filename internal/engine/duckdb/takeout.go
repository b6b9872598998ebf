package duckdb

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"os"
	"path"

	"golang.org/x/sync/errgroup"

	"launchlake/internal/delta"
	"launchlake/internal/engine"
	"launchlake/internal/engine/publication"
)

// takeOut takes rows, given as a relation of their places, out of the files: a file of which none is left is removed; else the rows are
// deleted by deletion vectors where the table has them enabled; else the file is removed and the SQL is given that adds its other rows
// to a query.
func (p *publishing) takeOut(ctx context.Context, s *delta.Snapshot, c *publication.Change, files []engine.File, places string) (kept string, err error) {
	local := map[string]delta.Add{}
	for _, f := range files {
		path, err := p.engine.files.one(ctx, s, f.Add)
		if err != nil {
			return "", err
		}
		local[path] = f.Add
	}
	var again []engine.File
	trim := map[string]*delta.RowSet{}
	query := fmt.Sprintf("SELECT %s, count(*) FROM %s GROUP BY ALL ORDER BY ALL", fileColumn, places)
	err = p.engine.scanRows(ctx, query, func(rows *sql.Rows) error {
		var path string
		var gone int64
		if err := rows.Scan(&path, &gone); err != nil {
			return err
		}
		switch fate, deleted := c.TakeOut(s, local[path], gone); fate {
		case publication.Vector:
			trim[path] = deleted
		case publication.Rewrite:
			again = append(again, engine.File{Add: local[path]})
		}
		return nil
	})
	if err != nil {
		return "", err
	}
	if len(trim) > 0 {
		return "", p.engine.collectRows(ctx, places, trim)
	}
	return p.keptRows(ctx, s, c, again, places)
}

// collectRows fetches the numbers of the rows at places, by their local files.
func (e *Engine) collectRows(ctx context.Context, places string, into map[string]*delta.RowSet) error {
	return e.scanRows(ctx, fmt.Sprintf("SELECT %s, %s FROM %s", fileColumn, rowColumn, places), func(rows *sql.Rows) error {
		var path string
		var row int64
		if err := rows.Scan(&path, &row); err != nil {
			return err
		}
		if set := into[path]; set != nil { // nil: the whole file goes
			set.Add(row)
		}
		return nil
	})
}

// unionAll begins what adds rows to a query.
const unionAll = "\nUNION ALL\n"

// severalFiles is from how many on the files that are written again are read together. Each alone costs planning; together each row costs
// a comparison of its file.
const severalFiles = 8

// keptRows gives the SQL that adds the rows of files that are not at places.
func (p *publishing) keptRows(ctx context.Context, s *delta.Snapshot, c *publication.Change, again []engine.File, places string) (string, error) {
	if len(again) == 0 {
		return "", nil
	}
	cells, err := oldCells(s, c.SchemaOf(s))
	if err != nil {
		return "", err
	}
	if len(again) >= severalFiles {
		rows, err := p.engine.scanQuery(ctx, scan{snapshot: s, files: again, place: true})
		return fmt.Sprintf("%sSELECT %s FROM (%s) AS target ANTI JOIN %s AS gone USING (%s, %s)", unionAll, cells, rows, places, fileColumn, rowColumn), err
	}
	var kept string
	for _, f := range again {
		rows, err := p.engine.scanQuery(ctx, scan{snapshot: s, files: []engine.File{f}, place: true})
		if err != nil {
			return "", err
		}
		path, err := p.engine.files.one(ctx, s, f.Add)
		if err != nil {
			return "", err
		}
		kept += fmt.Sprintf("%sSELECT %s FROM (%s) AS target ANTI JOIN (SELECT %s FROM %s WHERE %s = %s) AS gone USING (%[4]s)",
			unionAll, cells, rows, rowColumn, places, fileColumn, quote(path))
	}
	return kept, nil
}

// oldCells are the columns of rows of the snapshot in a table of a wider schema.
func oldCells(s *delta.Snapshot, schema *delta.Schema) (string, error) {
	known := &delta.Schema{Fields: s.Schema().Fields}
	cells := columnList(known)
	for _, f := range schema.Fields[len(known.Fields):] {
		t, err := sqlType(f.Type)
		if err != nil {
			return "", err
		}
		cells += fmt.Sprintf(", CAST(NULL AS %s) AS %s", t, quoteName(f.Name))
	}
	return cells, nil
}

// changeTypeField has the same name in files whether the table maps columns or not.
var changeTypeField = delta.Field{Name: engine.ChangeType, Type: delta.String,
	Metadata: map[string]json.RawMessage{"delta.columnMapping.physicalName": json.RawMessage(jsonText(engine.ChangeType))}}

// tell runs a query of changed rows, with their [engine.ChangeType], and stores them for the readers of the table's changes. After an error
// the files stored so far are given too.
func (p *publishing) tell(ctx context.Context, s *delta.Snapshot, schema *delta.Schema, query string) ([]delta.Add, error) {
	l := layoutOf(s, schema)
	files, err := p.copyOut(ctx, l, query, changeTypeField)
	if err != nil {
		return nil, fmt.Errorf("write files of changes: %w", err)
	}
	adds := make([]delta.Add, len(files))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(fetches)
	for i, file := range files {
		values, err := l.partitionValues(file.partition)
		if err != nil {
			return nil, fmt.Errorf("write files of changes: %w", err)
		}
		info, err := os.Stat(file.path)
		if err != nil {
			return nil, err
		}
		key := path.Join(delta.ChangeDataFolder, delta.PartitionPath(l.PartitionColumns, values), delta.NewDataFileName("zstd.parquet"))
		adds[i] = delta.Add{Path: key, PartitionValues: values, Size: info.Size()}
		group.Go(func() error { return p.store(ctx, key, file.path) })
	}
	return adds, group.Wait()
}

func jsonText(v any) string {
	text, _ := json.Marshal(v) // texts, lists and maps of them always encode
	if string(text) == "null" {
		return "[]"
	}
	return string(text)
}

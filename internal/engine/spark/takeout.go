package spark

import (
	"context"
	"fmt"

	"launchlake/internal/delta"
	"launchlake/internal/engine"
	"launchlake/internal/engine/publication"
	"launchlake/internal/engine/spark/connect"
)

// unionAll stands between queries whose rows are put together.
const unionAll = "\nUNION ALL\n"

// takeOut takes rows, given as a relation of their places, out of their files, and gives the SQL of the rows that have to be written
// again; "" when there are none. Of a row that goes only its number passes through this program.
func (p *publishing) takeOut(ctx context.Context, s *delta.Snapshot, c *publication.Change, places string) (kept string, err error) {
	gone, err := p.engine.rows(ctx, fmt.Sprintf("SELECT %s, count(*) FROM %s GROUP BY %[1]s", uriColumn, places))
	if err != nil || len(gone) == 0 {
		return "", err
	}
	counts := map[string]int64{}
	for _, row := range gone {
		counts[row[0].(string)] = row[1].(int64)
	}
	location, err := p.engine.location(p.out.Table)
	if err != nil {
		return "", err
	}
	var again []engine.File
	trim := map[string]*delta.RowSet{}
	for add, err := range s.Files() {
		if err != nil {
			return "", err
		}
		uri := fileURI(location, add.Path)
		n, ok := counts[uri]
		if !ok {
			continue
		}
		delete(counts, uri)
		switch fate, deleted := c.TakeOut(s, add, n); fate {
		case publication.Vector:
			trim[uri] = deleted
		case publication.Rewrite:
			again = append(again, engine.File{Add: add})
		}
	}
	for uri := range counts {
		return "", fmt.Errorf("Spark names files of the table that the log does not know: one is %s", uri)
	}
	if len(trim) > 0 {
		return "", p.engine.collectRows(ctx, places, trim)
	}
	return p.engine.keptRows(ctx, s, c, again, places)
}

// collectRows fetches the numbers of the rows at places, by their files.
func (e *Engine) collectRows(ctx context.Context, places string, into map[string]*delta.RowSet) error {
	running, err := e.client.Query(ctx, connect.SQL(fmt.Sprintf("SELECT %s, %s FROM %s", uriColumn, rowColumn, places)))
	if err != nil {
		return err
	}
	defer running.Close()
	return eachRow(running, func(row []any) bool {
		if set := into[row[0].(string)]; set != nil { // nil: the whole file goes
			set.Add(row[1].(int64))
		}
		return true
	})
}

// keptRows gives the SQL of the rows of files that are not at places.
func (e *Engine) keptRows(ctx context.Context, s *delta.Snapshot, c *publication.Change, again []engine.File, places string) (string, error) {
	if len(again) == 0 {
		return "", nil
	}
	rows, err := e.filesQuery(ctx, s, again, scanned{place: true})
	if err != nil {
		return "", err
	}
	cells, err := oldCells(s, c.SchemaOf(s))
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("SELECT %s FROM (%s) AS target LEFT ANTI JOIN %s AS gone ON target.%s = gone.%[4]s AND target.%s = gone.%[5]s",
		cells, rows, places, uriColumn, rowColumn), nil
}

// oldCells are the columns of rows of the snapshot in a table of a wider schema.
func oldCells(s *delta.Snapshot, schema *delta.Schema) (string, error) {
	known := s.Schema()
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

// tell runs a query of changed rows, with their [engine.ChangeType], and stores them for the readers of the table's changes.
func (p *publishing) tell(ctx context.Context, l layout, query string) ([]delta.Add, error) {
	files, err := p.store(ctx, l, rebalanced(query), delta.ChangeDataFolder+"/", engine.ChangeType)
	if err != nil {
		return nil, fmt.Errorf("write files of changes: %w", err)
	}
	adds := make([]delta.Add, len(files))
	for i, f := range files {
		values, err := l.partitionValues(f.Key)
		if err != nil {
			return nil, fmt.Errorf("file of changes %s: %w", f.Key, err)
		}
		adds[i] = delta.Add{Path: f.Key, PartitionValues: values, Size: f.Size}
	}
	return adds, nil
}

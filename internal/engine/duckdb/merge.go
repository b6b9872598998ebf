package duckdb

import (
	"context"
	"fmt"
	"strings"

	"launchlake/internal/delta"
	"launchlake/internal/engine"
)

func (p *publication) append(ctx context.Context, s *delta.Snapshot, c *change) (err error) {
	schema := c.schemaOf(s)
	if c.add, err = p.write(ctx, s, schema, p.fill(schema, p.query)); err != nil {
		return err
	}
	c.counts.Inserted = records(c.add)
	return nil
}

// schemaOf is the schema that the table will have.
func (c *change) schemaOf(s *delta.Snapshot) *delta.Schema {
	if c.schema != nil {
		return c.schema
	}
	return s.Schema()
}

// fill gives a query the columns of a schema. Those that the query lacks are generated, or the column's default, or null.
func (p *publication) fill(schema *delta.Schema, query string) string {
	var cells, generated []string
	for _, f := range schema.Fields {
		name := quoteName(f.Name)
		t, _ := sqlType(f.Type) // the scan of the same schema has checked it
		given, ok := p.out.Schema.Field(f.Name)
		switch {
		case ok && given.Type.String() != f.Type.String(): // the table's was widened
			cells = append(cells, fmt.Sprintf("CAST(%s AS %s) AS %[1]s", name, t))
		case ok:
			cells = append(cells, name)
		case p.rules.generated[f.Name] != "":
			cells = append(cells, fmt.Sprintf("CAST(NULL AS %s) AS %s", t, name))
			generated = append(generated, fmt.Sprintf("CAST(%s AS %s) AS %s", p.rules.generated[f.Name], t, name))
		case p.rules.defaults[f.Name] != "":
			cells = append(cells, fmt.Sprintf("CAST(%s AS %s) AS %s", p.rules.defaults[f.Name], t, name))
		default:
			cells = append(cells, fmt.Sprintf("CAST(NULL AS %s) AS %s", t, name))
		}
	}
	filled := fmt.Sprintf("SELECT %s FROM (%s)", join(cells), query)
	if len(generated) > 0 {
		filled = fmt.Sprintf("SELECT * REPLACE (%s) FROM (%s)", join(generated), filled)
	}
	return filled
}

// merge replaces the rows that have a newer one and adds those whose keys are not there. Only files that hold a replaced
// row are written again.
func (p *publication) merge(ctx context.Context, s *delta.Snapshot, c *change) error {
	if s.ChangeDataFeedEnabled() {
		return &delta.UnsupportedError{Features: []string{"changeDataFeed"}, Write: true}
	}
	e := p.engine
	source, matched := e.name("source"), e.name("matched")
	defer e.drop(ctx, source)
	defer e.drop(ctx, matched)
	schema := c.schemaOf(s)
	if err := e.Define(ctx, source, p.fill(schema, p.query), engine.Once); err != nil {
		return err
	}
	if err := p.checkKeys(ctx, source); err != nil {
		return err
	}
	files, err := inputFiles(engine.Input{Snapshot: s})
	if err != nil {
		return err
	}
	target, err := e.scanQuery(ctx, scan{snapshot: s, files: files, place: true})
	if err != nil {
		return err
	}
	if err := e.Define(ctx, matched, p.matchQuery(target, source), engine.Once); err != nil {
		return err
	}
	if err := p.countMerge(ctx, c, source, matched); err != nil {
		return err
	}
	if c.counts.Inserted+c.counts.Updated == 0 {
		return nil
	}
	kept, err := p.keptRows(ctx, s, c, files, matched)
	if err != nil {
		return err
	}
	fresh := fmt.Sprintf("SELECT %s FROM %s AS source WHERE rowid NOT IN (SELECT source_row FROM %s WHERE NOT replaced)", columnList(schema), source, matched)
	c.add, err = p.write(ctx, s, schema, fresh+kept)
	c.metrics["numTargetRowsCopied"] = records(c.add) - c.counts.Inserted - c.counts.Updated
	c.metrics["numTargetFilesAdded"] = int64(len(c.add))
	c.metrics["numTargetFilesRemoved"] = int64(len(c.remove))
	return err
}

// matchQuery pairs rows with equal keys: where the table's lies, and whether it is replaced.
func (p *publication) matchQuery(target, source string) string {
	newer := p.out.Newer
	if newer == "" {
		newer = "false"
	}
	return fmt.Sprintf("SELECT source.rowid AS source_row, target.%s, target.%s, coalesce((%s), false) AS replaced\nFROM (%s) AS target JOIN %s AS source ON %s",
		fileColumn, rowColumn, newer, target, source, keyCondition(p.out.Keys))
}

func keyCondition(keys []string) string {
	var equal []string
	for _, key := range keys {
		equal = append(equal, fmt.Sprintf("target.%[1]s = source.%[1]s", quoteName(key)))
	}
	return strings.Join(equal, " AND ")
}

// checkKeys refuses a source that has a key twice: which row should win is for the query to say.
func (p *publication) checkKeys(ctx context.Context, source string) error {
	quoted := make([]string, len(p.out.Keys))
	for i, key := range p.out.Keys {
		quoted[i] = quoteName(key)
	}
	query := fmt.Sprintf("SELECT concat_ws(', ', %s), count(*) FROM %s WHERE %s IS NOT NULL GROUP BY ALL HAVING count(*) > 1 LIMIT 1",
		join(quoted), source, strings.Join(quoted, " IS NOT NULL AND "))
	rows, err := p.engine.db.QueryContext(ctx, query)
	if err != nil {
		return queryError(ctx, err)
	}
	defer rows.Close()
	if rows.Next() {
		var key string
		var n int64
		if err := rows.Scan(&key, &n); err != nil {
			return err
		}
		return fmt.Errorf("merge: the query gives key %s %d times", key, n)
	}
	return queryError(ctx, rows.Err())
}

func (p *publication) countMerge(ctx context.Context, c *change, source, matched string) error {
	query := fmt.Sprintf(`SELECT (SELECT count(*) FROM %s), count(*), count(*) FILTER (WHERE replaced)
		FROM (SELECT source_row, bool_or(replaced) AS replaced FROM %s GROUP BY source_row)`, source, matched)
	var all, known, updated int64
	if err := p.engine.db.QueryRowContext(ctx, query).Scan(&all, &known, &updated); err != nil {
		return queryError(ctx, err)
	}
	c.counts.Inserted, c.counts.Updated, c.counts.Unchanged = all-known, updated, known-updated
	c.metrics = map[string]int64{
		"numSourceRows": all, "numTargetRowsInserted": all - known, "numTargetRowsUpdated": updated, "numTargetRowsDeleted": 0,
	}
	return nil
}

// keptRows notes the files to write again for removal, and gives the SQL that adds their other rows.
func (p *publication) keptRows(ctx context.Context, s *delta.Snapshot, c *change, files []engine.File, matched string) (string, error) {
	touched, err := p.touched(ctx, matched)
	if err != nil {
		return "", err
	}
	var again []engine.File
	for _, f := range files {
		path, err := p.engine.files.one(ctx, s, f.Add)
		if err != nil {
			return "", err
		}
		if touched[path] {
			again = append(again, f)
			c.remove = append(c.remove, f.Add)
		}
	}
	if len(again) == 0 {
		return "", nil
	}
	rows, err := p.engine.scanQuery(ctx, scan{snapshot: s, files: again, place: true})
	if err != nil {
		return "", err
	}
	known := &delta.Schema{Fields: s.Schema().Fields}
	cells := columnList(known)
	for _, f := range c.schemaOf(s).Fields[len(known.Fields):] {
		t, err := sqlType(f.Type)
		if err != nil {
			return "", err
		}
		cells += fmt.Sprintf(", CAST(NULL AS %s)", t)
	}
	return fmt.Sprintf("\nUNION ALL\nSELECT %s FROM (%s) AS target ANTI JOIN (SELECT * FROM %s WHERE replaced) AS gone USING (%s, %s)",
		cells, rows, matched, fileColumn, rowColumn), nil
}

func (p *publication) touched(ctx context.Context, matched string) (map[string]bool, error) {
	rows, err := p.engine.db.QueryContext(ctx, fmt.Sprintf("SELECT DISTINCT %s FROM %s WHERE replaced", fileColumn, matched))
	if err != nil {
		return nil, queryError(ctx, err)
	}
	defer rows.Close()
	touched := map[string]bool{}
	for rows.Next() {
		var path string
		if err := rows.Scan(&path); err != nil {
			return nil, err
		}
		touched[path] = true
	}
	return touched, queryError(ctx, rows.Err())
}

func columnList(schema *delta.Schema) string {
	names := make([]string, len(schema.Fields))
	for i, f := range schema.Fields {
		names[i] = quoteName(f.Name)
	}
	return join(names)
}

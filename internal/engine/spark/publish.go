package spark

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"launchlake/internal/delta"
	"launchlake/internal/engine"
	"launchlake/internal/engine/publication"
)

// Publish implements [engine.Engine].
func (e *Engine) Publish(ctx context.Context, query string, out engine.Output) (engine.Published, error) {
	if err := out.Check(); err != nil {
		return engine.Published{}, err
	}
	if out.Where != "" || out.OverwriteSchema || out.Mode == engine.OverwritePartitions {
		return engine.Published{}, fmt.Errorf("publish %s: an overwrite of some rows, or of the schema, is not done on Spark: use ENGINE=duckdb: %w", out.Name, errors.ErrUnsupported)
	}
	if out.Tombstone+out.Prune != "" {
		return engine.Published{}, fmt.Errorf("publish %s: a merge that removes rows is not done on Spark: use ENGINE=duckdb: %w", out.Name, errors.ErrUnsupported)
	}
	done, err := e.publish(ctx, query, out)
	if err != nil {
		return engine.Published{}, fmt.Errorf("publish %s: %w", cmp.Or(out.Name, "rows"), classified(err))
	}
	return done, nil
}

func (e *Engine) publish(ctx context.Context, query string, out engine.Output) (engine.Published, error) {
	columns, err := e.describe(ctx, trimQuery(query))
	if err != nil {
		return engine.Published{}, err
	}
	if out.Schema == nil {
		if out.Schema, err = derivedSchema(columns, out); err != nil {
			return engine.Published{}, err
		}
	}
	p := &publishing{engine: e, out: out, table: out.Table, schema: out.Schema}
	if p.query, err = castQuery(e.spelled(query), columns, out); err != nil {
		return engine.Published{}, err
	}
	return publication.Publish(ctx, out, p)
}

// Admit implements [publication.Work]. Spark understands all of its own expressions.
func (p *publishing) Admit(delta.Metadata) error { return nil }

// Change implements [publication.Work].
func (p *publishing) Change(ctx context.Context, s *delta.Snapshot, c *publication.Change) error {
	if err := writable(s, p.out.Mode); err != nil {
		return err
	}
	switch p.out.Mode {
	case engine.Merge:
		m := &merge{publishing: p, keys: p.out.Keys, newer: p.out.Newer}
		return m.work(ctx, s, c)
	case engine.Overwrite:
		return p.overwrite(ctx, s, c)
	}
	return p.append(ctx, s, c)
}

// writable refuses tables whose files or commits need more than Spark is asked for here.
func writable(s *delta.Snapshot, m engine.Mode) error {
	metadata := s.Metadata()
	switch {
	case metadata.ColumnMapping() != delta.MapNone:
		return fmt.Errorf("the table maps its columns, which is not written on Spark: use ENGINE=duckdb: %w", errors.ErrUnsupported)
	case s.ChangeDataFeedEnabled() && m == engine.Merge:
		return fmt.Errorf("the table keeps its changes, which a merge on Spark does not write: use ENGINE=duckdb: %w", errors.ErrUnsupported)
	}
	return nil
}

// derivedSchema makes a schema of a query's columns.
func derivedSchema(columns []resultColumn, out engine.Output) (*delta.Schema, error) {
	schema := &delta.Schema{}
	for _, c := range columns {
		if !c.exact {
			return nil, fmt.Errorf("column %s has a type that Delta has not (shown as %s): cast it", c.name, c.typ)
		}
		f, err := out.Commented(delta.Field{Name: c.name, Type: c.typ, Nullable: true})
		if err != nil {
			return nil, err
		}
		schema.Fields = append(schema.Fields, f)
	}
	return schema, nil
}

// columnNames gives the names of a query's columns.
func columnNames(columns []resultColumn) []string {
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = c.name
	}
	return names
}

// castQuery gives the columns of a query in the order and with the types of a schema.
func castQuery(query string, columns []resultColumn, out engine.Output) (string, error) {
	if err := out.CheckColumns(columnNames(columns)); err != nil {
		return "", err
	}
	var cells []string
	for _, f := range out.Schema.Fields {
		t, err := sqlType(f.Type)
		if err != nil {
			return "", fmt.Errorf("column %s: %w", f.Name, err)
		}
		cells = append(cells, fmt.Sprintf("CAST(%s AS %s) AS %[1]s", quoteName(f.Name), t))
	}
	return fmt.Sprintf("SELECT %s FROM (%s\n)", join(cells), trimQuery(query)), nil
}

// append adds the rows.
func (p *publishing) append(ctx context.Context, s *delta.Snapshot, c *publication.Change) error {
	query, err := p.fill(s.Metadata(), c.SchemaOf(s))
	if err != nil {
		return err
	}
	c.Add, err = p.write(ctx, s, c.SchemaOf(s), rebalanced(query))
	c.Counts.Inserted = publication.Records(c.Add)
	return err
}

// rebalanced has few files come out of a query, however many parts the work had. The order of rows is lost.
func rebalanced(query string) string {
	return fmt.Sprintf("SELECT /*+ REBALANCE */ * FROM (%s)", query)
}

// overwrite replaces all rows, in the query's order. When the table has the same rows already its files stay.
func (p *publishing) overwrite(ctx context.Context, s *delta.Snapshot, c *publication.Change) error {
	schema := c.SchemaOf(s)
	query, err := p.fill(s.Metadata(), schema)
	if err != nil {
		return err
	}
	if c.Add, err = p.write(ctx, s, schema, query); err != nil {
		return err
	}
	rows := publication.Records(c.Add)
	before, counted := s.NumRecords()
	if !c.Widened() && len(s.Metadata().PartitionColumns) == 0 && counted && before == rows {
		equal, err := p.equalRows(ctx, s, c.Add)
		if err != nil {
			return fmt.Errorf("compare with the rows that are there: %w", err)
		}
		if equal {
			publication.Discard(ctx, p.table, c.Add)
			c.Add, c.Counts.Unchanged = nil, rows
			return nil
		}
	}
	for add, err := range s.Files() {
		if err != nil {
			return err
		}
		c.TakeAway(add)
	}
	c.Counts.Inserted, c.Counts.Deleted = rows, before
	return nil
}

// equalRows is whether new files hold the rows of the table. Both have as many. Rows with maps, which Spark does not
// compare, are never equal.
func (p *publishing) equalRows(ctx context.Context, s *delta.Snapshot, adds []delta.Add) (bool, error) {
	if len(adds) == 0 {
		return true, nil
	}
	for _, f := range s.Schema().Fields {
		if holdsMap(f.Type) {
			return false, nil
		}
	}
	files := make([]engine.File, len(adds))
	for i, add := range adds {
		files[i] = engine.File{Add: add}
	}
	fresh, err := p.engine.filesQuery(ctx, s, files, scanned{})
	if err != nil {
		return false, err
	}
	have, err := p.engine.snapshotQuery(s)
	if err != nil {
		return false, err
	}
	different, err := p.engine.rows(ctx, fmt.Sprintf("SELECT 1 FROM (%s\nEXCEPT ALL\nSELECT %s FROM %s) LIMIT 1", fresh, columnList(s.Schema()), have))
	return len(different) == 0, err
}

func holdsMap(t delta.Type) bool {
	switch t := t.(type) {
	case *delta.Map:
		return true
	case *delta.Array:
		return holdsMap(t.Element)
	case *delta.Struct:
		for _, f := range t.Fields {
			if holdsMap(f.Type) {
				return true
			}
		}
	}
	return false
}

func columnList(schema *delta.Schema) string {
	names := make([]string, len(schema.Fields))
	for i, f := range schema.Fields {
		names[i] = quoteName(f.Name)
	}
	return join(names)
}

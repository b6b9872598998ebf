package spark

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"launchlake/internal/delta"
	"launchlake/internal/engine"
	"launchlake/internal/engine/publication"
)

// Publish implements [engine.Engine].
func (e *Engine) Publish(ctx context.Context, query string, out engine.Output) (engine.Published, error) {
	if err := out.Check(); err != nil {
		return engine.Published{}, err
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
	rows := slices.DeleteFunc(slices.Clone(columns), func(c resultColumn) bool { return out.Tombstone != "" && c.name == out.Tombstone })
	if out.Tombstone != "" && len(rows) != len(columns)-1 {
		return engine.Published{}, fmt.Errorf("the query lacks column %s, or has it twice", out.Tombstone)
	}
	if out.Schema == nil {
		if out.Schema, err = derivedSchema(rows, out); err != nil {
			return engine.Published{}, err
		}
	}
	p := &publishing{engine: e, out: out}
	if p.query, err = castQuery(e.spelled(query), rows, out); err != nil {
		return engine.Published{}, err
	}
	return publication.Publish(ctx, out, p)
}

// Admit implements [publication.Work]. Spark understands all of its own expressions.
func (p *publishing) Admit(m delta.Metadata) error {
	known := []delta.Rule{delta.CheckRule, delta.InvariantRule, delta.LengthRule, delta.GeneratedRule, delta.DefaultRule}
	for _, c := range m.Constraints() {
		if !slices.Contains(known, c.Rule) {
			return fmt.Errorf("%s is not known to this engine", c)
		}
	}
	return nil
}

// Change implements [publication.Work].
func (p *publishing) Change(ctx context.Context, s *delta.Snapshot, c *publication.Change) error {
	if err := p.engine.expect(ctx, s.SizeInBytes()); err != nil {
		return err
	}
	switch {
	case p.edit != nil:
		return p.edit.run(ctx, p, s, c)
	case p.out.Mode == engine.Merge:
		return p.merge(ctx, s, c)
	case p.out.Mode == engine.OverwritePartitions:
		return p.overwritePartitions(ctx, s, c)
	case p.out.Mode == engine.Overwrite && p.out.Where != "":
		return p.replaceWhere(ctx, s, c)
	case p.out.Mode == engine.Overwrite:
		return p.overwrite(ctx, s, c)
	}
	return p.append(ctx, s, c)
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
	if _, ok := out.Schema.Field(out.Tombstone); ok {
		return "", fmt.Errorf("column %s says which rows are tombstones, so the table cannot have it", out.Tombstone)
	}
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
	if out.Tombstone != "" {
		cells = append(cells, fmt.Sprintf("CAST(%s AS BOOLEAN) AS %[1]s", quoteName(out.Tombstone)))
	}
	return fmt.Sprintf("SELECT %s FROM (%s\n)", join(cells), trimQuery(query)), nil
}

// append adds the rows.
func (p *publishing) append(ctx context.Context, s *delta.Snapshot, c *publication.Change) error {
	l := layoutOf(s, c.SchemaOf(s))
	query, err := p.fill(l)
	if err != nil {
		return err
	}
	c.Add, err = p.write(ctx, l, rebalanced(query))
	c.Counts.Inserted = publication.Records(c.Add)
	return err
}

// rebalanced has few files come out of a query, however many parts the work had. The order of rows is lost.
func rebalanced(query string) string {
	return fmt.Sprintf("SELECT /*+ REBALANCE */ * FROM (%s)", query)
}

// overwrite replaces all rows, in the query's order. When the table has the same rows already its files stay.
func (p *publishing) overwrite(ctx context.Context, s *delta.Snapshot, c *publication.Change) error {
	l := layoutOf(s, c.SchemaOf(s))
	query, err := p.fill(l)
	if err != nil {
		return err
	}
	if c.Add, err = p.write(ctx, l, query); err != nil {
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
			publication.Discard(ctx, p.out.Table, c.Add)
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
	fresh, err := p.engine.filesQuery(ctx, s, files, scanned{own: true})
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

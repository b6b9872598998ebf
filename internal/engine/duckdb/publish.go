package duckdb

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
		return engine.Published{}, fmt.Errorf("publish %s: %w", cmp.Or(out.Name, "rows"), err)
	}
	return done, nil
}

func (e *Engine) publish(ctx context.Context, query string, out engine.Output) (engine.Published, error) {
	columns, err := e.describe(ctx, "("+trimQuery(query)+"\n) LIMIT 0") // which spares planning what is not run
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
	if p.query, err = castQuery(query, rows, out); err != nil {
		return engine.Published{}, err
	}
	return publication.Publish(ctx, out, p)
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

// castQuery gives the columns of a query in the order and with the types of a schema. The order of its rows stays.
func castQuery(query string, columns []resultColumn, out engine.Output) (string, error) {
	schema := out.Schema
	if _, ok := schema.Field(out.Tombstone); ok {
		return "", fmt.Errorf("column %s says which rows are tombstones, so the table cannot have it", out.Tombstone)
	}
	if err := out.CheckColumns(columnNames(columns)); err != nil {
		return "", err
	}
	var cells []string
	for _, f := range schema.Fields {
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

// publishing is one Publish, or one edit. It implements [publication.Work].
type publishing struct {
	engine *Engine
	query  string // with the columns of out.Schema
	out    engine.Output
	edit   *edit // in place of a query and a mode
	rules  *rules
}

// Admit implements [publication.Work].
func (p *publishing) Admit(m delta.Metadata) (err error) {
	p.rules, err = p.engine.rulesOf(m)
	return err
}

// Change implements [publication.Work].
func (p *publishing) Change(ctx context.Context, s *delta.Snapshot, c *publication.Change) error {
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

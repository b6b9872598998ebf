package duckdb

import (
	"context"
	"fmt"

	"launchlake/internal/delta"
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

// fill gives a query the columns of a schema. Those that the query lacks are generated, or the column's default, or null. Behind
// them comes the column of tombstones, when there is one.
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
	if p.out.Tombstone != "" {
		cells = append(cells, quoteName(p.out.Tombstone))
	}
	filled := fmt.Sprintf("SELECT %s FROM (%s)", join(cells), query)
	if len(generated) > 0 {
		filled = fmt.Sprintf("SELECT * REPLACE (%s) FROM (%s)", join(generated), filled)
	}
	return filled
}

func columnList(schema *delta.Schema) string {
	names := make([]string, len(schema.Fields))
	for i, f := range schema.Fields {
		names[i] = quoteName(f.Name)
	}
	return join(names)
}

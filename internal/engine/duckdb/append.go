package duckdb

import (
	"context"
	"fmt"

	"launchlake/internal/delta"
	"launchlake/internal/engine/publication"
)

func (p *publishing) append(ctx context.Context, s *delta.Snapshot, c *publication.Change) (err error) {
	schema := c.SchemaOf(s)
	if c.Add, err = p.write(ctx, s, schema, p.fill(schema, p.query)); err != nil {
		return err
	}
	c.Counts.Inserted = publication.Records(c.Add)
	return nil
}

// fill gives a query the columns of a schema. Those that the query lacks are generated, or the column's default, or null. Behind
// them comes the column of tombstones, when there is one.
func (p *publishing) fill(schema *delta.Schema, query string) string {
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

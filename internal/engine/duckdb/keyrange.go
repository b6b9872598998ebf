package duckdb

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"

	"launchlake/internal/delta"
	"launchlake/internal/engine/publication"
)

// keyTiles is in how many ranges the keys of a merge are put, to find the files that can hold them.
const keyTiles = 64

// keyRanges gives a predicate that is true for all rows of the table whose keys the source has; known is false when nothing can be said.
func (m *merging) keyRanges(ctx context.Context) (keys delta.Predicate, known bool, err error) {
	var fields []delta.Field
	for _, key := range m.out.Keys {
		if f, ok := m.snapshot.Schema().Field(key); ok && ordered(f.Type) {
			fields = append(fields, f)
		}
	}
	if len(fields) == 0 {
		return nil, false, nil
	}
	var ranges []delta.Predicate
	known = true
	err = m.engine.scanRows(ctx, m.tileQuery(fields), func(rows *sql.Rows) error {
		texts := make([]string, 2*len(fields))
		targets := make([]any, len(texts))
		for i := range texts {
			targets[i] = &texts[i]
		}
		if err := rows.Scan(targets...); err != nil {
			return err
		}
		var both []delta.Predicate
		for i, f := range fields {
			least, errLeast := parseText(f.Type, texts[2*i])
			most, errMost := parseText(f.Type, texts[2*i+1])
			if known = known && errLeast == nil && errMost == nil; !known { // as infinite times are, which no statistics hold
				return nil
			}
			column := delta.Col(publication.ColumnName(f.Name))
			both = append(both, column.Ge(least), column.Le(most))
		}
		ranges = append(ranges, delta.And(both...))
		return nil
	})
	return delta.Or(ranges...), known, err
}

// ordered is whether statistics or partition values tell where a key of the type can be.
func ordered(t delta.Type) bool {
	if _, ok := t.(delta.Decimal); ok {
		return true
	}
	return slices.Contains([]delta.Type{
		delta.String, delta.Long, delta.Integer, delta.Short, delta.Byte, delta.Float, delta.Double, delta.Boolean, delta.Date, delta.Timestamp, delta.TimestampNTZ,
	}, t)
}

// tileQuery gives the least and greatest keys of each tile of the source, as text.
func (m *merging) tileQuery(fields []delta.Field) string {
	var cells, present []string
	for _, f := range fields {
		name := quoteName(f.Name)
		cells = append(cells, fmt.Sprintf("CAST(min(%[1]s) AS VARCHAR), CAST(max(%[1]s) AS VARCHAR)", name))
		present = append(present, name+" IS NOT NULL")
	}
	return fmt.Sprintf("SELECT %s FROM (SELECT *, ntile(%d) OVER (ORDER BY %s) AS _tile FROM %s WHERE %s) GROUP BY _tile",
		join(cells), keyTiles, quoteName(fields[0].Name), m.source, strings.Join(present, " AND "))
}

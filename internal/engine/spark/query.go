package spark

import (
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"launchlake/internal/delta"
	"launchlake/internal/engine"
	"launchlake/internal/engine/spark/connect"
)

// resultColumn is a column of a query.
type resultColumn struct {
	name  string
	typ   delta.Type
	exact bool // a table can have the type
}

// describe gives the columns of a query without running it.
func (e *Engine) describe(ctx context.Context, query string) ([]resultColumn, error) {
	running, err := e.client.Query(ctx, connect.SQL(fmt.Sprintf("SELECT * FROM (\n%s\n) LIMIT 0", e.spelled(query))))
	if err != nil {
		return nil, located(err, query)
	}
	defer running.Close()
	var columns []resultColumn
	for {
		schema, batches, err := running.Batch()
		if errors.Is(err, io.EOF) {
			return columns, nil
		}
		if err != nil {
			return nil, located(err, query)
		}
		for _, b := range batches {
			b.Release()
		}
		columns = columns[:0]
		for _, f := range schema.Fields() {
			t, exact := deltaType(f.Type)
			columns = append(columns, resultColumn{f.Name, t, exact})
		}
	}
}

// place is where Spark finds something wrong, as it tells it.
var place = regexp.MustCompile(`(?:; | *\()line (\d+),? pos \d+\)?`)

// located puts the line of a query that an error is about in the place of its number, which is one more in the SQL that
// Spark was given.
func located(err error, query string) error {
	said, ok := errors.AsType[*connect.Error](err)
	if !ok {
		return err
	}
	if m := place.FindStringSubmatch(said.Message); m != nil {
		lines := strings.Split(query, "\n")
		if n, _ := strconv.Atoi(m[1]); n >= 2 && n <= len(lines)+1 {
			said.Message = place.ReplaceAllLiteralString(said.Message, "")
			said.SQL = connect.Fragment(lines[n-2])
		}
	}
	return err
}

// Query implements [engine.Engine].
func (e *Engine) Query(ctx context.Context, query string) (*engine.Rows, error) {
	query = trimQuery(query)
	columns, err := e.describe(ctx, query)
	if err != nil {
		return nil, fmt.Errorf("query: %w", classified(err))
	}
	running, err := e.client.Query(ctx, connect.SQL(e.spelled(shownQuery(query, columns))))
	if err != nil {
		return nil, fmt.Errorf("query: %w", classified(err))
	}
	schema := &delta.Schema{}
	for _, c := range columns {
		schema.Fields = append(schema.Fields, delta.Field{Name: c.name, Type: c.typ, Nullable: true})
	}
	all := func(yield func([]any, error) bool) {
		defer running.Close()
		if err := eachRow(running, func(row []any) bool { return yield(row, nil) }); err != nil {
			yield(nil, fmt.Errorf("query: %w", classified(err)))
		}
	}
	return &engine.Rows{Schema: schema, All: all, Close: running.Close}, nil
}

// shownQuery casts to text what the program has no values for. Columns are renamed within: names may be there twice.
func shownQuery(query string, columns []resultColumn) string {
	if !slices.ContainsFunc(columns, func(c resultColumn) bool { return !c.exact }) {
		return query
	}
	var names, cells []string
	for i, c := range columns {
		name := fmt.Sprintf("c%d", i)
		names = append(names, name)
		if !c.exact {
			name = "CAST(" + name + " AS STRING)"
		}
		cells = append(cells, name)
	}
	return fmt.Sprintf("SELECT %s FROM (%s\n) AS q(%s)", strings.Join(cells, ", "), query, strings.Join(names, ", "))
}

// eachRow hands out the rows of a running query until take has enough.
func eachRow(running *connect.Execution, take func(row []any) bool) error {
	for {
		_, batches, err := running.Batch()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		for _, b := range batches {
			for row := range int(b.NumRows()) {
				values := make([]any, b.NumCols())
				for i := range values {
					if values[i], err = goValue(b.Column(i), row); err != nil {
						return fmt.Errorf("column %s: %w", b.ColumnName(i), err)
					}
				}
				if !take(values) {
					return nil
				}
			}
			b.Release()
		}
	}
}

// rows collects the rows of a query of the engine's own, which are few.
func (e *Engine) rows(ctx context.Context, query string) ([][]any, error) {
	running, err := e.client.Query(ctx, connect.SQL(query))
	if err != nil {
		return nil, err
	}
	defer running.Close()
	var all [][]any
	err = eachRow(running, func(row []any) bool { all = append(all, row); return true })
	return all, err
}

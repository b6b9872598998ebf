package duckdb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"time"

	driver "github.com/duckdb/duckdb-go/v2"

	"launchlake/internal/delta"
	"launchlake/internal/engine"
)

// resultColumn is a column of a query.
type resultColumn struct {
	name  string
	typ   delta.Type
	exact bool // a table can have the type
	cast  bool // its values are shown as DuckDB casts them to text
}

// describe gives the columns of a query without running it.
func (e *Engine) describe(ctx context.Context, query string) ([]resultColumn, error) {
	conn, err := e.db.Conn(ctx)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	var columns []resultColumn
	err = conn.Raw(func(c any) error {
		prepared, err := c.(*driver.Conn).PrepareContext(ctx, query)
		if err != nil {
			return err
		}
		defer prepared.Close()
		columns, err = resultColumns(prepared.(*driver.Stmt))
		return err
	})
	return columns, queryError(ctx, err)
}

func resultColumns(s *driver.Stmt) ([]resultColumn, error) {
	n, err := s.ColumnCount()
	if err != nil {
		return nil, err
	}
	columns := make([]resultColumn, n)
	for i := range columns {
		info, err := s.ColumnTypeInfo(i)
		if err != nil {
			return nil, err
		}
		columns[i].typ, columns[i].exact = deltaType(info)
		columns[i].cast = columns[i].typ == delta.String && (info.InternalType() != driver.TYPE_VARCHAR || info.Alias() == "JSON")
		if columns[i].name, err = s.ColumnName(i); err != nil {
			return nil, err
		}
	}
	return columns, nil
}

// Query implements [engine.Engine].
func (e *Engine) Query(ctx context.Context, query string) (*engine.Rows, error) {
	query = trimQuery(query)
	columns, err := e.describe(ctx, query)
	if err != nil {
		return nil, fmt.Errorf("query: %w", err)
	}
	rows, err := e.db.QueryContext(ctx, shownQuery(query, columns))
	if err != nil {
		return nil, fmt.Errorf("query: %w", queryError(ctx, err))
	}
	schema := &delta.Schema{}
	for _, c := range columns {
		schema.Fields = append(schema.Fields, delta.Field{Name: c.name, Type: c.typ, Nullable: true})
	}
	all := func(yield func([]any, error) bool) {
		defer rows.Close()
		for rows.Next() {
			values, err := scanRow(rows, columns)
			if err != nil {
				yield(nil, fmt.Errorf("query: %w", err))
				return
			}
			if !yield(values, nil) {
				return
			}
		}
		if err := rows.Err(); err != nil {
			yield(nil, fmt.Errorf("query: %w", queryError(ctx, err)))
		}
	}
	return &engine.Rows{Schema: schema, All: all, Close: rows.Close}, nil
}

// shownQuery casts to text what the program has no values for, and takes apart the maps that it cannot hold. Columns are renamed within: names may be there twice.
func shownQuery(query string, columns []resultColumn) string {
	if !slices.ContainsFunc(columns, func(c resultColumn) bool { return c.cast || needsEntries(c.typ) }) {
		return query
	}
	var names, cells []string
	for i, c := range columns {
		name := fmt.Sprintf("c%d", i)
		names = append(names, name)
		if c.cast {
			name = "CAST(" + name + " AS VARCHAR)"
		} else if needsEntries(c.typ) {
			name = entries(c.typ, name, 0)
		}
		cells = append(cells, name)
	}
	return fmt.Sprintf("SELECT %s FROM (%s\n) AS q(%s)", join(cells), query, join(names))
}

func scanRow(rows *sql.Rows, columns []resultColumn) ([]any, error) {
	values := make([]any, len(columns))
	places := make([]any, len(columns))
	for i := range values {
		places[i] = &values[i]
	}
	if err := rows.Scan(places...); err != nil {
		return nil, err
	}
	for i, c := range columns {
		var err error
		if values[i], err = goValue(c.typ, values[i]); err != nil {
			return nil, fmt.Errorf("column %s: %w", c.name, err)
		}
	}
	return values, nil
}

var errValue = errors.New("unexpected value of the driver")

// goValue turns a value of the driver into the one that [engine.Rows] promises for its type.
func goValue(t delta.Type, v any) (any, error) {
	switch v := v.(type) {
	case nil, bool, string, []byte, float64, int64:
		return v, nil
	case float32:
		return float64(v), nil
	case int32:
		return int64(v), nil
	case int16:
		return int64(v), nil
	case int8:
		return int64(v), nil
	case uint8:
		return int64(v), nil
	case uint16:
		return int64(v), nil
	case uint32:
		return int64(v), nil
	case uint64:
		return delta.DecimalValue(fmt.Sprint(v)), nil
	case *big.Int:
		return delta.DecimalValue(v.String()), nil
	case driver.Decimal:
		return decimalText(v), nil
	case time.Time:
		return v.UTC(), nil
	default:
		return goNested(t, v)
	}
}

func goNested(t delta.Type, v any) (any, error) {
	switch v := v.(type) {
	case []any:
		if m, ok := t.(*delta.Map); ok {
			return goEntries(m, v)
		}
		array, ok := t.(*delta.Array)
		if !ok {
			return fmt.Sprint(v), nil
		}
		elements := make([]any, len(v))
		for i := range v {
			var err error
			if elements[i], err = goValue(array.Element, v[i]); err != nil {
				return nil, err
			}
		}
		return elements, nil
	case map[string]any:
		s, ok := t.(*delta.Struct)
		if !ok {
			return fmt.Sprint(v), nil
		}
		members := make(map[string]any, len(v))
		for _, f := range s.Fields {
			var err error
			if members[f.Name], err = goValue(f.Type, v[f.Name]); err != nil {
				return nil, err
			}
		}
		return members, nil
	case driver.OrderedMap:
		return goMap(t, v)
	case fmt.Stringer:
		return v.String(), nil
	default:
		return fmt.Sprint(v), nil
	}
}

func goMap(t delta.Type, v driver.OrderedMap) (any, error) {
	m, ok := t.(*delta.Map)
	if !ok {
		return nil, fmt.Errorf("a map of type %s: %w", t, errValue)
	}
	keys, values := v.Keys(), v.Values()
	pairs := make([][2]any, len(keys))
	for i := range keys {
		key, errKey := goValue(m.Key, keys[i])
		value, errValue := goValue(m.Value, values[i])
		if err := errors.Join(errKey, errValue); err != nil {
			return nil, err
		}
		pairs[i] = [2]any{key, value}
	}
	return pairs, nil
}

func decimalText(d driver.Decimal) delta.DecimalValue {
	digits := new(big.Int).Abs(d.Value).String()
	for len(digits) <= int(d.Scale) {
		digits = "0" + digits
	}
	if point := len(digits) - int(d.Scale); d.Scale > 0 {
		digits = digits[:point] + "." + digits[point:]
	}
	if d.Value.Sign() < 0 {
		digits = "-" + digits
	}
	return delta.DecimalValue(digits)
}

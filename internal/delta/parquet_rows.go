package delta

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/parquet-go/parquet-go"
)

// rowBuilder makes Parquet rows of a schema in which every column, list and map is optional. Columns are named by their path
// with dots. A row starts with nothing in it.
type rowBuilder struct {
	columns []parquet.LeafColumn
	index   map[string]int   // leaf column by path
	under   map[string][]int // leaf columns below a group
	values  [][]parquet.Value
	err     error
}

// pathSeparator keeps paths of columns apart whose names hold dots.
const pathSeparator = "\x00"

func columnPath(names ...string) string { return strings.Join(names, pathSeparator) }

func newRowBuilder(schema *parquet.Schema) *rowBuilder {
	b := &rowBuilder{index: map[string]int{}, under: map[string][]int{}}
	for i, path := range schema.Columns() {
		column, _ := schema.Lookup(path...)
		b.columns = append(b.columns, column)
		b.index[columnPath(path...)] = i
		for n := 1; n < len(path); n++ {
			group := columnPath(path[:n]...)
			b.under[group] = append(b.under[group], i)
		}
	}
	b.values = make([][]parquet.Value, len(b.columns))
	b.reset()
	return b
}

func (b *rowBuilder) reset() {
	for i := range b.values {
		b.values[i] = append(b.values[i][:0], parquet.Value{}.Level(0, 0, i))
	}
}

// present says that a group is not null, though its members may be.
func (b *rowBuilder) present(path ...string) {
	for _, i := range b.under[columnPath(path...)] {
		b.values[i][0] = parquet.Value{}.Level(0, len(path), i)
	}
}

// set gives a column its value. Columns that the schema has not are passed over.
func (b *rowBuilder) set(v parquet.Value, path ...string) {
	if i, ok := b.index[columnPath(path...)]; ok {
		b.values[i] = append(b.values[i][:0], v.Level(0, int(b.columns[i].MaxDefinitionLevel), i))
	}
}

func (b *rowBuilder) text(s string, path ...string) {
	b.set(parquet.ByteArrayValue([]byte(s)), path...)
}
func (b *rowBuilder) long(n int64, path ...string) { b.set(parquet.Int64Value(n), path...) }
func (b *rowBuilder) int(n int, path ...string)    { b.set(parquet.Int32Value(int32(n)), path...) }
func (b *rowBuilder) bool(v bool, path ...string)  { b.set(parquet.BooleanValue(v), path...) }

func (b *rowBuilder) optionalText(s string, path ...string) {
	if s != "" {
		b.text(s, path...)
	}
}

func (b *rowBuilder) optionalLong(n *int64, path ...string) {
	if n != nil {
		b.long(*n, path...)
	}
}

// typed gives a column a value of one of the table's types; nil is null.
func (b *rowBuilder) typed(t Type, value any, path ...string) {
	if value == nil {
		return
	}
	v, err := parquetValue(t, value)
	if err != nil {
		b.fail(fmt.Errorf("column %s: %w", strings.Join(path, "."), err))
		return
	}
	b.set(v, path...)
}

func (b *rowBuilder) fail(err error) {
	if b.err == nil {
		b.err = err
	}
}

// list gives a column of texts its elements.
func (b *rowBuilder) list(texts []string, path ...string) {
	b.present(path...)
	i, ok := b.index[columnPath(append(slices.Clone(path), "list", "element")...)]
	if !ok || len(texts) == 0 {
		return
	}
	b.values[i] = b.values[i][:0]
	for n, s := range texts {
		b.values[i] = append(b.values[i], parquet.ByteArrayValue([]byte(s)).Level(min(n, 1), int(b.columns[i].MaxDefinitionLevel), i))
	}
}

// pairs gives a column of maps its entries; a nil value is null.
func (b *rowBuilder) pairs(values map[string]*string, path ...string) {
	b.present(path...)
	k, ok := b.index[columnPath(append(slices.Clone(path), "key_value", "key")...)]
	if !ok || len(values) == 0 {
		return
	}
	v := b.index[columnPath(append(slices.Clone(path), "key_value", "value")...)]
	b.values[k], b.values[v] = b.values[k][:0], b.values[v][:0]
	keyLevel, valueLevel := int(b.columns[k].MaxDefinitionLevel), int(b.columns[v].MaxDefinitionLevel)
	for n, key := range slices.Sorted(maps.Keys(values)) {
		b.values[k] = append(b.values[k], parquet.ByteArrayValue([]byte(key)).Level(min(n, 1), keyLevel, k))
		value := parquet.Value{}.Level(min(n, 1), valueLevel-1, v)
		if s := values[key]; s != nil {
			value = parquet.ByteArrayValue([]byte(*s)).Level(min(n, 1), valueLevel, v)
		}
		b.values[v] = append(b.values[v], value)
	}
}

// take appends the row to a buffer and starts the next one.
func (b *rowBuilder) take(row parquet.Row) parquet.Row {
	for _, values := range b.values {
		row = append(row, values...)
	}
	b.reset()
	return row
}

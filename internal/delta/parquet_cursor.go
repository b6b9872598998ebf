package delta

import (
	"errors"
	"io"

	"github.com/parquet-go/parquet-go"
)

// rowCursor goes through some columns of a row group row by row, in step. Columns nobody asked for are not read.
type rowCursor struct {
	root    *parquet.Column
	chunks  []parquet.ColumnChunk
	columns []*columnCursor
}

func newRowCursor(root *parquet.Column, group parquet.RowGroup) *rowCursor {
	return &rowCursor{root: root, chunks: group.ColumnChunks()}
}

// find gives a column, which may have members; nil when the file has no such column.
func (r *rowCursor) find(path ...string) *parquet.Column {
	c := r.root
	for _, name := range path {
		if c == nil {
			return nil
		}
		c = c.Column(name)
	}
	return c
}

// open starts reading a leaf column; nil, which is a column of nulls, when there is none.
func (r *rowCursor) open(c *parquet.Column) *columnCursor {
	if c == nil || !c.Leaf() {
		return nil
	}
	cursor := &columnCursor{column: c, pages: r.chunks[c.Index()].Pages(), repeated: c.MaxRepetitionLevel() > 0}
	r.columns = append(r.columns, cursor)
	return cursor
}

func (r *rowCursor) next() error {
	for _, c := range r.columns {
		if err := c.next(); err != nil {
			return err
		}
	}
	return nil
}

func (r *rowCursor) close() error {
	var all []error
	for _, c := range r.columns {
		all = append(all, c.pages.Close())
	}
	return errors.Join(all...)
}

// columnCursor is one leaf column of a rowCursor.
type columnCursor struct {
	column   *parquet.Column
	pages    parquet.Pages
	repeated bool
	values   parquet.ValueReader
	buffer   [256]parquet.Value
	ahead    []parquet.Value // read and not yet part of a row
	row      []parquet.Value // of the present row; one unless the column is repeated
}

func (c *columnCursor) next() error {
	c.row = c.row[:0]
	for {
		if len(c.ahead) == 0 {
			if err := c.fill(); err != nil {
				if errors.Is(err, io.EOF) && len(c.row) > 0 {
					return nil
				}
				return err
			}
		}
		if len(c.row) > 0 && c.ahead[0].RepetitionLevel() == 0 {
			return nil
		}
		c.row = append(c.row, c.ahead[0])
		c.ahead = c.ahead[1:]
		if !c.repeated {
			return nil
		}
	}
}

// fill reads more values. Those of the present row are copied first, as their page may go.
func (c *columnCursor) fill() error {
	for i, v := range c.row {
		c.row[i] = v.Clone()
	}
	for {
		if c.values != nil {
			n, err := c.values.ReadValues(c.buffer[:])
			if n > 0 {
				c.ahead = c.buffer[:n]
				return nil
			}
			if err != nil && !errors.Is(err, io.EOF) {
				return err
			}
		}
		page, err := c.pages.ReadPage()
		if err != nil {
			return err // io.EOF behind the last
		}
		c.values = page.Values()
	}
}

// value is the column's value in the present row.
func (c *columnCursor) value() (parquet.Value, bool) {
	if c == nil || len(c.row) != 1 || c.row[0].IsNull() {
		return parquet.Value{}, false
	}
	return c.row[0], true
}

func (c *columnCursor) text() (string, bool) {
	v, ok := c.value()
	if !ok || !isBytes(v) {
		return "", false
	}
	return string(v.ByteArray()), true
}

func (c *columnCursor) int() (int64, bool) {
	v, ok := c.value()
	if !ok {
		return 0, false
	}
	switch v.Kind() {
	case parquet.Int32:
		return int64(v.Int32()), true
	case parquet.Int64:
		return v.Int64(), true
	}
	return 0, false
}

func (c *columnCursor) bool() bool {
	v, ok := c.value()
	return ok && v.Kind() == parquet.Boolean && v.Boolean()
}

func isBytes(v parquet.Value) bool {
	return v.Kind() == parquet.ByteArray || v.Kind() == parquet.FixedLenByteArray
}

// listCursor reads a list of texts, however the writer named its levels.
type listCursor struct {
	list    *parquet.Column
	element *columnCursor
}

func (r *rowCursor) openList(c *parquet.Column) listCursor {
	return listCursor{c, r.open(nthLeaf(c, 0))}
}

// value is the list of the present row; false for null.
func (l listCursor) value() ([]string, bool) {
	if l.element == nil || len(l.element.row) == 0 || l.element.row[0].DefinitionLevel() < l.list.MaxDefinitionLevel() {
		return nil, false
	}
	out := []string{}
	for _, v := range l.element.row {
		if isBytes(v) {
			out = append(out, string(v.ByteArray()))
		}
	}
	return out, true
}

// mapCursor reads a map of texts.
type mapCursor struct {
	column     *parquet.Column
	key, value *columnCursor
}

func (r *rowCursor) openMap(c *parquet.Column) mapCursor {
	return mapCursor{c, r.open(nthLeaf(c, 0)), r.open(nthLeaf(c, 1))}
}

// each yields the entries of the present row; it is false for null. A value is nil for null.
func (m mapCursor) each(yield func(key string, value *string)) bool {
	if m.key == nil || m.value == nil || len(m.key.row) == 0 || m.key.row[0].DefinitionLevel() < m.column.MaxDefinitionLevel() {
		return false
	}
	for i, k := range m.key.row {
		if !isBytes(k) || i >= len(m.value.row) {
			continue
		}
		var value *string
		if v := m.value.row[i]; isBytes(v) {
			text := string(v.ByteArray())
			value = &text
		}
		yield(string(k.ByteArray()), value)
	}
	return true
}

func (m mapCursor) pointers() map[string]*string {
	var out map[string]*string
	m.each(func(k string, v *string) {
		if out == nil {
			out = map[string]*string{}
		}
		out[k] = v
	})
	return out
}

func (m mapCursor) texts() map[string]string {
	out := map[string]string{}
	m.each(func(k string, v *string) {
		if v != nil {
			out[k] = *v
		}
	})
	return out
}

// nthLeaf gives the nth leaf below a column.
func nthLeaf(c *parquet.Column, n int) *parquet.Column {
	if c == nil {
		return nil
	}
	leaves := leafColumns(c)
	if n >= len(leaves) {
		return nil
	}
	return leaves[n]
}

func leafColumns(c *parquet.Column) []*parquet.Column {
	if c.Leaf() {
		return []*parquet.Column{c}
	}
	var out []*parquet.Column
	for _, sub := range c.Columns() {
		out = append(out, leafColumns(sub)...)
	}
	return out
}

package delta

import (
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/parquet-go/parquet-go"
)

// rowCursor goes through the rows of a row group. A column is read as far as somebody asked for its values, and pages
// without any value are passed over as a whole.
type rowCursor struct {
	root    *parquet.Column
	chunks  []parquet.ColumnChunk
	columns []*columnCursor
	row     int64 // the present one
	rows    int64
	err     error
}

func newRowCursor(root *parquet.Column, group parquet.RowGroup) *rowCursor {
	return &rowCursor{root: root, chunks: group.ColumnChunks(), row: -1, rows: group.NumRows()}
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

// open makes a leaf column readable; nil, which is a column of nulls, when there is none.
func (r *rowCursor) open(c *parquet.Column) *columnCursor {
	return r.openBelow(c, c)
}

// openBelow opens a leaf column of a list or a map, which is null in the rows where its group is.
func (r *rowCursor) openBelow(c, group *parquet.Column) *columnCursor {
	if c == nil || !c.Leaf() {
		return nil
	}
	cursor := &columnCursor{
		rows: r, column: c, pages: r.chunks[c.Index()].Pages(), repeated: c.MaxRepetitionLevel() > 0, present: byte(group.MaxDefinitionLevel()),
	}
	r.columns = append(r.columns, cursor)
	return cursor
}

// next goes to the next row. It is false behind the last, and after an error, which close gives.
func (r *rowCursor) next() bool {
	if r.err != nil || r.row+1 >= r.rows {
		return false
	}
	r.row++
	return true
}

func (r *rowCursor) close() error {
	all := []error{r.err}
	for _, c := range r.columns {
		c.release()
		all = append(all, c.pages.Close())
	}
	return errors.Join(all...)
}

// columnCursor is one leaf column of a rowCursor.
type columnCursor struct {
	rows     *rowCursor
	column   *parquet.Column
	pages    parquet.Pages
	repeated bool
	present  byte // the least definition level of what is not null
	page     parquet.Page
	values   parquet.ValueReader // of the page
	buffer   []parquet.Value     // of the rows from begin to end, nil when they are all null
	starts   []int               // in the buffer, of each of them, and behind the last; only of a repeated column
	begin    int64
	end      int64
}

// valuesAhead is how many values are taken from a page at once.
const valuesAhead = 256

// all gives the present row's values: one, unless the column is repeated. None stand for null too.
func (c *columnCursor) all() []parquet.Value {
	if c == nil {
		return nil
	}
	for c.end <= c.rows.row {
		if c.rows.err != nil {
			return nil
		}
		if err := c.fill(); err != nil {
			if errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF
			}
			c.rows.err = fmt.Errorf("row %d: %w", c.rows.row, err)
			return nil
		}
	}
	at := int(c.rows.row - c.begin)
	switch {
	case c.buffer == nil:
		return nil
	case c.repeated:
		return c.buffer[c.starts[at]:c.starts[at+1]]
	}
	return c.buffer[at : at+1]
}

// fill reads the next rows into the buffer.
func (c *columnCursor) fill() error {
	c.begin = c.end
	if c.repeated {
		return c.fillRepeated()
	}
	for {
		if c.page == nil {
			if err := c.nextPage(); err != nil {
				return err
			}
			if rows := c.nullRows(); rows > 0 {
				c.buffer, c.end = nil, c.begin+rows
				c.release()
				return nil
			}
		}
		n, err := c.values.ReadValues(c.space())
		if n > 0 {
			c.buffer, c.end = c.buffer[:n], c.begin+int64(n)
			return nil
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		c.release()
	}
}

// fillRepeated reads rows whole. The values of a row may lie in several pages.
func (c *columnCursor) fillRepeated() error {
	values, starts := c.buffer[:0], append(c.starts[:0], 0)
	if n := len(c.starts); n > 0 && c.buffer != nil {
		values = append(values, c.buffer[c.starts[n-1]:]...) // the row that the buffer had the beginning of
	}
	for len(starts) < 2 {
		if c.page == nil {
			// The values refer to the page that goes.
			for i, v := range values {
				values[i] = v.Clone()
			}
			err := c.nextPage()
			if errors.Is(err, io.EOF) && len(values) > 0 {
				starts = append(starts, len(values))
				break
			}
			if err != nil {
				return err
			}
			if rows := c.nullRows(); rows > 0 && len(values) == 0 {
				c.buffer, c.starts, c.end = nil, c.starts[:0], c.begin+rows
				c.release()
				return nil
			}
		}
		read := len(values)
		values = slices.Grow(values, valuesAhead)
		n, err := c.values.ReadValues(values[read : read+valuesAhead])
		if n == 0 && err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		if n == 0 {
			c.release()
		}
		values = values[:read+n]
		for i := max(read, 1); i < len(values); i++ {
			if values[i].RepetitionLevel() == 0 {
				starts = append(starts, i)
			}
		}
	}
	c.buffer, c.starts, c.end = values, starts, c.begin+int64(len(starts)-1)
	return nil
}

func (c *columnCursor) space() []parquet.Value {
	if cap(c.buffer) < valuesAhead {
		c.buffer = make([]parquet.Value, valuesAhead)
	}
	return c.buffer[:valuesAhead]
}

func (c *columnCursor) nextPage() error {
	page, err := c.pages.ReadPage()
	if err != nil {
		return err // io.EOF behind the last
	}
	c.page, c.values = page, page.Values()
	return nil
}

// nullRows gives the number of the page's rows when they are all null, else 0.
func (c *columnCursor) nullRows() int64 {
	levels := c.page.DefinitionLevels()
	for _, level := range levels {
		if level >= c.present {
			return 0
		}
	}
	return int64(len(levels)) // a null is one value, in a repeated column too
}

// release gives the page back.
func (c *columnCursor) release() {
	if c.page != nil {
		parquet.Release(c.page)
		c.page, c.values = nil, nil
	}
}

// value is the column's value in the present row.
func (c *columnCursor) value() (parquet.Value, bool) {
	row := c.all()
	if len(row) != 1 || row[0].IsNull() {
		return parquet.Value{}, false
	}
	return row[0], true
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
	return listCursor{c, r.openBelow(nthLeaf(c, 0), c)}
}

// value is the list of the present row; false for null.
func (l listCursor) value() ([]string, bool) {
	values := l.element.all()
	if len(values) == 0 || values[0].DefinitionLevel() < l.list.MaxDefinitionLevel() {
		return nil, false
	}
	out := []string{}
	for _, v := range values {
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
	return mapCursor{c, r.openBelow(nthLeaf(c, 0), c), r.openBelow(nthLeaf(c, 1), c)}
}

// each yields the entries of the present row; it is false for null. A value is nil for null; else it and the key are good for the
// call.
func (m mapCursor) each(yield func(key, value []byte)) bool {
	if m.key == nil || m.value == nil {
		return false
	}
	keys := m.key.all()
	if len(keys) == 0 || keys[0].DefinitionLevel() < m.column.MaxDefinitionLevel() {
		return false
	}
	values := m.value.all()
	for i, k := range keys {
		if !isBytes(k) || i >= len(values) {
			continue
		}
		var value []byte
		if v := values[i]; isBytes(v) {
			if value = v.ByteArray(); value == nil {
				value = []byte{}
			}
		}
		yield(k.ByteArray(), value)
	}
	return true
}

func (m mapCursor) pointers() map[string]*string {
	var out map[string]*string
	m.each(func(k, v []byte) {
		if out == nil {
			out = map[string]*string{}
		}
		var value *string
		if v != nil {
			text := string(v)
			value = &text
		}
		out[string(k)] = value
	})
	return out
}

func (m mapCursor) texts() map[string]string {
	out := map[string]string{}
	m.each(func(k, v []byte) {
		if v != nil {
			out[string(k)] = string(v)
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

package bronze

import (
	"encoding/hex"
	"fmt"
	"time"

	"github.com/parquet-go/parquet-go"
)

// A row group ends with the first of these. Readers work on row groups side by side; the more documents there are in one the smaller and
// cheaper each becomes.
const (
	groupRows  = 1000
	groupBytes = 8 << 20 // of documents
)

// group is the rows of a row group. It is written column by column, each at once: rows one by one would have the writer grow its
// buffers, and copy what it has, time and again.
type group struct {
	runs   [][]row // each of one page
	rows   int
	bytes  int
	owners []func() // to be told when the rows are written
	values []parquet.Value
	texts  []byte // that values refer to
}

// add adds rows of one page. Whenever the group is full it is written.
func (g *group) add(rows []row, w *parquet.GenericWriter[row]) error {
	begin := 0
	for i := range rows {
		g.rows++
		g.bytes += len(rows[i].Raw)
		if g.rows < groupRows && g.bytes < groupBytes {
			continue
		}
		g.runs = append(g.runs, rows[begin:i+1])
		begin = i + 1
		if err := g.writeTo(w); err != nil {
			return err
		}
	}
	if begin < len(rows) {
		g.runs = append(g.runs, rows[begin:])
	}
	return nil
}

// whenWritten has a function called when all rows that the group has now are written.
func (g *group) whenWritten(told func()) {
	if g.rows == 0 {
		told()
		return
	}
	g.owners = append(g.owners, told)
}

// writeTo writes the rows, and leaves the group empty.
func (g *group) writeTo(w *parquet.GenericWriter[row]) error {
	for i, column := range w.ColumnWriters() {
		g.values, g.texts = g.values[:0], g.texts[:0]
		for _, rows := range g.runs {
			g.take(rows, i)
		}
		if _, err := column.WriteRowValues(g.values); err != nil {
			return fmt.Errorf("encode rows as Parquet: %w", err)
		}
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("encode rows as Parquet: %w", err)
	}
	for _, told := range g.owners {
		told()
	}
	clear(g.runs) // they hold on to pages
	clear(g.values)
	g.runs, g.owners, g.rows, g.bytes = g.runs[:0], g.owners[:0], 0, 0
	return nil
}

// take takes the values of a column.
func (g *group) take(rows []row, column int) {
	c := &columnsOf[column]
	if c.ofPage {
		value := leveled(c.value(g, &rows[0]), column)
		for range rows {
			g.values = append(g.values, value)
		}
		return
	}
	for i := range rows {
		g.values = append(g.values, leveled(c.value(g, &rows[i]), column))
	}
}

func leveled(value parquet.Value, column int) parquet.Value {
	level := 1
	if value.IsNull() {
		level = 0
	}
	return value.Level(0, level, column)
}

// columnsOf gives the value of a row in each of the columns, in the order of the row's fields, and whether all rows of a page have it.
var columnsOf = [...]struct {
	ofPage bool
	value  func(*group, *row) parquet.Value
}{
	{false, func(g *group, r *row) parquet.Value { return g.text(r.ID) }},
	{false, func(_ *group, r *row) parquet.Value { return instant(r.LastUpdated) }},
	{false, func(_ *group, r *row) parquet.Value { return parquet.ByteArrayValue(r.Raw) }},
	{false, func(g *group, r *row) parquet.Value { return g.hex(&r.sum) }},
	{false, func(g *group, r *row) parquet.Value { return g.text(r.Defect) }},
	{true, func(g *group, r *row) parquet.Value { return g.text(r.RequestURL) }},
	{true, func(_ *group, r *row) parquet.Value { return integer(r.HTTPStatus) }},
	{true, func(_ *group, r *row) parquet.Value { return integer(r.Page) }},
	{false, func(_ *group, r *row) parquet.Value { return integer(r.Position) }},
	{true, func(_ *group, r *row) parquet.Value { return instant(r.FetchedAt) }},
	{true, func(g *group, r *row) parquet.Value { return g.text(r.APIVersion) }},
	{true, func(g *group, r *row) parquet.Value { return g.text(r.RunID) }},
}

// text gives a value without the memory that each conversion of a string would take.
func (g *group) text(s *string) parquet.Value {
	if s == nil {
		return parquet.NullValue()
	}
	begin := len(g.texts)
	g.texts = append(g.texts, *s...)
	return parquet.ByteArrayValue(g.texts[begin:])
}

func (g *group) hex(sum *hash) parquet.Value {
	begin := len(g.texts)
	g.texts = hex.AppendEncode(g.texts, sum[:])
	return parquet.ByteArrayValue(g.texts[begin:])
}

func instant(t *time.Time) parquet.Value {
	if t == nil {
		return parquet.NullValue()
	}
	return parquet.Int64Value(t.UnixMicro())
}

func integer(n *int32) parquet.Value {
	if n == nil {
		return parquet.NullValue()
	}
	return parquet.Int32Value(*n)
}

package delta

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"

	"launchlake/internal/objstore"
)

// statistics reads data files, all or some that lie evenly among the others, and compares them with what the log says.
func (c *checker) statistics(ctx context.Context, s *Snapshot, files []wantedFile) error {
	n := c.options.Sample
	switch {
	case c.options.Deep:
		n = len(files)
	case n == 0:
		n = defaultSample
	}
	n = max(min(n, len(files)), 0)
	told := newStatsReader(s.dataColumns())
	for i := range n {
		if err := c.dataFile(ctx, s, files[i*len(files)/n], told); err != nil {
			return err
		}
		c.progress("statistics", i+1, n)
	}
	return nil
}

func (c *checker) dataFile(ctx context.Context, s *Snapshot, f wantedFile, told *statsReader) error {
	r, size, err := c.table.readerAt(ctx, objstore.Info{Key: f.key, Size: f.size})
	var actual *fileFacts
	add := s.state.files.finder().find(f.file)
	stats := told.read(add.Stats)
	if err == nil {
		actual, err = readFileFacts(r, size, s, stats)
		if failed := r.failure(); failed != nil {
			return failed
		}
		if err != nil {
			return c.found(BrokenFile, f.key, "%v", err)
		}
	}
	switch {
	case isMissing(err):
		return c.found(MissingFile, f.key, "version %d needs it, and it is not there", s.Version())
	case err != nil:
		return err
	}
	if err := c.vector(ctx, f.key, add, actual.rows); err != nil || stats == nil {
		return err
	}
	for _, lie := range actual.contradict(stats, add.DeletionVector != nil) {
		if err := c.found(FalseStatistics, f.key, "%s", lie); err != nil {
			return err
		}
	}
	return nil
}

// vector reads the deletion vector of a data file of so many rows.
func (c *checker) vector(ctx context.Context, key string, file *addAction, rows int64) error {
	v := file.DeletionVector
	if v == nil {
		return nil
	}
	deleted, err := c.table.DeletedRows(ctx, Add{Path: file.Path, DeletionVector: v})
	var corrupt *CorruptError
	switch {
	case isMissing(err): // found already, when it lies in the table
		return nil
	case errors.As(err, &corrupt):
		return c.found(BrokenFile, key, "%v", err)
	case err != nil:
		return err
	case deleted.Last() >= rows:
		return c.found(BrokenFile, key, "its deletion vector deletes row %d of %d", deleted.Last(), rows)
	}
	return nil
}

// dataColumns are the leaf columns that data files hold.
func (s *Snapshot) dataColumns() []leaf {
	var out []leaf
	for l := range s.metadata.leaves() {
		if !slices.Contains(s.metadata.PartitionColumns, l.path[0]) {
			out = append(out, l)
		}
	}
	return out
}

// fileFacts are true statistics.
type fileFacts struct {
	rows    int64
	columns map[string]*columnFact
}

type columnFact struct {
	leaf     leaf
	nulls    int64
	min, max any  // as in ColumnStats; nil: none, or of a kind that is not compared
	known    bool // min and max were looked for
}

// readFileFacts reads the columns of a data file that its statistics speak of. The Parquet library panics on some broken files.
func readFileFacts(r io.ReaderAt, size int64, s *Snapshot, stats *Stats) (facts *fileFacts, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("broken Parquet file: %v", p)
		}
	}()
	if err := checkFooter(r, size); err != nil {
		return nil, err
	}
	file, err := parquet.OpenFile(r, size, parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true))
	if err != nil {
		return nil, err
	}
	facts = &fileFacts{rows: file.NumRows(), columns: map[string]*columnFact{}}
	if stats == nil {
		return facts, nil
	}
	for _, l := range s.dataColumns() {
		if _, told := stats.Columns[columnName(l.path)]; !told {
			continue
		}
		switch l.typ.(type) {
		case *Array, *Map: // writers count their nulls differently
			continue
		}
		if s.metadata.ColumnMapping() == MapByID && findColumn(file.Root(), l.physical) == nil {
			continue // it may be there under another name
		}
		fact, err := readColumnFact(file, l)
		if err != nil {
			return nil, fmt.Errorf("column %s: %w", columnName(l.path), err)
		}
		facts.columns[columnName(l.path)] = fact
	}
	return facts, nil
}

func readColumnFact(file *parquet.File, l leaf) (*columnFact, error) {
	fact := &columnFact{leaf: l, known: hasBounds(l.typ)}
	column := findColumn(file.Root(), l.physical)
	if column == nil || !column.Leaf() || column.MaxRepetitionLevel() > 0 {
		fact.nulls = file.NumRows()
		fact.known = fact.known && column == nil
		return fact, nil
	}
	bounds := &parquetBounds{typ: column.Type()}
	for _, group := range file.RowGroups() {
		rows := newRowCursor(file.Root(), group)
		cursor := rows.open(column)
		for rows.next() {
			v, ok := cursor.value()
			if !ok {
				fact.nulls++
			} else if fact.known {
				bounds.take(v)
			}
		}
		if err := rows.close(); err != nil {
			return nil, err
		}
	}
	fact.min, fact.max = bounds.value(l.typ, bounds.min), bounds.value(l.typ, bounds.max)
	return fact, nil
}

// findColumn finds a column by its path, without regard to case when none is spelled so.
func findColumn(c *parquet.Column, path []string) *parquet.Column {
	for _, name := range path {
		next := c.Column(name)
		for _, other := range c.Columns() {
			if next == nil && strings.EqualFold(other.Name(), name) {
				next = other
			}
		}
		if c = next; c == nil {
			return nil
		}
	}
	return c
}

// parquetBounds finds the least and the greatest value of a column.
type parquetBounds struct {
	typ      parquet.Type
	some     bool
	min, max parquet.Value
}

func (b *parquetBounds) take(v parquet.Value) {
	if !b.some {
		b.some, b.min, b.max = true, v.Clone(), v.Clone()
		return
	}
	if b.compare(v, b.min) < 0 {
		b.min = v.Clone()
	}
	if b.compare(v, b.max) > 0 {
		b.max = v.Clone()
	}
}

func (b *parquetBounds) compare(x, y parquet.Value) int {
	switch x.Kind() {
	case parquet.Float:
		return compareFloats(float64(x.Float()), float64(y.Float()))
	case parquet.Double:
		return compareFloats(x.Double(), y.Double())
	case parquet.ByteArray, parquet.FixedLenByteArray:
		if b.isDecimal() {
			return twosComplement(x.ByteArray()).Cmp(twosComplement(y.ByteArray()))
		}
	}
	return b.typ.Compare(x, y)
}

func (b *parquetBounds) isDecimal() bool {
	l := b.typ.LogicalType()
	if l == nil {
		return false
	}
	_, ok := l.Value.(*format.DecimalType)
	return ok
}

// value gives a bound as statistics have it; nil when they cannot.
func (b *parquetBounds) value(t Type, v parquet.Value) any {
	if !b.some || v.IsNull() {
		return nil
	}
	text, err := json.Marshal(jsonValue(v, b.typ))
	if err != nil {
		return nil
	}
	return statsValue(t, text)
}

// contradict says what the log claims of a file and the file does not bear out. Bounds may be wider than the rows, and with a
// deletion vector nulls may be fewer.
func (f *fileFacts) contradict(s *Stats, vector bool) []string {
	var lies []string
	if s.NumRecords >= 0 && s.NumRecords != f.rows {
		lies = append(lies, fmt.Sprintf("it has %d rows, the log says %d", f.rows, s.NumRecords))
	}
	loose := vector || s.TightBounds != nil && !*s.TightBounds
	for name, c := range s.Columns {
		fact, ok := f.columns[name]
		if !ok {
			continue
		}
		if c.NullCount != nil && *c.NullCount != fact.nulls && !loose {
			lies = append(lies, fmt.Sprintf("column %s has %d nulls, the log says %d", name, fact.nulls, *c.NullCount))
		}
		if c.Min != nil && fact.min != nil && compareValues(fact.min, c.Min) < 0 {
			lies = append(lies, fmt.Sprintf("column %s has %.60v, below the log's minimum %.60v", name, fact.min, c.Min))
		}
		if c.Max != nil && fact.max != nil && compareValues(fact.max, c.Max) > 0 {
			lies = append(lies, fmt.Sprintf("column %s has %.60v, above the log's maximum %.60v", name, fact.max, c.Max))
		}
	}
	return lies
}

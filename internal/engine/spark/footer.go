package spark

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"math/big"
	"slices"
	"strings"
	"time"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"

	"launchlake/internal/delta"
	"launchlake/internal/engine/publication"
	"launchlake/internal/objstore"
)

// footerStats gives the statistics of a data file, from the footer that Spark wrote.
func footerStats(ctx context.Context, store objstore.Store, info objstore.Info, l layout) (*delta.Stats, error) {
	file, err := parquet.OpenFile(&tailReader{ctx: ctx, store: store, info: info}, info.Size, parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true))
	if err != nil {
		return nil, err
	}
	stats := &delta.Stats{NumRecords: file.NumRows(), Columns: map[string]delta.ColumnStats{}}
	columns := map[string]*footerColumn{}
	for _, group := range file.Metadata().RowGroups {
		for _, chunk := range group.Columns {
			name := strings.Join(chunk.MetaData.PathInSchema, "\x00")
			if columns[name] == nil {
				columns[name] = &footerColumn{}
			}
			columns[name].add(chunk.MetaData)
		}
	}
	for _, f := range l.Stored() {
		if err := l.addStats(stats, columns, f, nil, nil); err != nil {
			return nil, err
		}
	}
	return stats, nil
}

// addStats adds the statistics of a column, or of the members of a struct.
func (l layout) addStats(stats *delta.Stats, columns map[string]*footerColumn, f delta.Field, above, physicalAbove []string) error {
	path := append(slices.Clone(above), publication.ColumnName(f.Name))
	physical := append(slices.Clone(physicalAbove), l.PhysicalName(f))
	if s, ok := f.Type.(*delta.Struct); ok {
		for _, member := range s.Fields {
			if err := l.addStats(stats, columns, member, path, physical); err != nil {
				return err
			}
		}
		return nil
	}
	found := columns[strings.Join(physical, "\x00")]
	if found == nil {
		return nil // an array or a map, of which there are no statistics
	}
	column, err := found.stats(f.Type)
	if err != nil {
		return fmt.Errorf("column %s: %w", f.Name, err)
	}
	if !f.Nullable && len(above) == 0 && column.NullCount == nil {
		column.NullCount = new(int64) // the query that wrote the file refuses nulls
	}
	stats.Columns[strings.Join(path, ".")] = column
	return nil
}

// footerColumn is what a footer says of a column in all row groups.
type footerColumn struct {
	kind     format.Type
	nulls    int64
	unknown  bool // some row group has values but no statistics of them, as when they are long, or one is NaN
	min, max [][]byte
}

func (c *footerColumn) add(chunk format.ColumnMetaData) {
	c.kind = chunk.Type
	s := chunk.Statistics
	c.nulls += s.NullCount
	switch {
	case s.NullCount == chunk.NumValues:
		// None but nulls.
	case s.MinValue == nil || s.MaxValue == nil:
		c.unknown = true
	default:
		c.min, c.max = append(c.min, s.MinValue), append(c.max, s.MaxValue)
	}
}

func (c *footerColumn) stats(t delta.Type) (delta.ColumnStats, error) {
	var column delta.ColumnStats
	if !c.unknown {
		column.NullCount = &c.nulls
	}
	if c.unknown || len(c.min) == 0 || t == delta.Binary || t == delta.Boolean {
		return column, nil
	}
	for i := range c.min {
		low, err := c.value(t, c.min[i])
		if err != nil {
			return column, err
		}
		high, err := c.value(t, c.max[i])
		if err != nil {
			return column, err
		}
		if column.Min == nil || less(low, column.Min) {
			column.Min = low
		}
		if column.Max == nil || less(column.Max, high) {
			column.Max = high
		}
	}
	if min, ok := column.Min.(float64); ok && min == 0 {
		column.Min = math.Copysign(0, -1)
	}
	if max, ok := column.Max.(float64); ok && max == 0 {
		column.Max = 0.0
	}
	return finished(t, column), nil
}

// finished turns what values were compared by into what [delta.ColumnStats] holds.
func finished(t delta.Type, column delta.ColumnStats) delta.ColumnStats {
	for _, bound := range []*any{&column.Min, &column.Max} {
		if n, ok := (*bound).(*big.Int); ok {
			*bound = decimalText(n, t.(delta.Decimal).Scale)
		}
	}
	return column
}

// value reads a bound in Parquet's plain encoding.
func (c *footerColumn) value(t delta.Type, raw []byte) (any, error) {
	width := map[format.Type]int{format.Int32: 4, format.Int64: 8, format.Float: 4, format.Double: 8}[c.kind]
	if width > 0 && len(raw) != width {
		return nil, fmt.Errorf("a bound of %d bytes of Parquet type %s", len(raw), c.kind)
	}
	if _, ok := t.(delta.Decimal); ok {
		return c.unscaled(raw), nil
	}
	switch c.kind {
	case format.Int32:
		n := int64(int32(binary.LittleEndian.Uint32(raw)))
		if t == delta.Date {
			return time.Unix(n*secondsPerDay, 0).UTC(), nil
		}
		return n, nil
	case format.Int64:
		n := int64(binary.LittleEndian.Uint64(raw))
		if t == delta.Timestamp || t == delta.TimestampNTZ {
			return time.UnixMicro(n).UTC(), nil
		}
		return n, nil
	case format.Float:
		return float64(math.Float32frombits(binary.LittleEndian.Uint32(raw))), nil
	case format.Double:
		return math.Float64frombits(binary.LittleEndian.Uint64(raw)), nil
	case format.ByteArray:
		return string(raw), nil
	}
	return nil, fmt.Errorf("a column of Parquet type %s", c.kind)
}

func (c *footerColumn) unscaled(raw []byte) *big.Int {
	switch c.kind {
	case format.Int32:
		return big.NewInt(int64(int32(binary.LittleEndian.Uint32(raw))))
	case format.Int64:
		return big.NewInt(int64(binary.LittleEndian.Uint64(raw)))
	}
	n := new(big.Int).SetBytes(raw)
	if len(raw) > 0 && raw[0] >= 0x80 { // two's complement
		n.Sub(n, new(big.Int).Lsh(big.NewInt(1), uint(len(raw)*8)))
	}
	return n
}

func less(a, b any) bool {
	switch a := a.(type) {
	case int64:
		return a < b.(int64)
	case float64:
		return a < b.(float64)
	case string:
		return a < b.(string)
	case time.Time:
		return a.Before(b.(time.Time))
	case *big.Int:
		return a.Cmp(b.(*big.Int)) < 0
	}
	return false
}

func decimalText(n *big.Int, scale int) delta.DecimalValue {
	digits := new(big.Int).Abs(n).String()
	for len(digits) <= scale {
		digits = "0" + digits
	}
	if scale > 0 {
		digits = digits[:len(digits)-scale] + "." + digits[len(digits)-scale:]
	}
	if n.Sign() < 0 {
		digits = "-" + digits
	}
	return delta.DecimalValue(digits)
}

// tailSize is read at once from the end of a file, where the footer lies.
const tailSize = 64 << 10

// tailReader is an io.ReaderAt over an object of which mostly the end is read.
type tailReader struct {
	ctx   context.Context
	store objstore.Store
	info  objstore.Info
	tail  []byte
}

func (r *tailReader) ReadAt(p []byte, offset int64) (int, error) {
	start := max(r.info.Size-tailSize, 0)
	if offset < start {
		data, err := r.get(offset, int64(len(p)))
		return copied(p, data, err)
	}
	if r.tail == nil {
		var err error
		if r.tail, err = r.get(start, -1); err != nil {
			return 0, err
		}
	}
	return copied(p, r.tail[min(offset-start, int64(len(r.tail))):], nil)
}

func copied(p, data []byte, err error) (int, error) {
	n := copy(p, data)
	if err == nil && n < len(p) {
		err = io.EOF
	}
	return n, err
}

func (r *tailReader) get(offset, length int64) ([]byte, error) {
	body, err := r.store.Get(r.ctx, r.info.Key, offset, length)
	if err != nil {
		return nil, err
	}
	defer body.Close()
	var b bytes.Buffer
	_, err = b.ReadFrom(body)
	return b.Bytes(), err
}

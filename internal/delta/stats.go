package delta

// UnknownRecords stands in [Stats] for a row count that the log does not give.
const UnknownRecords int64 = -1

// Stats are the statistics of a data file. What is absent is unknown.
type Stats struct {
	NumRecords  int64
	Columns     map[string]ColumnStats // by column; a member of a struct by dots, as in [Col]
	TightBounds *bool                  // false: the bounds hold but need not be reached
}

// ColumnStats are the statistics of one leaf column.
//
// Min and Max are nil when unknown, or else, by the column's type: int64 for all integers, float64, string, bool,
// [time.Time] (UTC) for dates, timestamps and timestamps without zone, [DecimalValue].
type ColumnStats struct {
	Min, Max  any
	NullCount *int64
}

// DecimalValue is a decimal number as text, without exponent.
type DecimalValue string

// StatsCollector computes the statistics of a data file from its rows. It is not for concurrent use.
type StatsCollector struct {
	rows    int64
	columns map[string]*collected
}

type collected struct {
	typ      Type
	bounded  bool // whether it has bounds
	values   int64
	min, max any
}

// NewStats collects statistics for data files of a schema. Partition columns that are in it are never observed and are
// to be left out of it.
func NewStats(schema *Schema) *StatsCollector {
	c := &StatsCollector{columns: map[string]*collected{}}
	for l := range schema.leaves() {
		c.columns[columnName(l.path)] = &collected{typ: l.typ, bounded: hasBounds(l.typ)}
	}
	return c
}

// ObserveRow counts a row. A column that is not observed in it is null there.
func (c *StatsCollector) ObserveRow() { c.rows++ }

// Observe takes the value of a leaf column in one row: a Go value as in [ColumnStats], anything but nil for arrays, maps and
// binary, nil for null. Values of other types and unknown columns are passed over and make the column's bounds unknown.
func (c *StatsCollector) Observe(column string, value any) { c.ObserveRun(column, value, 1) }

// ObserveRun is [StatsCollector.Observe] for a value that so many rows have in common.
func (c *StatsCollector) ObserveRun(column string, value any, rows int64) {
	col, ok := c.columns[column]
	if !ok || value == nil || rows == 0 {
		return
	}
	col.values += rows
	if !col.bounded {
		return
	}
	v, err := normalize(col.typ, value)
	if err != nil {
		col.bounded = false // from now on
		col.min, col.max = nil, nil
		return
	}
	if col.min == nil || compareValues(v, col.min) < 0 {
		col.min = v
	}
	if col.max == nil || compareValues(v, col.max) > 0 {
		col.max = v
	}
}

// Stats gives the statistics of what was observed.
func (c *StatsCollector) Stats() *Stats {
	s := &Stats{NumRecords: c.rows, Columns: make(map[string]ColumnStats, len(c.columns))}
	for name, col := range c.columns {
		nulls := c.rows - col.values
		s.Columns[name] = ColumnStats{Min: col.min, Max: col.max, NullCount: &nulls}
	}
	return s
}

// hasBounds says whether the log gives the least and the greatest value of columns of a type (as Spark does).
func hasBounds(t Type) bool {
	switch t {
	case String, Long, Integer, Short, Byte, Float, Double, Date, Timestamp, TimestampNTZ:
		return true
	}
	_, isDecimal := t.(Decimal)
	return isDecimal
}

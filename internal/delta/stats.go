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

// StatsCollector computes the statistics of a data file from its rows.
type StatsCollector struct{ schema *Schema }

// NewStats collects statistics for files of a schema; partition columns are to be left out of it.
func NewStats(schema *Schema) *StatsCollector { return &StatsCollector{schema: schema} }

// ObserveRow counts a row. Every column of the schema must be observed once a row; those that are not count as null.
func (c *StatsCollector) ObserveRow() { panic("being built") }

// Observe takes the value of a column in the present row; nil is null.
func (c *StatsCollector) Observe(column string, value any) { panic("being built") }

// Stats gives the statistics of what was observed.
func (c *StatsCollector) Stats() *Stats { panic("being built") }

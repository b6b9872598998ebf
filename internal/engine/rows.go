package engine

import (
	"iter"

	"launchlake/internal/delta"
)

// Rows are the rows of a query.
//
// A value is nil for null, or else, by the column's type: int64 for all integers, float64 for double and float, string,
// bool, []byte, [time.Time] for timestamps and dates (UTC), [delta.DecimalValue]; []any for an array, map[string]any for
// a struct, [][2]any for a map. Types that Delta does not have (an interval, a UUID) come as strings.
type Rows struct {
	Schema *delta.Schema
	All    iter.Seq2[[]any, error] // yields a new slice for each row; ends after the first error; runs once
	Close  func() error            // for those who do not range over All; may be called again
}

package duckdb

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"launchlake/internal/delta"
	"launchlake/internal/engine/publication"
)

// fileStats turns what RETURN_STATS says of a file into Delta's statistics. It also is the last check of the
// rows: a null where the schema has none, or an infinite time, fails the write before anything is committed.
func fileStats(l layout, file written) (*delta.Stats, error) {
	stats := &delta.Stats{NumRecords: file.rows, Columns: map[string]delta.ColumnStats{}}
	for _, f := range l.Stored() {
		if err := l.addStats(stats, file, f, nil, nil); err != nil {
			return nil, err
		}
	}
	return stats, nil
}

// addStats adds the statistics of a column or a member of a struct.
func (l layout) addStats(stats *delta.Stats, file written, f delta.Field, above, quotedAbove []string) error {
	path := append(slices.Clone(above), publication.ColumnName(f.Name))
	quoted := append(slices.Clone(quotedAbove), quoteName(l.PhysicalName(f)))
	if s, ok := f.Type.(*delta.Struct); ok {
		for _, member := range s.Fields {
			if err := l.addStats(stats, file, member, path, quoted); err != nil {
				return err
			}
		}
		return nil
	}
	texts, ok := file.statistics[strings.Join(quoted, ".")]
	if !ok {
		return nil
	}
	column, err := columnStats(f.Type, texts)
	if err != nil {
		return fmt.Errorf("column %s: %w", f.Name, err)
	}
	if !f.Nullable && len(above) == 0 && column.NullCount != nil && *column.NullCount > 0 {
		return &delta.ConstraintError{Constraint: delta.Constraint{Rule: delta.NotNullRule, Name: f.Name}, Rows: *column.NullCount}
	}
	stats.Columns[strings.Join(path, ".")] = column
	return nil
}

func columnStats(t delta.Type, texts map[string]string) (delta.ColumnStats, error) {
	var column delta.ColumnStats
	if text, ok := texts["null_count"]; ok {
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return column, fmt.Errorf("null count %q: %w", text, err)
		}
		column.NullCount = &n
	}
	if t == delta.Binary || t == delta.Boolean {
		return column, nil // Delta has no bounds for them
	}
	for name, bound := range map[string]*any{"min": &column.Min, "max": &column.Max} {
		text, ok := texts[name]
		if !ok {
			continue
		}
		value, err := parseText(t, text)
		if err != nil {
			return column, fmt.Errorf("%s: %w", name, err)
		}
		*bound = value
	}
	if texts["has_nan"] == "true" { // DuckDB's bounds leave NaN out; it is greater than all numbers
		column.Max = math.NaN()
	}
	if min, ok := column.Min.(float64); ok && min == 0 { // the text does not tell -0.0 from 0.0
		column.Min = math.Copysign(0, -1)
	}
	if max, ok := column.Max.(float64); ok && max == 0 {
		column.Max = 0.0
	}
	return column, nil
}

// parseText reads a value as DuckDB casts it to text.
func parseText(t delta.Type, text string) (any, error) {
	if _, ok := t.(delta.Decimal); ok {
		return delta.DecimalValue(text), nil
	}
	switch t {
	case delta.String:
		return text, nil
	case delta.Binary:
		return nil, errors.New("binary is not supported here")
	case delta.Boolean:
		return strconv.ParseBool(text)
	case delta.Long, delta.Integer, delta.Short, delta.Byte:
		return strconv.ParseInt(text, 10, 64)
	case delta.Double:
		return strconv.ParseFloat(text, 64)
	case delta.Float:
		v, err := strconv.ParseFloat(text, 32)
		return v, err
	case delta.Date, delta.Timestamp, delta.TimestampNTZ:
		return parseTime(text)
	}
	return nil, fmt.Errorf("no value of type %s can be read from text", t)
}

var momentText = regexp.MustCompile(`^(\d+)-(\d\d)-(\d\d)( \(BC\))?(?: (\d\d):(\d\d):(\d\d)(?:\.(\d{1,6}))?)?(?:\+00)?$`)

// parseTime reads dates and timestamps in UTC, of any year.
func parseTime(text string) (time.Time, error) {
	m := momentText.FindStringSubmatch(text)
	if m == nil {
		return time.Time{}, fmt.Errorf("%q is no time that a table can hold", text)
	}
	fraction := m[8] + strings.Repeat("0", 6-len(m[8]))
	var n [7]int
	for i, digits := range []string{m[1], m[2], m[3], m[5], m[6], m[7], fraction} {
		if digits == "" {
			continue
		}
		var err error
		if n[i], err = strconv.Atoi(digits); err != nil {
			return time.Time{}, err
		}
	}
	year := n[0]
	if m[4] != "" {
		year = 1 - year // the year before 1 is 0, which is 1 BC
	}
	return time.Date(year, time.Month(n[1]), n[2], n[3], n[4], n[5], n[6]*int(time.Microsecond), time.UTC), nil
}

package delta

import (
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// statsText is the form of statistics in the log: JSON in a string (spec: Per-file Statistics).
type statsText struct {
	NumRecords  *json.Number               `json:"numRecords"`
	TightBounds *bool                      `json:"tightBounds"`
	MinValues   map[string]json.RawMessage `json:"minValues"`
	MaxValues   map[string]json.RawMessage `json:"maxValues"`
	NullCount   map[string]json.RawMessage `json:"nullCount"`
}

// parseStats reads the statistics of some columns. What cannot be read is unknown: statistics are an aid, never the truth.
func parseStats(text string, columns []leaf) *Stats {
	var raw statsText
	if text == "" || json.Unmarshal([]byte(text), &raw) != nil {
		return nil
	}
	s := &Stats{NumRecords: UnknownRecords, TightBounds: raw.TightBounds, Columns: map[string]ColumnStats{}}
	if n, ok := statsInt(raw.NumRecords); ok {
		s.NumRecords = n
	}
	for _, l := range columns {
		var c ColumnStats
		c.Min = statsValue(l.typ, dig(raw.MinValues, l.physical))
		c.Max = statsValue(l.typ, dig(raw.MaxValues, l.physical))
		if at, ok := c.Max.(time.Time); ok && l.typ != Date && at.Nanosecond()%int(time.Millisecond) == 0 {
			// Writers cut timestamps to milliseconds.
			c.Max = at.Add(time.Millisecond - time.Microsecond)
		}
		var nulls *json.Number
		if v := dig(raw.NullCount, l.physical); v != nil && json.Unmarshal(v, &nulls) == nil {
			if n, ok := statsInt(nulls); ok {
				c.NullCount = &n
			}
		}
		if c != (ColumnStats{}) {
			s.Columns[columnName(l.path)] = c
		}
	}
	return s
}

func statsInt(n *json.Number) (int64, bool) {
	if n == nil {
		return 0, false
	}
	i, err := strconv.ParseInt(n.String(), 10, 64)
	return i, err == nil && i >= 0
}

func dig(values map[string]json.RawMessage, path []string) json.RawMessage {
	for _, name := range path[:len(path)-1] {
		var sub map[string]json.RawMessage
		if json.Unmarshal(values[name], &sub) != nil {
			return nil
		}
		values = sub
	}
	return values[path[len(path)-1]]
}

// statsValue reads a bound; nil when there is none that can be trusted.
func statsValue(t Type, raw json.RawMessage) any {
	if len(raw) == 0 || string(raw) == "null" {
		return nil
	}
	text := string(raw)
	if raw[0] == '"' && json.Unmarshal(raw, &text) != nil {
		return nil
	}
	if t != Boolean && !hasBounds(t) || t == String && (raw[0] != '"' || strings.ContainsRune(text, utf8.RuneError)) {
		return nil
	}
	v, err := parseValue(t, text)
	if err != nil {
		return nil
	}
	return v
}

// indexedColumns gives the leaf columns whose statistics belong in the log.
func (m *Metadata) indexedColumns() []leaf {
	var all []leaf
	for l := range m.leaves() {
		if !slices.Contains(m.PartitionColumns, l.path[0]) {
			all = append(all, l)
		}
	}
	if list, ok := m.Configuration["delta.dataSkippingStatsColumns"]; ok {
		wanted := strings.Split(list, ",")
		return slices.DeleteFunc(all, func(l leaf) bool {
			return !slices.ContainsFunc(wanted, func(w string) bool { return columnUnder(l, strings.TrimSpace(w)) })
		})
	}
	n, err := strconv.Atoi(m.Configuration["delta.dataSkippingNumIndexedCols"])
	if err != nil {
		n = defaultIndexedColumns
	}
	if n < 0 || n > len(all) {
		n = len(all)
	}
	return all[:n]
}

// columnUnder says whether a leaf is the named column or lies in the named struct.
func columnUnder(l leaf, name string) bool {
	for i := range l.path {
		if strings.EqualFold(columnName(l.path[:i+1]), name) {
			return true
		}
	}
	return false
}

// format gives the statistics as text, by Spark's rules.
func (s *Stats) format(columns []leaf) (string, error) {
	if s == nil {
		return "", nil
	}
	out := struct {
		NumRecords  *int64         `json:"numRecords,omitempty"`
		MinValues   map[string]any `json:"minValues"`
		MaxValues   map[string]any `json:"maxValues"`
		NullCount   map[string]any `json:"nullCount"`
		TightBounds *bool          `json:"tightBounds,omitempty"`
	}{MinValues: map[string]any{}, MaxValues: map[string]any{}, NullCount: map[string]any{}, TightBounds: s.TightBounds}
	if s.NumRecords >= 0 {
		out.NumRecords = &s.NumRecords
	}
	for _, l := range columns {
		c, ok := s.Columns[columnName(l.path)]
		if !ok {
			continue
		}
		if c.NullCount != nil {
			bury(out.NullCount, l.physical, *c.NullCount)
		}
		if !hasBounds(l.typ) {
			continue
		}
		if v := lowerBound(l.typ, c.Min); v != nil {
			bury(out.MinValues, l.physical, v)
		}
		if v := upperBound(l.typ, c.Max); v != nil {
			bury(out.MaxValues, l.physical, v)
		}
	}
	var b strings.Builder
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(out)
	return strings.TrimSuffix(b.String(), "\n"), err
}

func bury(values map[string]any, path []string, v any) {
	for _, name := range path[:len(path)-1] {
		sub, ok := values[name].(map[string]any)
		if !ok {
			sub = map[string]any{}
			values[name] = sub
		}
		values = sub
	}
	values[path[len(path)-1]] = v
}

const (
	statsStringLength = 32     // characters of a string that statistics hold
	asciiTieBreaker   = '\x7f' // greater than what it stands for, and one byte
)

// lowerBound gives a JSON value that is not above v; nil when there is none.
func lowerBound(t Type, value any) any {
	if value == nil {
		return nil
	}
	v, err := normalize(t, value)
	if err != nil {
		return nil
	}
	switch v := v.(type) {
	case string:
		if !utf8.ValidString(v) {
			return nil
		}
		r := []rune(v)
		return string(r[:min(len(r), statsStringLength)])
	case float64:
		if v == 0 {
			v = math.Copysign(0, -1) // some readers tell the zeros apart
		}
		return statsNumber(t, v)
	case time.Time:
		return statsTime(t, v.Truncate(time.Millisecond))
	case DecimalValue:
		return json.Number(v)
	default:
		return v
	}
}

// upperBound gives a JSON value that is not below v; nil when there is none.
func upperBound(t Type, value any) any {
	if value == nil {
		return nil
	}
	v, err := normalize(t, value)
	if err != nil {
		return nil
	}
	switch v := v.(type) {
	case string:
		if text, ok := raisedPrefix(v); ok {
			return text
		}
		return nil
	case float64:
		if v == 0 {
			v = 0
		}
		return statsNumber(t, v)
	case time.Time:
		// Up rather than down, for readers that do not know that timestamps are cut.
		return statsTime(t, v.Add(time.Millisecond-time.Nanosecond).Truncate(time.Millisecond))
	case DecimalValue:
		return json.Number(v)
	default:
		return v
	}
}

// raisedPrefix cuts a string such that it does not get smaller: the cut-off rest is replaced by a character greater than
// its first one. Behind U+10FFFF there is none, so the cut moves on past it, up to a limit.
func raisedPrefix(s string) (string, bool) {
	if !utf8.ValidString(s) {
		return "", false
	}
	r := []rune(s)
	if len(r) <= statsStringLength {
		return s, true
	}
	for i := statsStringLength; i < min(len(r), 2*statsStringLength); i++ {
		switch {
		case r[i] < asciiTieBreaker:
			return string(r[:i]) + string(rune(asciiTieBreaker)), true
		case r[i] < utf8.MaxRune:
			return string(r[:i]) + string(utf8.MaxRune), true
		}
	}
	return "", false
}

func statsNumber(t Type, v float64) any {
	text := formatFloat(t, v)
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return text
	}
	return json.Number(text)
}

func statsTime(t Type, v time.Time) string {
	switch t {
	case Date:
		return formatDate(v)
	case TimestampNTZ:
		return formatDate(v) + v.UTC().Format("T15:04:05.000")
	default:
		return formatDate(v) + v.UTC().Format("T15:04:05.000Z")
	}
}

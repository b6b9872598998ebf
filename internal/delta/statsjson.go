package delta

import (
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"launchlake/internal/rawjson"
)

// statsReader reads the statistics of some columns from their form in the log, which is JSON in a string (spec: Per-file Statistics), of one file
// after another. What cannot be read is unknown: statistics are an aid, never the truth. It serves one goroutine.
type statsReader struct {
	columns []leaf
	names   []string
	finder  *rawjson.Finder

	// Of the file that begin went on to.
	text    []byte
	found   [][]byte
	records int64 // UnknownRecords: it does not say
}

// Places in statsReader.found; three more follow for each column.
const (
	recordsFound = iota
	tightFound
	minFound
	maxFound
	nullsFound

	foundAColumn = 3
)

func newStatsReader(columns []leaf) *statsReader {
	r := &statsReader{columns: columns, names: make([]string, len(columns))}
	paths := [][]rawjson.Step{{{Key: "numRecords"}}, {{Key: "tightBounds"}}}
	for i, l := range columns {
		r.names[i] = columnName(l.path)
		for _, group := range []string{"minValues", "maxValues", "nullCount"} {
			path := []rawjson.Step{{Key: group}}
			for _, name := range l.physical {
				path = append(path, rawjson.Step{Key: name})
			}
			paths = append(paths, path)
		}
	}
	r.finder = rawjson.NewProjection(paths).Finder()
	return r
}

// statsReader reads the statistics of all columns.
func (m *Metadata) statsReader() *statsReader { return newStatsReader(slices.Collect(m.leaves())) }

// parseStats reads the statistics of one file; nil when there are none.
func parseStats(text string, columns []leaf) *Stats { return newStatsReader(columns).read(text) }

// read reads the statistics of a file; nil when there are none.
func (r *statsReader) read(text string) *Stats {
	if !r.begin(text) {
		return nil
	}
	s := &Stats{NumRecords: r.records, Columns: map[string]ColumnStats{}}
	switch string(r.found[tightFound]) {
	case "true", "false":
		tight := r.found[tightFound][0] == 't'
		s.TightBounds = &tight
	}
	for i, name := range r.names {
		if c := r.column(i); c != (ColumnStats{}) {
			s.Columns[name] = c
		}
	}
	return s
}

// begin goes on to a file; false when it has no statistics.
func (r *statsReader) begin(text string) (ok bool) {
	r.text = append(r.text[:0], text...)
	if rawjson.Kind(r.text) != '{' {
		return false
	}
	if r.found, ok = r.finder.Find(r.text); !ok {
		return false
	}
	if r.records, ok = statsInt(r.found[recordsFound]); !ok {
		r.records = UnknownRecords
	}
	return true
}

// column gives what is said of a column, by its number.
func (r *statsReader) column(i int) (c ColumnStats) {
	t, found := r.columns[i].typ, r.found[foundAColumn*i:]
	c.Min, c.Max = statsValue(t, found[minFound]), statsValue(t, found[maxFound])
	if at, ok := c.Max.(time.Time); ok && t != Date && at.Nanosecond()%int(time.Millisecond) == 0 {
		// Writers cut timestamps to milliseconds.
		c.Max = at.Add(time.Millisecond - time.Microsecond)
	}
	if n, ok := statsInt(found[nullsFound]); ok {
		c.NullCount = &n
	}
	return c
}

func statsInt(raw []byte) (int64, bool) {
	if len(raw) == 0 {
		return 0, false
	}
	i, err := strconv.ParseInt(string(raw), 10, 64)
	return i, err == nil && i >= 0
}

// statsValue reads a bound, which is JSON; nil when there is none that can be trusted.
func statsValue(t Type, raw []byte) any {
	if len(raw) == 0 || string(raw) == "null" || t != Boolean && !hasBounds(t) {
		return nil
	}
	text, quoted := rawjson.Text(raw)
	if !quoted {
		text = string(raw)
	}
	if t == String && (!quoted || strings.ContainsRune(text, utf8.RuneError)) {
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

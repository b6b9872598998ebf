package delta

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestBoundsOfStringsAreCutAndStayBounds(t *testing.T) {
	last := string(rune(0x10FFFF))
	prefix := strings.Repeat("a", 32)
	for _, tt := range []struct {
		name, value string
		min, max    any
	}{
		{"short", "abc", "abc", "abc"},
		{"of the limit", prefix, prefix, prefix},
		{"longer", prefix + "bcd", prefix, prefix + "\x7f"},
		{"longer by DEL, which is no tie-breaker for itself", prefix + "\x7f", prefix, prefix + last},
		{"longer, beyond ASCII", prefix + "é", prefix, prefix + last},
		{"characters, not bytes", strings.Repeat("é", 33), strings.Repeat("é", 32), strings.Repeat("é", 32) + last},
		{"characters beyond 16 bits", strings.Repeat("🚀", 33), strings.Repeat("🚀", 32), strings.Repeat("🚀", 32) + last},
		{"the last character of all is kept", prefix + last + "z", prefix, prefix + last + "\x7f"},
		{"nothing is above", prefix + strings.Repeat(last, 40), prefix, nil},
		{"no UTF-8", "a\xff", nil, nil},
		{"empty", "", "", ""},
	} {
		lower, upper := lowerBound(String, tt.value), upperBound(String, tt.value)
		if lower != tt.min || upper != tt.max {
			t.Errorf("%s: bounds %q and %q, want %q and %q", tt.name, lower, upper, tt.min, tt.max)
		}
		if lower != nil && lower.(string) > tt.value || upper != nil && upper.(string) < tt.value {
			t.Errorf("%s: %q and %q do not bound %q", tt.name, lower, upper, tt.value)
		}
	}
}

func TestStatisticsAreWrittenAsSparkReadsThem(t *testing.T) {
	nulls := func(n int64) *int64 { return &n }
	at := time.Date(2024, 2, 29, 12, 34, 56, 123456000, time.UTC)
	schema := &Schema{Fields: []Field{
		{Name: "l", Type: Long}, {Name: "f", Type: Float}, {Name: "d", Type: Double}, {Name: "dec", Type: Decimal{38, 10}},
		{Name: "s", Type: String}, {Name: "date", Type: Date}, {Name: "ts", Type: Timestamp}, {Name: "ntz", Type: TimestampNTZ},
		{Name: "b", Type: Boolean}, {Name: "bin", Type: Binary}, {Name: "list", Type: &Array{Element: Long}},
		{Name: "st", Type: &Struct{Fields: []Field{{Name: "in.ner", Type: Integer}, {Name: "deep", Type: &Struct{Fields: []Field{{Name: "x", Type: String}}}}}}},
		{Name: "none", Type: Long},
	}}
	stats := &Stats{NumRecords: 3, Columns: map[string]ColumnStats{
		"l":             {Min: int64(math.MinInt64), Max: int64(math.MaxInt64), NullCount: nulls(0)},
		"f":             {Min: 0.1, Max: math.NaN(), NullCount: nulls(0)},
		"d":             {Min: 0.0, Max: math.Copysign(0, -1), NullCount: nulls(0)},
		"dec":           {Min: DecimalValue("-9999999999999999999999999999.9999999999"), Max: DecimalValue("1.5")},
		"s":             {Min: "<a&b>", Max: "z"},
		"date":          {Min: at.Truncate(24 * time.Hour), Max: at.Truncate(24 * time.Hour)},
		"ts":            {Min: at, Max: at},
		"ntz":           {Min: at.Truncate(time.Millisecond), Max: at.Truncate(time.Millisecond)},
		"b":             {Min: false, Max: true, NullCount: nulls(1)},
		"bin":           {NullCount: nulls(0)},
		"list":          {NullCount: nulls(2)},
		"st.`in.ner`":   {Min: int64(1), Max: int64(2), NullCount: nulls(0)},
		"st.deep.x":     {Min: "a", Max: "b"},
		"none":          {NullCount: nulls(3)},
		"not in schema": {Min: int64(1)},
	}}
	got, err := stats.format(slices.Collect(schema.leaves()))
	if err != nil {
		t.Fatal(err)
	}
	want := `{"numRecords":3,` +
		`"minValues":{"d":-0.0,"date":"2024-02-29","dec":-9999999999999999999999999999.9999999999,"f":0.1,"l":-9223372036854775808,` +
		`"ntz":"2024-02-29T12:34:56.123","s":"<a&b>","st":{"deep":{"x":"a"},"in.ner":1},"ts":"2024-02-29T12:34:56.123Z"},` +
		`"maxValues":{"d":0.0,"date":"2024-02-29","dec":1.5000000000,"f":"NaN","l":9223372036854775807,` +
		`"ntz":"2024-02-29T12:34:56.123","s":"z","st":{"deep":{"x":"b"},"in.ner":2},"ts":"2024-02-29T12:34:56.124Z"},` +
		`"nullCount":{"b":1,"bin":0,"d":0,"f":0,"l":0,"list":2,"none":3,"st":{"in.ner":0}}}`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("statistics (-want +got):\n%s", diff)
	}
}

func TestStatisticsAreReadForgivingly(t *testing.T) {
	leaves := slices.Collect((&Schema{Fields: []Field{
		{Name: "l", Type: Long}, {Name: "f", Type: Float}, {Name: "s", Type: String}, {Name: "ts", Type: Timestamp}, {Name: "dec", Type: Decimal{20, 2}},
	}}).leaves())
	nulls := int64(1)
	for _, tt := range []struct {
		name, text string
		want       *Stats
	}{
		{"none", "", nil},
		{"broken", `{"numRecords":`, nil},
		{"no object", `3`, nil},
		{"count alone", `{"numRecords":5}`, &Stats{NumRecords: 5}},
		{"count unknown", `{"numRecords":null,"nullCount":{"l":1}}`, &Stats{NumRecords: UnknownRecords, Columns: map[string]ColumnStats{"l": {NullCount: &nulls}}}},
		{"long beyond floating point", `{"numRecords":1,"minValues":{"l":9007199254740993}}`, &Stats{NumRecords: 1, Columns: map[string]ColumnStats{"l": {Min: int64(9007199254740993)}}}},
		{"float as the column holds it", `{"numRecords":1,"maxValues":{"f":0.1}}`, &Stats{NumRecords: 1, Columns: map[string]ColumnStats{"f": {Max: float64(float32(0.1))}}}},
		{"wrong types are unknown", `{"numRecords":1,"minValues":{"l":"x","s":5,"ts":1,"f":{}},"nullCount":{"l":-1,"s":"many"}}`, &Stats{NumRecords: 1}},
		{"cut timestamps are widened", `{"numRecords":1,"maxValues":{"ts":"2024-01-01T00:00:00.123Z"}}`,
			&Stats{NumRecords: 1, Columns: map[string]ColumnStats{"ts": {Max: time.Date(2024, 1, 1, 0, 0, 0, 123999000, time.UTC)}}}},
		{"decimals keep their digits", `{"numRecords":1,"minValues":{"dec":123456789012345678.91}}`, &Stats{NumRecords: 1, Columns: map[string]ColumnStats{"dec": {Min: DecimalValue("123456789012345678.91")}}}},
		{"characters that the writer lost make no bound", "{\"numRecords\":1,\"minValues\":{\"s\":\"a\\ufffd\"}}", &Stats{NumRecords: 1}},
	} {
		if tt.want != nil && tt.want.Columns == nil {
			tt.want.Columns = map[string]ColumnStats{}
		}
		if diff := cmp.Diff(tt.want, parseStats(tt.text, leaves)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}

func TestStatisticsAreKeptForTheColumnsThatThePropertiesName(t *testing.T) {
	schema := &Schema{Fields: []Field{{Name: "p", Type: Long}, {Name: "st", Type: &Struct{}}}}
	inner := schema.Fields[1].Type.(*Struct)
	for i := range 40 {
		inner.Fields = append(inner.Fields, Field{Name: fmt.Sprint("m", i), Type: Long})
	}
	for _, tt := range []struct {
		properties  map[string]string
		first, last string
		count       int
	}{
		{nil, "st.m0", "st.m31", 32},
		{map[string]string{"delta.dataSkippingNumIndexedCols": "-1"}, "st.m0", "st.m39", 40},
		{map[string]string{"delta.dataSkippingNumIndexedCols": "2"}, "st.m0", "st.m1", 2},
		{map[string]string{"delta.dataSkippingStatsColumns": "st.m39, ST.M5", "delta.dataSkippingNumIndexedCols": "2"}, "st.m5", "st.m39", 2},
		{map[string]string{"delta.dataSkippingStatsColumns": "st"}, "st.m0", "st.m39", 40},
	} {
		m := Metadata{Schema: schema, PartitionColumns: []string{"p"}, Configuration: tt.properties}
		got := m.indexedColumns()
		if len(got) != tt.count || columnName(got[0].path) != tt.first || columnName(got[len(got)-1].path) != tt.last {
			t.Errorf("%v: %d columns, %v to %v; want %d, %s to %s", tt.properties, len(got), got[0].path, got[len(got)-1].path, tt.count, tt.first, tt.last)
		}
	}
}

func TestCollectedStatisticsBoundWhatWasObserved(t *testing.T) {
	c := NewStats(&Schema{Fields: []Field{
		{Name: "n", Type: Double}, {Name: "s", Type: String}, {Name: "list", Type: &Array{Element: String}}, {Name: "odd", Type: Long},
	}})
	for _, n := range []any{3.5, math.NaN(), nil, -1.0} {
		c.ObserveRow()
		c.Observe("n", n)
		c.Observe("unknown", n)
	}
	c.Observe("list", []string{})
	c.Observe("odd", "not a number")
	c.Observe("odd", 5)
	nulls := func(n int64) *int64 { return &n }
	want := &Stats{NumRecords: 4, Columns: map[string]ColumnStats{
		"n": {Min: -1.0, Max: math.NaN(), NullCount: nulls(1)}, "s": {NullCount: nulls(4)}, "list": {NullCount: nulls(3)}, "odd": {NullCount: nulls(2)},
	}}
	if diff := cmp.Diff(want, c.Stats(), cmp.Comparer(sameFloat)); diff != "" {
		t.Errorf("statistics (-want +got):\n%s", diff)
	}
}

// BenchmarkStats reads statistics of files of a narrow and of a wide table, all columns of them.
func BenchmarkStats(b *testing.B) {
	for _, columns := range []int{10, 32, 1000} {
		b.Run(fmt.Sprint(columns, " columns"), func(b *testing.B) {
			schema, stats := &Schema{}, &Stats{NumRecords: 1000, Columns: map[string]ColumnStats{}}
			nulls := int64(3)
			for i := range columns {
				name := fmt.Sprint("column_", i)
				schema.Fields = append(schema.Fields, Field{Name: name, Type: Long})
				stats.Columns[name] = ColumnStats{Min: int64(i), Max: int64(2 * i), NullCount: &nulls}
			}
			leaves := slices.Collect(schema.leaves())
			text, err := stats.format(leaves)
			if err != nil {
				b.Fatal(err)
			}
			reader := newStatsReader(leaves)
			b.ReportAllocs()
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				if read := reader.read(text); len(read.Columns) != columns {
					b.Fatalf("%d columns of %d", len(read.Columns), columns)
				}
			}
		})
	}
}

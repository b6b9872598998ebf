package duckdb_test

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"launchlake/internal/delta"
	"launchlake/internal/engine"
)

// randomRows gives rows of all types that have statistics, many of them null, the numbers of very different sizes.
func randomRows(seed, rows int) string {
	h := func(salt string) string { return fmt.Sprintf("hash(i, %d, '%s')", seed, salt) }
	maybe := func(salt, value string) string {
		return fmt.Sprintf("case when %s %% 5 = 0 then null else %s end", h("null"+salt), value)
	}
	integer := func(salt string, bits int) string {
		return fmt.Sprintf("((%s >> %d)::hugeint - (1::hugeint << %d))", h(salt), 64-bits, bits-1)
	}
	columns := []string{
		maybe("l", integer("l", 64)+"::bigint") + " as l",
		maybe("n", integer("n", 32)+"::int") + " as n",
		maybe("h", integer("h", 16)+"::smallint") + " as h",
		maybe("b", integer("b", 8)+"::tinyint") + " as b",
		maybe("d", fmt.Sprintf("(%s::double) * pow(10::double, (%s %% 40)::int - 20)", integer("d", 40), h("dd"))) + " as d",
		maybe("f", fmt.Sprintf("((%s::double) / 1000)::float", integer("f", 30))) + " as f",
		maybe("m", fmt.Sprintf("(%s::hugeint / 1000)::decimal(24,6)", integer("m", 50))) + " as m",
		maybe("s", fmt.Sprintf("repeat(chr((65 + %s %% 900)::int), (%s %% 50)::int) || md5(i::varchar)", h("s1"), h("s2"))) + " as s",
		maybe("day", fmt.Sprintf("date '1970-01-01' + (%s %% 5000000 - 700000)::int", integer("day", 60))) + " as day",
		maybe("t", fmt.Sprintf("make_timestamp((%s)::bigint)::timestamptz", integer("t", 57))) + " as t",
		maybe("u", fmt.Sprintf("make_timestamp((%s)::bigint)", integer("u", 57))) + " as u",
		maybe("g", fmt.Sprintf("{'x': %s::int, 'y': %s}", integer("g", 20), maybe("gy", h("gy")+"::varchar"))) + " as g",
	}
	return fmt.Sprintf("select %s from range(%d) r(i)", strings.Join(columns, ", "), rows)
}

func TestStatisticsAreThoseOfTheRows(t *testing.T) {
	leaves := map[string]string{"l": "l", "n": "n", "h": "h", "b": "b", "d": "d", "f": "f", "m": "m", "s": "s", "day": "day", "t": "t", "u": "u", "g.x": "g.x"}
	for seed := range 12 {
		e := open(t)
		table := delta.Open(dir(t))
		publish(t, e, randomRows(seed, 1+seed*37), engine.Output{Table: table, Mode: engine.Append})
		s, err := table.Snapshot(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if err := e.Bind(t.Context(), "t", engine.Input{Snapshot: s}); err != nil {
			t.Fatal(err)
		}
		for add, err := range s.Files() {
			if err != nil {
				t.Fatal(err)
			}
			for leaf, column := range leaves {
				rows, err := query(t, e, fmt.Sprintf("select min(%[1]s), max(%[1]s), count(*) - count(%[1]s) from t", column))
				if err != nil {
					t.Fatal(err)
				}
				stats, ok := add.Stats.Columns[leaf]
				if !ok || stats.NullCount == nil || *stats.NullCount != rows[0][2] {
					t.Errorf("seed %d: %s: null count %v, want %v", seed, leaf, stats.NullCount, rows[0][2])
				}
				compareBound(t, fmt.Sprintf("seed %d: min of %s", seed, leaf), stats.Min, rows[0][0], -1)
				compareBound(t, fmt.Sprintf("seed %d: max of %s", seed, leaf), stats.Max, rows[0][1], +1)
			}
		}
		_ = e.Close()
	}
}

// compareBound checks a bound of the log against the value in the data. Strings are cut, and times have milliseconds in the
// log, rounded up by the writer and once more by the reader, so that these bounds may lie a little outside.
func compareBound(t *testing.T, what string, got, want any, side int) {
	t.Helper()
	switch want := want.(type) {
	case string:
		bound, ok := got.(string)
		if !ok || side < 0 && !strings.HasPrefix(want, bound) || side > 0 && bound < want {
			t.Errorf("%s is %q, the data has %q", what, got, want)
		}
	case time.Time:
		bound, ok := got.(time.Time)
		if off := bound.Sub(want); !ok || math.Abs(float64(off)) > float64(2*time.Millisecond) || off*time.Duration(side) < 0 {
			t.Errorf("%s is %v, the data has %v", what, got, want)
		}
	default:
		if got != want {
			t.Errorf("%s is %v (%[2]T), the data has %v (%[3]T)", what, got, want)
		}
	}
}

// TestStatisticsOfNastyColumns: what DuckDB says of a file and what Delta wants to hear are not the same.
func TestStatisticsOfNastyColumns(t *testing.T) {
	e := open(t)
	defer e.Close()
	table := delta.Open(dir(t))
	publish(t, e, `select 'nan'::double as nan, case when i = 0 then 'nan'::float else i::float end as somenan, case when i = 0 then -0.0::double else 0.0 end as zero,
		null::double as nothing, case when i = 1 then '-infinity'::double else 1.5 end as low, repeat('é', 20000) || i as long, chr(1114111) || repeat('x', 40) as top,
		case when i = 0 then null else [i, null] end as list, case when i > 0 then null else map {'k': i} end as m, {'l': case when i = 2 then null else [i] end, 'x': i} as s,
		null::struct(x int) as gone, case when i = 0 then null else 'b'::blob end as bin, i = 1 as flag, timestamp '1969-12-31 23:59:59.999999' as before,
		case when i = 0 then null else -0.5::decimal(5,2) end as m2, i as "do.t" from range(3) r(i)`, engine.Output{Table: table, Mode: engine.Append})
	stats := onlyFile(t, table).Stats
	nulls := map[string]int64{"nan": 0, "somenan": 0, "zero": 0, "nothing": 3, "low": 0, "long": 0, "top": 0, "list": 1, "m": 2, "s.l": 1, "s.x": 0, "gone.x": 3, "bin": 1,
		"flag": 0, "before": 0, "m2": 1, "`do.t`": 0}
	if len(stats.Columns) != len(nulls) {
		t.Errorf("statistics of %d columns, want %d", len(stats.Columns), len(nulls))
	}
	for name, want := range nulls {
		if got := stats.Columns[name].NullCount; got == nil || *got != want {
			t.Errorf("%s: %v nulls, want %d", name, got, want)
		}
	}
	for name, want := range map[string][2]string{
		"nan": {"<nil>", "NaN"}, "somenan": {"1", "NaN"}, "zero": {"-0", "0"}, "nothing": {"<nil>", "<nil>"}, "low": {"-Inf", "1.5"}, "list": {"<nil>", "<nil>"},
		"long": {strings.Repeat("é", 32), strings.Repeat("é", 32) + "\U0010FFFF"}, "top": {"\U0010FFFF" + strings.Repeat("x", 31), "\U0010FFFF" + strings.Repeat("x", 31) + "\x7f"},
		"bin": {"<nil>", "<nil>"}, "flag": {"<nil>", "<nil>"}, "m2": {"-0.50", "-0.50"}, "s.x": {"0", "2"},
		"before": {"1969-12-31 23:59:59.999 +0000 UTC", "1970-01-01 00:00:00.000999 +0000 UTC"},
	} {
		c := stats.Columns[name]
		if got := [2]string{fmt.Sprint(c.Min), fmt.Sprint(c.Max)}; got != want {
			t.Errorf("%s: bounds %q, want %q", name, got, want)
		}
	}
}

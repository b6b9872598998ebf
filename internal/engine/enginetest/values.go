package enginetest

import (
	"math"
	"testing"
	"time"

	"launchlake/internal/delta"
	"launchlake/internal/engine"
)

const nastyRows = `
	select cast(1 as int) as n, cast('NaN' as double) as d, cast('NaN' as float) as f, cast('' as string) as s, cast(9223372036854775807 as bigint) as l,
		cast(32767 as smallint) as h, cast(-128 as tinyint) as b, cast('0001-01-01' as date) as day, cast('12345678901234567890.123456789012345678' as decimal(38,18)) as m,
		unhex('00ff') as x, true as y
	union all select 2, -0.0e0, cast(-0.0e0 as float), 'null', cast('-9223372036854775808' as bigint), cast(-32768 as smallint), cast(127 as tinyint), cast('9999-12-31' as date),
		cast('-0.000000000000000001' as decimal(38,18)), unhex(''), false
	union all select 3, cast('Infinity' as double), cast('-Infinity' as float), '😀é' || chr(10) || '"' || chr(39) || chr(92), 0, cast(0 as smallint), cast(0 as tinyint), cast('1970-01-01' as date),
		cast('0' as decimal(38,18)), unhex('27'), null
	union all select 4, 4.9e-324, cast(1.5 as float), null, null, null, null, null, null, null, null
	union all select 5, 1.7976931348623157e308, cast(3.4028235e38 as float), 'ﷺ', 1, cast(1 as smallint), cast(1 as tinyint), cast('2024-02-29' as date),
		cast('1' as decimal(38,18)), unhex('41'), true`

var nastyTexts = []string{
	"1|NaN|NaN||9223372036854775807|32767|-128|0001-01-01T00:00:00Z|12345678901234567890.123456789012345678|x00ff|true",
	"2|-0.0|-0.0|null|-9223372036854775808|-32768|127|9999-12-31T00:00:00Z|-0.000000000000000001|x|false",
	"3|+Inf|-Inf|😀é\n\"'\\|0|0|0|1970-01-01T00:00:00Z|0.000000000000000000|x27|null",
	"4|5e-324|1.5|null|null|null|null|null|null|null|null",
	"5|1.7976931348623157e+308|3.4028234663852886e+38|ﷺ|1|1|1|2024-02-29T00:00:00Z|1.000000000000000000|x41|true",
}

func keepsNastyValues(t *testing.T, b *bench) {
	table := b.table("nasty")
	b.publish(nastyRows, engine.Output{Table: table, Mode: engine.Append})
	b.wantTable(table, "*", nastyTexts...)
	again := b.publish(nastyRows, engine.Output{Table: table, Mode: engine.Overwrite})
	if again.After != again.Before || again.Unchanged != int64(len(nastyTexts)) {
		t.Errorf("writing the same rows over themselves: %+v", again)
	}
	b.publish(nastyRows, engine.Output{Table: table, Mode: engine.Merge, Keys: []string{"n"}, Newer: "source.n <> 3"})
	b.wantTable(table, "*", nastyTexts...)
}

// boundsHold compares the log's statistics with the rows. Bounds may be wider than the values, never narrower.
func boundsHold(t *testing.T, b *bench) {
	table := b.table("nasty")
	b.publish(nastyRows, engine.Output{Table: table, Mode: engine.Append})
	s := b.snapshot(table)
	if n, ok := s.NumRecords(); !ok || n != 5 {
		t.Errorf("the log counts %d rows, known: %v", n, ok)
	}
	day := func(y int, m time.Month, d int) time.Time { return time.Date(y, m, d, 0, 0, 0, 0, time.UTC) }
	for _, p := range []delta.Predicate{
		delta.Col("d").Eq(math.NaN()), delta.Col("d").Ge(math.Inf(1)), delta.Col("d").Eq(0.0), delta.Col("d").Eq(math.Copysign(0, -1)), delta.Col("d").Eq(math.MaxFloat64),
		delta.Col("f").Eq(math.NaN()), delta.Col("f").Le(math.Inf(-1)), delta.Col("f").Eq(1.5),
		delta.Col("s").Eq(""), delta.Col("s").Eq("ﷺ"), delta.Col("s").Ge("😀"), delta.Col("s").IsNull(),
		delta.Col("l").Eq(int64(math.MaxInt64)), delta.Col("l").Eq(int64(math.MinInt64)), delta.Col("h").Eq(32767), delta.Col("b").Eq(-128),
		delta.Col("day").Eq(day(1, 1, 1)), delta.Col("day").Eq(day(9999, 12, 31)),
		delta.Col("m").Eq(delta.DecimalValue("12345678901234567890.123456789012345678")), delta.Col("m").Lt(delta.DecimalValue("0.000000000000000000")),
		delta.Col("n").IsNull(),
	} {
		var found int
		for _, err := range s.Files(p) {
			if err != nil {
				t.Fatal(err)
			}
			found++
		}
		if want := 1; p.String() != delta.Col("n").IsNull().String() && found != want {
			t.Errorf("the file is skipped for %s, which a row of it meets", p)
		} else if p.String() == delta.Col("n").IsNull().String() && found != 0 {
			t.Errorf("the file is read for %s, though it has no nulls there", p)
		}
	}
}

func agreesOnFunctions(_ *testing.T, b *bench) {
	b.define("f", `select cast('2026-07-20T14:49:32Z' as string) as text, array_join(split('a,b', ','), '+') as joined`)
	b.want(`select regexp_like('abc', '^a.c$'), joined, split(concat_ws(chr(31), 'x', null, 'y'), chr(31)), concat_ws(',', cast(null as string)) from f`,
		"true|a+b|[x,y]|")
	b.parse([]engine.Column{column("t", delta.Timestamp, "$.t")}, `{"t":"2026-07-20T14:49:32.5Z"}`, `{"t":"1957-10-04T00:00:00.5Z"}`)
	b.want(`select year(t), quarter(t), month(t), date_trunc('week', t), date_trunc('year', t) + interval '3' month - interval '1' second, unix_seconds(t), unix_micros(t), cast(to_date(t) as string), cast(to_date(t - interval '1' second) as string) from parsed order by n`,
		"2026|3|7|2026-07-20T00:00:00Z|2026-03-31T23:59:59Z|1784558972|1784558972500000|2026-07-20|2026-07-20",
		"1957|4|10|1957-09-30T00:00:00Z|1957-03-31T23:59:59Z|-386380800|-386380799500000|1957-10-04|1957-10-03")
	b.define("order_of_nulls", "select 1 as n, cast(null as string) as s union all select 2, '' union all select 3, 'a'")
	b.want("select n from order_of_nulls order by s", "1", "2", "3")
	b.want("select n from order_of_nulls order by s desc", "3", "2", "1")
	b.want("select trim('  a b  '), length(trim(concat(chr(9), ' ', chr(9)))), length(trim(' '))", "a b|3|1")
	b.want(`select median(v), max_by(k, v), count(*) filter (where v > 1), sum(case when v > 1 then 1 else 0 end) / count(*) from (select 'a' as k, 1 as v union all select 'b', 2) t`,
		"1.5|b|1|0.5")
}

package enginetest

import (
	"strings"
	"testing"

	"launchlake/internal/delta"
	"launchlake/internal/engine"
)

var stringArray = &delta.Array{Element: delta.String, ContainsNull: true}

func column(name string, t delta.Type, paths ...string) engine.Column {
	return engine.Column{Name: name, Type: t, Paths: paths}
}

func parsesValues(_ *testing.T, b *bench) {
	b.parse([]engine.Column{
		column("s", delta.String, "$.s"), column("l", delta.Long, "$.a.l"), column("i", delta.Integer, "$.a.i"),
		column("d", delta.Double, "$.d"), column("f", delta.Boolean, "$.f"), column("t", delta.Timestamp, "$.t"),
		column("day", delta.Date, "$.day"), column("list", stringArray, "$.list[*].name"), column("second", delta.String, "$.list[1].name"),
	},
		`{"s":"a \"quoted\" \\ \n é 😀","a":{"l":9223372036854775807,"i":-5},"d":1.5e3,"f":true,"t":"2026-07-20T14:49:32Z","day":"1957-10-04","list":[{"name":"x"},{"name":"y"}]}`,
		" \n\t{\"s\":\"\",\"a\":{\"l\":\"12\",\"i\":3.0},\"d\":\"28.56194122\",\"f\":\"false\",\"t\":\"2026-07-20T16:49:32.123456+02:00\",\"list\":[]}",
		`{"s":17,"a":{},"d":-0.0,"f":null,"t":"1957-10-04 19:28:34","list":[{"name":null},{"other":1}]}`,
		`{"s":true,"a":null,"d":7,"unknown":{"deep":[1,2,3]},"t":"0001-01-01T00:00:00Z","day":"9999-12-31"}`,
		`{}`,
	)
	b.want("select n, _parsed, _wrong_types, s, l, i, d, f, t, day, list, second from parsed order by n",
		"0|true|[]|a \"quoted\" \\ \n é 😀|9223372036854775807|-5|1500|true|2026-07-20T14:49:32Z|1957-10-04T00:00:00Z|[x,y]|y",
		"1|true|[]||12|3|28.56194122|false|2026-07-20T14:49:32.123456Z|null|[]|null",
		"2|true|[]|17|null|null|0|null|1957-10-04T19:28:34Z|null|[null]|null",
		"3|true|[]|true|null|null|7|null|0001-01-01T00:00:00Z|9999-12-31T00:00:00Z|null|null",
		"4|true|[]|null|null|null|null|null|null|null|null|null",
	)
}

// zerosHaveNoSign reads zeros, also those that a number is too small for, and stores them with others in one file.
func zerosHaveNoSign(_ *testing.T, b *bench) {
	b.parse([]engine.Column{column("d", delta.Double, "$.a.d", "$.l[0].d"), column("f", delta.Float, "$.a.f", "$.l[0].f")},
		`{"a":{"d":-0.0,"f":-0.0}}`, `{"a":{"d":"-0.0","f":"-0"}}`, `{"l":[{"d":-0e0,"f":-1e-400}]}`, `{"l":[{"d":-1e-400,"f":"-0.000"}]}`, `{"a":{"d":0.0,"f":0}}`,
		`{"a":{"d":-4.9e-324,"f":-1.5}}`)
	table := b.table("zeros")
	b.publish("select n, d, f from parsed", engine.Output{Table: table, Mode: engine.Append})
	b.wantTable(table, "n, d, f", "0|0|0", "1|0|0", "2|0|0", "3|0|0", "4|0|0", "5|-5e-324|-1.5")
}

func triesPathsInOrder(_ *testing.T, b *bench) {
	b.parse([]engine.Column{
		column("type", delta.String, "$.type.name", "$.type"),
		column("code", delta.String, "$.country[*].code", "$.country_code"),
		column("family", delta.String, "$.families[0].parent.name", "$.families[0].name", "$.family"),
	},
		`{"type":{"id":1,"name":"Government"},"country":[{"code":"FRA"},{"code":"USA"}],"families":[{"name":"Falcon 9","parent":{"name":"Falcon"}}]}`,
		`{"type":"Commercial","country_code":"AUS,SGP","families":[{"name":"Falcon","parent":null}]}`,
		`{"type":{"id":1,"name":null},"country":[],"country_code":"XXX","family":"Ariane","families":[]}`,
		`{"type":null,"country":[{"code":null}]}`,
		`{"type":[1]}`,
	)
	b.want("select n, type, code, family, _wrong_types from parsed order by n",
		"0|Government|FRA,USA|Falcon|[]",
		"1|Commercial|AUS,SGP|Falcon|[]",
		"2|null||Ariane|[]",
		"3|null||null|[]",
		"4|null|null|null|[type]",
	)
}

func namesWrongTypes(_ *testing.T, b *bench) {
	b.parse([]engine.Column{
		column("s", delta.String, "$.s"), column("i", delta.Integer, "$.i"), column("d", delta.Double, "$.d"),
		column("f", delta.Boolean, "$.f"), column("t", delta.Timestamp, "$.t"), column("day", delta.Date, "$.day"),
		column("list", stringArray, "$.list[*].name"), column("joined", delta.String, "$.list[*].name"),
	},
		`{"s":{"a":1},"i":"three","d":"north","f":"yes","t":"soon","day":"2026-02-30","list":"x"}`,
		`{"s":["a"],"i":2147483648,"d":"NaN","f":1,"t":1700000000,"day":"2026-01-02T00:00:00Z","list":[{"name":{"a":1}}]}`,
		`{"i":3.5,"d":1e400,"t":"2026-02-30T00:00:00Z"}`,
		`{"i":9223372036854775808,"d":"Infinity","t":"2016-12-31T23:59:60Z"}`,
		`{"i":"","d":"","f":"","t":"","day":""}`,
		`{"i":" 5","d":"1_000","t":"infinity","day":"epoch"}`,
	)
	b.want("select n, array_join(_wrong_types, ' '), coalesce(s, cast(i as string), cast(d as string), cast(f as string), cast(t as string), cast(day as string), array_join(list, ' '), joined) from parsed order by n",
		"0|s i d f t day list joined|null",
		"1|s i d f t day list joined|null",
		"2|i d t|null",
		"3|i d t|null",
		"4|i d f t day|null",
		"5|i d t day|null",
	)
}

// survivesDocuments feeds what a hostile or broken source could send. Whether a document with half a surrogate is JSON, and
// whether a value of thousands of levels is named as wrong, is left to the engine.
func survivesDocuments(t *testing.T, b *bench) {
	big := strings.Repeat("x", 1<<20)
	documents := []string{
		"", " ", "null", "17", `"text"`, "[]", `[{"s":"in an array"}]`, "{", `{"s":`, "<html></html>", "{\"s\":\"\xff\xfe\"}", "\x00", `{"s":"a"} {"s":"b"}`,
		`{"s":` + strings.Repeat("[", 5000) + strings.Repeat("]", 5000) + `}`,
		`{"s":"\ud800"}`, `{"s":"` + big + `"}`, `{"s":"a\u0000b"}`, `{"":1,"$":2,"s.s":3,"s":"odd keys"}`,
	}
	b.parse([]engine.Column{column("s", delta.String, "$.s"), column("i", delta.Integer, "$.s"), column("list", stringArray, "$.s[*].s")}, documents...)
	b.want("select n, _parsed, coalesce(length(s), 0) from parsed where n < 13 and (_parsed or s is not null)")
	b.want("select n, _parsed, length(s), _wrong_types from parsed where n in (15, 16, 17) order by n",
		"15|true|1048576|[i,list]", "16|true|3|[i,list]", "17|true|8|[i,list]")
	b.want("select _parsed, s, i from parsed where n = 13", "true|null|null")
	b.want("select count(*) from parsed", "18")
}

func skipsDocuments(t *testing.T, b *bench) {
	b.define("documents", `select 1 as n, '{"s":"a"}' as raw, cast(null as string) as defect union all select 2, '{"s":"b"}', 'bad' union all select 3, null, null`)
	err := b.Parse(t.Context(), "parsed", engine.Documents{
		From: "documents", Document: "raw", Skip: "defect is not null", Columns: []engine.Column{column("s", delta.String, "$.s")},
	})
	if err != nil {
		t.Fatal(err)
	}
	b.want("select n, defect, _parsed, s from parsed order by n", "1|null|true|a", "2|bad|false|null", "3|null|false|null")
}

func refusesHiddenColumns(t *testing.T, b *bench) {
	b.documents("documents", `{}`)
	for _, d := range []engine.Documents{
		{From: "documents", Document: "raw", Columns: []engine.Column{column("n", delta.String, "$.n")}},
		{From: "documents", Document: "text", Columns: []engine.Column{column("s", delta.String, "$.s")}},
		{From: "documents", Document: "n", Columns: []engine.Column{column("s", delta.String, "$.s")}},
		{From: "nowhere", Document: "raw", Columns: []engine.Column{column("s", delta.String, "$.s")}},
		{From: "documents", Document: "raw", Columns: []engine.Column{column("s", delta.Binary, "$.s")}},
	} {
		if err := b.Parse(t.Context(), "parsed", d); err == nil {
			t.Errorf("parsed %+v", d)
		}
	}
}

func keepsParsedValues(_ *testing.T, b *bench) {
	b.parse([]engine.Column{column("s", delta.String, "$.s"), column("list", stringArray, "$.list"), column("t", delta.Timestamp, "$.t")},
		`{"s":"a\u0000b😀\r\n","list":["",null,"ü"],"t":"9999-12-31T23:59:59.999999Z"}`, `{"s":"","list":[]}`, `{}`)
	table := b.table("parsed")
	b.publish("select n, s, list, t from parsed", engine.Output{Table: table, Mode: engine.Append})
	b.wantTable(table, "n, s, list, t", "0|a\x00b😀\r\n|[,null,ü]|9999-12-31T23:59:59.999999Z", "1||[]|null", "2|null|null|null")
}

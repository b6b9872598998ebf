package duckdb_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"launchlake/internal/contract"
	"launchlake/internal/delta"
	"launchlake/internal/engine"
	"launchlake/internal/engine/duckdb"
	"launchlake/internal/launchapi/recorded"
	"launchlake/internal/rawjson"
)

var listOfTexts = &delta.Array{Element: delta.String, ContainsNull: true}

// everyType are columns of all types, and paths of all kinds.
func everyType() []engine.Column {
	types := map[string]delta.Type{
		"text": delta.String, "long": delta.Long, "integer": delta.Integer, "short": delta.Short, "byte": delta.Byte,
		"double": delta.Double, "float": delta.Float, "boolean": delta.Boolean, "moment": delta.Timestamp, "day": delta.Date, "list": listOfTexts,
	}
	var columns []engine.Column
	for name, t := range types {
		columns = append(columns,
			engine.Column{Name: name, Type: t, Paths: []string{"$.v"}},
			engine.Column{Name: name + "_within", Type: t, Paths: []string{"$.o.p.v", "$.o.p", "$.o"}},
			engine.Column{Name: name + "_second", Type: t, Paths: []string{"$.a[1].v", "$.a[1]", "$.a[0]", "$.v"}},
			engine.Column{Name: name + "_each", Type: t, Paths: []string{"$.v[*]"}},
			engine.Column{Name: name + "_each_within", Type: t, Paths: []string{"$.a[*].v", "$.o.p.a[*][0].v", "$.v"}})
	}
	slices.SortFunc(columns, func(a, b engine.Column) int { return strings.Compare(a.Name, b.Name) })
	return columns
}

// nastyValues are values of JSON, valid ones all of them.
func nastyValues() []string {
	values := []string{
		`null`, `true`, `false`, `""`, `"null"`, `"true"`, `"a"`, `"twelve bytes"`, `"thirteen byte"`, `"a \"quoted\" \\ \/ \b\f\n\r\t é 😀 \u00e9 \ud83d\ude00 \u0000"`,
		`{}`, `[]`, `[[]]`, `[null]`, `[1,"b",true,null,1.50]`, `["a",{}]`, `{"v":1}`, `{"v":"x","v":"y"}`, `{"\u0076":"escaped"}`, `[{"v":"x"},{"w":1},{"v":null},{"v":2}]`,
		`[{"v":[]}]`, `[[{"v":"deep"}],[],[{"v":2e0}]]`, `[{"v":"a,b"},{"v":""}]`, `"2026-02-29"`, `"{}"`, `"[]"`,
		"\"" + strings.Repeat("long ", 2000) + "\"", strings.Repeat("[", 600) + strings.Repeat("]", 600),
	}
	for _, number := range []string{
		"0", "-0", "7", "127", "128", "-128", "-129", "32767", "32768", "2147483647", "2147483648", "-2147483648", "-2147483649", "9007199254740993",
		"9223372036854775807", "9223372036854775808", "-9223372036854775808", "-9223372036854775809", "18446744073709551615", "18446744073709551616", "123456789012345678901234567890",
		"0.0", "-0.0", "1.0", "1.50", "3.00", "1e2", "1E+2", "1e-2", "1e20", "1e21", "1e22", "123e18", "1e-5", "1e-6", "1e-7", "12345e-10", "1.5e-10", "0.1e1", "9007199254740993.0",
		"1e308", "1.7976931348623157e308", "1.7976931348623159e308", "1e309", "-1e309", "1e400", "5e-324", "4.9e-324", "2e-324", "1e-400", "-1e-400", "3.4028235e38", "3.4028236e38", "1e39", "1e-45", "1e-46",
		"0.1", "0.30000000000000004", "16777217", "16777217.0", "1.00000017881393432617187499", "1.00000017881393432617187500", "1.00000017881393432617187501", "9.5367431640625e-07", "123456.789e3",
		strings.Repeat("9", 400), "0." + strings.Repeat("0", 400) + "1", "1" + strings.Repeat("0", 25) + ".0",
	} {
		values = append(values, number, `"`+number+`"`)
	}
	for _, text := range []string{
		"007", "-007", "+5", " 5", "5 ", "5.", ".5", "1_000", "0x10", "1e", "1e+", "-", "NaN", "nan", "Infinity", "-inf", "TRUE", "True", "t", "1", "1.0e0", "--1", "1.2.3", "１",
		"2026-07-20T14:49:32Z", "2026-07-20 14:49:32", "2026-07-20T14:49:32", "2026-07-20t14:49:32Z", "2026-07-20T14:49:32z", "2026-07-20T14:49Z", "2026-07-20T14:49:32.1Z", "2026-07-20T14:49:32.123456Z",
		"2026-07-20T14:49:32.1234567Z", "2026-07-20T14:49:32.9999999Z", "2026-07-20T14:49:32.123456789123Z", "2026-07-20T14:49:32.Z", "2026-07-20T14:49:32,5Z", "2026-07-20T24:00:00Z", "2026-07-20T23:59:60Z",
		"2026-07-20T14:49:32+02:00", "2026-07-20T14:49:32-0530", "2026-07-20T14:49:32+05", "2026-07-20T14:49:32+18:59", "2026-07-20T14:49:32-18:59", "2026-07-20T14:49:32+19:00", "2026-07-20T14:49:32+05:60",
		"2026-07-20T14:49:32+5", "2026-07-20T14:49:32+05:", "2026-07-20T14:49:32+053", "2026-07-20T14:49:32 +05:00", "2026-07-20T14:49:32 UTC", "2026-07-20T14:49:32Z ", "2026-02-30T00:00:00Z", "2024-02-29T00:00:00Z",
		"1900-02-29T00:00:00Z", "0000-01-01T00:00:00Z", "0000-01-01T00:00:00+18:00", "0001-01-01T00:00:00Z", "0001-01-01T00:00:00", "1500-03-01T00:00:00", "1500-03-01T00:00:00Z", "1582-10-10T00:00:00", "9999-12-31T23:59:59.999999Z",
		"9999-12-31T23:59:59.999999-18:59", "1969-12-31T23:59:59.999999Z", "0000-00-00T00:00:00Z", "2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z", "2026-01-00T00:00:00Z", "12026-01-01T00:00:00Z", "2026-1-1T00:00:00Z",
		"1957-10-04", "0000-01-01", "9999-12-31", "2026-02-30", "2026-2-3", "infinity", "epoch", "2026/01/02", "20260102", "2026-01-02T", "-2026-01-02",
	} {
		values = append(values, `"`+text+`"`)
	}
	return values
}

// nastyDocuments are documents; DuckDB takes for JSON what is none, which is not among them.
func nastyDocuments() []string {
	documents := []string{
		"", " ", "null", "17", `"text"`, "[]", `[{"v":"in an array"}]`, "{", `{"v":`, "<html></html>", "\x00", "\ufeff{}", `{"v":"a"} {"v":"b"}`, `{"v":"a"}x`, `{"v":1 "w":2}`, `{v:1}`, `{'v':1}`, `{"v":01}`, `{"v":.5}`, `{"v":+1}`,
		`{"v":tru}`, "{\"v\":\"\xff\xfe\"}", "{\"v\":\"\xc0\x80\"}", "{\"v\":\"\xed\xa0\x80\"}", "{\"v\":\"\xf4\x90\x80\x80\"}", "{\"w\":\"\x01\",\"v\":1}", "{\"v\":\"a\nb\"}", `{"v":"\x"}`, `{"v":"\u12"}`, `{"v":"\u12g4"}`,
		`{"v":"\ud800"}`, `{"v":"\udc00"}`, `{"v":"\ud800\u0041"}`, `{"v":"\ud800x"}`, `{"w":"\ud800","v":1}`, `{"\ud800":1,"v":1}`, `{"v":"\ud83d\ude00","w":{"deep":["\ud83d"]}}`,
		"\v{}", "\f{}", "\u00a0{}", " \n\t\r{\"v\":1}\r\t\n ", "{ \"v\" : [ 1 , 2 ] , \"a\" : [ { \"v\" : 1 } , 2 ] }", `{"":1,"$":2,"v.v":3,"v":"odd keys","o.p":4}`,
		`{"v":1,"v":2}`, `{"v":null,"v":2}`, `{"o":{"p":1},"o":{"p":{"v":2}}}`, `{"o":null,"o":{"p":{"v":2}}}`, `{"o":{},"o":{"p":{"v":2}}}`, `{"a":[1],"a":[1,2]}`, `{"V":1,"O":{"P":2}}`, `{"o":[{"p":1}],"a":{"0":1,"1":2,"v":3}}`,
		`{"v":` + strings.Repeat("[", 3000) + strings.Repeat("]", 3000) + `}`, `{"w":` + strings.Repeat(`{"v":[`, 3000) + strings.Repeat("]}", 3000) + `,"v":1}`, `{"w":` + strings.Repeat("[", 3000) + `}`,
		`{"v":"` + strings.Repeat("x", 1<<20) + `"}`,
	}
	for _, v := range nastyValues() {
		documents = append(documents, `{"v":`+v+`}`, `{"o":{"q":[],"p":`+v+`},"a":[`+v+`]}`, `{"o":`+v+`,"a":[{"v":1},`+v+`]}`, `{"o":{"p":{"a":[[{"v":`+v+`}],`+v+`],"v":`+v+`}},"a":`+v+`}`)
	}
	return documents
}

// relations numbers what tests define.
var relations atomic.Int64

// parsedBoth gives what documents are parsed to here, and by DuckDB's own functions, a line for each.
func parsedBoth(t *testing.T, e *duckdb.Engine, columns []engine.Column, documents []string) (got, want []string) {
	t.Helper()
	rows := make([]string, len(documents))
	for n, d := range documents {
		rows[n] = fmt.Sprintf("(%d, unhex('%x'))", n, d)
	}
	name := fmt.Sprintf("documents_%d", relations.Add(1))
	if err := e.Define(t.Context(), name, "select n, raw from (values "+strings.Join(rows, ", ")+") v(n, raw)", engine.Once); err != nil {
		t.Fatal(err)
	}
	d := engine.Documents{From: name, Document: "raw", Columns: columns}
	if err := e.Parse(t.Context(), name+"_here", d); err != nil {
		t.Fatal(err)
	}
	if err := e.ParseBySQL(t.Context(), name+"_by_sql", d); err != nil {
		t.Fatal(err)
	}
	return lines(t, e, name+"_here", columns), lines(t, e, name+"_by_sql", columns)
}

func lines(t *testing.T, e *duckdb.Engine, relation string, columns []engine.Column) []string {
	t.Helper()
	rows, err := e.Query(t.Context(), "select * from "+relation+" order by n")
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for row, err := range rows.All {
		if err != nil {
			t.Fatal(err)
		}
		line := fmt.Sprint(row[:3])
		for i, v := range row[3:] {
			if f, ok := v.(float64); ok && f == 0 && math.Signbit(f) {
				v = "-0.0"
			}
			line += fmt.Sprintf(" %s=%#v", columns[i].Name, v)
		}
		all = append(all, line)
	}
	return all
}

func wantSame(t *testing.T, documents, got, want []string) {
	t.Helper()
	if len(got) != len(documents) || len(want) != len(documents) {
		t.Fatalf("%d documents are %d rows here and %d by SQL", len(documents), len(got), len(want))
	}
	for i := range documents {
		if got[i] != want[i] {
			t.Errorf("document %.200q (-by SQL +here):\n%s", documents[i], cmp.Diff(strings.Split(want[i], " "), strings.Split(got[i], " ")))
		}
	}
}

func TestDocumentsAreParsedAsDuckDBWould(t *testing.T) {
	e := open(t)
	defer e.Close()
	documents := nastyDocuments()
	got, want := parsedBoth(t, e, everyType(), documents)
	wantSame(t, documents, got, want)
}

func TestLaunchesAreParsedAsDuckDBWould(t *testing.T) {
	c, err := contract.Load("launches")
	if err != nil {
		t.Fatal(err)
	}
	var columns []engine.Column
	for _, column := range c.Columns {
		if len(column.Paths) > 0 {
			columns = append(columns, engine.Column{Name: column.Name, Type: column.Type, Paths: column.Paths})
		}
	}
	var documents []string
	for n := 1; n <= 2; n++ {
		state, err := recorded.State(n)
		if err != nil {
			t.Fatal(err)
		}
		for _, raw := range state {
			documents = append(documents, string(raw))
		}
	}
	for raw := range recorded.Generate(3000, 7) {
		documents = append(documents, string(raw))
	}
	e := open(t)
	defer e.Close()
	got, want := parsedBoth(t, e, columns, documents)
	wantSame(t, documents, got, want)
}

// TestWhatIsNoJSONIsNotParsed: DuckDB's functions take these for JSON.
func TestWhatIsNoJSONIsNotParsed(t *testing.T) {
	documents := []string{`{"v":1,}`, `{"v":NaN}`, `{"v":Infinity}`, `{"v":-Infinity}`, `{"v":[1,]}`}
	e := open(t)
	defer e.Close()
	got, want := parsedBoth(t, e, everyType()[:1], documents)
	for i := range documents {
		if !strings.Contains(got[i], "false") || strings.Contains(want[i], "false") {
			t.Errorf("%s: here %s, by SQL %s", documents[i], got[i], want[i])
		}
	}
}

func FuzzParse(f *testing.F) {
	// Few, for all of them are in the test above.
	for _, d := range []string{`{"v":1.50,"o":{"p":{"v":"2026-07-20T14:49:32.5+02:00"}},"a":[{"v":"a\u00e9"},[1,null]]}`, `{"v":[1,"b",true,null],"o":null,"a":{}}`, `{"v":"\ud83d"}`} {
		f.Add([]byte(d))
	}
	e, err := duckdb.Open(f.Context(), duckdb.Options{Folder: f.TempDir()})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = e.Close() })
	columns := everyType()
	f.Fuzz(func(t *testing.T, document []byte) {
		if _, ok := rawjson.Valid(document); !ok {
			return // not all of what DuckDB takes for JSON is
		}
		got, want := parsedBoth(t, e, columns, []string{string(document)})
		wantSame(t, []string{string(document)}, got, want)
	})
}

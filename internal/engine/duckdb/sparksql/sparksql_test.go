package sparksql_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"launchlake/internal/delta"
	"launchlake/internal/engine/duckdb/sparksql"
)

var now = time.Date(2026, 7, 14, 1, 2, 3, 0, time.UTC)

var schema = func() *delta.Schema {
	s := &delta.Schema{}
	for _, f := range []delta.Field{
		{Name: "L", Type: delta.Long}, {Name: "i", Type: delta.Integer}, {Name: "b", Type: delta.Byte}, {Name: "d", Type: delta.Double}, {Name: "f", Type: delta.Float},
		{Name: "m", Type: delta.Decimal{Precision: 10, Scale: 2}}, {Name: "s", Type: delta.String}, {Name: "y", Type: delta.Boolean}, {Name: "x", Type: delta.Binary},
		{Name: "day", Type: delta.Date}, {Name: "t", Type: delta.Timestamp}, {Name: "u", Type: delta.TimestampNTZ},
		{Name: "g", Type: &delta.Struct{Fields: []delta.Field{{Name: "in.side", Type: delta.Long, Nullable: true}}}},
		{Name: "list", Type: &delta.Array{Element: delta.Long}}, {Name: "two", Type: delta.Long}, {Name: "TWO", Type: delta.Long},
		{Name: "wide", Type: delta.Decimal{Precision: 38, Scale: 10}},
	} {
		f.Nullable = true
		s.Fields = append(s.Fields, f)
	}
	return s
}()

func TestWhatDuckDBWouldNotEvaluateAsSparkIsRefusedByItsName(t *testing.T) {
	for text, want := range map[string]string{
		"soundex(s) = 'A'":                       "the function soundex",
		"s > 5":                                  "a string and a integer together",
		"i = '5'":                                "together",
		"f > i":                                  "Spark's modes differ",
		"m / 2 > 1":                              "/ of decimals",
		"wide + wide > 0":                        "so many digits",
		"wide > 123456789012345678901234567890L": "",
		"s = 'it''s'":                            "two quotes in a row",
		"s = 'a' 'b'":                            "two quotes in a row",
		`s = '\u0041'`:                           `the escape \u`,
		"nope > 1":                               "there is no column nope",
		"two > 1":                                "several columns",
		"g.other = 1":                            "there is no column other",
		"i.x = 1":                                "i has no members",
		"list = list":                            "together",
		"list[0] = 1":                            "it holds '['",
		"i >":                                    "the end stands where a value is expected",
		"i > 1)":                                 "not understood where it stands",
		"(i > 1":                                 "where ) is expected",
		"i > 1 -- why":                           "comment",
		"i > 1 /* why */":                        "comment",
		"day > '2020-1-5'":                       "write it as yyyy-MM-dd",
		"t > '2020'":                             "write it as",
		"s LIKE i":                               "LIKE",
		"s LIKE 'a' ESCAPE '!'":                  "ESCAPE",
		`s LIKE 'a\\b'`:                          "a backslash escapes",
		"s RLIKE s":                              "no literal",
		`s RLIKE 'a(?i)b'`:                       "(? of a kind",
		`s RLIKE 'a\\bc'`:                        `\b`,
		`s RLIKE 'a$|b'`:                         "$ before the end",
		`s RLIKE '[a&&b]'`:                       "in a class",
		`s RLIKE 'a++'`:                          "possessive",
		"substring(s, i, 2) = 'a'":               "bounds",
		"substring(s, 0, 2) = 'a'":               "bounds",
		"i + y > 1":                              "+ of a integer and a boolean",
		"i AND y":                                "a condition is expected",
		"CAST(s AS INT) > 1":                     "a cast from string to integer",
		"CAST(d AS STRING) = '1'":                "a cast from double to string",
		"CAST(i AS INTERVAL) = 1":                "a cast to",
		"day + INTERVAL '1' DAY > day":           "INTERVAL",
		"date_format(day, 'EEE') = ''":           "pattern",
		"size(list) > 0":                         "the function size",
		"EXISTS (SELECT 1)":                      "",
		"i = 1 ; DROP TABLE x":                   "it holds ';'",
		"rand() > 0.5":                           "the function rand",
		"length(s, s) > 1":                       "with 2 arguments",
		"CASE WHEN i THEN 1 END > 0":             "a condition is expected",
		strings.Repeat("(", 5000) + "i":          "nested too deep",
		strings.Repeat("NOT ", 5000) + "y":       "nested too deep",
		strings.Repeat("- ", 5000) + "i":         "nested too deep",
		"\xff":                                   "it is no text",
		"i":                                      "not a condition",
	} {
		_, err := sparksql.Condition(text, schema, now)
		var unsupported *sparksql.UnsupportedError
		if !errors.As(err, &unsupported) || !strings.Contains(unsupported.Reason, want) {
			t.Errorf("%.100s: got %v, want %q", text, err, want)
		}
	}
}

func TestConditionsSayWhichFilesTheyNeed(t *testing.T) {
	for text, want := range map[string]string{
		"i > 5":                           "i > 5",
		"5 > i and L <= 3":                "(i < 5) AND (L <= 3)",
		"NOT (i = 5 OR L IS NULL)":        "NOT ((i = 5) OR (L IS NULL))",
		"i = 5 OR length(s) > 3":          "",
		"i = 5 AND length(s) > 3":         "i = 5",
		"NOT (i = 5 AND length(s) > 3)":   "",
		"i BETWEEN 1 AND 3":               "(i >= 1) AND (i <= 3)",
		"s IN ('a', 'b')":                 "(s = 'a') OR (s = 'b')",
		"i <> 5":                          "NOT (i = 5)",
		"i <=> 5":                         "(NOT (i IS NULL)) AND (i = 5)",
		"d > 5":                           "d > 5",
		"d < 1.5":                         "d < 1.5",
		"f < 1.5":                         "f < 1.5",
		"b < 300":                         "b < 300",
		"m < 1.5":                         "",
		"i < 1.5":                         "",
		"m = 12345678.90":                 "m = 12345678.90",
		"y":                               "y = true",
		"not y":                           "NOT (y = true)",
		"(y) is true":                     "y = true",
		"day >= '2020-01-05'":             "day >= TIMESTAMP '2020-01-05 00:00:00Z'",
		"t > '2020-01-05T01:00:00+01:00'": "t > TIMESTAMP '2020-01-05 00:00:00Z'",
		"G.`in.side` = 1":                 "g.`in.side` = 1",
		"true":                            "true",
		"false":                           "false",
		"null":                            "",
		"i = null":                        "",
	} {
		e, err := sparksql.Condition(text, schema, now)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		got := ""
		if e.Filter != nil {
			got = e.Filter.String()
		}
		if got != want {
			t.Errorf("%s: filter %q, want %q", text, got, want)
		}
	}
}

func TestExpressionsNameTheirColumns(t *testing.T) {
	e, err := sparksql.Condition("G.`in.side` > l and coalesce(I, 1) > 0 and l > 1", schema, now)
	if got := strings.Join(e.Columns, " "); err != nil || got != "L g i" {
		t.Errorf("%q, %v", got, err)
	}
}

func FuzzTranslate(f *testing.F) {
	for _, text := range []string{"i > 5 AND s LIKE 'a%'", "CASE WHEN y THEN 1 ELSE 2.5 END > d", `s RLIKE '^[a-z]+\\d$'`, "CAST(t AS DATE) = day", "coalesce(m, 1.50BD) <=> -1e3", "`L` IN (1, 2L, .5)"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		e, err := sparksql.Translate(text, schema, now)
		var unsupported *sparksql.UnsupportedError
		if err != nil && !errors.As(err, &unsupported) {
			t.Errorf("%T: %v", err, err)
		}
		if err == nil && e.SQL == "" {
			t.Error("no SQL")
		}
	})
}

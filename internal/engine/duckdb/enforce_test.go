package duckdb_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"launchlake/internal/delta"
	"launchlake/internal/engine"
)

func TestNullsWithinNestedColumnsAreRefusedWhereTheTypeHasNone(t *testing.T) {
	integer := func(name string, nullable bool) delta.Field {
		return delta.Field{Name: name, Type: delta.Integer, Nullable: nullable}
	}
	schema := &delta.Schema{Fields: []delta.Field{
		{Name: "s", Type: &delta.Struct{Fields: []delta.Field{integer("x", false), integer("y", true)}}, Nullable: true},
		{Name: "a", Type: &delta.Array{Element: delta.Integer}, Nullable: true},
		{Name: "m", Type: &delta.Map{Key: delta.String, Value: &delta.Struct{Fields: []delta.Field{integer("z", false)}}, ValueContainsNull: true}},
		{Name: "deep", Type: &delta.Array{Element: &delta.Array{Element: delta.Integer}, ContainsNull: true}, Nullable: true},
	}}
	const row = "select {'x': 1, 'y': null::int} as s, [1] as a, map {'k': {'z': 1}, 'l': null} as m, [[1], null] as deep"
	e := open(t)
	defer e.Close()
	table := delta.Open(dir(t))
	publish(t, e, row, engine.Output{Table: table, Mode: engine.Append, Schema: schema})
	for change, want := range map[string]string{
		"{'x': null::int, 'y': 1} as s":    "s.x must not be null",
		"null as s":                        "s.x must not be null", // Spark's rule: the struct is required with its member
		"[1, null] as a":                   "a must not be null",
		"null as m":                        "m must not be null",
		"map {'k': {'z': null::int}} as m": "m must not be null",
		"[[1], [2, null]] as deep":         "deep must not be null",
		"null as a":                        "",
		"[] as a":                          "",
		"null as deep":                     "",
	} {
		_, err := e.Publish(t.Context(), fmt.Sprintf("select * replace (%s) from (%s)", change, row), engine.Output{Table: table, Mode: engine.Append, Schema: schema})
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: got %v, want %q", change, err, want)
		}
	}
}

// TestConstraintsAreCheckedOnTheRowsThatAreWritten: a merge leaves out rows that the table has newer, so it may not hold them
// against anything; the rows that it copies are written again and are.
func TestConstraintsAreCheckedOnTheRowsThatAreWritten(t *testing.T) {
	e := open(t)
	defer e.Close()
	table := delta.Open(dir(t))
	out := engine.Output{Table: table, Mode: engine.Merge, Keys: []string{"k"}, Newer: "source.v > target.v", Configuration: map[string]string{"delta.constraints.c": "v > 0"}}
	publish(t, e, "select 1 as k, 5 as v", out)
	if done := publish(t, e, "select 1 as k, -5 as v union all select 2, 1", out); done.Inserted != 1 || done.Unchanged != 1 {
		t.Errorf("%+v", done)
	}
	_, err := e.Publish(t.Context(), "select 1 as k, 6 as v union all select 3, 0", out)
	var broken *delta.ConstraintError
	if !errors.As(err, &broken) || broken.Rows != 1 {
		t.Errorf("got %v", err)
	}
}

func TestStringsAreNoLongerThanSparkDeclaredThem(t *testing.T) {
	limited := func(name, text string) delta.Field {
		return delta.Field{Name: name, Type: delta.String, Nullable: true, Metadata: map[string]json.RawMessage{
			"__CHAR_VARCHAR_TYPE_STRING": json.RawMessage(`"` + text + `"`)}}
	}
	e := open(t)
	defer e.Close()
	table := delta.Open(dir(t))
	if _, err := table.Create(t.Context(), delta.Metadata{Schema: &delta.Schema{Fields: []delta.Field{limited("code", "char(3)"), limited("title", "varchar(5)")}}}); err != nil {
		t.Fatal(err)
	}
	for values, broken := range map[string]string{
		"'abc', 'ééééé'": "", "'a', ''": "", "null::varchar, null::varchar": "", "'abcd', 'x'": "code", "'abc', 'éééééé'": "title",
	} {
		_, err := e.Publish(t.Context(), "select * from (values ("+values+")) t(code, title)", engine.Output{Table: table, Mode: engine.Append})
		var refused *delta.ConstraintError
		switch {
		case broken == "" && err != nil:
			t.Errorf("%s: %v", values, err)
		case broken != "" && (!errors.As(err, &refused) || refused.Constraint.Rule != delta.LengthRule || refused.Constraint.Name != broken):
			t.Errorf("%s: got %v, want the length of %s to be refused", values, err, broken)
		}
	}
}

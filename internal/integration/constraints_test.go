package integration_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"launchlake/internal/delta"
	"launchlake/internal/engine"
)

// TestSparkKeepsTheConstraintsOfTablesThatWeMake lets Spark and us append to a table with each kind of constraint: good rows are taken, and a
// row that breaks one is refused by both.
func TestSparkKeepsTheConstraintsOfTablesThatWeMake(t *testing.T) {
	spark(t)
	path := t.TempDir()
	with := func(key, text string) map[string]json.RawMessage {
		value, err := json.Marshal(text)
		if err != nil {
			t.Fatal(err)
		}
		return map[string]json.RawMessage{key: value}
	}
	table := openTable(t, path)
	if _, err := table.Create(t.Context(), delta.Metadata{
		Schema: &delta.Schema{Fields: []delta.Field{
			{Name: "id", Type: delta.Long},
			{Name: "twice", Type: delta.Long, Nullable: true, Metadata: with("delta.generationExpression", "id * 2")},
			{Name: "level", Type: delta.Long, Nullable: true, Metadata: with("delta.invariants", `{"expression":{"expression":"level > 3"}}`)},
			{Name: "code", Type: delta.String, Nullable: true, Metadata: with("__CHAR_VARCHAR_TYPE_STRING", "varchar(3)")},
		}},
		Configuration: map[string]string{"delta.constraints.small": "id < 100"},
	}); err != nil {
		t.Fatal(err)
	}
	e := newOurPlayer(t).engine
	ours := func(values string) error {
		_, err := e.Publish(t.Context(), "SELECT * FROM (VALUES ("+values+")) t(id, level, code)", engine.Output{Table: table, Mode: engine.Append})
		return err
	}
	theirs := func(values string) error {
		return spark(t).try("sql", arguments{"text": "INSERT INTO delta.`" + path + "` (id, level, code) VALUES (" + values + ")"}, nil)
	}
	for _, good := range []struct {
		who  func(string) error
		rows string
	}{{ours, "1::BIGINT, 5::BIGINT, 'abc'"}, {theirs, "2, 5, 'éèê'"}, {ours, "3::BIGINT, 6::BIGINT, ''"}, {theirs, "4, 7, NULL"}} {
		if err := good.who(good.rows); err != nil {
			t.Fatalf("%s: %v", good.rows, err)
		}
	}
	for _, bad := range []struct{ ours, theirs, says string }{
		{"500::BIGINT, 5::BIGINT, 'a'", "500, 5, 'a'", "small"},
		{"5::BIGINT, 1::BIGINT, 'a'", "5, 1, 'a'", "level"},
		{"NULL::BIGINT, 5::BIGINT, 'a'", "NULL, 5, 'a'", "id"},
		{"5::BIGINT, 5::BIGINT, 'abcd'", "5, 5, 'abcd'", ""},
	} {
		if err := theirs(bad.theirs); !errors.Is(err, errRefused) || !strings.Contains(err.Error(), bad.says) {
			t.Errorf("Spark says of (%s): %v", bad.theirs, err)
		}
		var broken *delta.ConstraintError
		if err := ours(bad.ours); !errors.As(err, &broken) {
			t.Errorf("we say of (%s): %v", bad.ours, err)
		}
	}
	if err := spark(t).try("sql", arguments{"text": "INSERT INTO delta.`" + path + "` (id, twice, level) VALUES (6, 13, 5)"}, nil); !errors.Is(err, errRefused) {
		t.Errorf("Spark says of a generated column with another value: %v", err)
	}
	want := sorted(t, []map[string]any{
		{"id": 1, "twice": 2, "level": 5, "code": "abc"}, {"id": 2, "twice": 4, "level": 5, "code": "éèê"},
		{"id": 3, "twice": 6, "level": 6, "code": ""}, {"id": 4, "twice": 8, "level": 7, "code": nil},
	})
	for name, rows := range map[string][]map[string]any{
		"lake cat": cat(t, environment{}, path), "spark": spark(t).rows(t, "read", arguments{"path": path}),
	} {
		if diff := cmp.Diff(want, sorted(t, rows)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	if found := check(t, path); len(found) > 0 {
		t.Errorf("the check finds %v", found)
	}
}

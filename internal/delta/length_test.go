package delta_test

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"launchlake/internal/delta"
	"launchlake/internal/objstore"
)

// declared is a column that Spark declared by a type that schemas do not know.
func declared(name string, t delta.Type, text string) delta.Field {
	return delta.Field{Name: name, Type: t, Nullable: true, Metadata: map[string]json.RawMessage{"__CHAR_VARCHAR_TYPE_STRING": json.RawMessage(`"` + text + `"`)}}
}

func TestLimitsOfStringsAreConstraints(t *testing.T) {
	store := objstore.NewMemory()
	s, err := delta.Open(store).Create(t.Context(), delta.Metadata{Schema: &delta.Schema{Fields: []delta.Field{
		declared("code", delta.String, "char(3)"), declared("a`name`", delta.String, "varchar(20)"), {Name: "free", Type: delta.String, Nullable: true},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	want := []delta.Constraint{
		{Rule: delta.LengthRule, Name: "code", Expression: "`code` IS NULL OR length(`code`) <= 3"},
		{Rule: delta.LengthRule, Name: "a`name`", Expression: "`a``name``` IS NULL OR length(`a``name```) <= 20"},
	}
	if diff := cmp.Diff(want, s.Metadata().Constraints()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	tx := s.Begin(delta.Operation{Name: "WRITE"})
	tx.Add(delta.Add{Path: "rows"})
	var unsupported *delta.UnsupportedError
	if _, err := tx.Commit(t.Context()); !errors.As(err, &unsupported) || len(unsupported.Features) != 2 {
		t.Errorf("rows that nobody held against the limits: %v", err)
	}
}

func TestLimitsWithinOtherTypesAreRefusedByName(t *testing.T) {
	for _, f := range []delta.Field{
		declared("tags", &delta.Array{Element: delta.String, ContainsNull: true}, "array<varchar(5)>"),
		{Name: "s", Nullable: true, Type: &delta.Struct{Fields: []delta.Field{declared("code", delta.String, "char(3)")}}},
	} {
		_, err := delta.Open(objstore.NewMemory()).Create(t.Context(), delta.Metadata{Schema: &delta.Schema{Fields: []delta.Field{f}}})
		var unsupported *delta.UnsupportedError
		if !errors.As(err, &unsupported) || len(unsupported.Features) != 1 {
			t.Errorf("%s: %v", f.Name, err)
		}
	}
}

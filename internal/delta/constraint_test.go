package delta_test

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"launchlake/internal/delta"
	"launchlake/internal/objstore"
)

var ruled = delta.Metadata{
	Schema: &delta.Schema{Fields: []delta.Field{
		{Name: "id", Type: delta.Long, Metadata: map[string]json.RawMessage{"delta.invariants": json.RawMessage(`"{\"expression\":{\"expression\":\"id > 3\"}}"`)}},
		{Name: "twice", Type: delta.Long, Nullable: true, Metadata: map[string]json.RawMessage{"delta.generationExpression": json.RawMessage(`"id * 2"`)}},
		{Name: "note", Type: delta.String, Nullable: true, Metadata: map[string]json.RawMessage{"CURRENT_DEFAULT": json.RawMessage(`"'none'"`)}},
		{Name: "s", Nullable: true, Type: &delta.Struct{Fields: []delta.Field{
			{Name: "x", Type: delta.Long, Nullable: true, Metadata: map[string]json.RawMessage{"delta.invariants": json.RawMessage(`"s.x < 9"`)}}}}},
	}},
	Configuration: map[string]string{"delta.constraints.small": "id < 100", "delta.constraints.big": "id > 1"},
}

func TestConstraintsAreFoundWhereverTheTableKeepsThem(t *testing.T) {
	want := []delta.Constraint{
		{Rule: delta.CheckRule, Name: "big", Expression: "id > 1"},
		{Rule: delta.CheckRule, Name: "small", Expression: "id < 100"},
		{Rule: delta.InvariantRule, Name: "id", Expression: "id > 3"},
		{Rule: delta.GeneratedRule, Name: "twice", Expression: "id * 2"},
		{Rule: delta.DefaultRule, Name: "note", Expression: "'none'"},
		{Rule: delta.InvariantRule, Name: "s.x", Expression: "s.x < 9"},
	}
	if diff := cmp.Diff(want, ruled.Constraints()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestRowsThatNobodyHeldAgainstTheConstraintsAreRefusedByName(t *testing.T) {
	store := objstore.NewMemory()
	s, err := delta.Open(store).Create(t.Context(), ruled)
	if err != nil {
		t.Fatal(err)
	}
	if p := s.Protocol(); p.MinWriterVersion != 7 || !slices.Equal(p.WriterFeatures, []string{"allowColumnDefaults", "appendOnly", "checkConstraints", "generatedColumns", "invariants"}) {
		t.Errorf("protocol %+v", p)
	}
	file := delta.Add{Path: "rows.parquet", Size: 1, PartitionValues: map[string]*string{}}
	all := ruled.Constraints()
	for i := range all {
		tx := s.Begin(delta.Operation{Name: "WRITE"})
		tx.Add(file)
		tx.Enforced(slices.Delete(slices.Clone(all), i, i+1)...)
		_, err := tx.Commit(t.Context())
		var unsupported *delta.UnsupportedError
		if !errors.As(err, &unsupported) || len(unsupported.Features) != 1 || !strings.HasPrefix(unsupported.Features[0], string(all[i].Rule)) {
			t.Errorf("without %s: %v", all[i], err)
		}
	}
	tx := s.Begin(delta.Operation{Name: "WRITE"})
	tx.Add(file)
	tx.Enforced(all...)
	if s, err = tx.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	tx = s.Begin(delta.Operation{Name: "OPTIMIZE", Rearrange: true})
	tx.Remove(file)
	file.Path = "moved.parquet"
	tx.Add(file)
	if s, err = tx.Commit(t.Context()); err != nil {
		t.Errorf("moving rows: %v", err)
	}
	tx = s.Begin(delta.Operation{Name: "DELETE"})
	tx.Remove(file)
	if _, err = tx.Commit(t.Context()); err != nil {
		t.Errorf("removing rows: %v", err)
	}
}

func TestANewConstraintNeedsTheRowsThatAreThere(t *testing.T) {
	store := objstore.NewMemory()
	s := createEvents(t, store)
	commit := func(do func(*delta.Transaction)) error {
		tx := s.Begin(delta.Operation{Name: "ADD CONSTRAINT"})
		do(tx)
		after, err := tx.Commit(t.Context())
		if err == nil {
			s = after
		}
		return err
	}
	positive := delta.Constraint{Rule: delta.CheckRule, Name: "positive", Expression: "id > 0"}
	if err := commit(func(tx *delta.Transaction) { tx.SetConstraint("Positive", "id > 0") }); err != nil {
		t.Errorf("to an empty table: %v", err)
	}
	if got := s.Metadata().Configuration["delta.constraints.positive"]; got != "id > 0" || s.Protocol().MinWriterVersion != 3 {
		t.Errorf("constraint %q, protocol %+v", got, s.Protocol())
	}
	if err := commit(func(tx *delta.Transaction) {
		tx.Add(eventFile(t, store, "2024-05-01", 1, 10))
		tx.Enforced(positive)
	}); err != nil {
		t.Fatal(err)
	}
	small := delta.Constraint{Rule: delta.CheckRule, Name: "small", Expression: "id < 50"}
	var unsupported *delta.UnsupportedError
	if err := commit(func(tx *delta.Transaction) { tx.SetConstraint(small.Name, small.Expression) }); !errors.As(err, &unsupported) {
		t.Errorf("unchecked: %v", err)
	}
	if err := commit(func(tx *delta.Transaction) {
		tx.SetConstraint(small.Name, small.Expression)
		tx.Enforced(small)
	}); err != nil {
		t.Error(err)
	}
	for name, do := range map[string]func(*delta.Transaction){
		"has one of that name":     func(tx *delta.Transaction) { tx.SetConstraint("SMALL", "id < 5") },
		"has none of that name":    func(tx *delta.Transaction) { tx.DropConstraint("large") },
		"a name and an expression": func(tx *delta.Transaction) { tx.SetConstraint("empty", " ") },
		"set by SetConstraint":     func(tx *delta.Transaction) { tx.SetConfiguration("delta.constraints.x", "id > 7") },
	} {
		if err := commit(do); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := commit(func(tx *delta.Transaction) { tx.DropConstraint("SMALL") }); err != nil || len(s.Metadata().Constraints()) != 1 {
		t.Errorf("dropped: %v, left %v", err, s.Metadata().Constraints())
	}
}

func TestAConstraintMeetsRowsOfOtherWriters(t *testing.T) {
	for _, isolation := range []string{"Serializable", "WriteSerializable"} {
		store := objstore.NewMemory()
		s, err := delta.Open(store).Create(t.Context(), delta.Metadata{Schema: eventSchema, PartitionColumns: []string{"day"},
			Configuration: map[string]string{"delta.isolationLevel": isolation}})
		if err != nil {
			t.Fatal(err)
		}
		adding := s.Begin(delta.Operation{Name: "ADD CONSTRAINT"})
		adding.SetConstraint("small", "id < 50")
		appendFile(t, s, eventFile(t, store, "2024-05-01", 51, 60))
		_, err = adding.Commit(t.Context())
		if _, conflict := errors.AsType[*delta.ConflictError](err); !conflict {
			t.Errorf("%s: a constraint went behind rows that nobody held against it: %v", isolation, err)
		}
		s, _ = delta.Open(store).Snapshot(t.Context())
		late := s.Begin(delta.Operation{Name: "WRITE"})
		late.Add(eventFile(t, store, "2024-05-01", 61, 70))
		winner := s.Begin(delta.Operation{Name: "ADD CONSTRAINT"})
		winner.SetConstraint("big", "id > 50")
		winner.Enforced(delta.Constraint{Rule: delta.CheckRule, Name: "big", Expression: "id > 50"})
		if _, err := winner.Commit(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := late.Commit(t.Context()); err == nil {
			t.Errorf("%s: rows went behind a constraint that nobody held them against", isolation)
		}
	}
}

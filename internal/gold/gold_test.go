package gold_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"launchlake/internal/delta"
	"launchlake/internal/gold"
)

func TestModelsRunOnlyWhenSilverOrTheirTextChanges(t *testing.T) {
	l := newLab(t)
	l.fill(history()...)
	first := l.aggregate()
	if first.NothingNew || len(first.Models) != len(models(t)) {
		t.Errorf("first: %+v", first)
	}
	if again := l.aggregate(); !again.NothingNew {
		t.Errorf("again: %+v", again)
	}

	rocket := model(t, "rocket_reliability")
	rocket.SQL += "\n-- another text"
	changed := l.aggregate(rocket)
	if p := changed.Models[0].Published; changed.NothingNew || p.AlreadyApplied || p.Unchanged != 3 || p.FilesAdded != 0 {
		t.Errorf("another text, the same rows: %+v", p)
	}
	if again := l.aggregate(rocket); !again.NothingNew {
		t.Errorf("the other text again: %+v", again)
	}

	l.fill(append(history(), launch("z", 3, "2025-02-20 00:00:00", nil))...)
	for _, m := range l.aggregate().Models {
		if m.Published.AlreadyApplied || m.Inputs["launches"] != 2 {
			t.Errorf("after a new version of Silver: %+v", m)
		}
		// what is to come is the same as before
		if same := m.Published.FilesAdded == 0; same != (m.Model == "upcoming_manifest") {
			t.Errorf("%s wrote %d files", m.Model, m.Published.FilesAdded)
		}
	}
	if got := l.rows("rocket_reliability", "current_streak")[0]; got != "1" {
		t.Errorf("current streak %s", got)
	}
}

func TestTablesTellWhatTheyHold(t *testing.T) {
	l := newLab(t)
	l.fill(history()...)
	l.aggregate()
	for _, m := range models(t) {
		s, err := l.gold(m.Name).Snapshot(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if s.Metadata().Name != m.Name || !strings.HasPrefix(s.Metadata().Description, "one row per ") {
			t.Errorf("%s is called %q: %q", m.Name, s.Metadata().Name, s.Metadata().Description)
		}
		if v, ok := s.AppVersion("aggregate:" + m.Name); !ok || v != 1 {
			t.Errorf("%s is made from version %d, %v", m.Name, v, ok)
		}
		for column := range m.Comments {
			field, ok := s.Schema().Field(column)
			if !ok || len(field.Metadata["comment"]) == 0 {
				t.Errorf("%s: the head describes column %s, which the table has: %v", m.Name, column, ok)
			}
		}
	}
}

// The types are those that Spark 4.1 gives the same queries: both engines must be able to write one table.
func TestColumnsHaveTheTypesThatSparkGivesThem(t *testing.T) {
	want := map[string]string{
		"launches_by_period": "string string date long long long long double long long long",
		"pad_activity":       "integer string integer string string double double long long long timestamp timestamp double double long",
		"provider_scorecard": "integer string string string string long long long long double double long long timestamp timestamp long long long",
		"rocket_reliability": "integer string string string string boolean long long long long double long long timestamp timestamp timestamp integer timestamp",
		"upcoming_manifest":  "integer string string integer string timestamp string timestamp timestamp integer boolean string string string string string boolean string string string integer string timestamp",
	}
	l := newLab(t)
	l.fill(history()...)
	l.aggregate()
	for _, m := range models(t) {
		s, err := l.gold(m.Name).Snapshot(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var types []string
		for _, f := range s.Schema().Fields {
			types = append(types, f.Type.String())
		}
		if got := strings.Join(types, " "); got != want[m.Name] {
			t.Errorf("%s has columns of types\n%s, Spark's are\n%s", m.Name, got, want[m.Name])
		}
	}
}

func TestTheSameSilverGivesTheSameFiles(t *testing.T) {
	contents := func() map[string][]string {
		l := newLab(t)
		l.fill(history()...)
		l.aggregate()
		got := map[string][]string{}
		for _, m := range models(t) {
			got[m.Name] = l.rows(m.Name, "*")
		}
		return got
	}
	if diff := cmp.Diff(contents(), contents()); diff != "" {
		t.Errorf("two runs differ:\n%s", diff)
	}
}

func TestAModelMayReadSeveralTables(t *testing.T) {
	l := newLab(t)
	l.fill(history()...)
	both, err := gold.ParseModel("both", "-- one row in all\n-- reads: launches, others\nselect (select count(*) from launches) as launches, (select count(*) from others) as others")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := gold.Aggregate(t.Context(), open(t), l.silver, l.gold, gold.Options{Models: []gold.Model{both}}); !errors.Is(err, delta.ErrNotATable) {
		t.Errorf("a table is missing: %v", err)
	}
	for n, want := range []string{"17|1", "17|2"} {
		l.fillTable("others", history()[:n+1]...)
		if result := l.aggregate(both); result.NothingNew {
			t.Errorf("round %d: nothing new", n)
		}
		if diff := cmp.Diff([]string{want}, l.rows("both", "launches, others")); diff != "" {
			t.Errorf("round %d (-want +got):\n%s", n, diff)
		}
	}
	if again := l.aggregate(both); !again.NothingNew {
		t.Errorf("again: %+v", again)
	}
}

func TestAModelFileMustSayWhatItIs(t *testing.T) {
	tests := []struct{ name, file, text, want string }{
		{"no head", "m", "select 1", "must be a comment"},
		{"no grain", "m", "-- reads: launches\nselect 1", "must be a comment"},
		{"no inputs", "m", "-- one row\nselect 1", `"-- reads: "`},
		{"a bad name", "My Model", "-- one row\n-- reads: launches\nselect 1", "lower-case"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := gold.ParseModel(tt.file, tt.text); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want an error with %q", err, tt.want)
			}
		})
	}
}

func TestAModelThatFailsIsNamed(t *testing.T) {
	l := newLab(t)
	l.fill(history()...)
	wrong := gold.Model{Name: "wrong", Reads: []string{"launches"}, SQL: "select no_such_column from launches"}
	_, err := gold.Aggregate(t.Context(), open(t), l.silver, l.gold, gold.Options{Models: []gold.Model{wrong}})
	if err == nil || !strings.Contains(err.Error(), "aggregate wrong") || !strings.Contains(err.Error(), "no_such_column") {
		t.Errorf("got %v", err)
	}
	inexact := gold.Model{Name: "inexact", Reads: []string{"launches"}, SQL: "select sum(pad_id) as s from launches"}
	_, err = gold.Aggregate(t.Context(), open(t), l.silver, l.gold, gold.Options{Models: []gold.Model{inexact}})
	if err == nil || !strings.Contains(err.Error(), "column s") || !strings.Contains(err.Error(), "cast it") {
		t.Errorf("got %v", err)
	}
	if _, err := l.gold("wrong").Snapshot(t.Context()); !errors.Is(err, delta.ErrNotATable) {
		t.Errorf("a table was made: %v", err)
	}
}

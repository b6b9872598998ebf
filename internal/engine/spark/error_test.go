package spark_test

import (
	"errors"
	"strings"
	"testing"

	"launchlake/internal/delta"
	"launchlake/internal/engine"
	"launchlake/internal/engine/enginetest"
	"launchlake/internal/engine/spark"
	"launchlake/internal/sparktest"
	"launchlake/internal/task"
)

// What goes wrong on the server is told in one line: what was attempted on which table, the first cause, and the SQL that it is about.
func TestErrorsOfTheServerNameTheTableTheSQLAndTheFirstCause(t *testing.T) {
	e, err := spark.Open(t.Context(), sparktest.Remote(t)+"/;x-secret=hidden", spark.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	store := dir(t)
	table := enginetest.TableIn(store, "numbers")
	publish := func(query string) error {
		_, err := e.Publish(t.Context(), query, engine.Output{Table: table, Name: "numbers", Mode: engine.Append})
		return err
	}
	if err := publish("select 1 as n"); err != nil {
		t.Fatal(err)
	}
	s, err := table.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for name, in := range map[string]engine.Input{"lost": {Snapshot: s}, "lost_file": filesOf(t, s)} {
		if err := e.Bind(t.Context(), name, in); err != nil {
			t.Fatal(err)
		}
	}
	file := filesOf(t, s).Files[0].Path
	if err := table.Store().Delete(t.Context(), file); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		err  error
		want []string
	}{
		{publish("select cast(s as int) as n from (select concat('x', uuid()) as s) t"), []string{"publish numbers", "write data files", "CAST_INVALID_INPUT", "CAST(`n` AS INT)"}},
		{publish("select nosuchcolumn as n from (select 1 as m) t"), []string{"publish numbers", "UNRESOLVED_COLUMN", "select nosuchcolumn as n from"}},
		{publish("select n from nowhere"), []string{"publish numbers", "TABLE_OR_VIEW_NOT_FOUND", "select n from nowhere"}},
		{publish("selct 1 as n"), []string{"publish numbers", "PARSE_SYNTAX_ERROR", "selct 1 as n"}},
		{publish("select n from lost"), []string{"publish numbers", file}},
		{publish("select n from lost_file"), []string{"publish numbers", file}},
		{e.Define(t.Context(), "d", "select 1 / (n - n) as n from range(3) t(n)", engine.Once), []string{"define d", "DIVIDE_BY_ZERO", "1 / (n - n)"}},
	} {
		if tt.err == nil {
			t.Errorf("no error tells %q", tt.want)
			continue
		}
		text := tt.err.Error()
		for _, want := range tt.want {
			if !strings.Contains(text, want) {
				t.Errorf("%q does not tell %q", text, want)
			}
		}
		for _, never := range []string{"\n", "\tat ", "java.lang", "org.apache.spark.sql", "Job aborted", "hidden"} {
			if strings.Contains(text, never) {
				t.Errorf("%q holds %q", text, never)
			}
		}
		if code := task.CodeOf(tt.err); code != task.Failed || errors.Is(tt.err, engine.ErrUnavailable) {
			t.Errorf("%q: exit code %d", text, code)
		}
	}
}

// filesOf are the files of a snapshot.
func filesOf(t *testing.T, s *delta.Snapshot) engine.Input {
	t.Helper()
	in := engine.Input{Snapshot: s}
	for add, err := range s.Files() {
		if err != nil {
			t.Fatal(err)
		}
		in.Files = append(in.Files, engine.File{Add: add})
	}
	return in
}

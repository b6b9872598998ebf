package enginetest

import (
	"errors"
	"testing"

	"launchlake/internal/delta"
	"launchlake/internal/engine"
)

// replaceable makes a table of rows n = 0 to 8 in three partitions, p = n % 3, null for 2, each in a commit of its own.
func (b *bench) replaceable(properties map[string]string) (*delta.Table, engine.Output) {
	b.t.Helper()
	table := b.table("replaceable")
	schema := &delta.Schema{Fields: []delta.Field{{Name: "n", Type: delta.Integer, Nullable: true}, {Name: "p", Type: delta.String, Nullable: true}, {Name: "s", Type: delta.String, Nullable: true}}}
	if _, err := table.Create(b.t.Context(), delta.Metadata{Schema: schema, PartitionColumns: []string{"p"}, Configuration: properties}); err != nil {
		b.t.Fatal(err)
	}
	b.publish(`select 0 as n, 'a/b' as p, 'old' as s union all select 3, 'a/b', 'old' union all select 1, 'é=%', 'old' union all select 4, 'é=%', null
		union all select 2, null, 'old'`, engine.Output{Table: table, Mode: engine.Append, Schema: schema})
	return table, engine.Output{Table: table, Mode: engine.Overwrite, Schema: schema}
}

func replacesMatchingRows(t *testing.T, b *bench) {
	table, out := b.replaceable(nil)
	out.Where, out.Progress = "p = 'a/b'", progress(1)
	done := b.publish("select 10 as n, 'a/b' as p, 'new' as s", out)
	if done.Inserted != 1 || done.Deleted != 2 || done.FilesRemoved != 1 || done.FilesAdded != 1 {
		t.Errorf("a partition: %+v", done)
	}
	rest := []string{"1|é=%|old", "2|null|old", "4|é=%|null"}
	b.wantTable(table, "n, p, s", append([]string{"10|a/b|new"}, rest...)...)
	if again := b.publish("select 11 as n, 'a/b' as p, 'newer' as s", out); !again.AlreadyApplied {
		t.Errorf("again: %+v", again)
	}
	// Rows for which the condition is null stay, here those without s; a file that holds other rows too is written again.
	out.Where, out.Progress = "s LIKE 'q%' AND n < 2", nil
	done = b.publish("select 1 as n, 'c' as p, 'other' as s", engine.Output{Table: table, Mode: engine.Overwrite, Schema: out.Schema, Where: "s IN ('old', 'other') AND n < 2"})
	if done.Inserted != 1 || done.Deleted != 1 || done.FilesRemoved != 1 {
		t.Errorf("rows of a file: %+v", done)
	}
	b.wantTable(table, "n, p, s", "10|a/b|new", "1|c|other", "2|null|old", "4|é=%|null")
	done = b.publish("select 1 as n, 'c' as p, 'x' as s where false", out)
	if done.After != done.Before {
		t.Errorf("nothing to replace made a commit: %+v", done)
	}
	for commit, err := range table.Commits(t.Context(), 2, 2) {
		if err != nil || commit.Info.OperationParameters["mode"] != "Overwrite" || commit.Info.OperationParameters["predicate"] != "p = 'a/b'" {
			t.Errorf("history: %v, %v", commit.Info.OperationParameters, err)
		}
	}
}

func refusesRowsOutsideOfWhere(t *testing.T, b *bench) {
	table, out := b.replaceable(nil)
	before := b.snapshot(table).Version()
	out.Where = "p = 'a/b' AND n > 0"
	var broken *delta.ConstraintError
	for _, query := range []string{"select 1 as n, 'other' as p, 's' as s", "select 1 as n, cast(null as string) as p, 's' as s", "select 1 as n, 'a/b' as p, 's' as s union all select 0, 'a/b', 's'"} {
		if _, err := b.Publish(t.Context(), query, out); !errors.As(err, &broken) || broken.Rows != 1 {
			t.Errorf("%s: %v", query, err)
		}
	}
	for _, where := range []string{"nowhere = 1", "p = 1", "soundex(p) = 'A'", "p"} {
		out.Where = where
		if _, err := b.Publish(t.Context(), "select 1 as n, 'a/b' as p, 's' as s", out); err == nil {
			t.Errorf("where %s: rows were written", where)
		}
	}
	if now := b.snapshot(table).Version(); now != before {
		t.Errorf("version %d, was %d", now, before)
	}
	b.wantOnlyFiles(table)
}

func replacesPartitions(t *testing.T, b *bench) {
	table, out := b.replaceable(nil)
	out.Mode, out.Progress = engine.OverwritePartitions, progress(1)
	done := b.publish("select 10 as n, 'é=%' as p, 'new' as s union all select 11, null, 'new' union all select 12, 'fresh', 'new'", out)
	if done.Inserted != 3 || done.Deleted != 3 || done.FilesRemoved != 2 || done.FilesAdded != 3 {
		t.Errorf("counts: %+v", done)
	}
	want := []string{"0|a/b|old", "10|é=%|new", "11|null|new", "12|fresh|new", "3|a/b|old"}
	b.wantTable(table, "n, p, s", want...)
	if again := b.publish("select 13 as n, 'a/b' as p, 'new' as s", out); !again.AlreadyApplied {
		t.Errorf("again: %+v", again)
	}
	out.Progress = nil
	if nothing := b.publish("select 13 as n, 'a/b' as p, 'new' as s where false", out); nothing.After != nothing.Before {
		t.Errorf("no rows made a commit: %+v", nothing)
	}
	b.wantTable(table, "n, p, s", want...)
	plain := b.table("plain")
	b.publish("select 1 as n", engine.Output{Table: plain, Mode: engine.Append})
	if _, err := b.Publish(t.Context(), "select 1 as n", engine.Output{Table: plain, Mode: engine.OverwritePartitions}); err == nil {
		t.Error("partitions of a table without were replaced")
	}
}

func replacesRowsInEveryLayout(_ *testing.T, _ *bench, e *edited) {
	e.append("('a', 1)", "('b', 2)", "('c', 3)", "(cast(null as string), 4)")
	e.append("('d', 5)", "('e', 6)")
	e.append("('f', 7)", "('g', 8)")
	out := engine.Output{Table: e.table, Mode: engine.Overwrite, Where: "v BETWEEN 2 AND 6 AND k IS NOT NULL"}
	done := e.publish("select 'new' as k, 5 as v", out)
	if done.Inserted != 1 || done.Deleted != 4 {
		e.t.Errorf("counts: %+v", done)
	}
	if e.vectors {
		e.wantFiles(done, 1, 1, 1)
	} else {
		e.wantFiles(done, 2, 2, 0)
	}
	e.wantTable(e.table, "coalesce(k, 'null'), v", "a|1", "f|7", "g|8", "new|5", "null|4")
	e.wantChanges(done.After, "delete|b|2", "delete|c|3", "delete|d|5", "delete|e|6", "insert|new|5")
	// A condition about which statistics say nothing.
	out.Where = "length(k) = 3 OR v % 7 = 0"
	done = e.publish("select 'gnu' as k, 14 as v", out)
	if done.Inserted != 1 || done.Deleted != 2 {
		e.t.Errorf("counts: %+v", done)
	}
	e.wantTable(e.table, "coalesce(k, 'null'), v", "a|1", "gnu|14", "g|8", "null|4")
	e.wantChanges(done.After, "delete|f|7", "delete|new|5", "insert|gnu|14")
	e.publish("select 'h' as k, 9 as v", engine.Output{Table: e.table, Mode: engine.Overwrite, Where: "v IN (8, 9)"})
	e.wantTable(e.table, "coalesce(k, 'null'), v", "a|1", "gnu|14", "h|9", "null|4")
}

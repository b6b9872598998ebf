package enginetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"launchlake/internal/delta"
	"launchlake/internal/engine"
)

func progress(version int64) []engine.Progress {
	return []engine.Progress{{AppID: "test:app", Version: version}}
}

func appendsOnce(t *testing.T, b *bench) {
	table := b.table("rows")
	out := engine.Output{Table: table, Mode: engine.Append, Progress: progress(7), Name: "rows", UserMetadata: "run-1"}
	first := b.publish("select 1 as n, 'a' as s union all select 2, 'b'", out)
	if first.Before != engine.NoVersion || first.Inserted != 2 || first.FilesAdded == 0 || first.BytesAdded == 0 || first.AlreadyApplied {
		t.Errorf("first: %+v", first)
	}
	again := b.publish("select 3 as n, 'c' as s", out)
	if !again.AlreadyApplied || again.Before != first.After || again.After != first.After {
		t.Errorf("again: %+v", again)
	}
	out.Progress = progress(8)
	second := b.publish("select 3 as n, 'c' as s", out)
	if second.Before != first.After || second.After != first.After+1 {
		t.Errorf("second: %+v", second)
	}
	b.wantTable(table, "n, s", "1|a", "2|b", "3|c")
	if v, ok := b.snapshot(table).AppVersion("test:app"); !ok || v != 8 {
		t.Errorf("progress is %d, %v", v, ok)
	}
}

func overwrites(t *testing.T, b *bench) {
	table := b.table("rows")
	out := engine.Output{Table: table, Mode: engine.Overwrite, Progress: progress(1)}
	b.publish("select 1 as n, 'a' as s union all select 2, null", out)
	files := paths(b.snapshot(table))

	out.Progress = progress(2)
	same := b.publish("select 2 as n, cast(null as string) as s union all select 1, 'a'", out)
	if same.Unchanged != 2 || same.Inserted+same.Deleted != 0 || same.FilesAdded+same.FilesRemoved != 0 {
		t.Errorf("the same rows: %+v", same)
	}
	if now := paths(b.snapshot(table)); !slices.Equal(files, now) {
		t.Errorf("files were %v, now %v", files, now)
	}
	if v, _ := b.snapshot(table).AppVersion("test:app"); v != 2 {
		t.Errorf("progress is %d", v)
	}

	out.Progress = progress(3)
	other := b.publish("select 1 as n, 'a' as s union all select 1, 'a'", out)
	if other.Inserted != 2 || other.Deleted != 2 || other.FilesRemoved != len(files) || other.FilesAdded == 0 {
		t.Errorf("other rows: %+v", other)
	}
	b.wantTable(table, "n, s", "1|a", "1|a")
	out.Progress = progress(4)
	b.publish("select 1 as n, 'a' as s where false", out)
	b.wantTable(table, "n, s")
}

// overwritesMoments replaces moments by some that are the same in milliseconds, in which statistics have them, and some that are not.
func overwritesMoments(t *testing.T, b *bench) {
	out := engine.Output{Table: b.table("rows"), Mode: engine.Overwrite, Schema: &delta.Schema{Fields: []delta.Field{{Name: "at", Type: delta.Timestamp, Nullable: true}}}}
	rows := func(early, late string) string {
		return fmt.Sprintf("select timestamp '1957-10-04 19:28:%s' as at union all select timestamp '2026-07-20 14:49:%s'", early, late)
	}
	b.publish(rows("34.000001", "32.123456"), out)
	for _, step := range []struct {
		query     string
		unchanged int64
	}{
		{rows("34.000001", "32.123456"), 2},
		{rows("34.000001", "32.123457"), 0},
		{rows("34.000002", "32.123457"), 0},
		{rows("34.000002", "33.123457"), 0},
		{rows("34.000002", "33.123457"), 2},
	} {
		if done := b.publish(step.query, out); done.Unchanged != step.unchanged || done.Inserted != 2-step.unchanged {
			t.Errorf("%s: %+v", step.query, done)
		}
	}
}

func overwritesOnProperties(t *testing.T, b *bench) {
	table := b.table("rows")
	out := engine.Output{Table: table, Mode: engine.Overwrite, Progress: progress(1), Configuration: map[string]string{"test.model": "one"}}
	b.publish("select 1 as n", out)
	if done := b.publish("select 2 as n", out); !done.AlreadyApplied {
		t.Errorf("nothing changed: %+v", done)
	}
	out.Configuration = map[string]string{"test.model": "two"}
	if done := b.publish("select 2 as n", out); done.AlreadyApplied || done.Inserted != 1 {
		t.Errorf("the property changed: %+v", done)
	}
	b.wantTable(table, "n", "2")
	if got := b.snapshot(table).Metadata().Configuration["test.model"]; got != "two" {
		t.Errorf("the property is %q", got)
	}
}

const newer = "source.v > target.v or (source.v = target.v and source.s > target.s)"

func merges(t *testing.T, b *bench) {
	table := b.table("rows")
	out := engine.Output{Table: table, Mode: engine.Merge, Keys: []string{"k", "j"}, Newer: newer, Progress: progress(1)}
	b.publish("select 'a' as k, 1 as j, 1 as v, 'x' as s union all select 'b', 1, 2, 'x' union all select 'c', 1, 3, 'x' union all select 'c', 2, 3, 'x' union all select null, 1, 1, 'x'", out)
	out.Progress = progress(2)
	done := b.publish(`select 'a' as k, 1 as j, 2 as v, 'newer' as s union all select 'b', 1, 1, 'older' union all select 'c', 1, 3, 'y'
		union all select 'c', 2, 3, 'x' union all select 'd', 1, 1, 'new' union all select null, 1, 9, 'matches nothing'`, out)
	if done.Inserted != 2 || done.Updated != 2 || done.Unchanged != 2 || done.Deleted != 0 {
		t.Errorf("counts: %+v", done)
	}
	b.wantTable(table, "coalesce(k, '-') || j, v, s", "-1|1|x", "-1|9|matches nothing", "a1|2|newer", "b1|2|x", "c1|3|y", "c2|3|x", "d1|1|new")
	if again := b.publish("select 'a' as k, 1 as j, 99 as v, 'z' as s", out); !again.AlreadyApplied {
		t.Errorf("again: %+v", again)
	}
}

func mergesNewKeysOnly(t *testing.T, b *bench) {
	table := b.table("rows")
	out := engine.Output{Table: table, Mode: engine.Merge, Keys: []string{"k"}}
	b.publish("select 'a' as k, 1 as v", out)
	done := b.publish("select 'a' as k, 2 as v union all select 'b', 2", out)
	if done.Inserted != 1 || done.Unchanged != 1 || done.FilesRemoved != 0 {
		t.Errorf("counts: %+v", done)
	}
	b.wantTable(table, "k, v", "a|1", "b|2")
	if nothing := b.publish("select 'a' as k, 3 as v", out); nothing.After != nothing.Before {
		t.Errorf("nothing to do made a commit: %+v", nothing)
	}
}

func rewritesTouchedFiles(t *testing.T, b *bench) {
	table := b.table("rows")
	out := engine.Output{Table: table, Mode: engine.Merge, Keys: []string{"k"}, Newer: "source.v > target.v"}
	b.publish("select 'a' as k, 1 as v union all select 'b', 1", out)
	old := paths(b.snapshot(table))
	b.publish("select 'c' as k, 1 as v union all select 'd', 1", out)
	done := b.publish("select 'c' as k, 2 as v union all select 'a', 0", out)
	if done.FilesAdded != 1 || done.FilesRemoved != 1 || done.Updated != 1 || done.Unchanged != 1 {
		t.Errorf("counts: %+v", done)
	}
	for _, path := range old {
		if !slices.Contains(paths(b.snapshot(table)), path) {
			t.Errorf("file %s was written again though none of its rows changed", path)
		}
	}
	b.wantTable(table, "k, v", "a|1", "b|1", "c|2", "d|1")
}

func refusesDoubleKeys(t *testing.T, b *bench) {
	table := b.table("rows")
	out := engine.Output{Table: table, Mode: engine.Merge, Keys: []string{"k"}, Newer: "true"}
	b.publish("select 'a' as k, 1 as v", out)
	before := b.snapshot(table).Version()
	_, err := b.Publish(t.Context(), "select 'twice' as k, 2 as v union all select 'twice', 3", out)
	if err == nil || !strings.Contains(err.Error(), "twice") {
		t.Errorf("got %v", err)
	}
	if now := b.snapshot(table).Version(); now != before {
		t.Errorf("version %d, was %d", now, before)
	}
}

func commitsProgressAlone(t *testing.T, b *bench) {
	table := b.table("rows")
	for version := range int64(2) {
		done := b.publish("select 'a' as k, 1 as v where false", engine.Output{Table: table, Mode: engine.Merge, Keys: []string{"k"}, Progress: progress(version)})
		if done.FilesAdded != 0 || done.After == done.Before {
			t.Errorf("counts: %+v", done)
		}
		if v, ok := b.snapshot(table).AppVersion("test:app"); !ok || v != version {
			t.Errorf("progress is %d, %v", v, ok)
		}
	}
	b.wantTable(table, "k, v")
}

func bindsSnapshots(t *testing.T, b *bench) {
	table := b.table("rows")
	b.publish("select 1 as n", engine.Output{Table: table, Mode: engine.Append})
	b.bind("earlier", engine.Input{Snapshot: b.snapshot(table)})
	b.publish("select 2 as n", engine.Output{Table: table, Mode: engine.Overwrite})
	b.bind("after", engine.Input{Snapshot: b.snapshot(table)})
	b.want("select n from earlier", "1")
	b.want("select n from after", "2")
}

func bindsFiles(t *testing.T, b *bench) {
	table := b.table("rows")
	for n := range 3 {
		b.publish(fmt.Sprintf("select %d as n", n), engine.Output{Table: table, Mode: engine.Append})
	}
	var files []engine.File
	for commit, err := range table.Commits(t.Context(), 1, b.snapshot(table).Version()) {
		if err != nil {
			t.Fatal(err)
		}
		for _, add := range commit.Add {
			files = append(files, engine.File{Add: add, Version: &commit.Version})
		}
	}
	files[2].Version = nil
	b.bind("changes", engine.Input{Snapshot: b.snapshot(table), Files: files[1:]})
	b.want("select * from changes order by n", "1|2", "2|null")
	b.bind("nothing", engine.Input{Snapshot: b.snapshot(table), Files: []engine.File{}})
	b.want("select n, _commit_version from nothing")
}

func widensTables(t *testing.T, b *bench) {
	table := b.table("rows")
	b.publish("select 1 as k, 'a' as s", engine.Output{Table: table, Mode: engine.Append})
	b.bind("narrow", engine.Input{Snapshot: b.snapshot(table)})
	b.publish("select 2 as k, 'b' as s, cast(0.5 as double) as d", engine.Output{Table: table, Mode: engine.Merge, Keys: []string{"k"}, Comments: map[string]string{"d": "a half"}})
	b.publish("select 3 as k, 'c' as s", engine.Output{Table: table, Mode: engine.Append})
	b.publish("select 1 as k, 'A' as s", engine.Output{Table: table, Mode: engine.Merge, Keys: []string{"k"}, Newer: "true"})
	b.wantTable(table, "k, s, d", "1|A|null", "2|b|0.5", "3|c|null")
	b.want("select * from narrow", "1|a")
	field, _ := b.snapshot(table).Schema().Field("d")
	if string(field.Metadata["comment"]) != `"a half"` {
		t.Errorf("comment is %s", field.Metadata["comment"])
	}
}

func refusesOtherTypes(t *testing.T, b *bench) {
	table := b.table("rows")
	b.publish("select 1 as k", engine.Output{Table: table, Mode: engine.Append})
	for _, out := range []engine.Output{
		{Table: table, Mode: engine.Append},
		{Table: table, Mode: engine.Append, Schema: &delta.Schema{Fields: []delta.Field{{Name: "other", Type: delta.String, Nullable: true}}}},
		{Table: table, Mode: engine.Merge},
		{Table: table, Mode: "upsert"},
		{Table: table, Mode: engine.Append, Progress: append(progress(1), progress(2)...)},
	} {
		if _, err := b.Publish(t.Context(), "select 'one' as k", out); err == nil {
			t.Errorf("published as %+v", out)
		}
	}
	b.wantTable(table, "k", "1")
}

func refusesNulls(t *testing.T, b *bench) {
	table := b.table("rows")
	schema := &delta.Schema{Fields: []delta.Field{{Name: "k", Type: delta.Long}, {Name: "s", Type: delta.String, Nullable: true}}}
	out := engine.Output{Table: table, Mode: engine.Append, Schema: schema, Progress: progress(1)}
	b.publish("select 'a' as s, 1 as k", out)
	out.Progress = progress(2)
	_, err := b.Publish(t.Context(), "select 2 as k, 'b' as s union all select null, 'c'", out)
	if err == nil || !strings.Contains(err.Error(), "k") {
		t.Errorf("got %v", err)
	}
	b.wantTable(table, "k, s", "1|a")
	if v, _ := b.snapshot(table).AppVersion("test:app"); v != 1 {
		t.Errorf("progress is %d", v)
	}
}

// tellsPartitionsApart: null lies in a folder named as one of these values, and folders may ignore case.
func tellsPartitionsApart(_ *testing.T, b *bench) {
	table := b.table("rows")
	schema := &delta.Schema{Fields: []delta.Field{{Name: "n", Type: delta.Integer, Nullable: true}, {Name: "p", Type: delta.String, Nullable: true}}}
	if _, err := table.Create(b.t.Context(), delta.Metadata{Schema: schema, PartitionColumns: []string{"p"}}); err != nil {
		b.t.Fatal(err)
	}
	b.publish(`select 1 as n, cast(null as string) as p union all select 2, '__HIVE_DEFAULT_PARTITION__' union all select 3, 'null' union all select 4, 'NULL'
		union all select 5, 'a' union all select 6, 'A' union all select 7, ' ' union all select 8, 'p=a'`, engine.Output{Table: table, Mode: engine.Append, Schema: schema})
	b.wantTable(table, "n, coalesce(p, '(none)')", "1|(none)", "2|__HIVE_DEFAULT_PARTITION__", "3|null", "4|NULL", "5|a", "6|A", "7| ", "8|p=a")
}

func partitions(t *testing.T, b *bench) {
	table := b.table("rows")
	field := func(name string, typ delta.Type) delta.Field {
		return delta.Field{Name: name, Type: typ, Nullable: true}
	}
	_, err := table.Create(t.Context(), delta.Metadata{
		Schema:           &delta.Schema{Fields: []delta.Field{field("p", delta.String), field("n", delta.Integer), field("day", delta.Date), field("t", delta.Timestamp)}},
		PartitionColumns: []string{"day", "p", "t"},
	})
	if err != nil {
		t.Fatal(err)
	}
	rows := `select 1 as n, 'a/b=ü %' as p, cast('2026-01-02' as date) as day, timestamp '1957-10-04 19:28:34.5' as t union all select 2, null, null, null union all select 3, 'x', cast('0001-01-01' as date), null`
	schema := b.snapshot(table).Schema()
	b.publish(rows, engine.Output{Table: table, Mode: engine.Append, Schema: schema})
	want := []string{"1|a/b=ü %|2026-01-02T00:00:00Z|1957-10-04T19:28:34.5Z", "2|null|null|null", "3|x|0001-01-01T00:00:00Z|null"}
	b.wantTable(table, "n, p, day, t", want...)
	b.publish("select 3 as n, 'y' as p, cast('2026-01-02' as date) as day, cast(null as timestamp) as t", engine.Output{Table: table, Mode: engine.Merge, Keys: []string{"n"}, Newer: "true", Schema: schema})
	b.wantTable(table, "n, p, day, t", want[0], want[1], "3|y|2026-01-02T00:00:00Z|null")
	var found int
	for _, err := range b.snapshot(table).Files(delta.Col("p").Eq("a/b=ü %")) {
		if err != nil {
			t.Fatal(err)
		}
		found++
	}
	if found != 1 {
		t.Errorf("%d files hold the partition", found)
	}
}

func writersMeet(t *testing.T, b *bench) {
	table := b.table("rows")
	b.publish("select 'shared' as k, 0 as v", engine.Output{Table: table, Mode: engine.Append})
	const writers, rounds = 3, 3
	var group sync.WaitGroup
	for w := range writers {
		e := b.lab.Open(t)
		group.Go(func() {
			defer e.Close()
			for r := range rounds {
				query := fmt.Sprintf("select 'shared' as k, %d as v union all select 'own-%d', %d", 1+w*rounds+r, w, r)
				out := engine.Output{Table: table, Mode: engine.Merge, Keys: []string{"k"}, Newer: "source.v > target.v",
					Progress: []engine.Progress{{AppID: fmt.Sprintf("writer-%d", w), Version: int64(r)}}}
				if _, err := e.Publish(t.Context(), query, out); err != nil {
					t.Errorf("writer %d: %v", w, err)
				}
			}
		})
	}
	group.Wait()
	b.wantTable(table, "k, v", "own-0|2", "own-1|2", "own-2|2", fmt.Sprintf("shared|%d", writers*rounds))
}

func definesRelations(t *testing.T, b *bench) {
	table := b.table("rows")
	b.publish("select 1 as n", engine.Output{Table: table, Mode: engine.Append})
	b.bind("base", engine.Input{Snapshot: b.snapshot(table)})
	if err := b.Define(t.Context(), "kept", "select n + 1 as n from base", engine.Once); err != nil {
		t.Fatal(err)
	}
	b.define("chained", "select n + 1 as n from kept;\n")
	b.want("select n from chained", "3")
	b.define("gold.last", "select n + 1 as n from chained")
	b.bind("silver.base", engine.Input{Snapshot: b.snapshot(table)})
	b.want("select g.n, s.n from gold.last g cross join silver.base s", "4|1")
	if err := b.Define(t.Context(), "chained", "select 1", engine.EachTime); err == nil {
		t.Error("a name was defined twice")
	}
}

func reportsErrors(t *testing.T, b *bench) {
	for _, query := range []string{"select nosuchcolumn from (select 1 as n) t", "selct 1", "select * from nowhere"} {
		if _, err := b.Query(t.Context(), query); err == nil {
			t.Errorf("%s is taken", query)
		}
		if err := b.Define(t.Context(), "d", query, engine.Once); err == nil || !strings.Contains(err.Error(), "define d") {
			t.Errorf("%s: %v", query, err)
		}
		if _, err := b.Publish(t.Context(), query, engine.Output{Table: b.table("t"), Mode: engine.Append}); err == nil {
			t.Errorf("%s is published", query)
		}
	}
	rows, err := b.Query(t.Context(), "select cast(s as int) from (select 'x' as s) t")
	if err == nil {
		for _, rowErr := range rows.All {
			err = errors.Join(err, rowErr)
		}
	}
	if err == nil {
		t.Error("a failing cast gives rows")
	}
}

func cancels(t *testing.T, b *bench) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := b.Publish(ctx, "select 1 as n", engine.Output{Table: b.table("t"), Mode: engine.Append}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if _, err := b.Query(ctx, "select 1 as n"); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func publishesSideBySide(t *testing.T, b *bench) {
	b.define("numbers", "select 1 as n union all select 2")
	const tables = 4
	outs := make([]engine.Output, tables)
	failures := make([]error, tables)
	var group sync.WaitGroup
	for i := range outs {
		outs[i] = engine.Output{Table: b.table(fmt.Sprint("side", i)), Mode: engine.Overwrite, Progress: progress(1)}
		group.Go(func() {
			_, failures[i] = b.Publish(t.Context(), fmt.Sprintf("select n + %d as n from numbers", i), outs[i])
		})
	}
	group.Wait()
	if err := errors.Join(failures...); err != nil {
		t.Fatal(err)
	}
	for i := range outs {
		b.wantTable(outs[i].Table, "n", fmt.Sprint(1+i), fmt.Sprint(2+i))
	}
}

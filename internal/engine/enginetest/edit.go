package enginetest

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"launchlake/internal/delta"
	"launchlake/internal/engine"
)

// layouts are the ways in which changed rows leave their files, with and without a change data feed.
var layouts = []struct {
	name       string
	properties map[string]string
}{
	{"files are written again", nil},
	{"by deletion vectors", map[string]string{"delta.enableDeletionVectors": "true"}},
	{"files are written again, with a feed", map[string]string{"delta.enableChangeDataFeed": "true"}},
	{"by deletion vectors, with a feed", map[string]string{"delta.enableDeletionVectors": "true", "delta.enableChangeDataFeed": "true"}},
}

// each runs a test for every layout, on a table of its own.
func each(test func(t *testing.T, b *bench, table *edited)) func(*testing.T, *bench) {
	return func(t *testing.T, b *bench) {
		for i, l := range layouts {
			t.Run(l.name, func(t *testing.T) {
				if _, feed := l.properties["delta.enableChangeDataFeed"]; b.lab.Slow && !feed {
					t.Skip("the engine is slow, and does all of this with a feed, where it also writes files of changes")
				}
				inner := *b
				inner.t = t
				table := &edited{bench: &inner, table: b.table(fmt.Sprint("rows", i)), properties: l.properties}
				_, table.vectors = l.properties["delta.enableDeletionVectors"]
				_, table.feed = l.properties["delta.enableChangeDataFeed"]
				test(t, &inner, table)
			})
		}
	}
}

// edited is a table that is edited.
type edited struct {
	*bench
	table         *delta.Table
	properties    map[string]string
	vectors, feed bool
}

// editor is the engine as one; those that are none skip the test.
func (e *edited) editor() engine.Editor {
	e.t.Helper()
	editor, ok := e.Engine.(engine.Editor)
	if !ok {
		e.t.Skip("the engine is no engine.Editor")
	}
	return editor
}

// append puts rows k, v into the table as one file.
func (e *edited) append(rows ...string) {
	e.t.Helper()
	e.publish("select * from (values "+strings.Join(rows, ", ")+") as t(k, v)", engine.Output{Table: e.table, Mode: engine.Append, Configuration: e.properties})
}

// wantChanges compares what the feed says of a version, when there is a feed.
func (e *edited) wantChanges(v delta.Version, want ...string) {
	e.t.Helper()
	if !e.feed {
		return
	}
	changes, err := e.table.Changes(e.t.Context(), v, v)
	if err != nil {
		e.t.Fatal(err)
	}
	name := fmt.Sprintf("changes%d", time.Now().UnixNano())
	e.bind(name, engine.Input{Changes: changes})
	got := e.rows("select _change_type, k, v from " + name)
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		e.t.Errorf("changes of version %d (-want +got):\n%s", v, diff)
	}
}

// wantFiles compares how many files came, went, and were left with fewer rows.
func (e *edited) wantFiles(done engine.Published, added, removed, vectors int) {
	e.t.Helper()
	got := []int{done.FilesAdded, done.FilesRemoved, done.VectorsAdded}
	if diff := cmp.Diff([]int{added, removed, vectors}, got); diff != "" {
		e.t.Errorf("files added, removed, trimmed (-want +got):\n%s", diff)
	}
}

// wantHistory compares a part of what the table's history says of its latest version.
func (e *edited) wantHistory(operation string, metrics map[string]int64) delta.CommitInfo {
	e.t.Helper()
	v := e.snapshot(e.table).Version()
	var info delta.CommitInfo
	for commit, err := range e.table.Commits(e.t.Context(), v, v) {
		if err != nil {
			e.t.Fatal(err)
		}
		info = commit.Info
	}
	want, got := map[string]string{}, map[string]string{}
	for name, n := range metrics {
		want[name], got[name] = fmt.Sprint(n), info.OperationMetrics[name]
	}
	if diff := cmp.Diff(want, got); diff != "" || info.Operation != operation {
		e.t.Errorf("%s, metrics (-want +got):\n%s", info.Operation, diff)
	}
	return info
}

func deletesRows(t *testing.T, _ *bench, e *edited) {
	editor := e.editor()
	e.append("('a', 1)", "('b', 2)", "('c', 3)")
	e.append("('d', 4)", "('e', 5)")
	e.append("('f', 6)")
	done, err := editor.Delete(t.Context(), engine.Edit{Table: e.table, Where: "v in (2, 4, 5)", Progress: progress(1), UserMetadata: "run-1"})
	if err != nil {
		t.Fatal(err)
	}
	if done.Deleted != 3 || done.Inserted+done.Updated != 0 || done.After != done.Before+1 {
		t.Errorf("%+v", done)
	}
	if e.vectors {
		e.wantFiles(done, 0, 1, 1)
	} else {
		e.wantFiles(done, 1, 2, 0)
	}
	e.wantTable(e.table, "k, v", "a|1", "c|3", "f|6")
	e.wantChanges(done.After, "delete|b|2", "delete|d|4", "delete|e|5")
	info := e.wantHistory("DELETE", map[string]int64{"numDeletedRows": 3, "numRemovedFiles": int64(done.FilesRemoved), "numDeletionVectorsAdded": int64(done.VectorsAdded)})
	if info.OperationParameters["predicate"] != `["v in (2, 4, 5)"]` || info.UserMetadata != "run-1" {
		t.Errorf("history: %+v", info)
	}
	again, err := editor.Delete(t.Context(), engine.Edit{Table: e.table, Where: "true", Progress: progress(1)})
	if err != nil || !again.AlreadyApplied {
		t.Errorf("again: %+v, %v", again, err)
	}
	again, err = editor.Delete(t.Context(), engine.Edit{Table: e.table, Where: "k = 'c' or k is null"})
	if err != nil || again.Deleted != 1 {
		t.Errorf("one more of the same file: %+v, %v", again, err)
	}
	e.wantTable(e.table, "k, v", "a|1", "f|6")
	e.wantChanges(again.After, "delete|c|3")
	nothing, err := editor.Delete(t.Context(), engine.Edit{Table: e.table, Where: "v > 100"})
	if err != nil || nothing.After != nothing.Before || nothing.Deleted != 0 {
		t.Errorf("nothing: %+v, %v", nothing, err)
	}
	all, err := editor.Delete(t.Context(), engine.Edit{Table: e.table, Where: "true"})
	if err != nil || all.Deleted != 2 || all.FilesAdded != 0 {
		t.Errorf("all: %+v, %v", all, err)
	}
	e.wantTable(e.table, "k, v")
	e.wantChanges(all.After, "delete|a|1", "delete|f|6")
}

func updatesRows(t *testing.T, _ *bench, e *edited) {
	editor := e.editor()
	e.append("('a', 1)", "('b', 2)", "('c', cast(null as int))")
	e.append("('d', 4)")
	set := []engine.Assignment{{Column: "v", Value: "coalesce(v, 0) * 10 + 1"}, {Column: "K", Value: "k || '-' || coalesce(cast(v as string), 'none')"}}
	done, err := editor.Update(t.Context(), engine.Edit{Table: e.table, Where: "v > 1 or v is null"}, set)
	if err != nil {
		t.Fatal(err)
	}
	if done.Updated != 3 || done.Inserted+done.Deleted != 0 {
		t.Errorf("%+v", done)
	}
	if e.vectors {
		e.wantFiles(done, 1, 1, 1)
	} else {
		e.wantFiles(done, 1, 2, 0)
	}
	e.wantTable(e.table, "k, v", "a|1", "b-2|21", "c-none|1", "d-4|41")
	e.wantChanges(done.After, "update_postimage|b-2|21", "update_postimage|c-none|1", "update_postimage|d-4|41",
		"update_preimage|b|2", "update_preimage|c|null", "update_preimage|d|4")
	e.wantHistory("UPDATE", map[string]int64{"numUpdatedRows": 3, "numAddedFiles": 1, "numDeletionVectorsAdded": int64(done.VectorsAdded)})
	if done, err = editor.Update(t.Context(), engine.Edit{Table: e.table, Where: "true"}, []engine.Assignment{{Column: "v", Value: "7"}}); err != nil || done.Updated != 4 {
		t.Errorf("all: %+v, %v", done, err)
	}
	e.wantTable(e.table, "k, v", "a|7", "b-2|7", "c-none|7", "d-4|7")
}

func refusesEdits(t *testing.T, b *bench, e *edited) {
	editor := e.editor()
	e.append("('a', 1)")
	before := e.snapshot(e.table).Version()
	set := func(column, value string) []engine.Assignment {
		return []engine.Assignment{{Column: column, Value: value}}
	}
	for _, tt := range []struct {
		edit engine.Edit
		set  []engine.Assignment
	}{
		{engine.Edit{Table: e.table}, nil},
		{engine.Edit{Where: "true"}, nil},
		{engine.Edit{Table: e.table, Where: "nosuchcolumn = 1"}, nil},
		{engine.Edit{Table: e.table, Where: "k ="}, nil},
		{engine.Edit{Table: b.table("nothing"), Where: "true"}, nil},
		{engine.Edit{Table: e.table, Where: "true", Progress: append(progress(1), progress(2)...)}, nil},
		{engine.Edit{Table: e.table, Where: "true"}, set("other", "1")},
		{engine.Edit{Table: e.table, Where: "true"}, set("v", "")},
		{engine.Edit{Table: e.table, Where: "true"}, set("v", "k")}, // 'a' is no number
		{engine.Edit{Table: e.table, Where: "true"}, append(set("v", "1"), set("V", "2")...)},
	} {
		var err error
		if tt.set != nil {
			_, err = editor.Update(t.Context(), tt.edit, tt.set)
		} else {
			_, err = editor.Delete(t.Context(), tt.edit)
		}
		if err == nil {
			t.Errorf("done: %+v %v", tt.edit, tt.set)
		}
	}
	if now := e.snapshot(e.table).Version(); now != before {
		t.Errorf("version %d, was %d", now, before)
	}
	if _, err := b.table("nothing").Snapshot(t.Context()); err == nil {
		t.Error("a table was made")
	}
}

// mergesByTombstones merges rows, and rows that only say that a key is gone.
func mergesByTombstones(t *testing.T, _ *bench, e *edited) {
	e.append("('a', 1)", "('b', 2)", "('c', 3)", "('stays', 1)")
	e.append("('d', 4)")
	out := engine.Output{Table: e.table, Mode: engine.Merge, Keys: []string{"k"}, Newer: "source.v > target.v", Tombstone: "gone"}
	done := e.publish(`select * from (values ('a', 9, false), ('b', 9, true), ('c', 1, true), ('d', 9, true), ('new', 1, null), ('never', 1, true)) as t(k, v, gone)`, out)
	if done.Inserted != 1 || done.Updated != 1 || done.Deleted != 2 || done.Unchanged != 0 {
		t.Errorf("%+v", done)
	}
	if e.vectors {
		e.wantFiles(done, 1, 1, 1)
	} else {
		e.wantFiles(done, 1, 2, 0)
	}
	e.wantTable(e.table, "k, v", "a|9", "c|3", "new|1", "stays|1")
	e.wantChanges(done.After, "delete|b|2", "delete|d|4", "insert|new|1", "update_postimage|a|9", "update_preimage|a|1")
	info := e.wantHistory("MERGE", map[string]int64{
		"numTargetRowsInserted": 1, "numTargetRowsUpdated": 1, "numTargetRowsDeleted": 2, "numTargetRowsMatchedDeleted": 2,
		"numTargetFilesAdded": 1, "numTargetFilesRemoved": int64(done.FilesRemoved), "numTargetDeletionVectorsAdded": int64(done.VectorsAdded),
	})
	var clauses []map[string]string
	if err := json.Unmarshal([]byte(info.OperationParameters["matchedPredicates"]), &clauses); err != nil || len(clauses) != 2 {
		t.Errorf("matched clauses %v, %v", info.OperationParameters, err)
	}
	if nothing := e.publish("select 'b' as k, 99 as v, true as gone", out); nothing.After != nothing.Before || nothing.Deleted != 0 {
		t.Errorf("a tombstone of nothing: %+v", nothing)
	}
	only := e.publish("select 'a' as k, 99 as v, true as gone", out)
	if only.Deleted != 1 || only.Inserted+only.Updated != 0 || e.vectors && only.FilesAdded != 0 {
		t.Errorf("only a tombstone: %+v", only)
	}
	e.wantChanges(only.After, "delete|a|9")
	e.wantTable(e.table, "k, v", "c|3", "new|1", "stays|1")
}

// mergesAndPrunes makes the table's rows the query's, but for those that a condition spares.
func mergesAndPrunes(t *testing.T, _ *bench, e *edited) {
	e.append("('a', 1)", "('b', 2)", "('spared', 100)", "(null, 3)")
	out := engine.Output{Table: e.table, Mode: engine.Merge, Keys: []string{"k"}, Newer: "source.v <> target.v", Prune: "target.v < 100"}
	done := e.publish("select * from (values ('a', 1), ('c', 3)) as t(k, v)", out)
	if done.Inserted != 1 || done.Updated != 0 || done.Deleted != 2 || done.Unchanged != 1 {
		t.Errorf("%+v", done)
	}
	e.wantTable(e.table, "k, v", "a|1", "c|3", "spared|100")
	e.wantChanges(done.After, "delete|b|2", "delete|null|3", "insert|c|3")
	e.wantHistory("MERGE", map[string]int64{"numTargetRowsNotMatchedBySourceDeleted": 2, "numTargetRowsMatchedDeleted": 0})
	if again := e.publish("select * from (values ('a', 1), ('c', 3)) as t(k, v)", out); again.After != again.Before {
		t.Errorf("again: %+v", again)
	}
}

// overwritesAndTells replaces all rows of a table; its feed follows from the files.
func overwritesAndTells(_ *testing.T, _ *bench, e *edited) {
	e.append("('a', 1)", "('b', 2)")
	e.publish("select 'b' as k, 9 as v", engine.Output{Table: e.table, Mode: engine.Merge, Keys: []string{"k"}, Newer: "true"})
	done := e.publish("select 'c' as k, 3 as v", engine.Output{Table: e.table, Mode: engine.Overwrite})
	e.wantTable(e.table, "k, v", "c|3")
	e.wantChanges(done.After, "delete|a|1", "delete|b|9", "insert|c|3")
}

// replacesAndTells replaces the rows of a condition, some with all of their file and some without.
func replacesAndTells(_ *testing.T, _ *bench, e *edited) {
	e.append("('a', 1)", "('b', 2)", "('c', 3)")
	e.append("('d', 20)")
	done := e.publish("select 'new' as k, 2 as v", engine.Output{Table: e.table, Mode: engine.Overwrite, Where: "v = 2 OR v = 20"})
	if e.vectors {
		e.wantFiles(done, 1, 1, 1)
	} else {
		e.wantFiles(done, 2, 2, 0)
	}
	e.wantTable(e.table, "k, v", "a|1", "c|3", "new|2")
	e.wantChanges(done.After, "delete|b|2", "delete|d|20", "insert|new|2")
	done = e.publish("select 'no' as k, 1 as v where false", engine.Output{Table: e.table, Mode: engine.Overwrite, Where: "v = 1"})
	e.wantTable(e.table, "k, v", "c|3", "new|2")
	e.wantChanges(done.After, "delete|a|1")
}

func editsPartitions(t *testing.T, _ *bench, e *edited) {
	editor := e.editor()
	field := func(name string, typ delta.Type) delta.Field {
		return delta.Field{Name: name, Type: typ, Nullable: true}
	}
	schema := &delta.Schema{Fields: []delta.Field{field("k", delta.String), field("v", delta.Integer)}}
	if _, err := e.table.Create(t.Context(), delta.Metadata{Schema: schema, PartitionColumns: []string{"k"}, Configuration: maps.Clone(e.properties)}); err != nil {
		t.Fatal(err)
	}
	e.append("('a/b', 1)", "('a/b', 2)", "(null, 3)", "('c', 4)")
	done, err := editor.Update(t.Context(), engine.Edit{Table: e.table, Where: "v in (1, 3)"}, []engine.Assignment{{Column: "k", Value: "'c'"}})
	if err != nil || done.Updated != 2 {
		t.Errorf("%+v, %v", done, err)
	}
	e.wantTable(e.table, "k, v", "a/b|2", "c|1", "c|3", "c|4")
	e.wantChanges(done.After, "update_postimage|c|1", "update_postimage|c|3", "update_preimage|a/b|1", "update_preimage|null|3")
	done, err = editor.Delete(t.Context(), engine.Edit{Table: e.table, Where: "k = 'c' and v > 3"})
	if err != nil || done.Deleted != 1 {
		t.Errorf("%+v, %v", done, err)
	}
	e.wantTable(e.table, "k, v", "a/b|2", "c|1", "c|3")
	e.wantChanges(done.After, "delete|c|4")
}

// purges writes files with deleted rows again.
func purges(t *testing.T, _ *bench, e *edited) {
	editor := e.editor()
	optimizer, ok := e.Engine.(engine.Optimizer)
	if !ok {
		t.Skip("the engine is no engine.Optimizer")
	}
	e.append("('a', 1)", "('b', 2)", "('c', 3)", "('d', 4)")
	if _, err := editor.Delete(t.Context(), engine.Edit{Table: e.table, Where: "v = 2"}); err != nil {
		t.Fatal(err)
	}
	for _, o := range []engine.OptimizeOptions{{}, {Purge: true, PurgeFraction: 0.26}} {
		if done, err := optimizer.Optimize(t.Context(), e.table, o); err != nil || done.After != done.Before {
			t.Errorf("%+v: %+v, %v", o, done, err)
		}
	}
	done, err := optimizer.Optimize(t.Context(), e.table, engine.OptimizeOptions{Purge: true, PurgeFraction: 0.25})
	if err != nil || e.vectors != (done.FilesAdded == 1 && done.FilesRemoved == 1 && done.Rows == 3) {
		t.Errorf("%+v, %v", done, err)
	}
	for add := range e.snapshot(e.table).Files() {
		if add.DeletionVector != nil {
			t.Errorf("%s has a deletion vector still", add.Path)
		}
	}
	e.wantTable(e.table, "k, v", "a|1", "c|3", "d|4")
	if done.After != done.Before {
		e.wantChanges(done.After, []string(nil)...)
	}
}

func editorsMeet(t *testing.T, b *bench, e *edited) {
	e.editor()
	writers, rounds := 3, 3
	if b.lab.Slow {
		writers, rounds = 2, 2
	}
	var rows []string
	for n := range writers * rounds {
		rows = append(rows, fmt.Sprintf("('%d', %d)", n, n))
	}
	e.append(append(rows, "('left', -1)")...)
	var group sync.WaitGroup
	for w := range writers {
		session := b.lab.Open(t)
		group.Go(func() {
			defer session.Close()
			for r := range rounds {
				done, err := session.(engine.Editor).Delete(t.Context(), engine.Edit{Table: e.table, Where: fmt.Sprintf("v = %d", w*rounds+r)})
				if err != nil || done.Deleted != 1 {
					t.Errorf("writer %d: %+v, %v", w, done, err)
				}
			}
		})
	}
	group.Wait()
	e.wantTable(e.table, "k, v", "left|-1")
}

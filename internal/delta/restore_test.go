package delta_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"launchlake/internal/delta"
	"launchlake/internal/objstore"
	"launchlake/internal/objstore/storetest"
)

// changedTable has rows "a" and "b" at version 2; at version 5 "b" is gone, "c" is there, and there is a column more.
func changedTable(t *testing.T) *objstore.Memory {
	t.Helper()
	store := objstore.NewMemory()
	s, err := delta.Open(store).Create(t.Context(), plainTable)
	if err != nil {
		t.Fatal(err)
	}
	var second delta.Add
	for _, content := range []string{"a", "b", "c"} {
		f, err := put(t.Context(), store, content)
		if err != nil {
			t.Fatal(err)
		}
		s, second = appendFile(t, s, f), f
		if content != "b" {
			continue
		}
		tx := s.Begin(delta.Operation{Name: "DELETE"})
		tx.Remove(second)
		if s, err = tx.Commit(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	tx := s.Begin(delta.Operation{Name: "ADD COLUMNS"})
	tx.SetSchema(&delta.Schema{Fields: append(plainTable.Schema.Fields[:1:1], delta.Field{Name: "more", Type: delta.String, Nullable: true})})
	tx.SetConfiguration("delta.checkpointInterval", "7")
	tx.SetTransaction("app", 4)
	if _, err = tx.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	return store
}

func restoreTwo(ctx context.Context, store objstore.Store) error {
	_, err := delta.Open(store).Restore(ctx, 2, delta.RestoreOptions{})
	return err
}

func TestARestoreBringsRowsAndMetadataBackInOneCommit(t *testing.T) {
	store := changedTable(t)
	done, err := delta.Open(store).Restore(t.Context(), 2, delta.RestoreOptions{UserMetadata: "by hand"})
	if err != nil {
		t.Fatal(err)
	}
	if want := (delta.Restored{Before: 5, After: 6, Added: 1, Removed: 1, BytesAdded: 1, BytesRemoved: 1}); !cmp.Equal(want, done) {
		t.Errorf("got %+v, want %+v", done, want)
	}
	if diff := cmp.Diff([]string{"a", "b"}, rows(t, store)); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
	s, err := delta.Open(store).Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(plainTable.Schema, s.Schema()); diff != "" || s.Metadata().Configuration["delta.checkpointInterval"] != "2" {
		t.Errorf("metadata %v, schema (-want +got):\n%s", s.Metadata().Configuration, diff)
	}
	if v, ok := s.AppVersion("app"); v != 4 || !ok {
		t.Errorf("the application is at %d: its progress must stay", v)
	}
	for c, err := range delta.Open(store).History(t.Context()) {
		if err != nil || c.Info.Operation != "RESTORE" || c.Info.OperationParameters["version"] != "2" || c.Info.OperationMetrics["numRestoredFiles"] != "1" {
			t.Errorf("the history says %+v, %v", c.Info, err)
		}
		break
	}
	isClean(t, store)
	again, err := delta.Open(store).Restore(t.Context(), 2, delta.RestoreOptions{})
	if err != nil || again.After != 6 || again.Before != 6 {
		t.Errorf("a second restore commits: %+v, %v", again, err)
	}
	if forth, err := delta.Open(store).Restore(t.Context(), 5, delta.RestoreOptions{}); err != nil || forth.After != 7 {
		t.Errorf("restore of what was restored away: %+v, %v", forth, err)
	}
	if diff := cmp.Diff([]string{"a", "c"}, rows(t, store)); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
}

func TestAVersionWhoseFilesAreGoneIsRestoredOnlyWhenToldTo(t *testing.T) {
	store := changedTable(t)
	two, err := delta.Open(store).SnapshotAt(t.Context(), 2)
	if err != nil {
		t.Fatal(err)
	}
	for f := range two.Files() {
		if f.Tags["rows"] == "b" {
			remove(t, store, f.Path)
		}
	}
	if err := restoreTwo(t.Context(), store); !errors.Is(err, delta.ErrFilesGone) {
		t.Errorf("got %v, want ErrFilesGone", err)
	}
	if diff := cmp.Diff([]string{"a", "c"}, rows(t, store)); diff != "" {
		t.Errorf("the table was changed:\n%s", diff)
	}
	done, err := delta.Open(store).Restore(t.Context(), 2, delta.RestoreOptions{WithoutGoneFiles: true})
	if err != nil || len(done.Gone) != 1 {
		t.Errorf("got %+v, %v; want one file gone", done, err)
	}
	if diff := cmp.Diff([]string{"a"}, rows(t, store)); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
	isClean(t, store)
}

func TestRestoresThatMustNotBe(t *testing.T) {
	store := changedTable(t)
	for _, v := range []delta.Version{-1, 6} {
		var no *delta.VersionError
		if _, err := delta.Open(store).Restore(t.Context(), v, delta.RestoreOptions{}); !errors.As(err, &no) {
			t.Errorf("version %d: got %v, want a VersionError", v, err)
		}
	}
	s, err := delta.Open(store).Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	tx := s.Begin(delta.Operation{Name: "SET TBLPROPERTIES"})
	tx.SetConfiguration("delta.appendOnly", "true")
	if _, err := tx.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := restoreTwo(t.Context(), store); !errors.Is(err, delta.ErrAppendOnly) {
		t.Errorf("got %v, want ErrAppendOnly", err)
	}
}

func TestARestoreConflictsWithWhatOthersCommitMeanwhile(t *testing.T) {
	store := changedTable(t)
	faulty := storetest.NewFaulty(store, storetest.Fault{Op: storetest.PutIfAbsent, Nth: 1, How: storetest.Not, Hook: func(storetest.Call) {
		if err := change(t.Context(), store, "theirs", 1, false); err != nil {
			t.Error(err)
		}
	}})
	var conflict *delta.ConflictError
	if err := restoreTwo(t.Context(), faulty); !errors.As(err, &conflict) {
		t.Errorf("got %v, want a ConflictError", err)
	}
	if diff := cmp.Diff([]string{"a", "c", "theirs"}, rows(t, store)); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
}

func TestWhateverCallOfARestoreFailsTheTableStaysWholeAndARerunConverges(t *testing.T) {
	clean := storetest.NewFaulty(changedTable(t))
	if err := restoreTwo(t.Context(), clean); err != nil {
		t.Fatal(err)
	}
	before, want := []string{"a", "c"}, []string{"a", "b"}
	for fault := range storetest.Each(clean.Calls(), storetest.Any) {
		fault.Op, fault.Key = storetest.Any, ""
		for _, fault.Kill = range []bool{false, true} {
			t.Run(fmt.Sprintf("%v kill %t", fault, fault.Kill), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					store := changedTable(t)
					err := restoreTwo(t.Context(), storetest.NewFaulty(store, fault))
					if got := rows(t, store); !cmp.Equal(got, want) && (err == nil || !cmp.Equal(got, before)) {
						t.Errorf("rows %q after %v", got, err)
					}
					if err := restoreTwo(t.Context(), store); err != nil {
						t.Errorf("the rerun fails: %v", err)
					}
					if diff := cmp.Diff(want, rows(t, store)); diff != "" {
						t.Errorf("rows after the rerun (-want +got):\n%s", diff)
					}
					isClean(t, store)
				})
			})
		}
	}
}

// Data files that a column of an id wrote may come back: another column must not get the id.
func TestARestoreToBeforeColumnMappingKeepsTheHighestID(t *testing.T) {
	store := objstore.NewMemory()
	table := delta.Open(store)
	grow(t, store, 2)
	byName := map[string]string{"delta.columnMapping.mode": "name"}
	if _, err := table.SetProperties(t.Context(), byName); err != nil {
		t.Fatal(err)
	}
	s, err := table.Alter(t.Context(), delta.AddColumn{Column: "second", Type: delta.Long}, delta.AddColumn{Column: "third", Type: delta.Long})
	if err != nil {
		t.Fatal(err)
	}
	highest := func() string { return s.Metadata().Configuration["delta.columnMapping.maxColumnId"] }
	if highest() != "3" {
		t.Fatalf("the highest id is %s", highest())
	}
	for v := range s.Version() { // the versions before mapping, and the one of fewer columns
		if _, err := table.Restore(t.Context(), v, delta.RestoreOptions{WithoutGoneFiles: true}); err != nil {
			t.Fatal(err)
		}
		if s, err = table.Snapshot(t.Context()); err != nil || highest() != "3" {
			t.Errorf("restored to version %d the highest id is %s, %v", v, highest(), err)
		}
	}
	if _, err := table.Restore(t.Context(), 1, delta.RestoreOptions{WithoutGoneFiles: true}); err != nil {
		t.Fatal(err)
	}
	if _, err := table.SetProperties(t.Context(), byName); err != nil {
		t.Fatal(err)
	}
	if s, err = table.Alter(t.Context(), delta.AddColumn{Column: "fourth", Type: delta.Long}); err != nil {
		t.Fatal(err)
	}
	m := s.Metadata()
	for _, f := range m.Schema.Fields {
		if id := m.FieldID(f); id <= 3 {
			t.Errorf("column %s has the id %d, which another had", f.Name, id)
		}
	}
}

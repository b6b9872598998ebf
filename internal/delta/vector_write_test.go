package delta_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/parquet-go/parquet-go"

	"launchlake/internal/delta"
	"launchlake/internal/objstore"
)

// tableWithRows has one file "old" of three rows, with statistics.
func tableWithRows(t *testing.T, store objstore.Store, m delta.Metadata) (*delta.Snapshot, delta.Add) {
	t.Helper()
	s, err := delta.Open(store).Create(t.Context(), m)
	if err != nil {
		t.Fatal(err)
	}
	f, err := put(t.Context(), store, "old")
	if err != nil {
		t.Fatal(err)
	}
	none := int64(0)
	f.Stats.Columns = map[string]delta.ColumnStats{"id": {Min: int64(1), Max: int64(3), NullCount: &none}}
	return appendFile(t, s, f), f
}

// onlyFile is the file of a table that has one.
func onlyFile(s *delta.Snapshot) (f delta.Add) {
	for f = range s.Files() {
	}
	return f
}

func vectorFiles(t *testing.T, store objstore.Store) []string {
	t.Helper()
	return slices.DeleteFunc(keys(t, store), func(key string) bool { return !strings.HasPrefix(key, "deletion_vector_") })
}

func TestDeletedRowsAddUpAndSurviveTheLogAndItsCheckpoints(t *testing.T) {
	for name, open := range stores {
		t.Run(name, func(t *testing.T) {
			store := open(t)
			s, f := tableWithRows(t, store, tableOfRows)
			for i, row := range []int64{2, 0} {
				tx := s.Begin(delta.Operation{Name: "DELETE"})
				tx.DeleteRows(onlyFile(s), rowSet(row))
				var err error
				if s, err = tx.Commit(t.Context()); err != nil {
					t.Fatal(err)
				}
				want := []string{"old less row 2", "old less row 0 less row 2"}[i]
				if diff := cmp.Diff([]string{want}, rows(t, store)); diff != "" { // version 2 has a checkpoint, version 3 a commit behind it
					t.Errorf("rows at version %d (-want +got):\n%s", s.Version(), diff)
				}
				if n, ok := s.NumRecords(); !ok || n != int64(2-i) {
					t.Errorf("%d rows are left at version %d, known: %t", n, s.Version(), ok)
				}
			}
			got := onlyFile(s)
			tight, none := false, int64(0)
			want := &delta.Stats{NumRecords: 3, TightBounds: &tight, Columns: map[string]delta.ColumnStats{"id": {Min: int64(1), Max: int64(3), NullCount: &none}}}
			if diff := cmp.Diff(want, got.Stats); diff != "" {
				t.Errorf("statistics (-want +got):\n%s", diff)
			}
			if got.Path != f.Path || got.Size != f.Size || got.LogicalKey() == f.LogicalKey() {
				t.Errorf("the file was %+v and is %+v", f, got)
			}
			if n := len(vectorFiles(t, store)); n != 2 {
				t.Errorf("there are %d files of vectors, want one a commit", n)
			}
		})
	}
}

func TestTheVectorsOfACommitLieInOneFile(t *testing.T) {
	store := objstore.NewMemory()
	s, _ := tableWithRows(t, store, tableOfRows)
	for range 2 {
		f, err := put(t.Context(), store, "more")
		if err != nil {
			t.Fatal(err)
		}
		s = appendFile(t, s, f)
	}
	tx := s.Begin(delta.Operation{Name: "DELETE"})
	row := int64(0)
	for f := range s.Files() {
		tx.DeleteRows(f, rowSet(row))
		row++
	}
	if _, err := tx.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	got := rows(t, store)
	if len(got) != 3 || strings.Count(strings.Join(got, ","), " less row ") != 3 {
		t.Errorf("rows: %q", got)
	}
	if files := vectorFiles(t, store); len(files) != 1 {
		t.Errorf("the vectors lie in %q", files)
	}
}

func TestDeletionsThatMakeNoSenseAreRefusedAndLeaveNothing(t *testing.T) {
	store := objstore.NewMemory()
	s, f := tableWithRows(t, store, tableOfRows)
	for _, tt := range []struct {
		name string
		do   func(tx *delta.Transaction)
		want string
	}{
		{"no such file", func(tx *delta.Transaction) { tx.DeleteRows(delta.Add{Path: "x"}, rowSet(1)) }, "has no such file"},
		{"twice", func(tx *delta.Transaction) { tx.DeleteRows(f, rowSet(1)); tx.DeleteRows(f, rowSet(2)) }, "twice"},
		{"and removed", func(tx *delta.Transaction) { tx.DeleteRows(f, rowSet(1)); tx.Remove(f) }, "removes it"},
		{"no rows", func(tx *delta.Transaction) { tx.DeleteRows(f, rowSet()) }, "no rows are given"},
		{"a row behind the end", func(tx *delta.Transaction) { tx.DeleteRows(f, rowSet(1, 3)) }, "row 3 is none of its 3"},
		{"changes elsewhere", func(tx *delta.Transaction) { tx.AddChangeData(delta.Add{Path: "x"}) }, "lie in _change_data"},
		{"an append-only table", func(tx *delta.Transaction) {
			tx.SetConfiguration("delta.appendOnly", "true")
			tx.DeleteRows(f, rowSet(1))
		}, "append-only"},
	} {
		tx := s.Begin(delta.Operation{Name: "DELETE"})
		tt.do(tx)
		if _, err := tx.Commit(t.Context()); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want an error with %q", tt.name, err, tt.want)
		}
	}
	if files := vectorFiles(t, store); len(files) > 0 {
		t.Errorf("files were left: %q", files)
	}
}

func TestTheLoserOfAConflictTakesItsVectorsAway(t *testing.T) {
	store := objstore.NewMemory()
	s, f := tableWithRows(t, store, tableOfRows)
	var conflict *delta.ConflictError
	for i, want := range []bool{false, true} {
		tx := s.Begin(delta.Operation{Name: "DELETE"})
		tx.DeleteRows(f, rowSet(int64(i)))
		if _, err := tx.Commit(t.Context()); errors.As(err, &conflict) != want {
			t.Fatalf("writer %d: %v", i, err)
		}
	}
	if files := vectorFiles(t, store); len(files) != 1 {
		t.Errorf("there are vectors in %q, want those of the winner", files)
	}
	if diff := cmp.Diff([]string{"old less row 0"}, rows(t, store)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestARestoreBringsDeletedRowsBack(t *testing.T) {
	store := objstore.NewMemory()
	s, _ := tableWithRows(t, store, tableOfRows)
	for _, row := range []int64{0, 1} {
		tx := s.Begin(delta.Operation{Name: "DELETE"})
		tx.DeleteRows(onlyFile(s), rowSet(row))
		var err error
		if s, err = tx.Commit(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	for version, want := range map[delta.Version]string{2: "old less row 0", 1: "old", 3: "old less row 0 less row 1"} {
		if _, err := delta.Open(store).Restore(t.Context(), version, delta.RestoreOptions{}); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{want}, rows(t, store)); diff != "" {
			t.Errorf("restored to version %d (-want +got):\n%s", version, diff)
		}
	}
}

func TestVacuumTakesVectorsAndChangesThatNoVersionNeeds(t *testing.T) {
	store := objstore.NewMemory()
	s, f := tableWithRows(t, store, tableOfRows)
	for row := range int64(2) {
		if err := deleteRow(t.Context(), store, row, row); err != nil {
			t.Fatal(err)
		}
	}
	if err := store.Put(t.Context(), "deletion_vector_d2c639aa-8816-431a-aaf6-d3fe2512ff61.bin", strings.NewReader("of a killed writer")); err != nil {
		t.Fatal(err)
	}
	later := delta.OpenWith(store, delta.Options{Now: func() time.Time { return time.Now().Add(30 * day) }})
	done, err := later.Vacuum(t.Context(), delta.VacuumOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if done.Files != 4 { // the first vector, the orphan, two files of changes
		t.Errorf("%d files were deleted; left are %q", done.Files, keys(t, store))
	}
	if diff := cmp.Diff([]string{"old less row 0 less row 1"}, rows(t, store)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	tx := s.Begin(delta.Operation{Name: "DELETE"}) // of a version whose vector is gone now, but it had none
	tx.DeleteRows(f, rowSet(1))
	var conflict *delta.ConflictError
	if _, err := tx.Commit(t.Context()); !errors.As(err, &conflict) {
		t.Errorf("got %v, want a conflict", err)
	}
}

func TestRowsOfAFileWithoutStatisticsAreCounted(t *testing.T) {
	store := objstore.NewMemory()
	s, err := delta.Open(store).Create(t.Context(), tableOfRows)
	if err != nil {
		t.Fatal(err)
	}
	f := parquetOfInts(t, store, 5, 6, 7, 8)
	f.Stats = nil
	s = appendFile(t, s, f)
	tx := s.Begin(delta.Operation{Name: "DELETE"})
	tx.DeleteRows(f, rowSet(3))
	if s, err = tx.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n, ok := s.NumRecords(); !ok || n != 3 {
		t.Errorf("%d rows, known: %t", n, ok)
	}
	gone, err := put(t.Context(), store, "no Parquet")
	if err != nil {
		t.Fatal(err)
	}
	gone.Stats = nil
	s = appendFile(t, s, gone)
	tx = s.Begin(delta.Operation{Name: "DELETE"})
	tx.DeleteRows(gone, rowSet(0))
	var corrupt *delta.CorruptError
	if _, err := tx.Commit(t.Context()); !errors.As(err, &corrupt) {
		t.Errorf("got %v, want a CorruptError", err)
	}
	if err := store.Delete(t.Context(), gone.Path); err != nil {
		t.Fatal(err)
	}
	tx = s.Begin(delta.Operation{Name: "DELETE"})
	tx.DeleteRows(gone, rowSet(0))
	if _, err := tx.Commit(t.Context()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v, want that it is not there", err)
	}
}

func TestChangesAreWhatTheWriterSays(t *testing.T) {
	store := objstore.NewMemory()
	s, f := tableWithRows(t, store, tableOfRows)
	tx := s.Begin(delta.Operation{Name: "DELETE"})
	tx.DeleteRows(f, rowSet(1))
	if _, err := tx.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := deleteRow(t.Context(), store, 0, 1); err != nil {
		t.Fatal(err)
	}
	c, err := delta.Open(store).Changes(t.Context(), 2, 3)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for f, err := range c.Files(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		folder, _, _ := strings.Cut(f.Path, "/")
		got = append(got, fmt.Sprintf("%d %s %t %s", f.Version, f.Type, f.Within != nil, strings.TrimSuffix(folder, ".zstd.parquet")[:4]))
	}
	if diff := cmp.Diff([]string{"2 delete true part", "3  false _cha"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// parquetOfInts stores a real data file with a column id.
func parquetOfInts(t *testing.T, store objstore.Store, ids ...int64) delta.Add {
	t.Helper()
	type row struct {
		ID int64 `parquet:"id"`
	}
	var body bytes.Buffer
	w := parquet.NewGenericWriter[row](&body)
	for _, id := range ids {
		if _, err := w.Write([]row{{id}}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	f := delta.Add{Path: delta.NewDataFileName("parquet"), Size: int64(body.Len()), Stats: &delta.Stats{NumRecords: int64(len(ids))}}
	if err := store.Put(t.Context(), f.Path, &body); err != nil {
		t.Fatal(err)
	}
	return f
}

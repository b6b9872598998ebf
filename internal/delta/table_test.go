package delta_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"launchlake/internal/delta"
	"launchlake/internal/objstore"
)

// stores are the stores that every table test runs on.
var stores = map[string]func(t *testing.T) objstore.Store{
	"memory": func(*testing.T) objstore.Store { return objstore.NewMemory() },
	"dir": func(t *testing.T) objstore.Store {
		d, err := objstore.NewDir(t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		return d
	},
}

var eventSchema = &delta.Schema{Fields: []delta.Field{
	{Name: "id", Type: delta.Long, Nullable: false},
	{Name: "name", Type: delta.String, Nullable: true},
	{Name: "day", Type: delta.Date, Nullable: true},
}}

func createEvents(t *testing.T, store objstore.Store) *delta.Snapshot {
	t.Helper()
	s, err := delta.Open(store).Create(t.Context(), delta.Metadata{Schema: eventSchema, PartitionColumns: []string{"day"}})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// eventFile is a file of the events table with ids from first to last. Its bytes do not matter here.
func eventFile(t *testing.T, store objstore.Store, day string, first, last int64) delta.Add {
	t.Helper()
	values := map[string]*string{"day": &day}
	path := delta.PartitionPath([]string{"day"}, values) + "/" + delta.NewDataFileName("zstd.parquet")
	if err := store.Put(t.Context(), path, strings.NewReader("rows")); err != nil {
		t.Fatal(err)
	}
	none := int64(0)
	return delta.Add{Path: path, PartitionValues: values, Size: 4, Stats: &delta.Stats{
		NumRecords: last - first + 1,
		Columns:    map[string]delta.ColumnStats{"id": {Min: first, Max: last, NullCount: &none}},
	}}
}

func appendFile(t *testing.T, s *delta.Snapshot, files ...delta.Add) *delta.Snapshot {
	t.Helper()
	tx := s.Begin(delta.Operation{Name: "WRITE"})
	tx.Add(files...)
	next, err := tx.Commit(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return next
}

func paths(t *testing.T, s *delta.Snapshot, p ...delta.Predicate) []string {
	t.Helper()
	out := []string{}
	for f, err := range s.Files(p...) {
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, f.Path)
	}
	return out
}

func TestAnAppendedFileIsThereForTheNextReader(t *testing.T) {
	for name, open := range stores {
		t.Run(name, func(t *testing.T) {
			store := open(t)
			file := eventFile(t, store, "2024-05-01", 1, 10)
			written := appendFile(t, createEvents(t, store), file)

			read, err := delta.Open(store).Snapshot(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(paths(t, written), paths(t, read)); diff != "" {
				t.Errorf("files of the writer's snapshot and of the reader's (-written +read):\n%s", diff)
			}
			if diff := cmp.Diff([]string{file.Path}, paths(t, read)); diff != "" {
				t.Errorf("files (-want +got):\n%s", diff)
			}
			if n, ok := read.NumRecords(); read.Version() != 1 || n != 10 || !ok {
				t.Errorf("version %d with %d records (known: %t), want version 1 with 10", read.Version(), n, ok)
			}
			if diff := cmp.Diff(eventSchema, read.Schema()); diff != "" {
				t.Errorf("schema (-want +got):\n%s", diff)
			}
			for f := range read.Files() {
				if diff := cmp.Diff(file.Stats, f.Stats); diff != "" {
					t.Errorf("statistics (-want +got):\n%s", diff)
				}
			}
		})
	}
}

func TestOpeningAFolderWithoutALogSaysThatItIsNoTable(t *testing.T) {
	for name, open := range stores {
		t.Run(name, func(t *testing.T) {
			if _, err := delta.Open(open(t)).Snapshot(t.Context()); !errors.Is(err, delta.ErrNotATable) {
				t.Errorf("got %v, want ErrNotATable", err)
			}
		})
	}
}

func TestCreatingATableThatExistsGivesItWhenItTakesTheSameRows(t *testing.T) {
	with := func(f ...delta.Field) *delta.Schema {
		return &delta.Schema{Fields: slices.Concat(eventSchema.Fields, f)}
	}
	for _, tt := range []struct {
		name       string
		schema     *delta.Schema
		partition  []string
		wantReason string
	}{
		{"same schema", eventSchema, []string{"day"}, ""},
		{"fewer columns", &delta.Schema{Fields: []delta.Field{eventSchema.Fields[0], eventSchema.Fields[2]}}, []string{"day"}, ""},
		{"a column more", with(delta.Field{Name: "more", Type: delta.Long, Nullable: true}), []string{"day"}, "column more would be dropped"},
		{"nulls where there may be none", &delta.Schema{Fields: []delta.Field{{Name: "id", Type: delta.Long, Nullable: true}, eventSchema.Fields[2]}}, []string{"day"}, "column id must not be null"},
		{"a required column less", &delta.Schema{Fields: eventSchema.Fields[1:]}, []string{"day"}, "column id must not be null"},
		{"another type", &delta.Schema{Fields: []delta.Field{{Name: "id", Type: delta.String}, eventSchema.Fields[2]}}, []string{"day"}, "column id is string"},
		{"other partitions", eventSchema, nil, "partitioned by"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			store := objstore.NewMemory()
			appendFile(t, createEvents(t, store), eventFile(t, store, "2024-05-01", 1, 1))
			s, err := delta.Open(store).Create(t.Context(), delta.Metadata{Schema: tt.schema, PartitionColumns: tt.partition})
			if tt.wantReason == "" {
				if err != nil || s.Version() != 1 {
					t.Errorf("got version %v, %v, want version 1", s, err)
				}
			} else if err == nil || !strings.Contains(err.Error(), tt.wantReason) {
				t.Errorf("got %v, want an error with %q", err, tt.wantReason)
			}
		})
	}
}

func TestEachVersionCanBeReadAgain(t *testing.T) {
	store := objstore.NewMemory()
	s := createEvents(t, store)
	want := [][]string{{}}
	for i := range 25 {
		f := eventFile(t, store, "2024-05-01", int64(i), int64(i))
		s = appendFile(t, s, f)
		next := append(slices.Clone(want[i]), f.Path)
		slices.Sort(next)
		want = append(want, next)
	}
	table := delta.Open(store)
	for v, files := range want {
		s, err := table.SnapshotAt(t.Context(), delta.Version(v))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(files, paths(t, s)); diff != "" {
			t.Errorf("files of version %d (-want +got):\n%s", v, diff)
		}
	}
	for _, v := range []delta.Version{-1, 26} {
		_, err := table.SnapshotAt(t.Context(), v)
		var outside *delta.VersionError
		if !errors.As(err, &outside) || outside.First != 0 || outside.Latest != 25 {
			t.Errorf("version %d: got %v, want an error that names the versions 0 to 25", v, err)
		}
	}
}

func TestProgressOfAnApplicationIsCommittedOnce(t *testing.T) {
	store := objstore.NewMemory()
	first := createEvents(t, store)
	commit := func(s *delta.Snapshot, version int64) (*delta.Snapshot, error) {
		tx := s.Begin(delta.Operation{Name: "WRITE"})
		tx.Add(eventFile(t, store, "2024-05-01", version, version))
		tx.SetTransaction("ingest", version)
		return tx.Commit(t.Context())
	}
	second, err := commit(first, 7)
	if err != nil {
		t.Fatal(err)
	}
	if v, ok := second.AppVersion("ingest"); v != 7 || !ok {
		t.Errorf("progress is %d (known: %t), want 7", v, ok)
	}
	for _, tt := range []struct {
		name     string
		snapshot *delta.Snapshot
		version  int64
	}{
		{"again, by one who knows", second, 7},
		{"again, by one who does not know yet", first, 7},
		{"older, by one who does not know yet", first, 3},
	} {
		if _, err := commit(tt.snapshot, tt.version); !errors.Is(err, delta.ErrAlreadyApplied) {
			t.Errorf("%s: got %v, want ErrAlreadyApplied", tt.name, err)
		}
	}
	if s, _ := delta.Open(store).Snapshot(t.Context()); s.Version() != 1 {
		t.Errorf("the table is at version %d, want 1", s.Version())
	}
}

func TestCommitsGiveWhatEachVersionChanged(t *testing.T) {
	store := objstore.NewMemory()
	s := createEvents(t, store)
	old := eventFile(t, store, "2024-05-01", 1, 1)
	s = appendFile(t, s, old)
	tx := s.Begin(delta.Operation{Name: "DELETE", Parameters: map[string]string{"predicate": "id = 1"}, Metrics: map[string]int64{"numRemovedFiles": 1}})
	tx.Remove(old)
	tx.SetTransaction("app", 5)
	if _, err := tx.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	var got []string
	for c, err := range delta.Open(store).Commits(t.Context(), 0, 2) {
		if err != nil {
			t.Fatal(err)
		}
		line := fmt.Sprintf("%d %s blind=%t", c.Version, c.Info.Operation, *c.Info.IsBlindAppend)
		for _, a := range c.Add {
			line += fmt.Sprintf(" +%s", *a.PartitionValues["day"])
		}
		for _, r := range c.Remove {
			line += fmt.Sprintf(" -%s", *r.PartitionValues["day"])
		}
		for _, txn := range c.Transactions {
			line += fmt.Sprintf(" %s=%d", txn.AppID, txn.Version)
		}
		got = append(got, line)
	}
	want := []string{
		"0 CREATE TABLE blind=true",
		"1 WRITE blind=true +2024-05-01",
		"2 DELETE blind=false -2024-05-01 app=5",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("commits (-want +got):\n%s", diff)
	}
	var history []delta.Version
	for c, err := range delta.Open(store).History(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		history = append(history, c.Version)
	}
	if diff := cmp.Diff([]delta.Version{2, 1, 0}, history); diff != "" {
		t.Errorf("history (-want +got):\n%s", diff)
	}
}

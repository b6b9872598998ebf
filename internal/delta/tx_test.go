package delta_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"launchlake/internal/delta"
	"launchlake/internal/objstore"
)

func TestTransactionsThatBreakTheTableAreRefused(t *testing.T) {
	store := objstore.NewMemory()
	one := eventFile(t, store, "2024-05-01", 1, 10)
	s := appendFile(t, createEvents(t, store), one)
	file := func(change func(*delta.Add)) delta.Add {
		f := eventFile(t, store, "2024-05-01", 1, 1)
		change(&f)
		return f
	}
	bad := "not a day"
	nulls := int64(2)
	twice := eventFile(t, store, "2024-05-01", 1, 1)
	for _, tt := range []struct {
		name string
		do   func(tx *delta.Transaction)
		want string
	}{
		{"no path", func(tx *delta.Transaction) { tx.Add(file(func(f *delta.Add) { f.Path = "" })) }, "not the path of a data file"},
		{"a file in the log", func(tx *delta.Transaction) { tx.Add(file(func(f *delta.Add) { f.Path = "_delta_log/x" })) }, "not the path of a data file"},
		{"no partition value", func(tx *delta.Transaction) { tx.Add(file(func(f *delta.Add) { f.PartitionValues = nil })) }, "partition values for 0 columns"},
		{"another partition column", func(tx *delta.Transaction) {
			tx.Add(file(func(f *delta.Add) { f.PartitionValues = map[string]*string{"id": nil} }))
		}, `no value for partition column "day"`},
		{"a partition value of another type", func(tx *delta.Transaction) {
			tx.Add(file(func(f *delta.Add) { f.PartitionValues = map[string]*string{"day": &bad} }))
		}, "is no date"},
		{"nulls where there may be none", func(tx *delta.Transaction) {
			tx.Add(file(func(f *delta.Add) {
				f.Stats.Columns = map[string]delta.ColumnStats{"id": {NullCount: &nulls}}
			}))
		}, "column id must not be null"},
		{"one file twice", func(tx *delta.Transaction) { tx.Add(twice, twice) }, "added twice"},
		{"remove of what is not there", func(tx *delta.Transaction) { tx.Remove(delta.Add{Path: "x"}) }, "has no such file"},
		{"remove twice", func(tx *delta.Transaction) { tx.Remove(one, one) }, "removed twice"},
		{"remove and add", func(tx *delta.Transaction) { tx.Remove(one); tx.Add(one) }, "the same transaction adds it"},
		{"read of no column", func(tx *delta.Transaction) { tx.Read(delta.Col("x").Eq(1)) }, "no column x"},
		{"unknown property", func(tx *delta.Transaction) { tx.SetConfiguration("delta.enableDeletionVector", "true") }, "is delta.enableDeletionVectors meant?"},
		{"rows without the feature", func(tx *delta.Transaction) { tx.DeleteRows(one, rowSet(1)) }, "not enabled (delta.enableDeletionVectors)"},
		{"changes without the feed", func(tx *delta.Transaction) { tx.AddChangeData(delta.Add{Path: "_change_data/x"}) }, "change data feed was not enabled"},
		{"a new file with a vector", func(tx *delta.Transaction) {
			tx.Add(file(func(f *delta.Add) { f.DeletionVector = &delta.DeletionVector{} }))
		}, "DeleteRows makes one"},
		{"bad property", func(tx *delta.Transaction) { tx.SetConfiguration("delta.checkpointInterval", "0") }, "no number above 0"},
		{"bad interval", func(tx *delta.Transaction) { tx.SetConfiguration("delta.logRetentionDuration", "interval 2 months") }, "is no interval"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tx := s.Begin(delta.Operation{Name: "WRITE"})
			tt.do(tx)
			if _, err := tx.Commit(t.Context()); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want an error with %q", err, tt.want)
			}
		})
	}
	if s, err := delta.Open(store).Snapshot(t.Context()); err != nil || s.Version() != 1 {
		t.Errorf("the table is at version %v, %v; want 1", s, err)
	}
}

func TestATransactionIsCommittedOnce(t *testing.T) {
	store := objstore.NewMemory()
	tx := createEvents(t, store).Begin(delta.Operation{Name: "WRITE"})
	tx.Add(eventFile(t, store, "2024-05-01", 1, 1))
	if _, err := tx.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Commit(t.Context()); err == nil {
		t.Error("it was committed a second time")
	}
}

func TestAnAppendOnlyTableKeepsItsRows(t *testing.T) {
	store := objstore.NewMemory()
	s, err := delta.Open(store).Create(t.Context(), delta.Metadata{Schema: plainTable.Schema, Configuration: map[string]string{"delta.appendOnly": "true"}})
	if err != nil {
		t.Fatal(err)
	}
	f := delta.Add{Path: "a", Size: 1}
	s = appendFile(t, s, f)
	for _, tt := range []struct {
		name string
		op   delta.Operation
		want error
	}{
		{"delete", delta.Operation{Name: "DELETE"}, delta.ErrAppendOnly},
		{"compaction", delta.Operation{Name: "OPTIMIZE", Rearrange: true}, nil},
	} {
		tx := s.Begin(tt.op)
		tx.Remove(f)
		if _, err := tx.Commit(t.Context()); !errors.Is(err, tt.want) {
			t.Errorf("%s: got %v, want %v", tt.name, err, tt.want)
		}
	}
}

func TestSchemasGrowAndDoNotChangeOtherwise(t *testing.T) {
	inner := func(f ...delta.Field) *delta.Struct { return &delta.Struct{Fields: f} }
	long := delta.Field{Name: "a", Type: delta.Long, Nullable: true}
	text := delta.Field{Name: "b", Type: delta.String, Nullable: true}
	required := delta.Field{Name: "c", Type: delta.String}
	base := []delta.Field{long, {Name: "st", Type: inner(long), Nullable: true}, {Name: "list", Type: &delta.Array{Element: inner(long)}, Nullable: true}, {Name: "req", Type: delta.Long}}
	with := func(i int, f delta.Field) []delta.Field {
		out := append([]delta.Field{}, base...)
		out[i] = f
		return out
	}
	for _, tt := range []struct {
		name   string
		fields []delta.Field
		want   string // "": it may
	}{
		{"the same", base, ""},
		{"a column more", append(append([]delta.Field{}, base...), text), ""},
		{"a member more", with(1, delta.Field{Name: "st", Type: inner(long, text), Nullable: true}), ""},
		{"a member of a list's element more", with(2, delta.Field{Name: "list", Type: &delta.Array{Element: inner(long, text)}, Nullable: true}), ""},
		{"elements may be null from now on", with(2, delta.Field{Name: "list", Type: &delta.Array{Element: inner(long), ContainsNull: true}, Nullable: true}), ""},
		{"required no more", with(3, delta.Field{Name: "req", Type: delta.Long, Nullable: true}), ""},
		{"another order", []delta.Field{base[3], base[2], base[1], base[0]}, ""},
		{"a required column more", append(append([]delta.Field{}, base...), required), "must be nullable"},
		{"a required member more", with(1, delta.Field{Name: "st", Type: inner(long, required), Nullable: true}), "column st.c is new"},
		{"a column less", base[1:], "column a would be dropped"},
		{"a member less", with(1, delta.Field{Name: "st", Type: inner(text), Nullable: true}), "column st.a would be dropped"},
		{"required from now on", with(0, delta.Field{Name: "a", Type: delta.Long}), "must stay so"},
		{"wider", with(0, delta.Field{Name: "a", Type: delta.Double, Nullable: true}), "column a is long and cannot become double"},
		{"struct to scalar", with(1, text), "column st would be dropped"},
		{"equal but for case", append(append([]delta.Field{}, base...), delta.Field{Name: "A", Type: delta.Long, Nullable: true}), "ignore case"},
		{"a name that Parquet refuses", append(append([]delta.Field{}, base...), delta.Field{Name: "a b", Type: delta.Long, Nullable: true}), "in its name"},
		{"a type of others", append(append([]delta.Field{}, base...), delta.Field{Name: "v", Type: delta.Primitive("variant"), Nullable: true}), "cannot be written"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, err := delta.Open(objstore.NewMemory()).Create(t.Context(), delta.Metadata{Schema: inner(base...)})
			if err != nil {
				t.Fatal(err)
			}
			tx := s.Begin(delta.Operation{Name: "ADD COLUMNS"})
			tx.SetSchema(inner(tt.fields...))
			after, err := tx.Commit(t.Context())
			switch {
			case tt.want == "" && err != nil:
				t.Error(err)
			case tt.want == "":
				if diff := cmp.Diff(inner(tt.fields...), after.Schema()); diff != "" {
					t.Errorf("schema (-want +got):\n%s", diff)
				}
			case err == nil || !strings.Contains(err.Error(), tt.want):
				t.Errorf("got %v, want an error with %q", err, tt.want)
			}
		})
	}
}

func TestTheProtocolIsTheLowestThatServes(t *testing.T) {
	ntz := &delta.Schema{Fields: []delta.Field{{Name: "st", Type: &delta.Struct{Fields: []delta.Field{{Name: "t", Type: delta.TimestampNTZ, Nullable: true}}}, Nullable: true}}}
	for _, tt := range []struct {
		name   string
		schema *delta.Schema
		want   delta.Protocol
	}{
		{"plain", plainTable.Schema, delta.Protocol{MinReaderVersion: 1, MinWriterVersion: 2}},
		{"a timestamp without zone somewhere", ntz, delta.Protocol{MinReaderVersion: 3, MinWriterVersion: 7,
			ReaderFeatures: []string{"timestampNtz"}, WriterFeatures: []string{"appendOnly", "invariants", "timestampNtz"}}},
	} {
		s, err := delta.Open(objstore.NewMemory()).Create(t.Context(), delta.Metadata{Schema: tt.schema})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(tt.want, s.Protocol()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}

func TestMetadataActionsKeepWhatTheyDoNotChange(t *testing.T) {
	store := objstore.NewMemory()
	s, err := delta.Open(store).Create(t.Context(), delta.Metadata{Name: "n", Description: "d", Schema: plainTable.Schema, Configuration: map[string]string{"mine": "1"}})
	if err != nil {
		t.Fatal(err)
	}
	tx := s.Begin(delta.Operation{Name: "SET TBLPROPERTIES"})
	tx.SetConfiguration("delta.checkpointInterval", "100")
	after, err := tx.Commit(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := s.Metadata()
	want.Configuration = map[string]string{"mine": "1", "delta.checkpointInterval": "100"}
	if diff := cmp.Diff(want, after.Metadata()); diff != "" {
		t.Errorf("metadata (-want +got):\n%s", diff)
	}
	// Setting what is set already is no change, so it is no conflict for others.
	tx = after.Begin(delta.Operation{Name: "SET TBLPROPERTIES"})
	tx.SetConfiguration("mine", "1")
	if _, err := tx.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	for c, err := range delta.Open(store).Commits(t.Context(), 2, 2) {
		if err != nil || c.Metadata != nil {
			t.Errorf("commit 2 holds metadata %v, %v", c.Metadata, err)
		}
	}
}

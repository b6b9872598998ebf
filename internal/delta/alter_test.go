package delta_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"launchlake/internal/delta"
	"launchlake/internal/objstore"
)

// nestedSchema has members at every kind of place.
var nestedSchema = &delta.Schema{Fields: []delta.Field{
	{Name: "id", Type: delta.Integer},
	{Name: "day", Type: delta.Date, Nullable: true},
	{Name: "pad", Nullable: true, Type: &delta.Struct{Fields: []delta.Field{
		{Name: "name", Type: delta.String, Nullable: true},
		{Name: "height", Type: delta.Float, Nullable: true},
	}}},
	{Name: "counts", Nullable: true, Type: &delta.Array{Element: delta.Short, ContainsNull: true}},
	{Name: "stages", Nullable: true, Type: &delta.Map{Key: delta.String, ValueContainsNull: true, Value: &delta.Struct{Fields: []delta.Field{
		{Name: "mass", Type: delta.Decimal{Precision: 5, Scale: 2}, Nullable: true},
	}}}},
}}

func createNested(t *testing.T, properties map[string]string) *delta.Table {
	t.Helper()
	table := delta.Open(objstore.NewMemory())
	if _, err := table.Create(t.Context(), delta.Metadata{Schema: nestedSchema, PartitionColumns: []string{"day"}, Configuration: properties}); err != nil {
		t.Fatal(err)
	}
	return table
}

// mapping gives the id and physical name of every field.
func mapping(t *testing.T, m delta.Metadata) (ids map[string]int32, names map[string]string) {
	t.Helper()
	ids, names = map[string]int32{}, map[string]string{}
	var walk func(prefix string, typ delta.Type)
	walk = func(prefix string, typ delta.Type) {
		switch typ := typ.(type) {
		case *delta.Struct:
			for _, f := range typ.Fields {
				ids[prefix+f.Name], names[prefix+f.Name] = m.FieldID(f), m.PhysicalName(f)
				walk(prefix+f.Name+".", f.Type)
			}
		case *delta.Array:
			walk(prefix+"element.", typ.Element)
		case *delta.Map:
			walk(prefix+"key.", typ.Key)
			walk(prefix+"value.", typ.Value)
		}
	}
	walk("", m.Schema)
	return ids, names
}

func TestMappingAnExistingTableKeepsTheNamesOfItsFiles(t *testing.T) {
	table := createNested(t, nil)
	s, err := table.SetProperties(t.Context(), map[string]string{"delta.columnMapping.mode": "name"})
	if err != nil {
		t.Fatal(err)
	}
	if got := s.Protocol(); got.MinReaderVersion != 2 || got.MinWriterVersion != 5 {
		t.Errorf("protocol %+v", got)
	}
	ids, names := mapping(t, s.Metadata())
	want := map[string]string{"id": "id", "day": "day", "pad": "pad", "pad.name": "name", "pad.height": "height", "counts": "counts", "stages": "stages", "stages.value.mass": "mass"}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Errorf("physical names (-want +got):\n%s", diff)
	}
	used := map[int32]bool{}
	for name, id := range ids {
		if id < 1 || int(id) > len(want) || used[id] {
			t.Errorf("column %s has id %d", name, id)
		}
		used[id] = true
	}
	if got := s.Metadata().Configuration["delta.columnMapping.maxColumnId"]; got != fmt.Sprint(len(want)) {
		t.Errorf("maxColumnId is %s", got)
	}
}

func TestMappedColumnsAreRenamedDroppedAndAdded(t *testing.T) {
	for _, mode := range []string{"name", "id"} {
		t.Run(mode, func(t *testing.T) {
			table := createNested(t, map[string]string{"delta.columnMapping.mode": mode})
			created, err := table.Snapshot(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			ids, names := mapping(t, created.Metadata())
			for name, physical := range names {
				if !strings.HasPrefix(physical, "col-") {
					t.Errorf("new column %s has the physical name %s", name, physical)
				}
			}
			s, err := table.Alter(t.Context(),
				delta.RenameColumn{Column: "id", To: "launch id, of ours"}, // mapped columns may be called anything
				delta.RenameColumn{Column: "day", To: "date"},
				delta.RenameColumn{Column: "stages.value.mass", To: "weight"},
				delta.DropColumn{Column: "pad.height"},
				delta.DropColumn{Column: "counts"},
				delta.AddColumn{Column: "counts", Type: &delta.Array{Element: &delta.Struct{Fields: []delta.Field{{Name: "n", Type: delta.Long, Nullable: true}}}}, Comment: "again"},
				delta.AddColumn{Column: "pad.place", Type: delta.String},
			)
			if err != nil {
				t.Fatal(err)
			}
			m := s.Metadata()
			newIDs, newNames := mapping(t, m)
			for old, name := range map[string]string{"id": "launch id, of ours", "day": "date", "pad": "pad", "pad.name": "pad.name", "stages": "stages", "stages.value.mass": "stages.value.weight"} {
				if newIDs[name] != ids[old] || newNames[name] != names[old] {
					t.Errorf("%s was %d %s and is as %s now %d %s", old, ids[old], names[old], name, newIDs[name], newNames[name])
				}
			}
			for i, name := range []string{"counts", "counts.element.n", "pad.place"} {
				if newIDs[name] <= 8 || newNames[name] == names[name] {
					t.Errorf("%d: added column %s has id %d and physical name %s", i, name, newIDs[name], newNames[name])
				}
			}
			if _, there := newIDs["pad.height"]; there {
				t.Error("pad.height is still there")
			}
			if diff := cmp.Diff([]string{"date"}, m.PartitionColumns); diff != "" {
				t.Error(diff)
			}
			if got := m.Configuration["delta.columnMapping.maxColumnId"]; got != "11" {
				t.Errorf("maxColumnId is %s", got)
			}
		})
	}
}

func TestThePartitionValuesOfARenamedColumnStay(t *testing.T) {
	table := createNested(t, map[string]string{"delta.columnMapping.mode": "name"})
	s, err := table.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	day, three := "2024-05-01", int64(3)
	tx := s.Begin(delta.Operation{Name: "WRITE"})
	tx.Add(delta.Add{Path: "one", PartitionValues: map[string]*string{"day": &day}, Size: 1, Stats: &delta.Stats{NumRecords: 3,
		Columns: map[string]delta.ColumnStats{"id": {Min: int64(1), Max: int64(9)}, "pad.name": {NullCount: &three}}}})
	if s, err = tx.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err = table.Alter(t.Context(), delta.RenameColumn{Column: "day", To: "date"}, delta.RenameColumn{Column: "id", To: "number"}); err != nil {
		t.Fatal(err)
	}
	if s, err = table.Snapshot(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := table.Checkpoint(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	if s, err = table.Snapshot(t.Context()); err != nil { // from the checkpoint
		t.Fatal(err)
	}
	for _, tt := range []struct {
		where delta.Predicate
		want  int
	}{
		{delta.Col("date").Eq(time.Date(2024, 5, 1, 0, 0, 0, 0, time.UTC)), 1}, {delta.Col("date").Eq(time.Date(2024, 5, 2, 0, 0, 0, 0, time.UTC)), 0},
		{delta.Col("number").Eq(9), 1}, {delta.Col("number").Eq(10), 0}, {delta.Col("pad.name").NotNull(), 0},
	} {
		if got := paths(t, s, tt.where); len(got) != tt.want {
			t.Errorf("%s: %d files", tt.where, len(got))
		}
	}
	for f, err := range s.Files() {
		if err != nil || *f.PartitionValues["date"] != day {
			t.Errorf("%v, %v", f.PartitionValues, err)
		}
	}
}

func TestColumnsAreWidened(t *testing.T) {
	table := createNested(t, map[string]string{"delta.enableTypeWidening": "true"})
	for _, c := range []delta.WidenColumn{
		{Column: "id", Type: delta.Long}, {Column: "id", Type: delta.Decimal{Precision: 20}}, {Column: "pad.height", Type: delta.Double},
		{Column: "counts.element", Type: delta.Integer}, {Column: "stages.value.mass", Type: delta.Decimal{Precision: 7, Scale: 3}},
	} {
		if _, err := table.Alter(t.Context(), c); err != nil {
			t.Fatal(err)
		}
	}
	s, err := table.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if got, want := s.Schema().String(), "struct<id:decimal(20,0),day:date,pad:struct<name:string,height:double>,counts:array<integer>,stages:map<string,struct<mass:decimal(7,3)>>>"; got != want {
		t.Errorf("schema is %s", got)
	}
	changes := map[string]string{}
	for _, f := range s.Schema().Fields {
		changes[f.Name] = string(f.Metadata["delta.typeChanges"])
	}
	want := map[string]string{
		"id": `[{"toType":"long","fromType":"integer"},{"toType":"decimal(20,0)","fromType":"long"}]`, "day": "", "pad": "", "stages": "",
		"counts": `[{"toType":"integer","fromType":"short","fieldPath":"element"}]`,
	}
	if diff := cmp.Diff(want, changes); diff != "" {
		t.Errorf("type changes (-want +got):\n%s", diff)
	}
	if v := s.Version(); v != 5 {
		t.Errorf("version %d", v)
	}
	if _, err := table.Alter(t.Context(), delta.WidenColumn{Column: "counts.element", Type: delta.Integer}); err != nil {
		t.Error(err)
	}
	if again, err := table.Snapshot(t.Context()); err != nil || again.Version() != s.Version() {
		t.Errorf("widening to the type that is there made a version: %v", err)
	}
}

func TestChangesThatWouldBreakATableAreRefused(t *testing.T) {
	mapped := map[string]string{"delta.columnMapping.mode": "name", "delta.dataSkippingStatsColumns": "id,counts"}
	widening := map[string]string{"delta.enableTypeWidening": "true"}
	for _, tt := range []struct {
		properties map[string]string
		change     delta.ColumnChange
		want       string
	}{
		{nil, delta.RenameColumn{Column: "id", To: "x"}, `set delta.columnMapping.mode to "name" first`},
		{nil, delta.DropColumn{Column: "id"}, `set delta.columnMapping.mode to "name" first`},
		{nil, delta.WidenColumn{Column: "id", Type: delta.Long}, "set delta.enableTypeWidening to true first"},
		{nil, delta.AddColumn{Column: "ID", Type: delta.Long}, "there is a column of this name"},
		{nil, delta.AddColumn{Column: "id.x", Type: delta.Long}, "id is a integer, which has no members"},
		{nil, delta.AddColumn{Column: "a b", Type: delta.Long}, "Parquet writers refuse"},
		{nil, delta.AddColumn{Column: "v", Type: delta.Primitive("variant")}, "cannot be written"},
		{nil, delta.AddColumn{Column: "v"}, "no type"},
		{nil, delta.CommentColumn{Column: "gone"}, "no such column"},
		{nil, delta.AllowNull{Column: "pad..x"}, "an empty name"},
		{mapped, delta.RenameColumn{Column: "pad", To: "DAY"}, "there is a column day already"},
		{mapped, delta.RenameColumn{Column: "id", To: "x"}, "delta.dataSkippingStatsColumns names it"},
		{mapped, delta.RenameColumn{Column: "gone", To: "x"}, "no such column"},
		{mapped, delta.DropColumn{Column: "day"}, "partitioned by it"},
		{mapped, delta.DropColumn{Column: "stages.value.mass"}, "the only one"},
		{widening, delta.WidenColumn{Column: "id", Type: delta.Short}, "integer cannot become short"},
		{widening, delta.WidenColumn{Column: "id", Type: delta.Float}, "integer cannot become float"},
		{widening, delta.WidenColumn{Column: "id", Type: delta.Decimal{Precision: 9}}, "integer cannot become decimal(9,0)"},
		{widening, delta.WidenColumn{Column: "pad", Type: delta.String}, "cannot become string"},
		{widening, delta.WidenColumn{Column: "day", Type: delta.TimestampNTZ}, "partition values of dates"},
	} {
		table := createNested(t, tt.properties)
		if _, err := table.Alter(t.Context(), tt.change); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%#v: got %v, want %q", tt.change, err, tt.want)
		}
	}
}

func TestPropertiesRaiseTheProtocol(t *testing.T) {
	for property, tt := range map[string]struct{ value, reader, writer string }{
		"delta.enableDeletionVectors":    {"true", "deletionVectors", "deletionVectors"},
		"delta.enableTypeWidening":       {"true", "typeWidening", "typeWidening"},
		"delta.enableInCommitTimestamps": {"true", "", "inCommitTimestamp"},
		"delta.enableChangeDataFeed":     {"false", "", ""},
		"comment":                        {"anything", "", ""},
	} {
		table := createNested(t, nil)
		s, err := table.SetProperties(t.Context(), map[string]string{property: tt.value})
		if err != nil {
			t.Fatalf("%s: %v", property, err)
		}
		p := s.Protocol()
		if got := strings.Join(p.ReaderFeatures, ","); got != tt.reader {
			t.Errorf("%s: reader features %s", property, got)
		}
		if got := strings.Join(p.WriterFeatures, ","); !strings.Contains(got, tt.writer) || tt.writer == "" && got != "" {
			t.Errorf("%s: writer features %s", property, got)
		}
		if s, err = table.SetProperties(t.Context(), nil, property); err != nil {
			t.Fatal(err)
		}
		if _, there := s.Metadata().Configuration[property]; there {
			t.Errorf("%s is still there", property)
		}
		if !cmp.Equal(p, s.Protocol()) {
			t.Errorf("%s: unset, the protocol is %v", property, s.Protocol())
		}
	}
}

func TestPropertiesThatCannotBeKeptAreRefused(t *testing.T) {
	table := createNested(t, map[string]string{"delta.columnMapping.mode": "name"})
	for _, tt := range []struct{ key, value, want string }{
		{"delta.apendOnly", "true", "is delta.appendOnly meant?"},
		{"Delta.AppendOnly", "true", "is delta.appendOnly meant?"},
		{"delta.enableRowTracking", "true", "not supported for writing: rowTracking"},
		{"delta.columnMapping.maxColumnId", "9", "kept by writers"},
		{"delta.columnMapping.mode", "id", `cannot change from "name" to "id"`},
		{"delta.columnMapping.mode", "none", `cannot change from "name" to "none"`},
		{"delta.columnMapping.mode", "names", "neither none, name nor id"},
		{"delta.checkpointPolicy", "v3", "neither classic nor v2"},
		{"delta.appendOnly", "1", "neither true nor false"},
	} {
		if _, err := table.SetProperties(t.Context(), map[string]string{tt.key: tt.value}); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s=%s: got %v, want %q", tt.key, tt.value, err, tt.want)
		}
	}
	if _, err := table.SetProperties(t.Context(), nil, "delta.columnMapping.mode"); err == nil {
		t.Error("the mapping could be unset")
	}
	plain := createNested(t, nil)
	if _, err := plain.SetProperties(t.Context(), map[string]string{"delta.columnMapping.mode": "id"}); err == nil || !strings.Contains(err.Error(), "no field ids") {
		t.Errorf("mode id of an existing table: %v", err)
	}
	var unsupported *delta.UnsupportedError
	if _, err := plain.SetProperties(t.Context(), map[string]string{"delta.nothingOfTheSort": "1"}); !errors.As(err, &unsupported) {
		t.Errorf("unknown property: %v", err)
	}
}

func TestInCommitTimestampsAreEnabledOnATableThatHasCommits(t *testing.T) {
	now := time.Date(2024, 5, 1, 12, 0, 0, 0, time.UTC)
	store := objstore.NewMemory()
	table := delta.OpenWith(store, delta.Options{Now: func() time.Time { return now }})
	s, err := table.Create(t.Context(), delta.Metadata{Schema: nestedSchema})
	if err != nil {
		t.Fatal(err)
	}
	if s, err = table.Snapshot(t.Context()); err != nil {
		t.Fatal(err)
	}
	before := s.Timestamp() // the store's clock, ahead of ours
	if s, err = table.SetProperties(t.Context(), map[string]string{"delta.enableInCommitTimestamps": "true"}); err != nil {
		t.Fatal(err)
	}
	m := s.Metadata()
	if got := m.Configuration["delta.inCommitTimestampEnablementVersion"]; got != "1" {
		t.Errorf("enablement version %s", got)
	}
	if got := m.Configuration["delta.inCommitTimestampEnablementTimestamp"]; got != fmt.Sprint(s.Timestamp().UnixMilli()) {
		t.Errorf("enablement timestamp %s, the version's is %d", got, s.Timestamp().UnixMilli())
	}
	if !s.Timestamp().After(before) {
		t.Errorf("timestamps go from %s to %s", before, s.Timestamp())
	}
	next, err := table.SetProperties(t.Context(), map[string]string{"x": "y"})
	if err != nil {
		t.Fatal(err)
	}
	if !next.Timestamp().After(s.Timestamp()) || next.Metadata().Configuration["delta.inCommitTimestampEnablementVersion"] != "1" {
		t.Errorf("the next version is of %s, %v", next.Timestamp(), next.Metadata().Configuration)
	}
	old, err := table.SnapshotAsOf(t.Context(), s.Timestamp())
	if err != nil || old.Version() != 1 {
		t.Errorf("at the time of enablement: %v, %v", old, err)
	}
	if s, err = table.SetProperties(t.Context(), map[string]string{"delta.enableInCommitTimestamps": "false"}); err != nil {
		t.Fatal(err)
	}
	if _, there := s.Metadata().Configuration["delta.inCommitTimestampEnablementVersion"]; there {
		t.Error("disabled, but since when is still said")
	}
}

func TestNewColumnsOfAMappedTableCanBeWrittenBeforeTheyAreCommitted(t *testing.T) {
	table := createNested(t, map[string]string{"delta.columnMapping.mode": "name"})
	s, err := table.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	// As a caller knows it, without the marks of the mapping, and with a foreign mark that must not win.
	wanted := &delta.Schema{Fields: append([]delta.Field{}, nestedSchema.Fields...)}
	wanted.Fields[0].Metadata = map[string]json.RawMessage{"delta.columnMapping.id": json.RawMessage("77")}
	wanted.Fields = append(wanted.Fields, delta.Field{Name: "note", Type: delta.String, Nullable: true})
	evolved, err := s.Metadata().Evolve(wanted)
	if err != nil {
		t.Fatal(err)
	}
	tx := s.Begin(delta.Operation{Name: "WRITE"})
	tx.SetSchema(evolved.Schema)
	if s, err = tx.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	ids, names := mapping(t, s.Metadata())
	wantIDs, wantNames := mapping(t, evolved)
	if diff := cmp.Diff(wantIDs, ids) + cmp.Diff(wantNames, names); diff != "" {
		t.Errorf("(-planned +committed):\n%s", diff)
	}
	if ids["note"] != 9 || ids["id"] == 77 {
		t.Errorf("ids %v", ids)
	}
}

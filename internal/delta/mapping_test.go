package delta

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func mappedField(name, physical string, id string, t Type) Field {
	f := Field{Name: name, Type: t, Nullable: true, Metadata: map[string]json.RawMessage{}}
	if physical != "" {
		f.Metadata[physicalNameKey] = json.RawMessage(`"` + physical + `"`)
	}
	if id != "" {
		f.Metadata[mappingIDKey] = json.RawMessage(id)
	}
	return f
}

func TestStatisticsAndPartitionValuesGoByPhysicalNames(t *testing.T) {
	m := &Metadata{
		Configuration: map[string]string{mappingModeProperty: "name"},
		Schema: &Schema{Fields: []Field{
			mappedField("a", "col-1", "", Long),
			mappedField("s", "col-2", "", &Struct{Fields: []Field{mappedField("a", "col-3", "", String)}}),
			mappedField("p", "col-4", "", Integer),
		}},
		PartitionColumns: []string{"p"},
	}
	seven := "7"
	a := &addAction{
		Path: "x", PartitionValues: map[string]*string{"col-4": &seven},
		Stats: `{"numRecords":3,"minValues":{"col-1":1,"col-2":{"col-3":"x"},"a":9},"maxValues":{"col-1":2},"nullCount":{"col-2":{"col-3":1}}}`,
	}
	one := int64(1)
	want := Add{
		Path: "x", PartitionValues: map[string]*string{"p": &seven}, Tags: map[string]string{},
		Stats: &Stats{NumRecords: 3, Columns: map[string]ColumnStats{
			"a": {Min: int64(1), Max: int64(2)}, "s.a": {Min: "x", NullCount: &one},
		}},
	}
	got := a.public(m, m.statsReader())
	got.ModificationTime = want.ModificationTime
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for _, tt := range []struct {
		p    Predicate
		want bool
	}{
		{Col("a").Eq(2), true}, {Col("a").Eq(9), false}, {Col("p").Eq(7), true}, {Col("p").Eq(8), false}, {Col("s.a").Lt("x"), false},
	} {
		keep, err := m.filter([]Predicate{tt.p})
		if err != nil {
			t.Fatal(err)
		}
		if keep(a) != tt.want {
			t.Errorf("%s: kept is %t", tt.p, !tt.want)
		}
	}
}

func TestMappedColumnsMustBeFindable(t *testing.T) {
	list := func(f ...Field) *Schema {
		return &Schema{Fields: []Field{mappedField("l", "l", "9", &Array{Element: &Struct{Fields: f}})}}
	}
	for _, tt := range []struct {
		name, mode string
		schema     *Schema
		want       string // part of the error; "": none
	}{
		{"by name", "name", list(mappedField("a", "x", "1", Long), mappedField("b", "y", "2", Long)), ""},
		{"by name without ids", "name", list(mappedField("a", "x", "", Long)), ""},
		{"by id", "id", list(mappedField("a", "x", "1", Long), mappedField("b", "y", "2", Long)), ""},
		{"not mapped", "none", list(mappedField("a", "", "", Long)), ""},
		{"no physical name", "name", list(mappedField("a", "", "1", Long)), "no physical name"},
		{"a physical name twice", "name", list(mappedField("a", "x", "1", Long), mappedField("b", "x", "2", Long)), "twice"},
		{"no id", "id", list(mappedField("a", "x", "", Long)), "no column mapping id"},
		{"an id twice", "id", list(mappedField("a", "x", "1", Long), mappedField("b", "y", "1", Long)), "twice"},
		{"an id that is none", "id", list(mappedField("a", "x", `"1"`, Long)), "no field id"},
		{"an unknown mode", "color", list(mappedField("a", "x", "1", Long)), "unknown column mapping mode"},
	} {
		m := &Metadata{Schema: tt.schema, Configuration: map[string]string{mappingModeProperty: tt.mode}}
		err := m.checkMapping()
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

func TestTypeChangesAreReadWhenNothingIsLost(t *testing.T) {
	for _, tt := range []struct {
		from, to string
		served   bool
	}{
		{"byte", "short", true}, {"byte", "long", true}, {"integer", "long", true}, {"short", "double", true}, {"float", "double", true},
		{"date", "timestamp_ntz", true}, {"integer", "decimal(10,0)", true}, {"long", "decimal(20,0)", true}, {"byte", "decimal(4,1)", true},
		{"decimal(6,2)", "decimal(10,4)", true}, {"decimal(6,2)", "decimal(6,2)", true},
		{"long", "integer", false}, {"long", "double", false}, {"double", "float", false}, {"date", "timestamp", false},
		{"decimal(6,2)", "decimal(7,4)", false}, {"decimal(6,2)", "decimal(9,1)", false}, {"integer", "decimal(10,1)", false},
		{"string", "long", false}, {"long", "string", false}, {"timestamp", "timestamp_ntz", false}, {"nonsense", "long", false},
	} {
		change := json.RawMessage(`[{"fromType":"` + tt.from + `","toType":"` + tt.to + `"}]`)
		s := &Schema{Fields: []Field{{Name: "m", Type: &Map{Key: String, Value: &Struct{Fields: []Field{
			{Name: "x", Type: Long, Metadata: map[string]json.RawMessage{typeChangesKey: change}}}}}}}}
		p := Protocol{MinReaderVersion: 3, MinWriterVersion: 7, ReaderFeatures: []string{"typeWidening"}, WriterFeatures: []string{"typeWidening"}}
		err := p.checkRead(usage{metadata: &Metadata{Schema: s}})
		var unsupported *UnsupportedError
		if tt.served != (err == nil) || err != nil && (!errors.As(err, &unsupported) || !strings.Contains(err.Error(), tt.from)) {
			t.Errorf("%s to %s: %v", tt.from, tt.to, err)
		}
	}
}

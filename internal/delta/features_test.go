package delta

import (
	"encoding/json"
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// using gives metadata that makes use of a feature; nil when listing it is use enough.
func using(feature string) *Metadata {
	mark := func(key string) *Metadata {
		return &Metadata{Schema: &Schema{Fields: []Field{{Name: "st", Type: &Array{Element: &Struct{Fields: []Field{
			{Name: "x", Type: Long, Metadata: map[string]json.RawMessage{key: json.RawMessage(`"1"`)}}}}}}}}}
	}
	property := func(k, v string) *Metadata {
		return &Metadata{Schema: &Schema{}, Configuration: map[string]string{k: v}}
	}
	switch feature {
	case "invariants":
		return mark("delta.invariants")
	case "checkConstraints":
		return property("delta.constraints.positive", "x > 0")
	case "changeDataFeed":
		return property("delta.enableChangeDataFeed", "TRUE")
	case "generatedColumns":
		return mark("delta.generationExpression")
	case "columnMapping":
		return property("delta.columnMapping.mode", "name")
	case "identityColumns":
		return mark("delta.identity.start")
	case "allowColumnDefaults":
		return mark("CURRENT_DEFAULT")
	case "v2Checkpoint":
		return property("delta.checkpointPolicy", "v2")
	case "typeWidening":
		m := mark(typeChangesKey)
		m.Schema.Fields[0].Type.(*Array).Element.(*Struct).Fields[0].Metadata[typeChangesKey] = json.RawMessage(`[{"fromType":"integer","toType":"long"}]`)
		return m
	case "variantType", "variantShredding":
		return &Metadata{Schema: &Schema{Fields: []Field{{Name: "m", Type: &Map{Key: String, Value: Primitive("variant")}}}}}
	default:
		return nil
	}
}

func TestEachFeatureIsServedOrRefusedByName(t *testing.T) {
	idle := &Metadata{Schema: &Schema{}}
	refusedBy := func(err error, name string) bool {
		var unsupported *UnsupportedError
		return errors.As(err, &unsupported) && slices.Contains(unsupported.Features, name)
	}
	for _, f := range features {
		for _, name := range append([]string{f.name}, f.aliases...) {
			p := Protocol{MinReaderVersion: 1, MinWriterVersion: 7, WriterFeatures: []string{name}}
			if f.reader {
				p.MinReaderVersion, p.ReaderFeatures = 3, []string{name}
			}
			if got, want := p.checkRead(usage{metadata: idle}) == nil, f.read != refused; got != want {
				t.Errorf("%s, not in use: read served is %t", name, got)
			}
			if got, want := p.checkWrite(usage{metadata: idle}) == nil, f.write != refused; got != want {
				t.Errorf("%s, not in use: write served is %t", name, got)
			}
			u := usage{metadata: using(f.name), vectors: f.name == "deletionVectors"}
			if u.metadata == nil {
				u.metadata = idle
			}
			if err := p.checkRead(u); refusedBy(err, name) != (f.read != served) {
				t.Errorf("%s, in use: read gives %v", name, err)
			}
			if err := p.checkWrite(u); refusedBy(err, name) != (f.write != served) {
				t.Errorf("%s, in use: write gives %v", name, err)
			}
			// A table that uses what its protocol does not list is as little to be trusted.
			plain := Protocol{MinReaderVersion: 1, MinWriterVersion: 2}
			if err := plain.checkWrite(u); f.write == whenIdle && !refusedBy(err, f.name) {
				t.Errorf("%s, in use and not listed: write gives %v", name, err)
			}
			if err := plain.checkRead(u); f.inFiles && !refusedBy(err, f.name) {
				t.Errorf("%s, in use and not listed: read gives %v", name, err)
			}
		}
	}
}

func TestOldVersionNumbersImplyFeatures(t *testing.T) {
	for _, tt := range []struct {
		reader, writer int
		want           []string
	}{
		{1, 1, nil},
		{1, 2, []string{"appendOnly", "invariants"}},
		{1, 3, []string{"appendOnly", "checkConstraints", "invariants"}},
		{1, 4, []string{"appendOnly", "changeDataFeed", "checkConstraints", "generatedColumns", "invariants"}},
		{2, 5, []string{"appendOnly", "changeDataFeed", "checkConstraints", "columnMapping", "generatedColumns", "invariants"}},
		{2, 6, []string{"appendOnly", "changeDataFeed", "checkConstraints", "columnMapping", "generatedColumns", "identityColumns", "invariants"}},
		{3, 7, nil},
	} {
		p := Protocol{MinReaderVersion: tt.reader, MinWriterVersion: tt.writer}
		if diff := cmp.Diff(tt.want, p.listed(true)); diff != "" {
			t.Errorf("(%d,%d) (-want +got):\n%s", tt.reader, tt.writer, diff)
		}
	}
	if err := (Protocol{MinReaderVersion: 4, MinWriterVersion: 8}).checkRead(usage{metadata: &Metadata{Schema: &Schema{}}}); err == nil || err.Error() != "table features not supported for reading: reader version 4" {
		t.Errorf("reader version 4: %v", err)
	}
	if err := (Protocol{MinReaderVersion: 1, MinWriterVersion: 8}).checkWrite(usage{metadata: &Metadata{Schema: &Schema{}}}); err == nil || err.Error() != "table features not supported for writing: writer version 8" {
		t.Errorf("writer version 8: %v", err)
	}
}

func TestUpgradesListWhatOldVersionsImplied(t *testing.T) {
	ntz := &Metadata{Schema: &Schema{Fields: []Field{{Name: "t", Type: TimestampNTZ}}}}
	with := func(property string) *Metadata {
		return &Metadata{Schema: &Schema{}, Configuration: map[string]string{property: "true"}}
	}
	appendOnly := with("delta.appendOnly")
	for _, tt := range []struct {
		name string
		from Protocol
		m    *Metadata
		want Protocol
	}{
		{"nothing needed", Protocol{MinReaderVersion: 1, MinWriterVersion: 1}, &Metadata{Schema: &Schema{}}, Protocol{MinReaderVersion: 1, MinWriterVersion: 1}},
		{"append-only", Protocol{MinReaderVersion: 1, MinWriterVersion: 1}, appendOnly, Protocol{MinReaderVersion: 1, MinWriterVersion: 2}},
		{"append-only among features", Protocol{MinReaderVersion: 1, MinWriterVersion: 7, WriterFeatures: []string{"domainMetadata"}}, appendOnly,
			Protocol{MinReaderVersion: 1, MinWriterVersion: 7, WriterFeatures: []string{"appendOnly", "domainMetadata"}}},
		{"change data feed", Protocol{MinReaderVersion: 1, MinWriterVersion: 2}, with("delta.enableChangeDataFeed"), Protocol{MinReaderVersion: 1, MinWriterVersion: 4}},
		{"deletion vectors", Protocol{MinReaderVersion: 1, MinWriterVersion: 2}, with("delta.enableDeletionVectors"), Protocol{MinReaderVersion: 3, MinWriterVersion: 7,
			ReaderFeatures: []string{"deletionVectors"}, WriterFeatures: []string{"appendOnly", "deletionVectors", "invariants"}}},
		{"timestampNtz", Protocol{MinReaderVersion: 2, MinWriterVersion: 5}, ntz, Protocol{MinReaderVersion: 3, MinWriterVersion: 7,
			ReaderFeatures: []string{"columnMapping", "timestampNtz"},
			WriterFeatures: []string{"appendOnly", "changeDataFeed", "checkConstraints", "columnMapping", "generatedColumns", "invariants", "timestampNtz"}}},
		{"there already", Protocol{MinReaderVersion: 3, MinWriterVersion: 7, ReaderFeatures: []string{"timestampNtz"}, WriterFeatures: []string{"timestampNtz"}}, ntz,
			Protocol{MinReaderVersion: 3, MinWriterVersion: 7, ReaderFeatures: []string{"timestampNtz"}, WriterFeatures: []string{"timestampNtz"}}},
		{"mapped columns", Protocol{MinReaderVersion: 1, MinWriterVersion: 2}, using("columnMapping"), Protocol{MinReaderVersion: 2, MinWriterVersion: 5}},
		{"mapped columns among features of writers", Protocol{MinReaderVersion: 1, MinWriterVersion: 7, WriterFeatures: []string{"inCommitTimestamp"}}, using("columnMapping"),
			Protocol{MinReaderVersion: 2, MinWriterVersion: 7, WriterFeatures: []string{"columnMapping", "inCommitTimestamp"}}},
		{"mapped columns among features", Protocol{MinReaderVersion: 3, MinWriterVersion: 7, ReaderFeatures: []string{"timestampNtz"}, WriterFeatures: []string{"timestampNtz"}}, using("columnMapping"),
			Protocol{MinReaderVersion: 3, MinWriterVersion: 7, ReaderFeatures: []string{"columnMapping", "timestampNtz"}, WriterFeatures: []string{"columnMapping", "timestampNtz"}}},
		{"V2 checkpoints", Protocol{MinReaderVersion: 1, MinWriterVersion: 1}, using("v2Checkpoint"),
			Protocol{MinReaderVersion: 3, MinWriterVersion: 7, ReaderFeatures: []string{"v2Checkpoint"}, WriterFeatures: []string{"v2Checkpoint"}}},
		{"a feature by its old name", Protocol{MinReaderVersion: 3, MinWriterVersion: 7, ReaderFeatures: []string{"typeWidening-preview"}, WriterFeatures: []string{"typeWidening-preview"}}, using("typeWidening"),
			Protocol{MinReaderVersion: 3, MinWriterVersion: 7, ReaderFeatures: []string{"typeWidening-preview"}, WriterFeatures: []string{"typeWidening-preview"}}},
	} {
		if diff := cmp.Diff(tt.want, tt.from.upgraded(tt.m)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}

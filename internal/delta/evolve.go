package delta

import (
	"bytes"
	"encoding/json"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// evolve checks that a table's schema may become another, and gives it. Columns and members of structs may be added if they
// are nullable, and a column may become nullable; nothing else may change (spec: Schema evolution is the writer's business;
// this is what keeps every old file readable).
func evolve(from, to *Schema) (*Schema, error) {
	t, err := evolveType("", from, to)
	if err != nil {
		return nil, fmt.Errorf("change the schema: %w", err)
	}
	return t.(*Schema), nil
}

func evolveType(where string, from, to Type) (Type, error) {
	switch old := from.(type) {
	case *Struct:
		if s, ok := to.(*Struct); ok {
			return evolveStruct(where, old, s)
		}
	case *Array:
		if a, ok := to.(*Array); ok && (a.ContainsNull || !old.ContainsNull) {
			element, err := evolveType(where+"element.", old.Element, a.Element)
			return &Array{Element: element, ContainsNull: a.ContainsNull}, err
		}
	case *Map:
		if m, ok := to.(*Map); ok && (m.ValueContainsNull || !old.ValueContainsNull) {
			key, err := evolveType(where+"key.", old.Key, m.Key)
			if err != nil {
				return nil, err
			}
			value, err := evolveType(where+"value.", old.Value, m.Value)
			return &Map{Key: key, Value: value, ValueContainsNull: m.ValueContainsNull}, err
		}
	default:
		if from == to {
			return to, nil
		}
	}
	return nil, fmt.Errorf("column %s is %s and cannot become %s", strings.TrimSuffix(where, "."), from, to)
}

func evolveStruct(where string, from, to *Struct) (Type, error) {
	out := &Struct{}
	for _, f := range to.Fields {
		old, existed := from.Field(f.Name)
		switch {
		case !existed && !f.Nullable:
			return nil, fmt.Errorf("column %s%s is new and must be nullable: rows written before have none", where, f.Name)
		case existed && old.Nullable && !f.Nullable:
			return nil, fmt.Errorf("column %s%s is nullable and must stay so", where, f.Name)
		case existed:
			t, err := evolveType(where+f.Name+".", old.Type, f.Type)
			if err != nil {
				return nil, err
			}
			metadata := maps.Clone(old.Metadata)
			if metadata == nil {
				metadata = f.Metadata
			}
			maps.Copy(metadata, f.Metadata)
			f = Field{Name: f.Name, Type: t, Nullable: f.Nullable, Metadata: metadata}
		}
		out.Fields = append(out.Fields, f)
	}
	for _, old := range from.Fields {
		if _, kept := to.Field(old.Name); !kept {
			return nil, fmt.Errorf("column %s%s would be dropped", where, old.Name)
		}
	}
	return out, nil
}

// accepts says whether rows of one schema can be written into a table of another.
func (s *Schema) accepts(rows *Schema) error {
	if _, err := evolve(rows, nullableBut(s, rows)); err != nil {
		return err
	}
	for _, f := range s.Fields {
		given, ok := rows.Field(f.Name)
		if !ok && !f.Nullable || ok && given.Nullable && !f.Nullable {
			return fmt.Errorf("column %s must not be null", f.Name)
		}
	}
	return nil
}

// nullableBut gives the schema with the nullability of the rows' columns taken over, so that only names and types are compared.
func nullableBut(s, rows *Schema) *Schema {
	out := &Schema{}
	for _, f := range s.Fields {
		if given, ok := rows.Field(f.Name); ok {
			f.Nullable = given.Nullable
		} else {
			f.Nullable = true
		}
		out.Fields = append(out.Fields, f)
	}
	return out
}

func equalTypes(a, b Type) bool {
	x, errX := json.Marshal(typeJSON(a))
	y, errY := json.Marshal(typeJSON(b))
	return errX == nil && errY == nil && bytes.Equal(x, y)
}

// requiredLeaves yields the names of leaf columns that hold no null in any row.
func requiredLeaves(s *Struct, prefix []string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, f := range s.Fields {
			if f.Nullable {
				continue
			}
			path := append(slices.Clone(prefix), f.Name)
			if sub, ok := f.Type.(*Struct); ok {
				requiredLeaves(sub, path)(yield)
			} else if !yield(columnName(path)) {
				return
			}
		}
	}
}

// upgraded gives the lowest protocol that serves a table of this metadata and keeps every feature that the table has.
func (p Protocol) upgraded(m *Metadata) Protocol {
	has := p.listed(true)
	needed := slices.DeleteFunc(m.needs(), func(name string) bool { return slices.Contains(has, name) })
	if len(needed) == 0 {
		return p
	}
	implied := func(name string) bool { return findFeature(name).legacyWriter > 0 && !findFeature(name).reader }
	if p.MinWriterVersion < featureVersionWriter && !slices.ContainsFunc(needed, func(name string) bool { return !implied(name) }) {
		for _, name := range needed {
			p.MinWriterVersion = max(p.MinWriterVersion, findFeature(name).legacyWriter)
		}
		return p
	}
	out := Protocol{MinReaderVersion: p.MinReaderVersion, MinWriterVersion: featureVersionWriter, ReaderFeatures: p.ReaderFeatures}
	out.WriterFeatures = union(has, needed)
	if slices.ContainsFunc(needed, func(name string) bool { return findFeature(name).reader }) {
		out.MinReaderVersion = featureVersionReader
		readers := slices.DeleteFunc(slices.Clone(needed), func(name string) bool { return !findFeature(name).reader })
		out.ReaderFeatures = union(p.listed(false), readers)
	}
	return out
}

// needs names the features that a table of this metadata uses, of those that are turned on by using them.
func (m *Metadata) needs() []string {
	var needed []string
	if m.enabled("delta.appendOnly") {
		needed = append(needed, "appendOnly")
	}
	if hasType(TimestampNTZ)(usage{metadata: m}) {
		needed = append(needed, "timestampNtz")
	}
	for _, c := range m.Constraints() {
		needed = append(needed, string(c.Rule))
	}
	return union(needed, nil)
}

func union(a, b []string) []string {
	all := slices.Concat(a, b)
	slices.Sort(all)
	return slices.Compact(all)
}

func (p Protocol) equal(q Protocol) bool {
	return p.MinReaderVersion == q.MinReaderVersion && p.MinWriterVersion == q.MinWriterVersion &&
		slices.Equal(p.ReaderFeatures, q.ReaderFeatures) && slices.Equal(p.WriterFeatures, q.WriterFeatures)
}

// settable are the table properties that this package honours, with what their values must be.
var settable = map[string]func(string) error{
	"delta.appendOnly":                      isBool,
	"delta.checkpointInterval":              isPositive,
	"delta.checkpoint.writeStatsAsJson":     isBool,
	"delta.checkpoint.writeStatsAsStruct":   isBool,
	"delta.dataSkippingNumIndexedCols":      isInteger,
	"delta.dataSkippingStatsColumns":        isAnything,
	"delta.deletedFileRetentionDuration":    isInterval,
	"delta.logRetentionDuration":            isInterval,
	"delta.setTransactionRetentionDuration": isInterval,
	"delta.enableExpiredLogCleanup":         isBool,
	"delta.isolationLevel":                  isIsolation,
	"delta.parquet.compression.codec":       isAnything,
	"delta.targetFileSize":                  isAnything,
}

// checkProperties refuses properties of the protocol that would be promises this package cannot keep.
func checkProperties(properties map[string]string) error {
	for _, k := range slices.Sorted(maps.Keys(properties)) {
		if !strings.HasPrefix(k, "delta.") || strings.HasPrefix(k, constraintPrefix) {
			continue
		}
		check, ok := settable[k]
		if !ok {
			return fmt.Errorf("table property: %w", &UnsupportedError{Features: []string{k}, Write: true})
		}
		if err := check(properties[k]); err != nil {
			return fmt.Errorf("table property %s: %w", k, err)
		}
	}
	return nil
}

func isBool(s string) error {
	_, err := strconv.ParseBool(s)
	return err
}

func isInteger(s string) error {
	_, err := strconv.Atoi(s)
	return err
}

func isPositive(s string) error {
	if n, err := strconv.Atoi(s); err != nil || n < 1 {
		return fmt.Errorf("%q is no number above 0", s)
	}
	return nil
}

func isInterval(s string) error {
	_, err := parseInterval(s)
	return err
}

func isIsolation(s string) error {
	if s != serializable && s != writeSerializable {
		return fmt.Errorf("%q is neither %s nor %s", s, serializable, writeSerializable)
	}
	return nil
}

func isAnything(string) error { return nil }

package delta

import (
	"bytes"
	"encoding/json"
	"fmt"
	"iter"
	"maps"
	"slices"
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
			if metadata == nil && len(f.Metadata) > 0 {
				metadata = map[string]json.RawMessage{}
			}
			maps.Copy(metadata, without(f.Metadata, mappingIDKey, physicalNameKey, typeChangesKey)) // of the table, not the caller's
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

// Evolve gives the metadata with another schema, in which columns and members of structs are new, all of them nullable, or may be
// null that might not before. When the table maps columns, new ones get ids and physical names. A transaction that is then given the
// schema ([Transaction.SetSchema]) keeps them, so that data files can be written first.
func (m Metadata) Evolve(to *Schema) (Metadata, error) {
	to, err := m.withNewMarks(to)
	if err != nil {
		return m, err
	}
	if m.Schema, err = evolve(m.Schema, to); err != nil || m.ColumnMapping() == MapNone {
		return m, err
	}
	return m, m.mapColumns(newPhysicalName)
}

// Replace is Evolve to any other schema, for a table whose rows are all written anew ([Transaction.ReplaceSchema]). To the mapping a
// column that keeps its name and type stays the same, others are new.
func (m Metadata) Replace(to *Schema) (Metadata, error) {
	to, err := m.withNewMarks(to)
	if err != nil {
		return m, err
	}
	out := &Schema{Fields: make([]Field, len(to.Fields))}
	for i, f := range to.Fields {
		old, ok := m.Schema.Field(f.Name)
		if ok && equalTypes(unmapped(&Schema{Fields: []Field{{Type: old.Type}}}), unmapped(&Schema{Fields: []Field{{Type: f.Type}}})) {
			f.Type = old.Type
			for key, value := range old.Metadata {
				if _, given := f.Metadata[key]; !given || protectedKey(key) {
					f.Metadata = withEntry(f.Metadata, key, value)
				}
			}
		}
		out.Fields[i] = f
	}
	if m.Schema = out; m.ColumnMapping() == MapNone {
		return m, nil
	}
	return m, m.mapColumns(newPhysicalName)
}

// withNewMarks leaves of a schema's ids and physical names those that come after the table's own. Others may be of another table.
func (m *Metadata) withNewMarks(s *Schema) (*Schema, error) {
	highest, err := m.maxColumnID()
	if err != nil {
		return nil, err
	}
	out, err := eachField(s, func(f Field) (Field, error) {
		if _, id, err := mapped(f); err != nil || id == nil || int(*id) <= highest {
			f.Metadata = without(f.Metadata, mappingIDKey, physicalNameKey)
		}
		return f, nil
	})
	if err != nil {
		return nil, err
	}
	return out.(*Schema), nil
}

// protectedKey is whether an entry of a field's metadata says how its data files are to be read, which no caller knows better.
func protectedKey(key string) bool {
	return key == mappingIDKey || key == physicalNameKey || key == typeChangesKey
}

// Widens says whether each value of one type is a value of the other, so that rows of it can be written where the table has the other.
func Widens(from, to Type) bool { return widenedTo(from, to).String() == to.String() }

// widenedTo gives a type with those in it that another type's hold replaced by them.
func widenedTo(from, to Type) Type {
	switch from := from.(type) {
	case *Struct:
		to, ok := to.(*Struct)
		if !ok {
			return from
		}
		out := &Struct{Fields: append([]Field(nil), from.Fields...)}
		for i, f := range from.Fields {
			if other, ok := to.Field(f.Name); ok {
				out.Fields[i].Type = widenedTo(f.Type, other.Type)
			}
		}
		return out
	case *Array:
		if to, ok := to.(*Array); ok {
			return &Array{Element: widenedTo(from.Element, to.Element), ContainsNull: from.ContainsNull}
		}
	case *Map:
		if to, ok := to.(*Map); ok {
			return &Map{Key: widenedTo(from.Key, to.Key), Value: widenedTo(from.Value, to.Value), ValueContainsNull: from.ValueContainsNull}
		}
	default:
		if widens(from, to) {
			return to
		}
	}
	return from
}

// accepts says whether rows of one schema can be written into a table of another.
func (s *Schema) accepts(rows *Schema) error {
	rows = widenedTo(rows, s).(*Schema)
	rows = widenedTo(rows, s).(*Schema)
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

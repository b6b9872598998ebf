package delta

import (
	"encoding/json"
	"fmt"
	"maps"
	"strconv"

	"github.com/google/uuid"
)

// maxColumnIDProperty is the highest id that a column of the table ever had: ids are not used again.
const maxColumnIDProperty = "delta.columnMapping.maxColumnId"

// mapColumns gives the fields that have no id or no physical name yet theirs (spec: Column Mapping, Writer Requirements). Fields of a
// table whose data files are older than its mapping keep their names in them; others get names that nothing else has.
func (m *Metadata) mapColumns(physicalName func(Field) string) error {
	highest, err := m.maxColumnID()
	if err != nil {
		return err
	}
	schema, err := eachField(m.Schema, func(f Field) (Field, error) {
		if _, ok := f.Metadata[physicalNameKey]; !ok {
			f.Metadata = withEntry(f.Metadata, physicalNameKey, physicalName(f))
		}
		if _, ok := f.Metadata[mappingIDKey]; !ok {
			highest++
			f.Metadata = withEntry(f.Metadata, mappingIDKey, highest)
		}
		return f, nil
	})
	if err != nil {
		return err
	}
	m.Schema = schema.(*Schema)
	m.Configuration = withText(m.Configuration, maxColumnIDProperty, strconv.Itoa(highest))
	if err := m.checkMapping(); err != nil {
		return err
	}
	ids := map[int32]string{}
	for name, f := range m.Schema.fields() {
		id := m.FieldID(f)
		if other, twice := ids[id]; twice {
			return fmt.Errorf("columns %s and %s have both the column mapping id %d", other, name, id)
		}
		ids[id] = name
	}
	return nil
}

// newPhysicalName is that of a column that no data file has yet.
func newPhysicalName(Field) string { return "col-" + uuid.NewString() }

// sameName is that of a column that data files may have by its name.
func sameName(f Field) string { return f.Name }

// maxColumnID is the highest id that is or was in use.
func (m *Metadata) maxColumnID() (int, error) {
	highest := 0
	if text, ok := m.Configuration[maxColumnIDProperty]; ok {
		n, err := strconv.Atoi(text)
		if err != nil {
			return 0, fmt.Errorf("table property %s: %w", maxColumnIDProperty, err)
		}
		highest = n
	}
	for _, f := range m.Schema.fields() {
		if _, ok := f.Metadata[mappingIDKey]; ok {
			highest = max(highest, int(m.FieldID(f)))
		}
	}
	return highest, nil
}

// setMapping turns column mapping on. That of a table with data files must leave them readable, so only names can be mapped, and
// once columns are mapped they stay so.
func (m *Metadata) setMapping(before ColumnMapping, isNew bool) error {
	mode := m.ColumnMapping()
	switch {
	case mode == before && !isNew:
		return nil
	case before != MapNone:
		return fmt.Errorf("%s cannot change from %q to %q: data files are written with mapped columns", mappingModeProperty, before, orNone(mode))
	case mode == MapByID && !isNew:
		return fmt.Errorf("%s cannot become %q: the table's data files have no field ids; %q can be set", mappingModeProperty, MapByID, MapByName)
	}
	m.Schema = unmapped(m.Schema)
	if mode == MapNone {
		return nil
	}
	if isNew { // what another table had is nothing to this one; a table that was restored to before its mapping goes on with its own ids
		m.Configuration = maps.Clone(m.Configuration)
		delete(m.Configuration, maxColumnIDProperty)
		return m.mapColumns(newPhysicalName)
	}
	return m.mapColumns(sameName)
}

func orNone(mode ColumnMapping) ColumnMapping {
	if mode == MapNone {
		return "none"
	}
	return mode
}

// unmapped gives a schema without the marks of a column mapping, as when it comes from another table.
func unmapped(s *Schema) *Schema {
	plain, _ := eachField(s, func(f Field) (Field, error) { // no error can come of it
		f.Metadata = without(f.Metadata, mappingIDKey, physicalNameKey)
		return f, nil
	})
	return plain.(*Schema)
}

// physicalPartition gives partition values the names that columns have in the log.
func (m *Metadata) physicalPartition(values map[string]*string) map[string]*string {
	out := make(map[string]*string, len(values))
	for name, v := range values {
		if f, ok := m.Schema.Field(name); ok {
			name = m.PhysicalName(f)
		}
		out[name] = v
	}
	return out
}

// eachField gives a type whose fields, at any depth, are what change makes of them. A field is changed before what lies in it.
func eachField(t Type, change func(Field) (Field, error)) (Type, error) {
	switch t := t.(type) {
	case *Struct:
		out := &Struct{Fields: make([]Field, len(t.Fields))}
		for i, f := range t.Fields {
			f, err := change(f)
			if err == nil {
				f.Type, err = eachField(f.Type, change)
			}
			if err != nil {
				return nil, err
			}
			out.Fields[i] = f
		}
		return out, nil
	case *Array:
		element, err := eachField(t.Element, change)
		return &Array{Element: element, ContainsNull: t.ContainsNull}, err
	case *Map:
		key, err := eachField(t.Key, change)
		if err != nil {
			return nil, err
		}
		value, err := eachField(t.Value, change)
		return &Map{Key: key, Value: value, ValueContainsNull: t.ValueContainsNull}, err
	default:
		return t, nil
	}
}

// withEntry gives field metadata with an entry more; what it is given stays as it is.
func withEntry(metadata map[string]json.RawMessage, key string, value any) map[string]json.RawMessage {
	out := maps.Clone(metadata)
	if out == nil {
		out = map[string]json.RawMessage{}
	}
	text, _ := json.Marshal(value) // numbers, strings and what was read as JSON
	out[key] = text
	return out
}

func without(metadata map[string]json.RawMessage, keys ...string) map[string]json.RawMessage {
	out := maps.Clone(metadata)
	for _, k := range keys {
		delete(out, k)
	}
	if len(out) == 0 {
		return nil
	}
	return out
}

func withText(m map[string]string, key, value string) map[string]string {
	out := maps.Clone(m)
	if out == nil {
		out = map[string]string{}
	}
	out[key] = value
	return out
}

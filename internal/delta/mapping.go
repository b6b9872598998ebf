package delta

import (
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"math"
	"slices"
)

// ColumnMapping says how the columns of data files are found (spec: Column Mapping).
type ColumnMapping string

// The modes of column mapping.
const (
	MapNone   ColumnMapping = ""     // by name
	MapByName ColumnMapping = "name" // by physical name
	MapByID   ColumnMapping = "id"   // by the field id in the Parquet schema
)

const (
	mappingModeProperty = "delta.columnMapping.mode"
	mappingIDKey        = "delta.columnMapping.id"
	physicalNameKey     = "delta.columnMapping.physicalName"
)

// ColumnMapping is the table's mode. Modes that this package does not know are refused when the table is opened.
func (m *Metadata) ColumnMapping() ColumnMapping {
	mode := ColumnMapping(m.Configuration[mappingModeProperty])
	if mode == "none" {
		return MapNone
	}
	return mode
}

// PhysicalName is the name that a field has in data files and in the log when columns are mapped.
func (m *Metadata) PhysicalName(f Field) string {
	if m.ColumnMapping() == MapNone {
		return f.Name
	}
	var name string
	_ = json.Unmarshal(f.Metadata[physicalNameKey], &name) // the table was checked when it was opened
	return name
}

// FieldID is the Parquet field id of a field of a table that maps columns by id.
func (m *Metadata) FieldID(f Field) int32 {
	var id int32
	_ = json.Unmarshal(f.Metadata[mappingIDKey], &id) // the table was checked when it was opened
	return id
}

// checkMapping says whether every field has what the table's mode needs, so that later nobody has to ask.
func (m *Metadata) checkMapping() error {
	switch mode := m.ColumnMapping(); mode {
	case MapNone:
		return nil
	case MapByName, MapByID:
		return m.checkMapped(m.Schema)
	default:
		return fmt.Errorf("unknown column mapping mode %.60q", mode)
	}
}

func (m *Metadata) checkMapped(t Type) error {
	switch t := t.(type) {
	case *Struct:
		names, ids := map[string]bool{}, map[int32]bool{}
		for _, f := range t.Fields {
			name, id, err := mapped(f)
			if err == nil && names[name] {
				err = fmt.Errorf("physical name %.100q is there twice", name)
			}
			if m.ColumnMapping() == MapByID && err == nil {
				switch {
				case id == nil:
					err = errors.New("it has no column mapping id")
				case ids[*id]:
					err = fmt.Errorf("column mapping id %d is there twice", *id)
				default:
					ids[*id] = true
				}
			}
			if err != nil {
				return fmt.Errorf("field %.100q: %w", f.Name, err)
			}
			names[name] = true
			if err := m.checkMapped(f.Type); err != nil {
				return fmt.Errorf("field %.100q: %w", f.Name, err)
			}
		}
	case *Array:
		return m.checkMapped(t.Element)
	case *Map:
		return errors.Join(m.checkMapped(t.Key), m.checkMapped(t.Value))
	}
	return nil
}

func mapped(f Field) (name string, id *int32, err error) {
	if json.Unmarshal(f.Metadata[physicalNameKey], &name) != nil || name == "" {
		return "", nil, errors.New("it has no physical name")
	}
	if text, ok := f.Metadata[mappingIDKey]; ok {
		var n int64
		if json.Unmarshal(text, &n) != nil || n < math.MinInt32 || n > math.MaxInt32 {
			return "", nil, fmt.Errorf("column mapping id %.100s is no field id", text)
		}
		small := int32(n)
		id = &small
	}
	return name, id, nil
}

// leaves yields the leaf columns in schema order, with their physical paths.
func (m *Metadata) leaves() iter.Seq[leaf] {
	return func(yield func(leaf) bool) { m.walkLeaves(m.Schema, leaf{}, yield) }
}

func (m *Metadata) walkLeaves(s *Struct, above leaf, yield func(leaf) bool) bool {
	for _, f := range s.Fields {
		l := leaf{
			path:     append(slices.Clip(above.path), f.Name),
			physical: append(slices.Clip(above.physical), m.PhysicalName(f)),
			typ:      f.Type,
		}
		if sub, ok := f.Type.(*Struct); ok {
			if !m.walkLeaves(sub, l, yield) {
				return false
			}
			continue
		}
		if !yield(l) {
			return false
		}
	}
	return true
}

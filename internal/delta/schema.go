package delta

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// maxSchemaDepth bounds the nesting of types: a log line is read before anyone can vouch for it.
const maxSchemaDepth = 100

// schemaNode is a struct, array or map in schema JSON (spec: Schema Serialization Format).
type schemaNode struct {
	Type string `json:"type"`

	Fields []schemaField `json:"fields"`

	ElementType  json.RawMessage `json:"elementType"`
	ContainsNull bool            `json:"containsNull"`

	KeyType           json.RawMessage `json:"keyType"`
	ValueType         json.RawMessage `json:"valueType"`
	ValueContainsNull bool            `json:"valueContainsNull"`
}

type schemaField struct {
	Name     string                     `json:"name"`
	Type     json.RawMessage            `json:"type"`
	Nullable bool                       `json:"nullable"`
	Metadata map[string]json.RawMessage `json:"metadata"`
}

// ParseSchema reads schema JSON as it stands in the log. Types that this package does not know are kept as a
// [Primitive] of that name: opening the table refuses them.
func ParseSchema(text []byte) (*Schema, error) {
	t, err := parseType(text, 0)
	if err != nil {
		return nil, fmt.Errorf("parse schema: %w", err)
	}
	s, ok := t.(*Struct)
	if !ok {
		return nil, fmt.Errorf("parse schema: it is a %s, not a struct", t)
	}
	return s, nil
}

// ParseType reads a type as a schema has it: a name, such as long or decimal(10,2), or the JSON of a nested one (spec: Schema
// Serialization Format). A type that this package does not know is an error.
func ParseType(text string) (Type, error) {
	parsed, err := parseTypeName(text)
	if strings.HasPrefix(strings.TrimSpace(text), "{") {
		parsed, err = parseType(json.RawMessage(text), 0)
	}
	if err != nil {
		return nil, fmt.Errorf("type %.100q: %w", text, err)
	}
	if unknown := unknownTypes(&Schema{Fields: []Field{{Type: parsed}}}); len(unknown) > 0 {
		return nil, &UnsupportedError{Features: unknown}
	}
	return parsed, nil
}

func parseType(text json.RawMessage, depth int) (Type, error) {
	if depth > maxSchemaDepth {
		return nil, fmt.Errorf("nested deeper than %d", maxSchemaDepth)
	}
	var name string
	if json.Unmarshal(text, &name) == nil {
		return parseTypeName(name)
	}
	var n schemaNode
	if err := json.Unmarshal(text, &n); err != nil {
		return nil, err
	}
	switch n.Type {
	case "struct":
		return parseStruct(n, depth)
	case "array":
		element, err := parseType(n.ElementType, depth+1)
		if err != nil {
			return nil, fmt.Errorf("element: %w", err)
		}
		return &Array{Element: element, ContainsNull: n.ContainsNull}, nil
	case "map":
		key, err := parseType(n.KeyType, depth+1)
		if err != nil {
			return nil, fmt.Errorf("key: %w", err)
		}
		value, err := parseType(n.ValueType, depth+1)
		if err != nil {
			return nil, fmt.Errorf("value: %w", err)
		}
		return &Map{Key: key, Value: value, ValueContainsNull: n.ValueContainsNull}, nil
	default:
		return nil, fmt.Errorf("unknown type %.100q", n.Type)
	}
}

func parseStruct(n schemaNode, depth int) (Type, error) {
	s := &Struct{Fields: make([]Field, 0, len(n.Fields))}
	for _, f := range n.Fields {
		t, err := parseType(f.Type, depth+1)
		if err != nil {
			return nil, fmt.Errorf("field %.100q: %w", f.Name, err)
		}
		if len(f.Metadata) == 0 {
			f.Metadata = nil
		}
		s.Fields = append(s.Fields, Field{Name: f.Name, Type: t, Nullable: f.Nullable, Metadata: f.Metadata})
	}
	return s, nil
}

func parseTypeName(name string) (Type, error) {
	args, ok := strings.CutPrefix(name, "decimal")
	if !ok {
		if name == "" {
			return nil, errors.New("type is empty")
		}
		return Primitive(name), nil
	}
	if args == "" {
		return Decimal{Precision: 10}, nil
	}
	var d Decimal
	p, s, ok := strings.Cut(strings.Trim(args, "()"), ",")
	if !ok {
		return nil, fmt.Errorf("unknown type %.100q", name)
	}
	var errP, errS error
	d.Precision, errP = strconv.Atoi(strings.TrimSpace(p))
	d.Scale, errS = strconv.Atoi(strings.TrimSpace(s))
	if errP != nil || errS != nil || d.Precision < 1 || d.Precision > 38 || d.Scale < 0 || d.Scale > d.Precision {
		return nil, fmt.Errorf("bad decimal type %.100q", name)
	}
	return d, nil
}

// MarshalJSON gives schema JSON as it stands in the log.
func (s *Struct) MarshalJSON() ([]byte, error) { return json.Marshal(typeJSON(s)) }

func typeJSON(t Type) any {
	switch t := t.(type) {
	case *Struct:
		type field struct {
			Name     string                     `json:"name"`
			Type     any                        `json:"type"`
			Nullable bool                       `json:"nullable"`
			Metadata map[string]json.RawMessage `json:"metadata"`
		}
		fields := make([]field, 0, len(t.Fields))
		for _, f := range t.Fields {
			metadata := f.Metadata
			if metadata == nil {
				metadata = map[string]json.RawMessage{}
			}
			fields = append(fields, field{f.Name, typeJSON(f.Type), f.Nullable, metadata})
		}
		return struct {
			Type   string  `json:"type"`
			Fields []field `json:"fields"`
		}{"struct", fields}
	case *Array:
		return struct {
			Type         string `json:"type"`
			ElementType  any    `json:"elementType"`
			ContainsNull bool   `json:"containsNull"`
		}{"array", typeJSON(t.Element), t.ContainsNull}
	case *Map:
		return struct {
			Type              string `json:"type"`
			KeyType           any    `json:"keyType"`
			ValueType         any    `json:"valueType"`
			ValueContainsNull bool   `json:"valueContainsNull"`
		}{"map", typeJSON(t.Key), typeJSON(t.Value), t.ValueContainsNull}
	default:
		return t.String()
	}
}

// UnmarshalJSON reads schema JSON as it stands in the log.
func (s *Struct) UnmarshalJSON(text []byte) error {
	parsed, err := ParseSchema(text)
	if err != nil {
		return err
	}
	*s = *parsed
	return nil
}

// validate says whether new tables may have the schema. Spark compares names without case, so names equal but for
// case would make a table that it cannot read.
func (m *Metadata) validate() error {
	s, partitionColumns := m.Schema, m.PartitionColumns
	if len(s.Fields) == 0 {
		return errors.New("schema has no columns")
	}
	free := m.ColumnMapping() != MapNone // data files have other names
	if err := validateType("", s, free); err != nil {
		return err
	}
	for i, c := range partitionColumns {
		f, ok := s.Field(c)
		if !ok {
			return fmt.Errorf("partition column %q is not in the schema", c)
		}
		switch f.Type.(type) {
		case Primitive, Decimal:
		default:
			return fmt.Errorf("partition column %q has type %s: only simple types can partition", c, f.Type)
		}
		if slices.Contains(partitionColumns[:i], c) {
			return fmt.Errorf("partition column %q is named twice", c)
		}
	}
	if len(partitionColumns) == len(s.Fields) {
		return errors.New("all columns are partition columns: data files would be without columns")
	}
	return nil
}

func validateType(where string, t Type, free bool) error {
	switch t := t.(type) {
	case *Struct:
		seen := map[string]string{}
		for _, f := range t.Fields {
			if f.Name == "" || f.Type == nil {
				return fmt.Errorf("field %s%q lacks a name or a type", where, f.Name)
			}
			folded := strings.ToLower(f.Name)
			if other, dup := seen[folded]; dup {
				return fmt.Errorf("fields %s%q and %q have one name to readers that ignore case", where, f.Name, other)
			}
			seen[folded] = f.Name
			if i := strings.IndexAny(f.Name, " ,;{}()\n\t="); i >= 0 && !free {
				return fmt.Errorf("field %s%q has a %q in its name, which Parquet writers refuse; %s lets it be", where, f.Name, f.Name[i], mappingModeProperty)
			}
			if err := validateType(where+f.Name+".", f.Type, free); err != nil {
				return err
			}
		}
	case *Array:
		return validateType(where+"element.", t.Element, free)
	case *Map:
		if err := validateType(where+"key.", t.Key, free); err != nil {
			return err
		}
		return validateType(where+"value.", t.Value, free)
	case Primitive:
		if !slices.Contains(writablePrimitives, t) {
			return fmt.Errorf("%s has type %s, which cannot be written", strings.TrimSuffix(where, "."), t)
		}
	case Decimal:
		if t.Precision < 1 || t.Precision > 38 || t.Scale < 0 || t.Scale > t.Precision {
			return fmt.Errorf("%s has impossible type %s", strings.TrimSuffix(where, "."), t)
		}
	default:
		return fmt.Errorf("%s lacks a type", strings.TrimSuffix(where, "."))
	}
	return nil
}

var writablePrimitives = []Primitive{
	String, Long, Integer, Short, Byte, Float, Double, Boolean, Binary, Date, Timestamp, TimestampNTZ,
}

package delta

import (
	"encoding/json"
	"fmt"
	"iter"
	"strings"
)

// Type is the type of a column: a [Primitive], a [Decimal], a *[Struct], an *[Array] or a *[Map].
type Type interface {
	// String names the type as SQL does, for messages.
	String() string
	isType()
}

// Primitive is a type without parameters, spelled as in schema JSON.
type Primitive string

// The primitive types of the protocol.
const (
	String       Primitive = "string"
	Long         Primitive = "long"
	Integer      Primitive = "integer"
	Short        Primitive = "short"
	Byte         Primitive = "byte"
	Float        Primitive = "float"
	Double       Primitive = "double"
	Boolean      Primitive = "boolean"
	Binary       Primitive = "binary"
	Date         Primitive = "date"
	Timestamp    Primitive = "timestamp"     // an instant, microseconds
	TimestampNTZ Primitive = "timestamp_ntz" // date and time without a zone, microseconds
	Void         Primitive = "void"          // a column of nulls that no data file holds; found in tables, never created here
)

// Decimal is a fixed-point number of up to 38 digits.
type Decimal struct{ Precision, Scale int }

// Struct is an ordered list of named fields.
type Struct struct{ Fields []Field }

// Schema is the struct of a table's columns.
type Schema = Struct

// Field is a column, or a member of a struct.
type Field struct {
	Name     string
	Type     Type
	Nullable bool
	Metadata map[string]json.RawMessage // kept as it was read
}

// Array is a list of elements.
type Array struct {
	Element      Type
	ContainsNull bool
}

// Map is a list of keys with values; keys are never null.
type Map struct {
	Key, Value        Type
	ValueContainsNull bool
}

func (Primitive) isType() {}
func (Decimal) isType()   {}
func (*Struct) isType()   {}
func (*Array) isType()    {}
func (*Map) isType()      {}

func (p Primitive) String() string { return string(p) }
func (d Decimal) String() string   { return fmt.Sprintf("decimal(%d,%d)", d.Precision, d.Scale) }
func (a *Array) String() string    { return "array<" + a.Element.String() + ">" }
func (m *Map) String() string      { return "map<" + m.Key.String() + "," + m.Value.String() + ">" }

func (s *Struct) String() string {
	var b strings.Builder
	b.WriteString("struct<")
	for i, f := range s.Fields {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(f.Name + ":" + f.Type.String())
	}
	b.WriteByte('>')
	return b.String()
}

// Field finds a field by its exact name.
func (s *Struct) Field(name string) (Field, bool) {
	for _, f := range s.Fields {
		if f.Name == name {
			return f, true
		}
	}
	return Field{}, false
}

// leaf is a column without members, reached from the schema through structs only.
type leaf struct {
	path     []string
	physical []string // the same in data files and in the log; see ColumnMapping
	typ      Type
}

// leaves yields the leaf columns of a schema without column mapping, in order. Arrays and maps are leaves.
func (s *Struct) leaves() iter.Seq[leaf] { return (&Metadata{Schema: s}).leaves() }

// fields yields every field at any depth, also inside arrays and maps, with its dotted name.
func (s *Struct) fields() iter.Seq2[string, Field] {
	return func(yield func(string, Field) bool) { walkFields("", s, yield) }
}

func walkFields(prefix string, t Type, yield func(string, Field) bool) bool {
	switch t := t.(type) {
	case *Struct:
		for _, f := range t.Fields {
			name := prefix + f.Name
			if !yield(name, f) || !walkFields(name+".", f.Type, yield) {
				return false
			}
		}
	case *Array:
		return walkFields(prefix+"element.", t.Element, yield)
	case *Map:
		return walkFields(prefix+"key.", t.Key, yield) && walkFields(prefix+"value.", t.Value, yield)
	}
	return true
}

// types yields every type at any depth.
func types(t Type) iter.Seq[Type] {
	return func(yield func(Type) bool) { walkTypes(t, yield) }
}

func walkTypes(t Type, yield func(Type) bool) bool {
	if !yield(t) {
		return false
	}
	switch t := t.(type) {
	case *Struct:
		for _, f := range t.Fields {
			if !walkTypes(f.Type, yield) {
				return false
			}
		}
	case *Array:
		return walkTypes(t.Element, yield)
	case *Map:
		return walkTypes(t.Key, yield) && walkTypes(t.Value, yield)
	}
	return true
}

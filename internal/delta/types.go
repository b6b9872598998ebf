package delta

import "encoding/json"

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
func (d Decimal) String() string   { panic("being built") }
func (s *Struct) String() string   { panic("being built") }
func (a *Array) String() string    { panic("being built") }
func (m *Map) String() string      { panic("being built") }

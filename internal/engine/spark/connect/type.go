package connect

import (
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"
)

// Type is a data type, with what cannot be spelled in SQL: metadata of members.
type Type struct{ m message }

// Member is a member of a struct.
type Member struct {
	Name     string
	Type     Type
	Metadata string // JSON; "": none
}

// primitives are the fields of DataType by the names of types in SQL.
var primitives = map[string]protowire.Number{
	"BINARY": 2, "BOOLEAN": 3, "TINYINT": 4, "SMALLINT": 5, "INT": 6, "BIGINT": 7, "FLOAT": 8, "DOUBLE": 9,
	"STRING": 11, "DATE": 14, "TIMESTAMP": 15, "TIMESTAMP_NTZ": 16, "VOID": 1,
}

// PrimitiveType is a type without parameters, by its name in SQL.
func PrimitiveType(name string) (Type, error) {
	number, ok := primitives[name]
	if !ok {
		return Type{}, fmt.Errorf("no type %s is known", name)
	}
	return Type{message{}.nested(number, nil)}, nil
}

// DecimalType is a decimal.
func DecimalType(precision, scale int) Type {
	return Type{message{}.nested(10, message{}.number(1, uint64(scale)).number(2, uint64(precision)))}
}

// ArrayType is an array, which may hold nulls.
func ArrayType(element Type) Type {
	return Type{message{}.nested(20, message{}.nested(1, element.m).flag(2, true))}
}

// MapType is a map, which may hold nulls.
func MapType(key, value Type) Type {
	return Type{message{}.nested(22, message{}.nested(1, key.m).nested(2, value.m).flag(3, true))}
}

// StructType is a struct, whose members may be null.
func StructType(members []Member) Type {
	var m message
	for _, f := range members {
		m = m.nested(1, message{}.text(1, f.Name).nested(2, f.Type.m).flag(3, true).text(4, f.Metadata))
	}
	return Type{message{}.nested(21, m)}
}

// Column is a column made of an expression.
type Column struct {
	From     string // Spark SQL
	Name     string
	Type     Type   // to cast to; the zero value: as it is
	Metadata string // JSON; "": as it is
}

// Columns computes columns over the rows of a relation.
func (r Relation) Columns(columns []Column) Relation {
	project := message{}.nested(1, r.m)
	for _, c := range columns {
		expression := message{}.nested(4, message{}.text(1, c.From))
		if c.Type.m != nil {
			expression = message{}.nested(7, message{}.nested(1, expression).nested(2, c.Type.m))
		}
		project = project.nested(3, message{}.nested(6, message{}.nested(1, expression).text(2, c.Name).text(3, c.Metadata)))
	}
	return Relation{message{}.nested(3, project)}
}

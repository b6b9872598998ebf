package spark

import (
	"fmt"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"launchlake/internal/delta"
)

var sqlTypes = map[delta.Primitive]string{
	delta.String:       "STRING",
	delta.Long:         "BIGINT",
	delta.Integer:      "INT",
	delta.Short:        "SMALLINT",
	delta.Byte:         "TINYINT",
	delta.Float:        "FLOAT",
	delta.Double:       "DOUBLE",
	delta.Boolean:      "BOOLEAN",
	delta.Binary:       "BINARY",
	delta.Date:         "DATE",
	delta.Timestamp:    "TIMESTAMP",
	delta.TimestampNTZ: "TIMESTAMP_NTZ",
	delta.Void:         "VOID",
}

// sqlType spells a type in Spark's SQL.
func sqlType(t delta.Type) (string, error) {
	switch t := t.(type) {
	case delta.Primitive:
		if name, ok := sqlTypes[t]; ok {
			return name, nil
		}
	case delta.Decimal:
		return fmt.Sprintf("DECIMAL(%d,%d)", t.Precision, t.Scale), nil
	case *delta.Array:
		element, err := sqlType(t.Element)
		return "ARRAY<" + element + ">", err
	case *delta.Map:
		key, err := sqlType(t.Key)
		if err != nil {
			return "", err
		}
		value, err := sqlType(t.Value)
		return "MAP<" + key + ", " + value + ">", err
	case *delta.Struct:
		members := make([]string, len(t.Fields))
		for i, f := range t.Fields {
			member, err := sqlType(f.Type)
			if err != nil {
				return "", fmt.Errorf("%s: %w", f.Name, err)
			}
			members[i] = quoteName(f.Name) + ": " + member
		}
		return "STRUCT<" + strings.Join(members, ", ") + ">", nil
	}
	return "", fmt.Errorf("type %s is not supported by Spark", t)
}

// exactTypes are the types of a query's columns that a table can have.
var exactTypes = map[arrow.Type]delta.Type{
	arrow.STRING:       delta.String,
	arrow.LARGE_STRING: delta.String,
	arrow.INT64:        delta.Long,
	arrow.INT32:        delta.Integer,
	arrow.INT16:        delta.Short,
	arrow.INT8:         delta.Byte,
	arrow.FLOAT32:      delta.Float,
	arrow.FLOAT64:      delta.Double,
	arrow.BOOL:         delta.Boolean,
	arrow.BINARY:       delta.Binary,
	arrow.LARGE_BINARY: delta.Binary,
	arrow.DATE32:       delta.Date,
}

// deltaType gives the type of a query's column; exact is whether a table can have it, inside and out. Values of other
// types are shown as text.
func deltaType(t arrow.DataType) (found delta.Type, exact bool) {
	if found, ok := exactTypes[t.ID()]; ok {
		return found, true
	}
	switch t := t.(type) {
	case *arrow.TimestampType:
		if t.TimeZone == "" {
			return delta.TimestampNTZ, true
		}
		return delta.Timestamp, true
	case *arrow.Decimal128Type:
		return delta.Decimal{Precision: int(t.Precision), Scale: int(t.Scale)}, true
	case *arrow.ListType:
		element, exact := deltaType(t.Elem())
		return &delta.Array{Element: element, ContainsNull: true}, exact
	case *arrow.MapType:
		key, exactKey := deltaType(t.KeyType())
		value, exactValue := deltaType(t.ItemType())
		return &delta.Map{Key: key, Value: value, ValueContainsNull: true}, exactKey && exactValue
	case *arrow.StructType:
		s, exact := &delta.Struct{}, true
		for _, f := range t.Fields() {
			member, exactMember := deltaType(f.Type)
			s.Fields = append(s.Fields, delta.Field{Name: f.Name, Type: member, Nullable: true})
			exact = exact && exactMember
		}
		return s, exact
	}
	return delta.String, false
}

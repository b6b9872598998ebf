package duckdb

import (
	"errors"
	"fmt"
	"strings"

	driver "github.com/duckdb/duckdb-go/v2"

	"launchlake/internal/delta"
)

var sqlTypes = map[delta.Primitive]string{
	delta.String:       "VARCHAR",
	delta.Long:         "BIGINT",
	delta.Integer:      "INTEGER",
	delta.Short:        "SMALLINT",
	delta.Byte:         "TINYINT",
	delta.Float:        "FLOAT",
	delta.Double:       "DOUBLE",
	delta.Boolean:      "BOOLEAN",
	delta.Binary:       "BLOB",
	delta.Date:         "DATE",
	delta.Timestamp:    "TIMESTAMP WITH TIME ZONE",
	delta.TimestampNTZ: "TIMESTAMP",
	delta.Void:         "INTEGER", // holds nulls only
}

// sqlType spells a type as DESCRIBE does.
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
		return element + "[]", err
	case *delta.Map:
		key, errKey := sqlType(t.Key)
		value, errValue := sqlType(t.Value)
		return fmt.Sprintf("MAP(%s, %s)", key, value), errors.Join(errKey, errValue)
	case *delta.Struct:
		var members []string
		for _, f := range t.Fields {
			member, err := sqlType(f.Type)
			if err != nil {
				return "", fmt.Errorf("%s: %w", f.Name, err)
			}
			members = append(members, quoteName(f.Name)+" "+member)
		}
		return "STRUCT(" + strings.Join(members, ", ") + ")", nil
	}
	return "", fmt.Errorf("type %s is not supported by DuckDB", t)
}

// exactTypes are the types of a query's columns that a table can have.
var exactTypes = map[driver.Type]delta.Type{
	driver.TYPE_VARCHAR:      delta.String,
	driver.TYPE_BIGINT:       delta.Long,
	driver.TYPE_INTEGER:      delta.Integer,
	driver.TYPE_SMALLINT:     delta.Short,
	driver.TYPE_TINYINT:      delta.Byte,
	driver.TYPE_FLOAT:        delta.Float,
	driver.TYPE_DOUBLE:       delta.Double,
	driver.TYPE_BOOLEAN:      delta.Boolean,
	driver.TYPE_BLOB:         delta.Binary,
	driver.TYPE_DATE:         delta.Date,
	driver.TYPE_TIMESTAMP_TZ: delta.Timestamp,
	driver.TYPE_TIMESTAMP:    delta.TimestampNTZ,
}

// looseTypes are those that show the values of the other types.
var looseTypes = map[driver.Type]delta.Type{
	driver.TYPE_UTINYINT:     delta.Short,
	driver.TYPE_USMALLINT:    delta.Integer,
	driver.TYPE_UINTEGER:     delta.Long,
	driver.TYPE_UBIGINT:      delta.Decimal{Precision: 20},
	driver.TYPE_HUGEINT:      delta.Decimal{Precision: 38},
	driver.TYPE_UHUGEINT:     delta.Decimal{Precision: 38},
	driver.TYPE_TIMESTAMP_S:  delta.TimestampNTZ,
	driver.TYPE_TIMESTAMP_MS: delta.TimestampNTZ,
	driver.TYPE_TIMESTAMP_NS: delta.TimestampNTZ,
	driver.TYPE_SQLNULL:      delta.String,
}

// deltaType gives the type of a query's column; exact is whether a table can have it, inside and out.
func deltaType(info driver.TypeInfo) (t delta.Type, exact bool) {
	if t, ok := exactTypes[info.InternalType()]; ok {
		return t, true
	}
	if t, ok := looseTypes[info.InternalType()]; ok {
		return t, false
	}
	switch d := info.Details().(type) {
	case *driver.DecimalDetails:
		return delta.Decimal{Precision: int(d.Width), Scale: int(d.Scale)}, true
	case *driver.ListDetails:
		element, exact := deltaType(d.Child)
		return &delta.Array{Element: element, ContainsNull: true}, exact
	case *driver.ArrayDetails:
		element, _ := deltaType(d.Child)
		return &delta.Array{Element: element, ContainsNull: true}, false
	case *driver.MapDetails:
		key, exactKey := deltaType(d.Key)
		value, exactValue := deltaType(d.Value)
		return &delta.Map{Key: key, Value: value, ValueContainsNull: true}, exactKey && exactValue
	case *driver.StructDetails:
		s, exact := &delta.Struct{}, true
		for _, entry := range d.Entries {
			member, exactMember := deltaType(entry.Info())
			s.Fields = append(s.Fields, delta.Field{Name: entry.Name(), Type: member, Nullable: true})
			exact = exact && exactMember
		}
		return s, exact
	}
	return delta.String, false // shown as text
}

package duckdb

import (
	"fmt"
	"slices"
	"strings"

	"launchlake/internal/delta"
)

// keysOfGo are the types of keys that the driver can put into a Go map. Maps with other keys are fetched as lists of
// their entries.
var keysOfGo = []delta.Type{
	delta.String, delta.Long, delta.Integer, delta.Short, delta.Byte, delta.Boolean, delta.Date, delta.Timestamp, delta.TimestampNTZ,
}

// needsEntries is whether a type has a map in it that the driver cannot fetch.
func needsEntries(t delta.Type) bool {
	switch t := t.(type) {
	case *delta.Map:
		return !slices.Contains(keysOfGo, t.Key) || needsEntries(t.Value)
	case *delta.Array:
		return needsEntries(t.Element)
	case *delta.Struct:
		return slices.ContainsFunc(t.Fields, func(f delta.Field) bool { return needsEntries(f.Type) })
	}
	return false
}

// entries gives the SQL of a value with its maps as lists of entries.
func entries(t delta.Type, x string, depth int) string {
	item := fmt.Sprintf("_entry%d", depth)
	switch t := t.(type) {
	case *delta.Map:
		return fmt.Sprintf(`list_transform(map_entries(%s), lambda %s: struct_pack("key" := %s, "value" := %s))`,
			x, item, entries(t.Key, item+`."key"`, depth+1), entries(t.Value, item+`."value"`, depth+1))
	case *delta.Array:
		return fmt.Sprintf("list_transform(%s, lambda %s: %s)", x, item, entries(t.Element, item, depth+1))
	case *delta.Struct:
		members := make([]string, len(t.Fields))
		for i, f := range t.Fields {
			members[i] = quoteName(f.Name) + " := " + entries(f.Type, fmt.Sprintf("struct_extract(%s, %s)", x, quote(f.Name)), depth)
		}
		return fmt.Sprintf("CASE WHEN %s IS NULL THEN NULL ELSE struct_pack(%s) END", x, strings.Join(members, ", "))
	}
	return x
}

// goEntries turns a list of entries into the pairs of a map.
func goEntries(m *delta.Map, list []any) (any, error) {
	pairs := make([][2]any, len(list))
	for i, entry := range list {
		members, ok := entry.(map[string]any)
		if !ok {
			return nil, fmt.Errorf("an entry of type %s: %w", m, errValue)
		}
		var err error
		if pairs[i][0], err = goValue(m.Key, members["key"]); err != nil {
			return nil, err
		}
		if pairs[i][1], err = goValue(m.Value, members["value"]); err != nil {
			return nil, err
		}
	}
	return pairs, nil
}

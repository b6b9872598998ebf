package duckdb

import (
	"fmt"
	"strings"

	"launchlake/internal/delta"
	"launchlake/internal/engine/publication"
)

// layout says in SQL how rows of a table lie in its data files.
type layout struct{ publication.Layout }

func layoutOf(s *delta.Snapshot, schema *delta.Schema) layout {
	return layout{publication.LayoutOf(s, schema)}
}

// names are those that some columns have in data files, for SQL.
func (l layout) names(fields []delta.Field) string {
	quoted := make([]string, len(fields))
	for i, f := range fields {
		quoted[i] = quoteName(l.PhysicalName(f))
	}
	return join(quoted)
}

// partitionNames are those of the partition columns, for SQL.
func (l layout) partitionNames() string {
	fields := make([]delta.Field, len(l.PartitionColumns))
	for i, name := range l.PartitionColumns {
		fields[i], _ = l.Schema.Field(name)
	}
	return l.names(fields)
}

// query gives some columns of a relation their names in data files, at any depth. The order of the rows stays.
func (l layout) query(rows string, fields []delta.Field) string {
	if !l.Mapped() {
		return rows
	}
	r := renaming{from: func(f delta.Field) string { return f.Name }, to: l.PhysicalName}
	return fmt.Sprintf("SELECT %s FROM (%s)", join(r.columns(fields)), rows)
}

// logical gives some columns of data files their names in the table, with others that go along.
func (l layout) logical(files string, fields []delta.Field, others ...string) string {
	if !l.Mapped() {
		return "SELECT * FROM " + files
	}
	r := renaming{from: l.PhysicalName, to: func(f delta.Field) string { return f.Name }}
	return fmt.Sprintf("SELECT %s FROM %s", join(append(r.columns(fields), others...)), files)
}

// renaming gives columns, and members at any depth, other names.
type renaming struct {
	from, to func(delta.Field) string
	depth    int // of lambdas
}

func (r renaming) columns(fields []delta.Field) []string {
	cells := make([]string, len(fields))
	for i, f := range fields {
		cells[i] = r.value(f.Type, quoteName(r.from(f))) + " AS " + quoteName(r.to(f))
	}
	return cells
}

func (r renaming) value(t delta.Type, x string) string {
	item := fmt.Sprintf("_item%d", r.depth)
	inner := r
	inner.depth++
	switch t := t.(type) {
	case *delta.Struct:
		members := make([]string, len(t.Fields))
		for i, f := range t.Fields {
			member := fmt.Sprintf("struct_extract(%s, %s)", x, quote(r.from(f)))
			members[i] = quoteName(r.to(f)) + " := " + r.value(f.Type, member)
		}
		return fmt.Sprintf("CASE WHEN %s IS NULL THEN NULL ELSE struct_pack(%s) END", x, join(members))
	case *delta.Array:
		if nested(t.Element) {
			return fmt.Sprintf("list_transform(%s, lambda %s: %s)", x, item, inner.value(t.Element, item))
		}
	case *delta.Map:
		if nested(t.Key) || nested(t.Value) {
			return fmt.Sprintf("map_from_entries(list_transform(map_entries(%s), lambda %s: struct_pack(k := %s, v := %s)))", x, item,
				inner.value(t.Key, item+".key"), inner.value(t.Value, item+".value"))
		}
	}
	return x
}

// fieldIDs is the option of COPY that gives columns their field ids; "" when the table does not map columns.
func (l layout) fieldIDs() string {
	if !l.Mapped() {
		return ""
	}
	return ", FIELD_IDS " + l.ids(l.Stored())
}

func (l layout) ids(fields []delta.Field) string {
	entries := make([]string, len(fields))
	for i, f := range fields {
		entries[i] = quote(l.PhysicalName(f)) + ": " + l.id(f)
	}
	return "{" + join(entries) + "}"
}

func (l layout) id(f delta.Field) string {
	own := fmt.Sprint(l.FieldID(f))
	inside := strings.TrimPrefix(l.idsInside(f.Type), "{")
	if inside == "" {
		return own
	}
	return fmt.Sprintf("{__duckdb_field_id: %s, %s", own, inside)
}

// idsInside gives the ids below a column; "" when there are none. Elements, keys and values have none of their own.
func (l layout) idsInside(t delta.Type) string {
	switch t := t.(type) {
	case *delta.Struct:
		return l.ids(t.Fields)
	case *delta.Array:
		if inside := l.idsInside(t.Element); inside != "" {
			return "{element: " + inside + "}"
		}
	case *delta.Map:
		var parts []string
		if inside := l.idsInside(t.Key); inside != "" {
			parts = append(parts, "key: "+inside)
		}
		if inside := l.idsInside(t.Value); inside != "" {
			parts = append(parts, "value: "+inside)
		}
		if len(parts) > 0 {
			return "{" + join(parts) + "}"
		}
	}
	return ""
}

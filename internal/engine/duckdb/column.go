package duckdb

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"launchlake/internal/delta"
	"launchlake/internal/engine"
)

// columnOf gives a column of the table from the files of a group: a partition value from the log, whatever the
// file holds; null for what the file lacks; else the file's column, cast when it has another type.
func (s scan) columnOf(g *fileGroup, f delta.Field) (string, error) {
	want, err := sqlType(f.Type)
	if err != nil {
		return "", fmt.Errorf("column %s: %w", f.Name, err)
	}
	metadata := s.snapshot.Metadata()
	if slices.Contains(metadata.PartitionColumns, f.Name) {
		return s.constants.of(f.Name), nil
	}
	r := columnReader{metadata: &metadata, mapping: metadata.ColumnMapping()}
	if r.mapping == delta.MapByID && !g.footer.hasID() {
		return "", fmt.Errorf("column %s: the table finds columns by Parquet field ids, and data file %s has none", f.Name, g.files[0].path)
	}
	members := make([]delta.Field, len(g.columns))
	for i, c := range g.columns {
		members[i] = delta.Field{Name: c.name, Type: c.typ}
	}
	found, node, err := r.member(f, members, g.footer)
	switch {
	case err != nil:
		return "", fmt.Errorf("column %s: %w", f.Name, err)
	case found < 0 || f.Type == delta.Void:
		return fmt.Sprintf("CAST(NULL AS %s)", want), nil
	}
	column := "d." + quoteName(members[found].Name)
	if g.columns[found].exact && r.same(f.Type, members[found].Type) {
		return column, nil
	}
	value, err := r.value(f.Type, members[found].Type, column, node)
	if err != nil {
		return "", fmt.Errorf("column %s: %w", f.Name, err)
	}
	return fmt.Sprintf("CAST(%s AS %s)", value, want), nil
}

// changeTypeOf gives the column that says what happened to a row.
func (s scan) changeTypeOf(g *fileGroup) (string, error) {
	constant := s.constants.of(engine.ChangeType)
	own := !slices.ContainsFunc(g.files, func(f scannedFile) bool { return s.changes[f.number].Type == "" })
	if own {
		return constant, nil
	}
	for _, c := range g.columns {
		if c.name == engine.ChangeType && c.typ == delta.String {
			return fmt.Sprintf("coalesce(%s, d.%s)", constant, quoteName(c.name)), nil
		}
	}
	return "", errors.New("a file of changes has no column " + engine.ChangeType)
}

// columnReader spells the values of a file's columns as values of the table's.
type columnReader struct {
	metadata *delta.Metadata
	mapping  delta.ColumnMapping
	depth    int // of lambdas
}

// same is whether a file's type is the table's, inside and out. With mapped columns the names of members never are.
func (r columnReader) same(want, have delta.Type) bool {
	return want.String() == have.String() && (r.mapping == delta.MapNone || !nested(want))
}

func nested(t delta.Type) bool {
	switch t.(type) {
	case delta.Primitive, delta.Decimal:
		return false
	}
	return true
}

// member finds a field among the members of a file's struct: by its field id, or by its name, as spelled or else equal but for
// case, as Spark does. It is -1 when the file has none.
func (r columnReader) member(f delta.Field, members []delta.Field, group *parquetNode) (int, *parquetNode, error) {
	if r.mapping == delta.MapByID {
		id := r.metadata.FieldID(f)
		for i, m := range members {
			if node := group.child(m.Name); node != nil && node.id != nil && *node.id == id {
				return i, node, nil
			}
		}
		return -1, nil, nil
	}
	name := r.metadata.PhysicalName(f)
	folded := -1
	for i, m := range members {
		switch {
		case m.Name == name:
			return i, group.child(m.Name), nil
		case !strings.EqualFold(m.Name, name):
		case folded >= 0:
			return -1, nil, fmt.Errorf("a data file has columns %s and %s: which one is it?", members[folded].Name, m.Name)
		default:
			folded = i
		}
	}
	if folded < 0 {
		return -1, nil, nil
	}
	return folded, group.child(members[folded].Name), nil
}

// value gives the SQL of a value of type want, from the SQL of one of type have.
func (r columnReader) value(want, have delta.Type, x string, node *parquetNode) (string, error) {
	unlike := fmt.Errorf("a data file has a %s where the table has a %s", have, want)
	switch want := want.(type) {
	case *delta.Struct:
		if have, ok := have.(*delta.Struct); ok {
			return r.structValue(want, have, x, node)
		}
		return "", unlike
	case *delta.Array:
		if have, ok := have.(*delta.Array); ok {
			return r.arrayValue(want, have, x, node)
		}
		return "", unlike
	case *delta.Map:
		if have, ok := have.(*delta.Map); ok {
			return r.mapValue(want, have, x, node)
		}
		return "", unlike
	}
	return leafValue(want, have, x)
}

func (r columnReader) structValue(want, have *delta.Struct, x string, node *parquetNode) (string, error) {
	members := make([]string, len(want.Fields))
	for i, f := range want.Fields {
		found, child, err := r.member(f, have.Fields, node)
		if err != nil {
			return "", err
		}
		t, err := sqlType(f.Type)
		if err != nil {
			return "", err
		}
		cell := "NULL"
		if found >= 0 && f.Type != delta.Void {
			inner := fmt.Sprintf("struct_extract(%s, %s)", x, quote(have.Fields[found].Name))
			if cell, err = r.value(f.Type, have.Fields[found].Type, inner, child); err != nil {
				return "", fmt.Errorf("%s: %w", f.Name, err)
			}
		}
		members[i] = fmt.Sprintf("%s := CAST(%s AS %s)", quoteName(f.Name), cell, t)
	}
	if len(members) == 0 {
		return "", errors.New("a struct without members")
	}
	return fmt.Sprintf("CASE WHEN %s IS NULL THEN NULL ELSE struct_pack(%s) END", x, strings.Join(members, ", ")), nil
}

func (r columnReader) arrayValue(want, have *delta.Array, x string, node *parquetNode) (string, error) {
	item := r.item()
	r.depth++
	element, err := r.value(want.Element, have.Element, item, node.element(have.Element))
	if err != nil {
		return "", fmt.Errorf("element: %w", err)
	}
	return fmt.Sprintf("list_transform(%s, lambda %s: %s)", x, item, element), nil
}

func (r columnReader) mapValue(want, have *delta.Map, x string, node *parquetNode) (string, error) {
	item := r.item()
	r.depth++
	keyNode, valueNode := node.entry()
	key, err := r.value(want.Key, have.Key, item+".key", keyNode)
	if err != nil {
		return "", fmt.Errorf("key: %w", err)
	}
	value, err := r.value(want.Value, have.Value, item+".value", valueNode)
	if err != nil {
		return "", fmt.Errorf("value: %w", err)
	}
	return fmt.Sprintf("map_from_entries(list_transform(map_entries(%s), lambda %s: struct_pack(k := %s, v := %s)))", x, item, key, value), nil
}

// item names the variable of a lambda; one within another has another name.
func (r columnReader) item() string { return fmt.Sprintf("_item%d", r.depth) }

// leafValue casts what other writers store otherwise, when nothing can be lost.
func leafValue(want, have delta.Type, x string) (string, error) {
	t, err := sqlType(want)
	if err != nil {
		return "", err
	}
	switch {
	case have == delta.Binary && want == delta.String:
		return "decode(" + x + ")", nil // text that is not marked as such
	case have == delta.String && want == delta.Binary:
		return "encode(" + x + ")", nil
	case have == delta.Integer && want == delta.Date:
		return "DATE '1970-01-01' + " + x, nil // days that are not marked as such
	case !castable(want, have):
		return "", fmt.Errorf("a data file has a %s where the table has a %s", have, want)
	}
	return fmt.Sprintf("CAST(%s AS %s)", x, t), nil
}

// exactIn are the types that hold each value of an integer type, as numbers with a fraction.
var exactIn = map[delta.Type][]delta.Type{
	delta.Byte:    {delta.Float, delta.Double},
	delta.Short:   {delta.Float, delta.Double},
	delta.Integer: {delta.Double},
	delta.Long:    {},
}

// castable is whether a cast from have to want keeps each value, or fails.
func castable(want, have delta.Type) bool {
	if want == have {
		return true
	}
	oldDecimal, fromDecimal := have.(delta.Decimal)
	newDecimal, toDecimal := want.(delta.Decimal)
	_, toInteger := exactIn[want]
	others, fromInteger := exactIn[have]
	switch {
	case fromInteger:
		return toInteger || toDecimal || slices.Contains(others, want)
	case fromDecimal && toDecimal:
		return newDecimal.Scale >= oldDecimal.Scale
	case fromDecimal:
		return toInteger && oldDecimal.Scale == 0
	case have == delta.Float:
		return want == delta.Double
	case have == delta.Date:
		return want == delta.TimestampNTZ
	}
	return have == delta.Timestamp && want == delta.TimestampNTZ || have == delta.TimestampNTZ && want == delta.Timestamp
}

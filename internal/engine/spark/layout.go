package spark

import (
	"fmt"

	"launchlake/internal/delta"
	"launchlake/internal/engine/publication"
	"launchlake/internal/engine/spark/connect"
)

// layout says for Spark how rows of a table lie in its data files.
type layout struct{ publication.Layout }

func layoutOf(s *delta.Snapshot, schema *delta.Schema) layout {
	return layout{publication.LayoutOf(s, schema)}
}

// physical is a type with the names that members have in data files.
func (l layout) physical(t delta.Type) delta.Type {
	if !l.Mapped() {
		return t
	}
	switch t := t.(type) {
	case *delta.Struct:
		renamed := &delta.Struct{}
		for _, f := range t.Fields {
			renamed.Fields = append(renamed.Fields, delta.Field{Name: l.PhysicalName(f), Type: l.physical(f.Type), Nullable: true})
		}
		return renamed
	case *delta.Array:
		return &delta.Array{Element: l.physical(t.Element), ContainsNull: true}
	case *delta.Map:
		return &delta.Map{Key: l.physical(t.Key), Value: l.physical(t.Value), ValueContainsNull: true}
	}
	return t
}

// declared spells the columns of data files for a reader.
func (l layout) declared() (string, error) {
	var columns []string
	for _, f := range l.Stored() {
		t, err := sqlType(l.physical(f.Type))
		if err != nil {
			return "", fmt.Errorf("column %s: %w", f.Name, err)
		}
		columns = append(columns, quoteName(l.PhysicalName(f))+" "+t)
	}
	return join(columns), nil
}

// logical gives the columns of data files their names in the table. Casts of structs go by the places of members.
func (l layout) logical() ([]string, error) {
	var cells []string
	for _, f := range l.Stored() {
		t, err := sqlType(f.Type)
		if err != nil {
			return nil, fmt.Errorf("column %s: %w", f.Name, err)
		}
		cells = append(cells, fmt.Sprintf("CAST(%s AS %s) AS %s", quoteName(l.PhysicalName(f)), t, quoteName(f.Name)))
	}
	return cells, nil
}

// relation makes rows with the table's columns rows of data files. Columns that are none of the table's go along.
func (l layout) relation(query string, others []string) (connect.Relation, error) {
	r := connect.SQL(query)
	if !l.Mapped() {
		return r, nil
	}
	var columns []connect.Column
	for _, f := range l.Stored() {
		t, err := l.connectType(f.Type)
		if err != nil {
			return r, fmt.Errorf("column %s: %w", f.Name, err)
		}
		columns = append(columns, connect.Column{From: quoteName(f.Name), Name: l.PhysicalName(f), Type: t, Metadata: l.fieldMark(f)})
	}
	for _, name := range others {
		columns = append(columns, connect.Column{From: quoteName(name), Name: name})
	}
	return r.Columns(columns), nil
}

// fieldMark is the metadata by which Spark gives a column of a file its field id.
func (l layout) fieldMark(f delta.Field) string {
	return fmt.Sprintf(`{"parquet.field.id":%d}`, l.FieldID(f))
}

func (l layout) connectType(t delta.Type) (connect.Type, error) {
	switch t := t.(type) {
	case delta.Decimal:
		return connect.DecimalType(t.Precision, t.Scale), nil
	case *delta.Array:
		element, err := l.connectType(t.Element)
		return connect.ArrayType(element), err
	case *delta.Map:
		key, err := l.connectType(t.Key)
		if err != nil {
			return key, err
		}
		value, err := l.connectType(t.Value)
		return connect.MapType(key, value), err
	case *delta.Struct:
		var members []connect.Member
		for _, f := range t.Fields {
			member, err := l.connectType(f.Type)
			if err != nil {
				return member, fmt.Errorf("%s: %w", f.Name, err)
			}
			members = append(members, connect.Member{Name: l.PhysicalName(f), Type: member, Metadata: l.fieldMark(f)})
		}
		return connect.StructType(members), nil
	}
	name, err := sqlType(t)
	if err != nil {
		return connect.Type{}, err
	}
	return connect.PrimitiveType(name)
}

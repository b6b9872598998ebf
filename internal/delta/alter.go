package delta

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// ColumnChange is a change of one column: [AddColumn], [RenameColumn], [DropColumn], [WidenColumn], [CommentColumn] or
// [AllowNull]. Columns are named as in [Col]; below arrays and maps the path goes on by element, key and value.
type ColumnChange interface {
	// operation names the change for the table's history.
	operation() Operation
	apply(*Metadata) error
}

type (
	// AddColumn adds a column that may be null, behind the others; a member of a struct when the name has dots.
	AddColumn struct {
		Column  string
		Type    Type
		Comment string
	}
	// RenameColumn gives a column another name within its struct. The table must map columns by name or id.
	RenameColumn struct{ Column, To string }
	// DropColumn takes a column away; data files keep it. The table must map columns by name or id.
	DropColumn struct{ Column string }
	// WidenColumn gives a column a type that holds all values of the present one. The table's property
	// delta.enableTypeWidening must be true.
	WidenColumn struct {
		Column string
		Type   Type
	}
	// CommentColumn describes a column; "" takes the description away.
	CommentColumn struct{ Column, Comment string }
	// AllowNull makes a column nullable.
	AllowNull struct{ Column string }
)

// Alter changes columns by a commit of its own, on top of whatever others commit meanwhile.
func (t *Table) Alter(ctx context.Context, changes ...ColumnChange) (*Snapshot, error) {
	if len(changes) == 0 {
		return nil, errors.New("alter table: no change is given")
	}
	return t.alter(ctx, changes[0].operation(), func(tx *Transaction) { tx.Alter(changes...) })
}

// alterAttempts is how often a change of metadata begins anew when other writers change the table meanwhile.
const alterAttempts = 10

// alter commits a change of the metadata, unless the table is so already.
func (t *Table) alter(ctx context.Context, op Operation, change func(*Transaction)) (*Snapshot, error) {
	for attempt := 1; ; attempt++ {
		s, err := t.Snapshot(ctx)
		if err != nil {
			return nil, err
		}
		tx := s.Begin(op)
		change(tx)
		p, err := tx.prepare()
		if err != nil {
			return nil, fmt.Errorf("alter table: %w", err)
		}
		if p.metadata == nil && p.protocol == nil {
			return s, nil
		}
		after, err := tx.Commit(ctx)
		if _, conflict := errors.AsType[*ConflictError](err); conflict && attempt < alterAttempts {
			continue
		}
		return after, err
	}
}

// Alter changes columns of the table; see [ColumnChange].
func (tx *Transaction) Alter(changes ...ColumnChange) { tx.changes = append(tx.changes, changes...) }

// altered gives the metadata after changes of columns.
func (m Metadata) altered(changes []ColumnChange) (Metadata, error) {
	for _, c := range changes {
		if err := c.apply(&m); err != nil {
			op := c.operation()
			return m, fmt.Errorf("%s %s: %w", strings.ToLower(op.Name), op.Parameters["column"], err)
		}
	}
	if m.ColumnMapping() != MapNone {
		return m, m.mapColumns(newPhysicalName)
	}
	return m, nil
}

func columnOperation(name, column string, more ...string) Operation {
	op := Operation{Name: name, Parameters: map[string]string{"column": column}}
	for i := 0; i+1 < len(more); i += 2 {
		op.Parameters[more[i]] = more[i+1]
	}
	return op
}

func (c AddColumn) operation() Operation {
	return columnOperation("ADD COLUMNS", c.Column, "type", fmt.Sprint(c.Type))
}
func (c RenameColumn) operation() Operation {
	return columnOperation("RENAME COLUMN", c.Column, "newName", c.To)
}
func (c DropColumn) operation() Operation { return columnOperation("DROP COLUMNS", c.Column) }
func (c WidenColumn) operation() Operation {
	return columnOperation("CHANGE COLUMN", c.Column, "type", fmt.Sprint(c.Type))
}
func (c CommentColumn) operation() Operation {
	return columnOperation("CHANGE COLUMN", c.Column, "comment", c.Comment)
}
func (c AllowNull) operation() Operation {
	return columnOperation("CHANGE COLUMN", c.Column, "nullable", "true")
}

func (c AddColumn) apply(m *Metadata) error {
	path, err := splitColumn(c.Column)
	if err != nil {
		return err
	}
	f := Field{Name: path[len(path)-1], Type: c.Type, Nullable: true}
	if c.Type == nil {
		return errors.New("it has no type")
	}
	f.Type = unmapped(&Schema{Fields: []Field{f}}).Fields[0].Type
	if c.Comment != "" {
		f.Metadata = withEntry(nil, commentKey, c.Comment)
	}
	return m.editType(path[:len(path)-1], func(t Type) (Type, error) {
		s, ok := t.(*Struct)
		if !ok {
			return nil, fmt.Errorf("%s is a %s, which has no members", columnName(path[:len(path)-1]), t)
		}
		if _, ok := s.resolve(f.Name); ok {
			return nil, errors.New("there is a column of this name")
		}
		return &Struct{Fields: append(s.Fields[:len(s.Fields):len(s.Fields)], f)}, nil
	})
}

func (c RenameColumn) apply(m *Metadata) error {
	if m.ColumnMapping() == MapNone {
		return fmt.Errorf("data files have the column by its name: set %s to %q first", mappingModeProperty, MapByName)
	}
	path, err := m.unbound(c.Column)
	if err != nil {
		return err
	}
	name := path[len(path)-1]
	err = m.editType(path[:len(path)-1], func(t Type) (Type, error) {
		s, ok := t.(*Struct)
		if !ok {
			return nil, errors.New("there is no such column")
		}
		out := &Struct{Fields: slices.Clone(s.Fields)}
		for i, f := range s.Fields {
			switch {
			case f.Name == name:
				out.Fields[i].Name = c.To
			case strings.EqualFold(f.Name, c.To):
				return nil, fmt.Errorf("there is a column %s already", f.Name)
			}
		}
		return out, nil
	})
	if err != nil || len(path) > 1 {
		return err
	}
	m.PartitionColumns = slices.Clone(m.PartitionColumns)
	if i := slices.Index(m.PartitionColumns, name); i >= 0 {
		m.PartitionColumns[i] = c.To
	}
	return nil
}

func (c DropColumn) apply(m *Metadata) error {
	if m.ColumnMapping() == MapNone {
		return fmt.Errorf("data files have the column, and one of its name may come again: set %s to %q first", mappingModeProperty, MapByName)
	}
	path, err := m.unbound(c.Column)
	if err != nil {
		return err
	}
	if len(path) == 1 && m.partitionedBy(path[0]) {
		return errors.New("the table is partitioned by it")
	}
	return m.editType(path[:len(path)-1], func(t Type) (Type, error) {
		s, ok := t.(*Struct)
		if !ok {
			return nil, errors.New("there is no such column")
		}
		rest := slices.DeleteFunc(slices.Clone(s.Fields), func(f Field) bool { return f.Name == path[len(path)-1] })
		if len(rest) == 0 {
			return nil, errors.New("it is the only one")
		}
		return &Struct{Fields: rest}, nil
	})
}

func (c CommentColumn) apply(m *Metadata) error {
	return m.editField(c.Column, func(f Field) (Field, error) {
		f.Metadata = without(f.Metadata, commentKey)
		if c.Comment != "" {
			f.Metadata = withEntry(f.Metadata, commentKey, c.Comment)
		}
		return f, nil
	})
}

func (c AllowNull) apply(m *Metadata) error {
	return m.editField(c.Column, func(f Field) (Field, error) {
		f.Nullable = true
		return f, nil
	})
}

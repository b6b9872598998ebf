package publication

import (
	"slices"

	"launchlake/internal/delta"
)

// Layout is how rows of a table lie in its data files: when the table maps columns, under other names and with field ids (spec:
// Column Mapping, Writer Requirements). How an engine is told of it is the engine's.
type Layout struct{ delta.Metadata }

// LayoutOf is that of a table which has, or will have, a schema.
func LayoutOf(s *delta.Snapshot, schema *delta.Schema) Layout {
	m := s.Metadata()
	m.Schema = schema
	return Layout{m}
}

// Mapped is whether data files have other names than the table.
func (l Layout) Mapped() bool { return l.ColumnMapping() != delta.MapNone }

// Stored are the columns of data files.
func (l Layout) Stored() []delta.Field {
	return slices.DeleteFunc(slices.Clone(l.Schema.Fields), func(f delta.Field) bool { return slices.Contains(l.PartitionColumns, f.Name) })
}

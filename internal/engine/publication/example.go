package publication

import (
	"slices"

	"launchlake/internal/delta"
)

// Of a row that breaks a constraint messages show the columns of the constraint, some others, and the begin of long values.
const (
	shownColumns = 8
	ShownValue   = 60 // characters
)

// ShownColumns are the columns that a message shows of a row that breaks a constraint on some columns.
func ShownColumns(constrained []string, schema *delta.Schema) []string {
	names := slices.Clone(constrained)
	for _, f := range schema.Fields {
		if len(names) < shownColumns && !slices.Contains(names, f.Name) {
			names = append(names, f.Name)
		}
	}
	return names
}

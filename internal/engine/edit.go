package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"launchlake/internal/delta"
)

// Editor is an engine that can change rows of a table by conditions on them. Progress and errors are as for Publish: in one commit or
// not at all, and done again when another writer changed the rows meanwhile.
//
// Where a table has deletion vectors enabled (delta.enableDeletionVectors) changed rows leave their files by them; else the files are
// written again. Where it has a change data feed (delta.enableChangeDataFeed) the changed rows are found in it.
type Editor interface {
	// Delete takes rows out of a table. When there are none nothing is committed but the progress.
	Delete(ctx context.Context, e Edit) (Published, error)

	// Update gives columns of rows other values, which may refer to the old ones of all columns. A row counts as updated when it
	// has the same values afterwards.
	Update(ctx context.Context, e Edit, set []Assignment) (Published, error)
}

// Edit says which rows of a table are changed.
type Edit struct {
	Table        *delta.Table
	Where        string // SQL condition on a row; "true": all
	Progress     []Progress
	UserMetadata string // for the table's history, a run id
}

// Assignment is the value that a column gets.
type Assignment struct {
	Column string
	Value  string // SQL expression over a row, cast to the column's type
}

// Check finds contradictions in what is asked for. Engines call it first.
func (e Edit) Check() error {
	switch {
	case e.Table == nil:
		return errors.New("no table is given")
	case strings.TrimSpace(e.Where) == "":
		return errors.New("no condition is given; true is all rows")
	}
	return checkProgress(e.Progress)
}

// CheckAssignments finds contradictions in the new values of an update. Engines call it first.
func CheckAssignments(set []Assignment) error {
	if len(set) == 0 {
		return errors.New("no column is given a value")
	}
	for i, a := range set {
		switch {
		case a.Column == "" || strings.TrimSpace(a.Value) == "":
			return fmt.Errorf("column %q is given no value", a.Column)
		case slices.ContainsFunc(set[:i], func(b Assignment) bool { return strings.EqualFold(b.Column, a.Column) }):
			return fmt.Errorf("column %s is given two values", a.Column)
		}
	}
	return nil
}

package engine

import (
	"context"

	"launchlake/internal/delta"
)

// Constrainer is an engine that can hold the rows of a table against a condition.
type Constrainer interface {
	// AddConstraint gives a table a CHECK constraint, a condition of Spark SQL, when all of its rows meet it. That some do not is a
	// *[delta.ConstraintError]; a condition that cannot be evaluated here is an error too, for nobody could write to the table
	// afterwards. Rows that others add meanwhile are held against it as well. It returns the version that has the constraint.
	AddConstraint(ctx context.Context, t *delta.Table, name, condition string) (delta.Version, error)
}

package duckdb

import (
	"context"
	"fmt"

	"launchlake/internal/delta"
	"launchlake/internal/engine"
	"launchlake/internal/engine/duckdb/sparksql"
	"launchlake/internal/engine/publication"
)

var _ engine.Constrainer = (*Engine)(nil)

// AddConstraint implements [engine.Constrainer].
func (e *Engine) AddConstraint(ctx context.Context, t *delta.Table, name, condition string) (delta.Version, error) {
	version, err := publication.AddConstraint(ctx, t, name, condition, func(s *delta.Snapshot, c delta.Constraint) error {
		return e.holdAll(ctx, s, c)
	})
	if err != nil {
		return 0, fmt.Errorf("add constraint %s: %w", name, err)
	}
	return version, nil
}

// holdAll holds all rows of a snapshot against a constraint.
func (e *Engine) holdAll(ctx context.Context, s *delta.Snapshot, c delta.Constraint) error {
	where, err := sparksql.Condition(c.Expression, s.Schema(), e.options.Now())
	if err != nil {
		return err
	}
	files, err := inputFiles(engine.Input{Snapshot: s}, nil)
	if err != nil {
		return err
	}
	rows, err := e.scanQuery(ctx, scan{snapshot: s, files: files})
	if err != nil {
		return err
	}
	return e.hold(ctx, []check{{c, where.SQL, where.Columns}}, s.Schema(), rows)
}

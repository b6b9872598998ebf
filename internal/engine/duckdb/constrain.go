package duckdb

import (
	"context"
	"fmt"
	"strings"

	"launchlake/internal/delta"
	"launchlake/internal/engine"
	"launchlake/internal/engine/duckdb/sparksql"
	"launchlake/internal/engine/publication"
)

var _ engine.Constrainer = (*Engine)(nil)

// AddConstraint implements [engine.Constrainer].
func (e *Engine) AddConstraint(ctx context.Context, t *delta.Table, name, condition string) (delta.Version, error) {
	var version delta.Version
	err := publication.Retry(func() (err error) {
		version, err = e.addConstraint(ctx, t, delta.Constraint{Rule: delta.CheckRule, Name: strings.ToLower(name), Expression: condition})
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("add constraint %s: %w", name, err)
	}
	return version, nil
}

func (e *Engine) addConstraint(ctx context.Context, t *delta.Table, c delta.Constraint) (delta.Version, error) {
	s, err := t.Snapshot(ctx)
	if err != nil {
		return 0, err
	}
	if err := s.CheckWrite(); err != nil {
		return 0, err
	}
	where, err := sparksql.Condition(c.Expression, s.Schema(), e.options.Now())
	if err != nil {
		return 0, err
	}
	files, err := inputFiles(engine.Input{Snapshot: s}, nil)
	if err != nil {
		return 0, err
	}
	rows, err := e.scanQuery(ctx, scan{snapshot: s, files: files})
	if err != nil {
		return 0, err
	}
	if err := e.hold(ctx, []check{{c, where.SQL, where.Columns}}, s.Schema(), rows); err != nil {
		return 0, err
	}
	tx := s.Begin(delta.Operation{Name: "ADD CONSTRAINT", Parameters: map[string]string{"name": c.Name, "expr": c.Expression}})
	tx.SetConstraint(c.Name, c.Expression)
	tx.Enforced(c)
	after, err := tx.Commit(ctx)
	if err != nil {
		return 0, err
	}
	return after.Version(), nil
}

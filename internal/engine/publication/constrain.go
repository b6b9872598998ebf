package publication

import (
	"context"
	"strings"

	"launchlake/internal/delta"
)

// AddConstraint gives a table a CHECK constraint. hold finds rows of a snapshot that break it, and conditions that the engine cannot
// evaluate.
func AddConstraint(ctx context.Context, t *delta.Table, name, condition string, hold func(*delta.Snapshot, delta.Constraint) error) (version delta.Version, err error) {
	c := delta.Constraint{Rule: delta.CheckRule, Name: strings.ToLower(name), Expression: condition}
	err = Retry(func() error {
		s, err := t.Snapshot(ctx)
		if err != nil {
			return err
		}
		if err := s.CheckWrite(); err != nil {
			return err
		}
		if err := hold(s, c); err != nil {
			return err
		}
		tx := s.Begin(delta.Operation{Name: "ADD CONSTRAINT", Parameters: map[string]string{"name": c.Name, "expr": c.Expression}})
		tx.SetConstraint(c.Name, c.Expression)
		tx.Enforced(c)
		after, err := tx.Commit(ctx)
		if err != nil {
			return err
		}
		version = after.Version()
		return nil
	})
	return version, err
}

package spark

import (
	"context"
	"errors"
	"fmt"

	"launchlake/internal/delta"
	"launchlake/internal/engine"
	"launchlake/internal/engine/publication"
)

// replaceWhere replaces the rows for which out.Where is true.
func (p *publishing) replaceWhere(ctx context.Context, s *delta.Snapshot, c *publication.Change) error {
	l := layoutOf(s, c.SchemaOf(s))
	query, err := p.fill(l)
	if err != nil {
		return err
	}
	source, release, err := p.engine.keep(ctx, "source", query)
	if err != nil {
		return err
	}
	defer release()
	replaced := delta.Constraint{Rule: delta.CheckRule, Name: "of the rows to replace", Expression: p.out.Where}
	if c.Counts.Inserted, err = p.engine.hold(ctx, []check{newCheck(replaced, p.out.Where, l.Schema)}, l.Schema, source); err != nil {
		return err
	}
	found, release, err := p.find(ctx, s, p.out.Where, s.ChangeDataFeedEnabled(), nil)
	if err != nil {
		return fmt.Errorf("replace rows: %w", err)
	}
	defer release()
	if c.Counts.Deleted, err = p.engine.countRows(ctx, found); err != nil {
		return err
	}
	kept, err := p.takeOut(ctx, s, c, found)
	if err != nil {
		return fmt.Errorf("replace rows: %w", err)
	}
	if c.Counts.Inserted > 0 {
		if c.Add, err = p.write(ctx, l, rebalanced("SELECT * FROM "+source)); err != nil {
			return err
		}
	}
	if kept != "" {
		others, err := p.write(ctx, l, rebalanced(kept))
		c.Add = append(c.Add, others...)
		if err != nil {
			return err
		}
	}
	if s.ChangeDataFeedEnabled() && c.Rewritten > 0 {
		c.Told, err = p.tellReplaced(ctx, s, l, found, source)
	}
	return err
}

// find keeps the places of the rows of a snapshot that meet a condition, with all of their columns when these are wanted, and other values
// of them.
func (p *publishing) find(ctx context.Context, s *delta.Snapshot, where string, columns bool, values []string) (found string, release func(), err error) {
	rows, err := p.engine.placedQuery(ctx, s)
	if err != nil {
		return "", nil, err
	}
	cells := uriColumn + ", " + rowColumn
	if columns {
		cells += ", " + columnList(s.Schema())
	}
	for _, v := range values {
		cells += ", " + v
	}
	return p.engine.keep(ctx, "found", fmt.Sprintf("SELECT %s FROM %s AS target WHERE (%s\n)", cells, rows, where))
}

func (e *Engine) countRows(ctx context.Context, relation string) (int64, error) {
	rows, err := e.rows(ctx, "SELECT count(*) FROM "+relation)
	if err != nil {
		return 0, err
	}
	return rows[0][0].(int64), nil
}

// tellReplaced stores which rows went and which came, for the readers of the table's changes.
func (p *publishing) tellReplaced(ctx context.Context, s *delta.Snapshot, l layout, gone, fresh string) ([]delta.Add, error) {
	old, err := oldCells(s, l.Schema)
	if err != nil {
		return nil, err
	}
	return p.tell(ctx, l, fmt.Sprintf("SELECT %s, 'delete' AS %s FROM %s%sSELECT %s, 'insert' FROM %s",
		old, engine.ChangeType, gone, unionAll, columnList(l.Schema), fresh))
}

// overwritePartitions replaces the rows of the partitions that new rows come to.
func (p *publishing) overwritePartitions(ctx context.Context, s *delta.Snapshot, c *publication.Change) error {
	l := layoutOf(s, c.SchemaOf(s))
	if len(l.PartitionColumns) == 0 {
		return errors.New("overwrite partitions: the table has no partition columns")
	}
	query, err := p.fill(l)
	if err != nil {
		return err
	}
	if c.Add, err = p.write(ctx, l, query); err != nil {
		return err
	}
	c.Counts.Inserted = publication.Records(c.Add)
	partitions := make([]map[string]*string, len(c.Add))
	for i, add := range c.Add {
		partitions[i] = add.PartitionValues
	}
	if err := c.TakePartitions(s, partitions); err != nil {
		return fmt.Errorf("overwrite partitions: %w", err)
	}
	return nil
}

package duckdb

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"launchlake/internal/delta"
	"launchlake/internal/engine"
	"launchlake/internal/engine/duckdb/sparksql"
)

// replaceWhere replaces the rows for which out.Where is true. Files that hold other rows too are written again with those.
func (p *publication) replaceWhere(ctx context.Context, s *delta.Snapshot, c *change) error {
	where, err := sparksql.Condition(p.out.Where, s.Schema(), p.engine.options.Now())
	if err != nil {
		return fmt.Errorf("replace rows: %w", err)
	}
	whole, partly, err := p.matching(ctx, s, where)
	if err != nil {
		return fmt.Errorf("replace rows: %w", err)
	}
	if where.Filter != nil {
		c.reads = []delta.Predicate{where.Filter}
	}
	l := layoutOf(s, c.schemaOf(s))
	files, err := p.copyOut(ctx, l, p.fill(l.Schema, p.query))
	if err != nil {
		return fmt.Errorf("write data files: %w", err)
	}
	if err := p.onlyMatching(ctx, l, where, files); err != nil {
		return err
	}
	for _, file := range files {
		c.counts.Inserted += file.rows
	}
	for _, f := range whole {
		c.counts.Deleted += f.matching
		c.remove = append(c.remove, f.Add)
	}
	kept, err := p.withoutMatching(ctx, l, s, c, where, partly)
	if err != nil {
		return err
	}
	c.add, err = p.upload(ctx, l, append(files, kept...))
	return err
}

// matchingFile is a file with rows that a condition is true for.
type matchingFile struct {
	delta.Add
	matching int64
}

// matching finds the files that a condition is true for, in all rows or in some. Files about which partition values and statistics tell
// enough are not read.
func (p *publication) matching(ctx context.Context, s *delta.Snapshot, where sparksql.Expression) (whole, partly []matchingFile, err error) {
	filter := where.Filter
	if filter == nil {
		filter = delta.And()
	}
	all, some, err := s.Matching(filter)
	if err != nil {
		return nil, nil, err
	}
	if !where.Exact {
		all, some = nil, append(all, some...)
	}
	for _, f := range all {
		if f.Stats == nil || f.Stats.NumRecords < 0 {
			some = append(some, f) // to be counted
			continue
		}
		n := f.Stats.NumRecords
		if f.DeletionVector != nil {
			n -= f.DeletionVector.Cardinality
		}
		whole = append(whole, matchingFile{f, n})
	}
	for _, f := range some {
		rows, err := p.engine.scanQuery(ctx, scan{snapshot: s, files: []engine.File{{Add: f}}})
		if err != nil {
			return nil, nil, err
		}
		var n, matching int64
		query := fmt.Sprintf("SELECT count(*), count(*) FILTER (WHERE %s) FROM (%s)", where.SQL, rows)
		if err := p.engine.db.QueryRowContext(ctx, query).Scan(&n, &matching); err != nil {
			return nil, nil, queryError(ctx, err)
		}
		switch {
		case matching == 0:
		case matching == n:
			whole = append(whole, matchingFile{f, matching})
		default:
			partly = append(partly, matchingFile{f, matching})
		}
	}
	return whole, partly, nil
}

// onlyMatching refuses new rows that do not meet the condition of the rows that they replace.
func (p *publication) onlyMatching(ctx context.Context, l layout, where sparksql.Expression, files []written) error {
	if len(files) == 0 {
		return nil
	}
	rows, err := writtenRows(l, files)
	if err != nil {
		return err
	}
	replaced := delta.Constraint{Rule: delta.CheckRule, Name: "of the rows to replace", Expression: p.out.Where}
	return p.engine.hold(ctx, []check{{replaced, where.SQL, where.Columns}}, l.Schema, rows)
}

// withoutMatching writes the other rows of files that hold some that go.
func (p *publication) withoutMatching(ctx context.Context, l layout, s *delta.Snapshot, c *change, where sparksql.Expression, partly []matchingFile) ([]written, error) {
	if len(partly) == 0 {
		return nil, nil
	}
	var again []engine.File
	for _, f := range partly {
		again = append(again, engine.File{Add: f.Add})
		c.remove = append(c.remove, f.Add)
		c.counts.Deleted += f.matching
	}
	rows, err := p.engine.scanQuery(ctx, scan{snapshot: s, files: again})
	if err != nil {
		return nil, err
	}
	cells := columnList(s.Schema())
	for _, f := range l.Schema.Fields[len(s.Schema().Fields):] {
		t, err := sqlType(f.Type)
		if err != nil {
			return nil, err
		}
		cells += ", " + nullColumn(t, f.Name)
	}
	kept, err := p.copyOut(ctx, l, fmt.Sprintf("SELECT %s FROM (%s) WHERE (%s) IS NOT TRUE", cells, rows, where.SQL))
	if err != nil {
		return nil, fmt.Errorf("write data files: %w", err)
	}
	return kept, nil
}

// overwritePartitions replaces the rows of the partitions that new rows come to.
func (p *publication) overwritePartitions(ctx context.Context, s *delta.Snapshot, c *change) error {
	l := layoutOf(s, c.schemaOf(s))
	if len(l.PartitionColumns) == 0 {
		return errors.New("overwrite partitions: the table has no partition columns")
	}
	files, err := p.copyOut(ctx, l, p.fill(l.Schema, p.query))
	if err != nil {
		return fmt.Errorf("write data files: %w", err)
	}
	c.reads = []delta.Predicate{}
	var seen []string
	for _, file := range files {
		c.counts.Inserted += file.rows
		where, err := l.partitionOf(file)
		if err != nil {
			return fmt.Errorf("write data files: %w", err)
		}
		if !slices.Contains(seen, where.String()) {
			seen = append(seen, where.String())
			c.reads = append(c.reads, where)
		}
	}
	gone, unsure, err := s.Matching(delta.Or(c.reads...))
	switch {
	case err != nil:
		return fmt.Errorf("overwrite partitions: %w", err)
	case len(unsure) > 0:
		return fmt.Errorf("overwrite partitions: the partition of data file %s cannot be read", unsure[0].Path)
	}
	c.remove = gone
	for _, f := range gone {
		if f.Stats != nil && f.Stats.NumRecords >= 0 {
			c.counts.Deleted += f.Stats.NumRecords
		}
		if f.DeletionVector != nil {
			c.counts.Deleted -= f.DeletionVector.Cardinality
		}
	}
	c.add, err = p.upload(ctx, l, files)
	return err
}

// partitionOf gives the condition of the rows in a written file's partition.
func (l layout) partitionOf(file written) (delta.Predicate, error) {
	var all []delta.Predicate
	for _, name := range l.PartitionColumns {
		field, _ := l.Schema.Field(name)
		column := delta.Col(deltaName(name))
		text := file.partition[l.PhysicalName(field)]
		if text == nil || *text == "" { // the log has no empty string
			all = append(all, column.IsNull())
			continue
		}
		value, err := parseText(field.Type, *text)
		if err != nil {
			return nil, fmt.Errorf("partition column %s: %w", name, err)
		}
		all = append(all, column.Eq(value))
	}
	return delta.And(all...), nil
}

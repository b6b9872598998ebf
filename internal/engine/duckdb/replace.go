package duckdb

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"launchlake/internal/delta"
	"launchlake/internal/engine"
	"launchlake/internal/engine/duckdb/sparksql"
)

// replaceWhere replaces the rows for which out.Where is true. Files that partition values and statistics tell enough about are not read.
func (p *publication) replaceWhere(ctx context.Context, s *delta.Snapshot, c *change) error {
	where, err := sparksql.Condition(p.out.Where, s.Schema(), p.engine.options.Now())
	if err != nil {
		return fmt.Errorf("replace rows: %w", err)
	}
	if where.Filter != nil {
		c.reads = []delta.Predicate{where.Filter}
	}
	l := layoutOf(s, c.schemaOf(s))
	fresh, err := p.copyOut(ctx, l, p.fill(l.Schema, p.query))
	if err != nil {
		return fmt.Errorf("write data files: %w", err)
	}
	if err := p.onlyMatching(ctx, l, where, fresh); err != nil {
		return err
	}
	for _, file := range fresh {
		c.counts.Inserted += file.rows
	}
	found := p.engine.name("found")
	defer p.engine.drop(ctx, found)
	gone, kept, err := p.takeOutWhere(ctx, s, c, where, found)
	if err != nil {
		return fmt.Errorf("replace rows: %w", err)
	}
	if s.ChangeDataFeedEnabled() && c.rewritten > 0 {
		if c.told, err = p.tellReplaced(ctx, s, l, gone, fresh); err != nil {
			return err
		}
	}
	if kept != "" {
		others, err := p.copyOut(ctx, l, kept)
		if err != nil {
			return fmt.Errorf("write data files: %w", err)
		}
		fresh = append(fresh, others...)
	}
	c.add, err = p.upload(ctx, l, fresh)
	return err
}

// takeOutWhere takes the rows of a condition out of their files, and keeps those it had to look for as the relation found. It gives the
// SQL of these rows, where changes may have to be told, and that of others which are to be written again.
func (p *publication) takeOutWhere(ctx context.Context, s *delta.Snapshot, c *change, where sparksql.Expression, found string) (gone, kept string, err error) {
	whole, some, err := matching(s, where)
	if err != nil {
		return "", "", err
	}
	for _, f := range whole {
		c.takeAway(f.Add)
		c.counts.Deleted += liveRows(f.Add)
	}
	rows, err := p.engine.scanQuery(ctx, scan{snapshot: s, files: some, place: true})
	if err != nil {
		return "", "", err
	}
	cells := join([]string{fileColumn, rowColumn})
	if s.ChangeDataFeedEnabled() {
		cells = "*"
	}
	query := fmt.Sprintf("SELECT %s FROM (%s) WHERE %s", cells, rows, where.SQL)
	if err := p.engine.Define(ctx, found, query, engine.Once); err != nil {
		return "", "", err
	}
	var n int64
	if err := p.engine.db.QueryRowContext(ctx, "SELECT count(*) FROM "+found).Scan(&n); err != nil {
		return "", "", queryError(ctx, err)
	}
	c.counts.Deleted += n
	if kept, err = p.takeOut(ctx, s, c, some, found); err != nil {
		return "", "", err
	}
	if rows, err = p.engine.scanQuery(ctx, scan{snapshot: s, files: whole}); err != nil {
		return "", "", err
	}
	columns := columnList(s.Schema())
	gone = fmt.Sprintf("SELECT %s FROM %s UNION ALL SELECT %[1]s FROM (%[3]s)", columns, found, rows)
	return gone, strings.TrimPrefix(kept, "\nUNION ALL\n"), nil
}

// matching tells the files all of whose rows meet a condition from those some of whose rows may. Files that do not say how many rows
// they have are among the latter, to be counted.
func matching(s *delta.Snapshot, where sparksql.Expression) (whole, some []engine.File, err error) {
	filter := where.Filter
	if filter == nil {
		filter = delta.And()
	}
	all, maybe, err := s.Matching(filter)
	some = []engine.File{}
	for _, f := range all {
		if where.Exact && f.Stats != nil && f.Stats.NumRecords >= 0 {
			whole = append(whole, engine.File{Add: f})
		} else {
			some = append(some, engine.File{Add: f})
		}
	}
	for _, f := range maybe {
		some = append(some, engine.File{Add: f})
	}
	return whole, some, err
}

// liveRows counts the rows of a file, as far as the log tells.
func liveRows(f delta.Add) int64 {
	if f.Stats == nil || f.Stats.NumRecords < 0 {
		return 0
	}
	if f.DeletionVector != nil {
		return f.Stats.NumRecords - f.DeletionVector.Cardinality
	}
	return f.Stats.NumRecords
}

// tellReplaced stores which rows went and which came, for the readers of the table's changes.
func (p *publication) tellReplaced(ctx context.Context, s *delta.Snapshot, l layout, gone string, fresh []written) ([]delta.Add, error) {
	old, err := oldCells(s, l.Schema)
	if err != nil {
		return nil, err
	}
	query := fmt.Sprintf("SELECT %s, 'delete' AS %s FROM (%s)", old, quoteName(engine.ChangeType), gone)
	if len(fresh) > 0 {
		came, err := writtenRows(l, fresh)
		if err != nil {
			return nil, err
		}
		query += fmt.Sprintf("\nUNION ALL\nSELECT %s, 'insert' FROM (%s)", columnList(l.Schema), came)
	}
	return p.tell(ctx, s, l.Schema, query)
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
	for _, f := range gone {
		c.takeAway(f)
		c.counts.Deleted += liveRows(f)
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

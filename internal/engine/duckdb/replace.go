package duckdb

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"launchlake/internal/delta"
	"launchlake/internal/engine"
	"launchlake/internal/engine/duckdb/sparksql"
	"launchlake/internal/engine/publication"
)

// replaceWhere replaces the rows for which out.Where is true. Files that partition values and statistics tell enough about are not read.
func (p *publishing) replaceWhere(ctx context.Context, s *delta.Snapshot, c *publication.Change) error {
	where, err := sparksql.Condition(p.out.Where, s.Schema(), p.engine.options.Now())
	if err != nil {
		return fmt.Errorf("replace rows: %w", err)
	}
	if where.Filter != nil {
		c.Reads = []delta.Predicate{where.Filter}
	}
	l := layoutOf(s, c.SchemaOf(s))
	fresh, err := p.copyOut(ctx, l, p.fill(l.Schema, p.query))
	if err != nil {
		return fmt.Errorf("write data files: %w", err)
	}
	if err := p.onlyMatching(ctx, l, where, fresh); err != nil {
		return err
	}
	for _, file := range fresh {
		c.Counts.Inserted += file.rows
	}
	found := p.engine.name("found")
	defer p.engine.drop(ctx, found)
	gone, kept, err := p.takeOutWhere(ctx, s, c, where, found)
	if err != nil {
		return fmt.Errorf("replace rows: %w", err)
	}
	if s.ChangeDataFeedEnabled() && c.Rewritten > 0 {
		if c.Told, err = p.tellReplaced(ctx, s, l, gone, fresh); err != nil {
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
	c.Add, err = p.upload(ctx, l, fresh)
	return err
}

// takeOutWhere takes the rows of a condition out of their files, and keeps those it had to look for as the relation found. It gives the
// SQL of these rows, where changes may have to be told, and that of others which are to be written again.
func (p *publishing) takeOutWhere(ctx context.Context, s *delta.Snapshot, c *publication.Change, where sparksql.Expression, found string) (gone, kept string, err error) {
	whole, some, err := matching(s, where)
	if err != nil {
		return "", "", err
	}
	for _, f := range whole {
		c.TakeAway(f.Add)
		c.Counts.Deleted += publication.LiveRows(f.Add)
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
	c.Counts.Deleted += n
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

// tellReplaced stores which rows went and which came, for the readers of the table's changes.
func (p *publishing) tellReplaced(ctx context.Context, s *delta.Snapshot, l layout, gone string, fresh []written) ([]delta.Add, error) {
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
func (p *publishing) onlyMatching(ctx context.Context, l layout, where sparksql.Expression, files []written) error {
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
func (p *publishing) overwritePartitions(ctx context.Context, s *delta.Snapshot, c *publication.Change) error {
	l := layoutOf(s, c.SchemaOf(s))
	if len(l.PartitionColumns) == 0 {
		return errors.New("overwrite partitions: the table has no partition columns")
	}
	files, err := p.copyOut(ctx, l, p.fill(l.Schema, p.query))
	if err != nil {
		return fmt.Errorf("write data files: %w", err)
	}
	var partitions []map[string]*string
	for _, file := range files {
		c.Counts.Inserted += file.rows
		values, err := l.partitionValues(file.partition)
		if err != nil {
			return fmt.Errorf("write data files: %w", err)
		}
		partitions = append(partitions, values)
	}
	if err := c.TakePartitions(s, partitions); err != nil {
		return fmt.Errorf("overwrite partitions: %w", err)
	}
	c.Add, err = p.upload(ctx, l, files)
	return err
}

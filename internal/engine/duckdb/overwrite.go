package duckdb

import (
	"context"
	"fmt"
	"os"
	"time"

	"launchlake/internal/delta"
	"launchlake/internal/engine"
	"launchlake/internal/engine/publication"
)

// overwrite replaces all rows. When the table has the same rows already its files stay.
func (p *publishing) overwrite(ctx context.Context, s *delta.Snapshot, c *publication.Change) error {
	schema := c.SchemaOf(s)
	l := layoutOf(s, schema)
	files, err := p.copyOut(ctx, l, p.fill(schema, p.query))
	if err != nil {
		return fmt.Errorf("write data files: %w", err)
	}
	old, err := inputFiles(engine.Input{Snapshot: s}, nil)
	if err != nil {
		return err
	}
	var rows int64
	for _, file := range files {
		rows += file.rows
	}
	before, counted := s.NumRecords()
	if !c.Widened() && len(s.Metadata().PartitionColumns) == 0 && counted && before == rows && !p.surelyDiffer(l, old, files) {
		equal, err := p.equalRows(ctx, l, s, old, files)
		if err != nil {
			return fmt.Errorf("compare with the rows that are there: %w", err)
		}
		if equal {
			c.Counts.Unchanged = rows
			for _, file := range files {
				_ = os.Remove(file.path)
			}
			return nil
		}
	}
	if c.Add, err = p.upload(ctx, l, files); err != nil {
		return err
	}
	for _, f := range old {
		c.Remove = append(c.Remove, f.Add)
	}
	c.Counts.Inserted, c.Counts.Deleted = rows, before
	return nil
}

// surelyDiffer is whether statistics tell that the rows of one file are not those of another, which spares reading them. Only counts
// and the bounds of whole numbers and times are compared: of them all writers give the former exactly, and the latter but for some milliseconds.
func (p *publishing) surelyDiffer(l layout, old []engine.File, files []written) bool {
	if len(old) != 1 || len(files) != 1 || old[0].Stats == nil || old[0].DeletionVector != nil {
		return false
	}
	before := old[0].Stats
	now, err := fileStats(l, files[0])
	if err != nil || before.TightBounds != nil && !*before.TightBounds {
		return false
	}
	for name, a := range before.Columns {
		b, ok := now.Columns[name]
		if ok && (differ(a.NullCount, b.NullCount) || boundsDiffer(a.Min, b.Min) || boundsDiffer(a.Max, b.Max)) {
			return true
		}
	}
	return false
}

// differ is whether both numbers are known and not the same.
func differ(a, b *int64) bool { return a != nil && b != nil && *a != *b }

// blur is how far bounds of equal times can be apart: some writers cut them to milliseconds, some round them up, and readers allow for both.
const blur = 2 * time.Millisecond

// boundsDiffer is whether both bounds are whole numbers or times, and surely not the same.
func boundsDiffer(a, b any) bool {
	switch a := a.(type) {
	case int64:
		b, ok := b.(int64)
		return ok && a != b
	case time.Time:
		b, ok := b.(time.Time)
		return ok && a.Sub(b).Abs() > blur
	}
	return false
}

// equalRows is whether the new files hold the rows of the table. Both have as many.
func (p *publishing) equalRows(ctx context.Context, l layout, s *delta.Snapshot, old []engine.File, files []written) (bool, error) {
	if len(files) == 0 {
		return true, nil
	}
	have, err := p.engine.scanQuery(ctx, scan{snapshot: s, files: old})
	if err != nil {
		return false, err
	}
	paths := make([]string, len(files))
	for i, file := range files {
		paths[i] = file.path
	}
	var equal bool
	query := fmt.Sprintf("SELECT NOT EXISTS (SELECT %s FROM %s EXCEPT ALL (%s))", l.names(l.Schema.Fields), readParquet(paths), l.query(have, l.Schema.Fields))
	err = p.engine.db.QueryRowContext(ctx, query).Scan(&equal)
	return equal, queryError(ctx, err)
}

package publication

import (
	"fmt"
	"slices"
	"strings"

	"launchlake/internal/delta"
	"launchlake/internal/engine"
)

// Change is what a publication does to a snapshot. An engine fills it.
type Change struct {
	Reads  []delta.Predicate // a row for which one is true was read; nil: all were
	Add    []delta.Add
	Remove []delta.Add
	Trim   []Trimmed
	Told   []delta.Add      // files of changes, for the readers of the table's feed
	Counts engine.Published // of rows

	Enforced  []delta.Constraint // of the table as it will be
	Rewritten int                // removed files of which rows stay, in added ones
	merged    MergeCounts
	vectors   vectorCounts
	schema    *delta.Schema // nil: as it is
	replace   bool          // schema is not one that the table's can grow into
}

// Trimmed is a data file that stays, without some rows.
type Trimmed struct {
	File delta.Add
	Rows *delta.RowSet
}

// vectorCounts says what became of the deletion vectors of files.
type vectorCounts struct{ added, updated, removed int64 }

// Fate is what becomes of a file that rows go out of.
type Fate int

const (
	Gone    Fate = iota // no rows are left: it is removed
	Vector              // it stays, and the rows are deleted by a deletion vector
	Rewrite             // it is removed, and its other rows are added again
)

// TakeOut notes that so many rows go out of a file, and says how: a file of which none is left is removed; else the rows are
// deleted by a deletion vector where the table has them enabled, and are to be added to the set that is given; else the
// file is removed, and its other rows are to be written again.
func (c *Change) TakeOut(s *delta.Snapshot, f delta.Add, rows int64) (Fate, *delta.RowSet) {
	switch {
	case !hasOtherRows(f, rows):
		c.TakeAway(f)
		return Gone, nil
	case s.DeletionVectorsEnabled():
		set := &delta.RowSet{}
		c.Trim = append(c.Trim, Trimmed{f, set})
		if f.DeletionVector == nil {
			c.vectors.added++
		} else {
			c.vectors.updated++
		}
		return Vector, set
	}
	c.TakeAway(f)
	c.Rewritten++
	return Rewrite, nil
}

// hasOtherRows is whether a file holds rows besides so many, as far as the log tells.
func hasOtherRows(f delta.Add, gone int64) bool {
	if f.Stats == nil || f.Stats.NumRecords < 0 {
		return true
	}
	return LiveRows(f) > gone
}

// LiveRows counts the rows of a file, as far as the log tells.
func LiveRows(f delta.Add) int64 {
	if f.Stats == nil || f.Stats.NumRecords < 0 {
		return 0
	}
	if f.DeletionVector != nil {
		return f.Stats.NumRecords - f.DeletionVector.Cardinality
	}
	return f.Stats.NumRecords
}

// TakeAway removes a file.
func (c *Change) TakeAway(f delta.Add) {
	c.Remove = append(c.Remove, f)
	if f.DeletionVector != nil {
		c.vectors.removed++
	}
}

// Touched are the files that rows go out of.
func (c *Change) Touched() []engine.File {
	var files []engine.File
	for _, f := range c.Remove {
		files = append(files, engine.File{Add: f})
	}
	for _, f := range c.Trim {
		files = append(files, engine.File{Add: f.File})
	}
	return files
}

// Candidates are the live files that may hold rows that the change hangs on, by c.Reads.
func (c *Change) Candidates(s *delta.Snapshot) ([]engine.File, error) {
	all := delta.And()
	if c.Reads != nil {
		all = delta.Or(c.Reads...)
	}
	files := []engine.File{}
	for add, err := range s.Files(all) {
		if err != nil {
			return nil, err
		}
		files = append(files, engine.File{Add: add})
	}
	return files, nil
}

// TakePartitions removes the files of partitions, which are all that the change hangs on, and counts their rows. Each is given by a
// value for every partition column.
func (c *Change) TakePartitions(s *delta.Snapshot, partitions []map[string]*string) error {
	c.Reads = []delta.Predicate{}
	var seen []string
	for _, values := range partitions {
		where, err := inPartition(s.Metadata(), values)
		if err != nil {
			return err
		}
		if !slices.Contains(seen, where.String()) {
			seen = append(seen, where.String())
			c.Reads = append(c.Reads, where)
		}
	}
	gone, unsure, err := s.Matching(delta.Or(c.Reads...))
	switch {
	case err != nil:
		return err
	case len(unsure) > 0:
		return fmt.Errorf("the partition of data file %s cannot be read", unsure[0].Path)
	}
	for _, f := range gone {
		c.TakeAway(f)
		c.Counts.Deleted += LiveRows(f)
	}
	return nil
}

// inPartition is the condition of the rows in a partition.
func inPartition(m delta.Metadata, values map[string]*string) (delta.Predicate, error) {
	var all []delta.Predicate
	for _, name := range m.PartitionColumns {
		field, _ := m.Schema.Field(name)
		value, err := delta.ParsePartitionValue(field.Type, values[name])
		if err != nil {
			return nil, fmt.Errorf("partition column %s: %w", name, err)
		}
		column := delta.Col(ColumnName(name))
		if value == nil {
			all = append(all, column.IsNull())
			continue
		}
		all = append(all, column.Eq(value))
	}
	return delta.And(all...), nil
}

// ColumnName spells a name as [delta.Col] and [delta.Stats] have it.
func ColumnName(name string) string {
	if strings.ContainsAny(name, ".`") {
		return "`" + strings.ReplaceAll(name, "`", "``") + "`"
	}
	return name
}

// Records counts the rows of new files.
func Records(adds []delta.Add) (n int64) {
	for _, add := range adds {
		n += add.Stats.NumRecords
	}
	return n
}

func (c *Change) empty() bool { return c.schema == nil && len(c.Add)+len(c.Remove)+len(c.Trim) == 0 }

// stored are the files that were stored for the change.
func (c *Change) stored() []delta.Add { return slices.Concat(c.Add, c.Told) }

// bytes adds up the sizes of the files that come and go.
func (c *Change) bytes() (added, removed int64) {
	for _, f := range c.Add {
		added += f.Size
	}
	for _, f := range c.Remove {
		removed += f.Size
	}
	return added, removed
}

// read declares what the change hangs on.
func (c *Change) read(tx *delta.Transaction) {
	if c.Reads != nil {
		tx.Read(delta.Or(c.Reads...))
		return
	}
	tx.Read()
}

// put gives a transaction the change.
func (c *Change) put(tx *delta.Transaction) {
	switch {
	case c.replace:
		tx.ReplaceSchema(c.schema)
	case c.schema != nil:
		tx.SetSchema(c.schema)
	}
	tx.Remove(c.Remove...)
	tx.Add(c.Add...)
	tx.Enforced(c.Enforced...)
	for _, f := range c.Trim {
		tx.DeleteRows(f.File, f.Rows)
	}
	tx.AddChangeData(c.Told...)
}

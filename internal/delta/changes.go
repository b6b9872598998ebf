package delta

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"time"

	"launchlake/internal/objstore"
)

// ChangeType is what happened to a row, as a change data feed names it.
type ChangeType string

// The types of changes that follow from the files that a commit adds and removes. Files of changes know more of them.
const (
	Inserted ChangeType = "insert"
	Deleted  ChangeType = "delete"
)

// ChangeFile is a file with rows that a commit changed.
type ChangeFile struct {
	// Add is the file; the rows of its DeletionVector are none of the changed ones. It has no statistics.
	Add
	Version   Version
	Timestamp time.Time // of the commit
	// Type is what happened to all of the rows; "": the file has a column _change_type that says it for each.
	Type ChangeType
	// Within, unless nil, holds the changed rows, less those of DeletionVector.
	Within *DeletionVector

	unplaced bool // the log does not say in which partition
}

// Changes are the rows that a range of versions changed (spec: Add CDC File, Change Data Files).
type Changes struct {
	at    *Snapshot // whose columns the rows have
	infos []objstore.Info
	times map[Version]time.Time

	from, to Version
}

const changeDataFeedProperty = "delta.enableChangeDataFeed"

// Changes finds out what the commits from one version to another, both included, did to the rows. A last version behind
// the latest stands for the latest. The table must have had its change data feed enabled all the while.
//
// The rows have the columns that the table has now. When it maps columns, or its columns of now cannot take the rows of the
// whole range, they have those of the last version; it is an error when these cannot either.
func (t *Table) Changes(ctx context.Context, from, to Version) (*Changes, error) {
	c, err := t.changes(ctx, from, to)
	if err != nil {
		return nil, fmt.Errorf("changes from version %d on: %w", from, err)
	}
	return c, nil
}

// ChangesBetween is Changes of the versions that were committed between two moments, both included.
func (t *Table) ChangesBetween(ctx context.Context, from, to time.Time) (*Changes, error) {
	first, last, err := t.versionsBetween(ctx, from.UTC(), to.UTC())
	if err != nil {
		return nil, fmt.Errorf("changes from %s to %s: %w", from.Format(time.RFC3339Nano), to.Format(time.RFC3339Nano), err)
	}
	return t.Changes(ctx, first, last)
}

func (t *Table) versionsBetween(ctx context.Context, from, to time.Time) (first, last Version, err error) {
	latest, err := t.Snapshot(ctx)
	if err != nil {
		return 0, 0, err
	}
	l, err := t.list(ctx, 0)
	if err != nil {
		return 0, 0, err
	}
	before, err := t.versionAsOf(ctx, l, latest, from.Add(-1)) // the last one that is too early
	var outside *VersionError
	switch {
	case err == nil:
		first = before + 1
	case !errors.As(err, &outside) || outside.gone || from.After(latest.Timestamp()):
		return 0, 0, err
	}
	last, err = t.versionAsOf(ctx, l, latest, to)
	if errors.As(err, &outside) && to.After(latest.Timestamp()) {
		last, err = latest.Version(), nil
	}
	if err == nil && first > last {
		err = &VersionError{Asked: "a commit between the two", First: l.first(), Latest: latest.Version()}
	}
	return first, last, err
}

func (t *Table) changes(ctx context.Context, from, to Version) (*Changes, error) {
	latest, err := t.Snapshot(ctx)
	if err != nil {
		return nil, err
	}
	if from < 0 || from > latest.Version() || to < from {
		return nil, &VersionError{Asked: fmt.Sprintf("changes from version %d to %d", from, to), Latest: latest.Version()}
	}
	to = min(to, latest.Version())
	l, err := t.list(ctx, 0)
	if err != nil {
		return nil, err
	}
	c := &Changes{at: latest, times: l.commitTimes(), from: from, to: to}
	if c.infos, err = l.commitRange(from, to); err != nil {
		return nil, err
	}
	history, err := c.metadata(ctx, from)
	if err != nil {
		return nil, err
	}
	for _, m := range history {
		if !m.enabled(changeDataFeedProperty) {
			return nil, fmt.Errorf("version %d: %w", m.since, ErrNoChangeData)
		}
	}
	unreadable := c.at.metadata.takesRowsOf(history)
	if to != latest.Version() && (unreadable != nil || latest.metadata.ColumnMapping() != MapNone) {
		if c.at, err = t.SnapshotAt(ctx, to); err != nil {
			return nil, err
		}
		unreadable = c.at.metadata.takesRowsOf(history)
	}
	return c, unreadable
}

type metadataSince struct {
	Metadata
	since Version
}

// metadata gives all metadata that the table had in the range.
func (c *Changes) metadata(ctx context.Context, from Version) ([]metadataSince, error) {
	first, err := c.at.table.SnapshotAt(ctx, from)
	if err != nil {
		return nil, err
	}
	history := []metadataSince{{first.metadata, from}}
	for commit, err := range c.at.table.commitFiles(ctx, c.infos) {
		if err != nil {
			return nil, err
		}
		if commit.metadata == nil {
			continue
		}
		m, err := commit.metadata.parse()
		if err != nil {
			return nil, &CorruptError{Key: commitKey(commit.version), Err: fmt.Errorf("metaData: %w", err)}
		}
		history = append(history, metadataSince{m, commit.version})
	}
	return history, nil
}

// takesRowsOf says whether rows written under older metadata can be shown under this one.
func (end *Metadata) takesRowsOf(history []metadataSince) error {
	for _, m := range history {
		if err := end.takesRowsOfOne(&m.Metadata, m.since); err != nil {
			return err
		}
	}
	return nil
}

func (end *Metadata) takesRowsOfOne(m *Metadata, v Version) error {
	if !slices.Equal(m.PartitionColumns, end.PartitionColumns) {
		return fmt.Errorf("the partition columns changed after version %d", v)
	}
	if m.ColumnMapping() != end.ColumnMapping() {
		return fmt.Errorf("the column mapping changed after version %d", v)
	}
	if err := m.readableAs(m.Schema, end, end.Schema); err != nil {
		return fmt.Errorf("the schema changed after version %d: %w", v, err)
	}
	return nil
}

// readableAs says whether rows of an older type can be shown with a newer one: nothing is lost, and nothing means
// another column.
func (m *Metadata) readableAs(old Type, end *Metadata, now Type) error {
	switch now := now.(type) {
	case *Struct:
		old, ok := old.(*Struct)
		if !ok {
			return fmt.Errorf("%s was %s", now, old)
		}
		for _, f := range old.Fields {
			g, ok := now.Field(f.Name)
			if !ok || m.PhysicalName(f) != end.PhysicalName(g) {
				return fmt.Errorf("column %s is not the same any more", f.Name)
			}
			if err := m.readableAs(f.Type, end, g.Type); err != nil {
				return err
			}
		}
		return nil
	case *Array:
		if old, ok := old.(*Array); ok {
			return m.readableAs(old.Element, end, now.Element)
		}
	case *Map:
		if old, ok := old.(*Map); ok {
			if err := m.readableAs(old.Key, end, now.Key); err != nil {
				return err
			}
			return m.readableAs(old.Value, end, now.Value)
		}
	default:
		if widens(old, now) || old == Void {
			return nil
		}
	}
	return fmt.Errorf("%s was %s", now, old)
}

// Versions are the first and the last of the range.
func (c *Changes) Versions() (from, to Version) { return c.from, c.to }

// Snapshot is the table at the version whose columns the changed rows have.
func (c *Changes) Snapshot() *Snapshot { return c.at }

// Files yields the files that hold the changed rows, by ascending versions. It ends after the first error.
func (c *Changes) Files(ctx context.Context) iter.Seq2[ChangeFile, error] {
	return func(yield func(ChangeFile, error) bool) {
		for commit, err := range c.at.table.commitFiles(ctx, c.infos) {
			if err != nil {
				yield(ChangeFile{}, err)
				return
			}
			at := inCommitTimestamp(commit, c.times[commit.version])
			for _, f := range commit.changedFiles(&c.at.metadata) {
				f.Version, f.Timestamp = commit.version, at
				if f.unplaced {
					yield(ChangeFile{}, &CorruptError{Key: commitKey(f.Version), Err: fmt.Errorf("remove of %q without partition values", f.Path)})
					return
				}
				if !yield(f, nil) {
					return
				}
			}
		}
	}
}

// changedFiles gives the files with the rows that a commit changed: those that its writer made for the purpose, else those
// that it added and removed.
func (c *commitFile) changedFiles(m *Metadata) []ChangeFile {
	var out []ChangeFile
	for _, f := range c.changes {
		out = append(out, ChangeFile{Add: Add{
			Path: f.Path, Size: f.Size, PartitionValues: resolvePartitionValues(m, f.PartitionValues),
		}})
	}
	if len(out) > 0 {
		return out
	}
	vectors := map[string]*DeletionVector{} // of removed files
	for _, r := range c.removes {
		if r.DataChange {
			vectors[r.Path] = r.DeletionVector
		}
	}
	both := map[string]*DeletionVector{} // of added ones that were there with another vector
	for _, a := range c.adds {
		if !a.DataChange {
			continue
		}
		change := ChangeFile{Add: a.public(m, nil), Type: Inserted}
		if before, ok := vectors[a.Path]; ok {
			both[a.Path] = a.DeletionVector
			if before == nil {
				continue // every row was there
			}
			change.Within = before
		}
		out = append(out, change)
	}
	for _, r := range c.removes {
		if !r.DataChange {
			continue
		}
		change := ChangeFile{Add: r.file(m), Type: Deleted}
		change.unplaced = r.PartitionValues == nil && len(m.PartitionColumns) > 0
		if now, ok := both[r.Path]; ok {
			if now == nil {
				continue // every row is there
			}
			change.Within = now
		}
		out = append(out, change)
	}
	return out
}

// file gives the file of a tombstone.
func (r *removeAction) file(m *Metadata) Add {
	out := Add{Path: r.Path, PartitionValues: resolvePartitionValues(m, r.PartitionValues), DeletionVector: r.DeletionVector}
	if r.Size != nil {
		out.Size = *r.Size
	}
	return out
}

package engine

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"launchlake/internal/delta"
)

// Mode is what happens to the rows that a table has.
type Mode string

const (
	Append    Mode = "append"    // they stay
	Overwrite Mode = "overwrite" // they go; equal rows are not written again
	Merge     Mode = "merge"     // a row goes when one with equal keys and a newer content comes

	// OverwritePartitions: those of the partitions go that new rows come to.
	OverwritePartitions Mode = "overwrite partitions"
)

// Output says where the rows of a query go, and how.
type Output struct {
	Table *delta.Table
	Mode  Mode

	// Keys name the columns by which a merge matches rows; the query must not give a key twice. A null matches nothing.
	Keys []string
	// Newer is a SQL condition on a matched pair of rows, called source (the query's) and target (the table's): where it
	// is true the target is replaced. "": never, so that a merge only adds keys that are not there.
	Newer string
	// Tombstone names a boolean column of the query, which is none of the table's: where it is true the row only says that its key is gone. A target
	// that it matches and is newer than is removed, and it is never added. "": the query has no such rows.
	Tombstone string
	// Prune is a SQL condition on a row of the table, called target, that no row of the query matches: where it is true the row is removed. "":
	// such rows stay.
	Prune string

	// Where is a condition of Spark SQL on the table's rows: an overwrite takes away only the rows for which it is true, and the
	// query must give no others, which are a *[delta.ConstraintError]. "": all rows.
	Where string

	// Progress is committed with the rows. When the table has all of it, and the Configuration, nothing is done.
	Progress []Progress

	// Schema is the table's schema, whose columns the query must give, found by name. Columns that the table lacks are added
	// to it; columns that it has besides are null in new rows; a column of another type is an error, unless the table's holds all its
	// values: it was widened. nil: the query's columns and types, with Comments as column comments.
	Schema   *delta.Schema
	Comments map[string]string

	// OverwriteSchema lets an overwrite give the table any other schema: columns of other types, and none that the query does not give.
	// Columns to partition by must stay.
	OverwriteSchema bool

	Name          string            // of the table, when it is made
	Description   string            // likewise
	Configuration map[string]string // table properties to set
	UserMetadata  string            // for the table's history, a run id
}

// Progress is how far an application has come, in a number of its own that only grows.
type Progress struct {
	AppID   string
	Version int64
}

// Published is what Publish did.
type Published struct {
	AlreadyApplied bool          // the table had the progress; nothing was done
	Before, After  delta.Version // of the table; Before is -1 when it was made, and equal to After when nothing was committed
	Inserted       int64         // rows
	Updated        int64
	Unchanged      int64 // rows that the table had as they are, or newer
	Deleted        int64
	FilesAdded     int
	FilesRemoved   int
	VectorsAdded   int // files that stay, with more rows deleted by a deletion vector
	BytesAdded     int64
}

// NoVersion stands in Published.Before for a table that did not exist.
const NoVersion delta.Version = -1

// Check finds contradictions in what is asked for. Engines call it first.
func (o Output) Check() error {
	switch {
	case o.Table == nil:
		return errors.New("publish: no table is given")
	case !slices.Contains([]Mode{Append, Overwrite, Merge, OverwritePartitions}, o.Mode):
		return fmt.Errorf("publish: unknown mode %q", o.Mode)
	case (o.Mode == Merge) != (len(o.Keys) > 0):
		return errors.New("publish: keys are for a merge, and a merge needs keys")
	case o.OverwriteSchema && o.Mode != Overwrite:
		return errors.New("publish: only an overwrite can overwrite the schema")
	case o.Where != "" && (o.Mode != Overwrite || o.OverwriteSchema):
		return errors.New("publish: where is for an overwrite that leaves the schema as it is")
	case o.Newer+o.Tombstone+o.Prune != "" && o.Mode != Merge:
		return errors.New("publish: newer, tombstone and prune are for a merge")
	case o.Tombstone != "" && o.Newer == "":
		return errors.New("publish: a tombstone removes nothing unless newer says when")
	}
	if err := checkProgress(o.Progress); err != nil {
		return fmt.Errorf("publish: %w", err)
	}
	return nil
}

func checkProgress(progress []Progress) error {
	for i, p := range progress {
		if p.AppID == "" || slices.ContainsFunc(progress[:i], func(q Progress) bool { return q.AppID == p.AppID }) {
			return fmt.Errorf("progress %q is unnamed or given twice", p.AppID)
		}
	}
	return nil
}

// CheckColumns finds columns of the query that the schema has not, or that are given twice, and columns of the schema that
// the query lacks. The schema must be known.
func (o Output) CheckColumns(given []string) error {
	for i, name := range given {
		if _, ok := o.Schema.Field(name); !ok || slices.Contains(given[:i], name) {
			return fmt.Errorf("the query gives a column %s that the table has not, or twice", name)
		}
	}
	for _, f := range o.Schema.Fields {
		if !slices.Contains(given, f.Name) {
			return fmt.Errorf("the query lacks column %s", f.Name)
		}
	}
	return nil
}

// Commented gives a column the comment that Comments has for it.
func (o Output) Commented(f delta.Field) (delta.Field, error) {
	text := o.Comments[f.Name]
	if text == "" {
		return f, nil
	}
	quoted, err := json.Marshal(text)
	if err != nil {
		return f, err
	}
	f.Metadata = map[string]json.RawMessage{"comment": quoted}
	return f, nil
}

// Outstanding is the progress that a table does not have yet.
func (o Output) Outstanding(h *delta.Head) []Progress {
	var open []Progress
	for _, p := range o.Progress {
		if v, ok := h.AppVersion(p.AppID); !ok || v < p.Version {
			open = append(open, p)
		}
	}
	return open
}

// Properties are those of the configuration that a table does not have yet.
func (o Output) Properties(h *delta.Head) map[string]string {
	open := map[string]string{}
	for key, value := range o.Configuration {
		if h.Metadata().Configuration[key] != value {
			open[key] = value
		}
	}
	return open
}

// Applied is whether a table has all of the progress and of the configuration. Without progress nothing is ever applied.
func (o Output) Applied(h *delta.Head) bool {
	return len(o.Progress) > 0 && len(o.Outstanding(h)) == 0 && len(o.Properties(h)) == 0
}

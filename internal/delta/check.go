package delta

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"

	"launchlake/internal/objstore"
)

// CheckOptions adjust a check; the zero value serves.
type CheckOptions struct {
	Version  *Version // whose files are looked at; nil: the latest
	Sample   int      // how many data files are read and compared with their statistics; 0: 16, negative: none
	Deep     bool     // all data files are read
	Progress func(CheckProgress)
	// LoneVector is told of files of deletion vectors that the latest version and its tombstones do not need. They are no damage: a writer
	// that ended left them, or is about to commit them; a vacuum deletes them.
	LoneVector func(objstore.Info)
}

const defaultSample = 16

// CheckProgress is how far a check has come in one of its steps.
type CheckProgress struct {
	Step        string // "log", "files" or "statistics"
	Done, Total int
}

// Check looks for damage: in the whole log, in the files of one version, and in the statistics of a sample of them. It
// changes nothing, and may run while others write. It ends with an error when it cannot go on, as when the store fails or
// the table has features that cannot be read here; damage is never an error. Data files outside of the table's folder are not
// looked at.
func (t *Table) Check(ctx context.Context, o CheckOptions) iter.Seq2[Finding, error] {
	return func(yield func(Finding, error) bool) {
		c := &checker{table: t, options: o, yield: yield}
		if err := c.run(ctx); err != nil && !errors.Is(err, errStopped) {
			yield(Finding{}, fmt.Errorf("check table: %w", err))
		}
	}
}

// errStopped ends a check whose findings nobody wants to see any more.
var errStopped = errors.New("stopped")

type checker struct {
	table   *Table
	options CheckOptions
	yield   func(Finding, error) bool
}

func (c *checker) found(kind FindingKind, key, format string, args ...any) error {
	if !c.yield(Finding{Kind: kind, Key: key, Detail: fmt.Sprintf(format, args...)}, nil) {
		return errStopped
	}
	return nil
}

func (c *checker) progress(step string, done, total int) {
	if c.options.Progress != nil {
		c.options.Progress(CheckProgress{Step: step, Done: done, Total: total})
	}
}

func (c *checker) run(ctx context.Context) error {
	l, err := c.table.list(ctx, 0)
	if err != nil {
		return err
	}
	if l.latest == noVersion {
		return ErrNotATable
	}
	if err := c.log(ctx, l); err != nil {
		return err
	}
	if err := c.compactions(ctx, l); err != nil {
		return err
	}
	if err := c.hint(ctx, l); err != nil {
		return err
	}
	s, err := c.snapshot(ctx)
	if s == nil || err != nil {
		return err
	}
	if err := c.protocol(s); err != nil {
		return err
	}
	present, err := c.files(ctx, s)
	if err != nil {
		return err
	}
	return c.statistics(ctx, s, present)
}

// snapshot opens the version whose files are looked at; nil when it cannot be.
func (c *checker) snapshot(ctx context.Context) (*Snapshot, error) {
	asked := noVersion
	if c.options.Version != nil {
		asked = *c.options.Version
	}
	s, err := c.table.snapshotAt(ctx, asked)
	if err == nil {
		return s, nil
	}
	if isDamage(err) {
		return nil, c.found(UnreadableVersion, logPrefix, "%v", err)
	}
	return nil, err
}

// isDamage tells broken or missing objects from a store that fails.
func isDamage(err error) bool {
	var corrupt *CorruptError
	return errors.As(err, &corrupt) || errors.Is(err, fs.ErrNotExist)
}

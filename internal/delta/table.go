package delta

import (
	"context"
	"iter"
	"log/slog"
	"time"

	"launchlake/internal/objstore"
)

// Table is the location of a table. Its methods may be called concurrently.
type Table struct {
	store   objstore.Store
	options Options
}

// Options adjust a Table; the zero value serves.
type Options struct {
	Now            func() time.Time // the clock; nil: time.Now
	Logger         *slog.Logger     // told of retries and of checkpoints that could not be written; nil: silent
	EngineInfo     string           // the writer's name in commits; "": launchlake and the build's version
	CommitAttempts int              // how often a commit is tried; 0: 100
}

// Open names the table whose root is the root of store. It does no I/O: the table need not exist yet.
func Open(store objstore.Store) *Table { return OpenWith(store, Options{}) }

// OpenWith is Open with options.
func OpenWith(store objstore.Store, o Options) *Table { return &Table{store: store, options: o} }

// Store is where the table lies; keys are relative to the table's root.
func (t *Table) Store() objstore.Store { return t.store }

// Snapshot reads the latest version. The error matches [ErrNotATable] when there is no log, and is an
// *[UnsupportedError] when the table has features that cannot be read here.
func (t *Table) Snapshot(ctx context.Context) (*Snapshot, error) { panic("being built") }

// SnapshotAt reads one version. The error is a *[VersionError] when the table has no such version.
func (t *Table) SnapshotAt(ctx context.Context, v Version) (*Snapshot, error) { panic("being built") }

// SnapshotAsOf reads the version that was the latest at a moment. The error is a *[VersionError] when the moment is
// before the first version that can be read, or after the latest.
func (t *Table) SnapshotAsOf(ctx context.Context, at time.Time) (*Snapshot, error) {
	panic("being built")
}

// Create makes the table with version 0. When it exists already with a schema that can take the same rows and with the
// same partition columns, its latest snapshot is returned; any other table there is an error.
func (t *Table) Create(ctx context.Context, m Metadata) (*Snapshot, error) { panic("being built") }

// Commits yields the commits from one version to another, both included, in ascending order. It ends after the first
// error, which is a *[VersionError] when one of them is not in the log.
func (t *Table) Commits(ctx context.Context, from, to Version) iter.Seq2[Commit, error] {
	panic("being built")
}

// History yields the commits that the log still has, newest first, without their files.
func (t *Table) History(ctx context.Context) iter.Seq2[Commit, error] { panic("being built") }

// Checkpoint writes the state of a snapshot into the log so that readers need not replay what is before it.
func (t *Table) Checkpoint(ctx context.Context, s *Snapshot) error { panic("being built") }

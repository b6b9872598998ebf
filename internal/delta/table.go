package delta

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"slices"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"launchlake/internal/objstore"
)

// Table is the location of a table. Its methods may be called concurrently.
type Table struct {
	store   objstore.Store
	options Options
	last    atomic.Pointer[Snapshot]
}

// Options adjust a Table; the zero value serves.
type Options struct {
	Now            func() time.Time // the clock; nil: time.Now
	Logger         *slog.Logger     // told of retries and of checkpoints that could not be written; nil: silent
	EngineInfo     string           // the writer's name in commits; "": launchlake and the build's version
	Location       string           // the table's URL, without escapes, for logs that name files by absolute paths; "": there are none
	SidecarActions int              // on files, at most in one sidecar of a V2 checkpoint; 0: 50,000
	CommitAttempts int              // how often a commit is tried while others come before it; 0: 1000
}

// Open names the table whose root is the root of store. It does no I/O: the table need not exist yet.
func Open(store objstore.Store) *Table { return OpenWith(store, Options{}) }

// OpenWith is Open with options.
func OpenWith(store objstore.Store, o Options) *Table { return &Table{store: store, options: o} }

// Store is where the table lies; keys are relative to the table's root.
func (t *Table) Store() objstore.Store { return t.store }

// Location is the table's URL, without escapes; "" when it has none.
func (t *Table) Location() string { return t.options.Location }

// Snapshot reads the latest version; of what it has read before, only what came since. The error matches [ErrNotATable] when there is no log, and is an
// *[UnsupportedError] when the table has features that cannot be read here.
func (t *Table) Snapshot(ctx context.Context) (*Snapshot, error) {
	if s := t.refresh(ctx); s != nil {
		return s, nil
	}
	s, err := t.snapshotAt(ctx, noVersion)
	if err == nil {
		t.last.Store(s)
	}
	return s, err
}

// SnapshotAt reads one version. The error is a *[VersionError] when the table has no such version.
func (t *Table) SnapshotAt(ctx context.Context, v Version) (*Snapshot, error) {
	if v < 0 {
		latest, err := t.Snapshot(ctx)
		if err != nil {
			return nil, err
		}
		return nil, &VersionError{Asked: fmt.Sprintf("version %d", v), Latest: latest.Version()}
	}
	return t.snapshotAt(ctx, v)
}

func (t *Table) snapshotAt(ctx context.Context, v Version) (*Snapshot, error) {
	seg, err := t.loadSegment(ctx, v)
	if err != nil {
		return nil, fmt.Errorf("open table: %w", err)
	}
	s, err := t.open(ctx, seg)
	if err != nil {
		return nil, fmt.Errorf("open table: %w", err)
	}
	return s, nil
}

// Create makes the table with version 0. When it exists already with a schema that can take the same rows and with the
// same partition columns, its latest snapshot is returned; any other table there is an error.
func (t *Table) Create(ctx context.Context, m Metadata) (*Snapshot, error) {
	if s, err := t.Snapshot(ctx); err == nil {
		return s.ifServes(m)
	} else if !errors.Is(err, ErrNotATable) {
		return nil, err
	}
	p, err := t.prepareCreate(m)
	if err != nil {
		return nil, fmt.Errorf("create table: %w", err)
	}
	s, err := p.commit(ctx)
	var conflict *ConflictError
	switch {
	case err == nil:
		return s, nil
	case !errors.As(err, &conflict):
		return nil, fmt.Errorf("create table: %w", err)
	}
	// Another writer created it meanwhile.
	if s, err = t.Snapshot(ctx); err != nil {
		return nil, err
	}
	return s.ifServes(m)
}

func (t *Table) prepareCreate(m Metadata) (*prepared, error) {
	if m.Schema == nil {
		return nil, errors.New("no schema")
	}
	if err := checkProperties(m.Configuration); err != nil {
		return nil, err
	}
	if err := m.setMapping(MapNone, true); err != nil {
		return nil, err
	}
	if err := m.validate(); err != nil {
		return nil, err
	}
	if m.ID == "" {
		m.ID = uuid.NewString()
	}
	if m.CreatedTime.IsZero() {
		m.CreatedTime = t.now()
	}
	protocol := Protocol{MinReaderVersion: 1, MinWriterVersion: 2}.upgraded(&m)
	if err := protocol.checkWrite(usage{metadata: &m}); err != nil {
		return nil, err
	}
	action, err := m.action()
	if err != nil {
		return nil, err
	}
	info := Operation{Name: "CREATE TABLE"}.commitInfo(t)
	info.IsolationLevel = serializable
	info.IsBlindAppend = true
	return &prepared{table: t, info: info, protocol: protocol.action(), metadata: action, afterCommit: m}, nil
}

func (s *Snapshot) ifServes(wanted Metadata) (*Snapshot, error) {
	if err := s.metadata.serves(wanted); err != nil {
		return nil, err
	}
	return s, nil
}

// serves says whether the table can stand in for one that was to be created.
func (m *Metadata) serves(wanted Metadata) error {
	if wanted.Schema == nil {
		return errors.New("create table: no schema")
	}
	if err := m.Schema.accepts(wanted.Schema); err != nil {
		return fmt.Errorf("create table: it exists with another schema: %w", err)
	}
	if !slices.Equal(m.PartitionColumns, wanted.PartitionColumns) {
		return fmt.Errorf("create table: it exists, partitioned by %q and not by %q", m.PartitionColumns, wanted.PartitionColumns)
	}
	return nil
}

func (t *Table) now() time.Time {
	if t.options.Now != nil {
		return t.options.Now().UTC()
	}
	return time.Now().UTC()
}

func (t *Table) engineInfo() string {
	if t.options.EngineInfo != "" {
		return t.options.EngineInfo
	}
	version := "devel"
	if build, ok := debug.ReadBuildInfo(); ok && build.Main.Version != "" && build.Main.Version != "(devel)" {
		version = build.Main.Version
	}
	return "launchlake/" + version
}

func (t *Table) logger() *slog.Logger {
	if t.options.Logger != nil {
		return t.options.Logger
	}
	return slog.New(slog.DiscardHandler)
}

func (t *Table) logRetry(ctx context.Context, v Version, err error) {
	t.logger().WarnContext(ctx, "storing a commit failed, trying again", "version", v, "error", err)
}

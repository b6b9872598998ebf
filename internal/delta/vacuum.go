package delta

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"launchlake/internal/objstore"
)

// MinRetention is the retention below which a vacuum must be told that nobody writes or reads older versions meanwhile: a file
// that a writer has stored and not yet committed is told from rubbish by its age alone.
const MinRetention = 168 * time.Hour

// ErrShortRetention: the retention is below [MinRetention] and nobody said that this is meant.
var ErrShortRetention = errors.New("retention is shorter than 168 hours")

// VacuumOptions adjust a vacuum; the zero value serves.
type VacuumOptions struct {
	Retention      time.Duration // 0: the table's delta.deletedFileRetentionDuration, a week unless it says otherwise
	ShortRetention bool          // allow less than MinRetention: no writer is at work, and no reader needs old versions
	Lite           bool          // find the files in the log and not by listing the table: those that were never committed stay
	DryRun         bool          // delete nothing
	Parallel       int           // deletes at a time; 0: 16
	File           func(objstore.Info)
	Progress       func(done, total int)
}

const (
	defaultDeletes = 16
	// deleteBatch is how many files are deleted before the log is looked at again: few, for what a commit of that while names anew is lost.
	deleteBatch = 4 * defaultDeletes
)

// Vacuumed is what a vacuum did.
type Vacuumed struct {
	Version   Version   // the newest that was taken into account
	Before    time.Time // younger files, and files of versions that were the latest after it, were left alone
	Files     int       // deleted, or to be deleted
	Bytes     int64
	KeptYoung int // files that no version names and that are too young
}

// Vacuum deletes the files that no version of the retention names: files that were removed before it, change data and deletion
// vectors of then, and what writers stored and never committed. It deletes nothing that is younger than the retention, nothing
// in the log, nothing of another table whose folder lies in this one's, and nothing in folders whose names begin with '_' or '.', except
// change data and partitions. Versions before the
// retention may not be readable afterwards. When some files cannot be deleted the others are, and the error says so; running
// it again goes on.
//
// A lite vacuum knows of the files that commits removed, no others, and need not list the table. It goes on where the last
// one ended; its error matches [ErrLogTooShort] when the log was cleaned since.
//
// It may run beside writers, but for one case that no vacuum of Delta Lake is safe from: who brings back files that the retention does not
// need any more, as Restore does to a version that old, may find them gone a moment later. The log is looked at again before every few
// deletes, so it takes a commit within these. File is called for each file that was deleted, or would be, one call at a time.
func (t *Table) Vacuum(ctx context.Context, o VacuumOptions) (Vacuumed, error) {
	v := &vacuum{table: t, options: o}
	done, err := v.run(ctx)
	if err != nil {
		return done, fmt.Errorf("vacuum table: %w", err)
	}
	return done, nil
}

type vacuum struct {
	table   *Table
	options VacuumOptions
	keep    *keepSet
	hide    func(key string) bool
	done    Vacuumed
}

func (v *vacuum) run(ctx context.Context) (Vacuumed, error) {
	first, err := v.table.Snapshot(ctx)
	if err != nil {
		return v.done, err
	}
	if err := first.checkVacuum(); err != nil {
		return v.done, err
	}
	retention, err := v.retention(first)
	if err != nil {
		return v.done, err
	}
	v.done.Before = v.table.now().Add(-retention)
	v.hide = hiddenKeys(&first.metadata)
	if v.options.Lite {
		return v.done, v.runLite(ctx)
	}
	// The files are listed before the log is read: a file that a commit named meanwhile is then known to be needed.
	files, err := v.candidates(ctx)
	if err != nil {
		return v.done, err
	}
	if v.keep, err = v.table.readKeepSet(ctx, v.done.Before); err != nil {
		return v.done, err
	}
	files = slices.DeleteFunc(files, func(f objstore.Info) bool { return v.keep.needs(f.Key) })
	old := slices.DeleteFunc(slices.Clone(files), func(f objstore.Info) bool { return f.ModTime.After(v.done.Before) })
	v.done.KeptYoung = len(files) - len(old)
	v.done.Version = v.keep.version
	return v.done, v.deleteAll(ctx, old)
}

// retention is the time that is asked for, when it may be.
func (v *vacuum) retention(s *Snapshot) (time.Duration, error) {
	retention := v.options.Retention
	if retention == 0 {
		retention = s.metadata.deletedFileRetention()
	}
	switch {
	case retention < 0:
		return 0, fmt.Errorf("retention %s is negative", retention)
	case retention < MinRetention && !v.options.ShortRetention:
		return 0, fmt.Errorf("%s: %w; files of writers at work and of readers of old versions could be deleted", retention, ErrShortRetention)
	}
	return retention, nil
}

// checkVacuum refuses tables with files that this package would not know to be needed (spec: Vacuum Protocol Check). That it
// could not write rows into a table is no reason.
func (s *Snapshot) checkVacuum() error {
	var bad []string
	if s.protocol.MinWriterVersion > featureVersionWriter {
		bad = append(bad, fmt.Sprintf("writer version %d", s.protocol.MinWriterVersion))
	}
	for _, name := range s.protocol.listed(true) {
		f := findFeature(name)
		if f == nil || f.name == "catalogManaged" || strings.HasPrefix(f.name, "iceberg") {
			bad = append(bad, name)
		}
	}
	if len(bad) > 0 {
		return &UnsupportedError{Features: bad, Write: true}
	}
	return nil
}

// candidates lists the objects that may be data of the table.
func (v *vacuum) candidates(ctx context.Context) ([]objstore.Info, error) {
	var out []objstore.Info
	others := map[string]bool{} // folders of tables that lie within this one
	for info, err := range v.table.store.List(ctx, "", "") {
		if err != nil {
			return nil, fmt.Errorf("list the table: %w", err)
		}
		if folder, _, ok := strings.Cut(info.Key, "/"+logPrefix); ok {
			others[folder+"/"] = true
		}
		if !strings.HasPrefix(info.Key, logPrefix) && !v.hide(info.Key) {
			out = append(out, info)
		}
	}
	return slices.DeleteFunc(out, func(f objstore.Info) bool {
		for folder := range others {
			if strings.HasPrefix(f.Key, folder) {
				return true
			}
		}
		return false
	}), nil
}

// hiddenKeys tells the keys that are none of the table's data.
func hiddenKeys(m *Metadata) func(key string) bool {
	var iceberg bool
	for format := range strings.SplitSeq(m.Configuration["delta.universalFormat.enabledFormats"], ",") {
		iceberg = iceberg || strings.EqualFold(strings.TrimSpace(format), "iceberg")
	}
	return func(key string) bool {
		if iceberg && strings.HasPrefix(key, "metadata/") {
			return true
		}
		for part := range strings.SplitSeq(key, "/") {
			name, _, folder := strings.Cut(part, "=")
			partition := m.isPartitionFolder(name)
			if strings.ContainsAny(part[:min(len(part), 1)], "_.") && part != ChangeDataFolder && !(folder && partition) {
				return true
			}
		}
		return false
	}
}

// isPartitionFolder is whether the folders of a partition column are named so.
func (m *Metadata) isPartitionFolder(name string) bool {
	return slices.ContainsFunc(m.PartitionColumns, func(column string) bool {
		f, _ := m.Schema.Field(column)
		return strings.EqualFold(column, name) || strings.EqualFold(m.PhysicalName(f), name)
	})
}

// deleteAll deletes files by batches, and lets go of those that a commit has named since.
func (v *vacuum) deleteAll(ctx context.Context, files []objstore.Info) error {
	var failures []error
	total := len(files)
	for batch := range slices.Chunk(files, deleteBatch) {
		if v.options.DryRun {
			for _, f := range batch {
				v.deleted(f, total)
			}
			continue
		}
		if err := v.keep.catchUp(ctx); err != nil {
			return errors.Join(append(failures, err)...)
		}
		v.done.Version = v.keep.version
		if err := v.deleteSome(ctx, batch, total); err != nil {
			failures = append(failures, err)
		}
		if ctx.Err() != nil {
			break
		}
	}
	return errors.Join(failures...)
}

func (v *vacuum) deleteSome(ctx context.Context, files []objstore.Info, total int) error {
	var mu sync.Mutex
	var failures []error
	var group errgroup.Group
	group.SetLimit(max(v.options.Parallel, 0))
	if v.options.Parallel == 0 {
		group.SetLimit(defaultDeletes)
	}
	for _, f := range files {
		if v.keep.needs(f.Key) {
			continue
		}
		group.Go(func() error {
			err := v.table.store.Delete(ctx, f.Key)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				failures = append(failures, err)
			} else {
				v.deleted(f, total)
			}
			return nil
		})
	}
	_ = group.Wait()
	if n := len(failures); n > 0 {
		return fmt.Errorf("%d of %d files could not be deleted: %w", n, len(files), failures[0])
	}
	return nil
}

func (v *vacuum) deleted(f objstore.Info, total int) {
	v.done.Files++
	v.done.Bytes += f.Size
	if v.options.File != nil {
		v.options.File(f)
	}
	if v.options.Progress != nil {
		v.options.Progress(v.done.Files, total)
	}
}

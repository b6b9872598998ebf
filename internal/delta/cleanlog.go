package delta

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"launchlake/internal/objstore"
)

// CleanLogOptions adjust a clean-up of the log; the zero value serves.
type CleanLogOptions struct {
	DryRun   bool // delete nothing
	File     func(objstore.Info)
	Progress func(done, total int)
}

// CleanedLog is what a clean-up of the log did.
type CleanedLog struct {
	First Version   // the oldest that can be read afterwards
	Files int       // deleted, or to be deleted
	Bytes int64     // of them
	Cut   time.Time // versions that were the latest after it stay readable
}

// sidecarAge is the age from which a sidecar that no checkpoint names is not one that is being written.
const sidecarAge = 24 * time.Hour

// CleanLog deletes what of the log is older than the table's delta.logRetentionDuration, 30 days unless set, and is not
// needed to read any later version (spec: Metadata Cleanup). The checkpoint that readers start from afterwards is read first and
// compared with the commits before it; when it is not what they add up to, nothing is deleted. Without such a checkpoint
// there is nothing to do. A clean-up that was broken off leaves a table that is whole, and running it again goes on.
func (t *Table) CleanLog(ctx context.Context, o CleanLogOptions) (CleanedLog, error) {
	done, err := t.cleanLog(ctx, o)
	if err != nil {
		return done, fmt.Errorf("clean the log: %w", err)
	}
	return done, nil
}

func (t *Table) cleanLog(ctx context.Context, o CleanLogOptions) (CleanedLog, error) {
	done, files, err := t.outdated(ctx)
	if err != nil {
		return done, err
	}
	// Readers do better without a hint than with one at what is not there.
	if hint := t.readLastCheckpoint(ctx); !o.DryRun && hint != noVersion && hint < done.First {
		if err := t.store.Delete(ctx, lastCheckpointKey); err != nil {
			return done, err
		}
	}
	for _, f := range files {
		if !o.DryRun {
			if err := t.store.Delete(ctx, f.Key); err != nil {
				return done, err
			}
		}
		done.Files++
		done.Bytes += f.Size
		if o.File != nil {
			o.File(f)
		}
		if o.Progress != nil {
			o.Progress(done.Files, len(files))
		}
	}
	return done, nil
}

// outdated finds what can go, in the order in which it can.
func (t *Table) outdated(ctx context.Context) (plan CleanedLog, files []objstore.Info, err error) {
	s, err := t.Snapshot(ctx)
	if err != nil {
		return plan, nil, err
	}
	if err := s.checkCleanLog(); err != nil {
		return plan, nil, err
	}
	l, err := t.list(ctx, 0)
	if err != nil {
		return plan, nil, err
	}
	plan.First = l.first()
	plan.Cut = t.now().Add(-s.metadata.logRetention()).Truncate(24 * time.Hour)
	start, err := t.cutCheckpoint(ctx, l, s, plan.Cut)
	if err != nil {
		return plan, nil, err
	}
	if start != nil {
		if err := t.verify(ctx, l, start); err != nil {
			return plan, nil, err
		}
		if files, err = t.logBefore(ctx, start.version); err != nil {
			return plan, nil, err
		}
		plan.First = start.version
	}
	sidecars, err := t.loneSidecars(ctx, l, files)
	return plan, append(files, sidecars...), err
}

// checkCleanLog refuses tables whose log must not be cut, or not by us.
func (s *Snapshot) checkCleanLog() error {
	if strings.EqualFold(s.metadata.Configuration["delta.enableExpiredLogCleanup"], "false") {
		return errors.New("the table's property delta.enableExpiredLogCleanup forbids it")
	}
	if err := s.checkVacuum(); err != nil {
		return err
	}
	if slices.Contains(s.protocol.WriterFeatures, "checkpointProtection") {
		return &UnsupportedError{Features: []string{"checkpointProtection"}, Write: true}
	}
	return nil
}

const defaultLogRetention = 30 * 24 * time.Hour

// logRetention is how long old versions can be read.
func (m *Metadata) logRetention() time.Duration {
	return m.interval("delta.logRetentionDuration", defaultLogRetention)
}

// cutCheckpoint finds the newest checkpoint that all versions after the cut can be read from; nil when the log begins with it, or
// has none.
func (t *Table) cutCheckpoint(ctx context.Context, l *listing, s *Snapshot, cut time.Time) (*checkpointFiles, error) {
	if !s.Timestamp().After(cut) {
		return l.checkpointBefore(s.Version()), nil
	}
	v, err := t.versionAsOf(ctx, l, s, cut)
	var outside *VersionError
	if errors.As(err, &outside) {
		return nil, nil // no version is that old
	}
	if err != nil {
		return nil, err
	}
	return l.checkpointBefore(v), nil
}

// checkpointBefore is the newest checkpoint up to a version whose commit is there too: some readers need it.
func (l *listing) checkpointBefore(v Version) *checkpointFiles {
	for _, c := range slices.Backward(l.checkpoints) {
		if _, ok := l.commits[c.version]; ok && c.version <= v {
			return &c
		}
	}
	return nil
}

// verify compares a checkpoint with the commits that are to be deleted, starting from the checkpoint before it or from nothing.
func (t *Table) verify(ctx context.Context, l *listing, checkpoint *checkpointFiles) error {
	there, twice, err := t.readLedger(ctx, checkpoint)
	if err != nil {
		return err
	}
	if twice != "" {
		return &CorruptError{Key: checkpoint.files[0].Key, Err: fmt.Errorf("it has %q twice", twice)}
	}
	carried := newLedger()
	if before := l.checkpointAt(checkpoint.version - 1); before != nil && checkpoint.version > 0 {
		if carried, _, err = t.readLedger(ctx, before); err != nil {
			return err
		}
	}
	var infos []objstore.Info
	for v := carried.version + 1; v <= checkpoint.version; v++ {
		info, ok := l.commits[v]
		if !ok {
			return nil // it cannot be known any more
		}
		infos = append(infos, info)
	}
	for c, err := range t.commitFiles(ctx, infos) {
		if err != nil {
			return err
		}
		carried.commit(c)
	}
	if d := carried.differences(there, checkpoint.files[0].ModTime.UnixMilli()); len(d) > 0 {
		return &CorruptError{Key: checkpoint.files[0].Key, Err: errors.New(d[0])}
	}
	return nil
}

var versionedName = regexp.MustCompile(`^_delta_log/([0-9]{20})\.(?:[0-9]{20}\.compacted\.json|json|crc|checkpoint\.[^/]*)$`)

// logBefore lists the objects of the log before a version, in the order in which they can be deleted: checkpoints first, so that
// none is left without its commits, then the rest by version.
func (t *Table) logBefore(ctx context.Context, v Version) ([]objstore.Info, error) {
	var checkpoints, rest []objstore.Info
	for info, err := range t.store.List(ctx, logPrefix, "") {
		if err != nil {
			return nil, fmt.Errorf("list the log: %w", err)
		}
		m := versionedName.FindStringSubmatch(info.Key)
		if m == nil {
			continue
		}
		if n, err := strconv.ParseInt(m[1], 10, 64); err != nil || Version(n) >= v {
			continue
		}
		if strings.Contains(info.Key, ".checkpoint.") {
			checkpoints = append(checkpoints, info)
		} else {
			rest = append(rest, info)
		}
	}
	return append(checkpoints, rest...), nil
}

// loneSidecars lists the sidecars that no checkpoint names which stays.
func (t *Table) loneSidecars(ctx context.Context, l *listing, going []objstore.Info) ([]objstore.Info, error) {
	old := map[string]objstore.Info{}
	for info, err := range t.store.List(ctx, sidecarPrefix, "") {
		if err != nil {
			return nil, fmt.Errorf("list the sidecars: %w", err)
		}
		if t.now().Sub(info.ModTime) > sidecarAge {
			old[info.Key] = info
		}
	}
	if len(old) == 0 {
		return nil, nil
	}
	for _, c := range l.checkpoints {
		if slices.ContainsFunc(going, func(f objstore.Info) bool { return f.Key == c.files[0].Key }) {
			continue
		}
		named, err := t.sidecars(ctx, &c)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		for _, key := range named {
			delete(old, key)
		}
	}
	var out []objstore.Info
	for _, key := range sortedKeys(old) {
		out = append(out, old[key])
	}
	return out, nil
}

// sidecars gives the keys of the files that a checkpoint is continued in.
func (t *Table) sidecars(ctx context.Context, c *checkpointFiles) ([]string, error) {
	var mu sync.Mutex
	var keys []string
	for _, f := range c.files {
		err := t.readCheckpointFile(ctx, f, allActions, oneAtATime(&mu, func(l checkpointLine) {
			if l.Sidecar != nil {
				keys = append(keys, sidecarKey(l.Sidecar.Path))
			}
		}))
		if err != nil {
			return nil, err
		}
	}
	return keys, nil
}

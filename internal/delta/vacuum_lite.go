package delta

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"launchlake/internal/objstore"
)

// ErrLogTooShort: commits that a lite vacuum would have to read were cleaned away. A full vacuum needs them not.
var ErrLogTooShort = errors.New("the log does not go back to the last lite vacuum")

// lastVacuumKey is where a lite vacuum notes how far it came, as Spark does.
const lastVacuumKey = logPrefix + "_last_vacuum_info"

type lastVacuum struct {
	// Up is the last commit whose removed files were deleted.
	Up *Version `json:"latestCommitVersionOutsideOfRetentionWindow,omitempty"`
}

// removed gives the files that commits took away, or made for the change data feed, before the retention and since the last lite vacuum,
// and the last of these commits. Sizes are those of the log.
func (v *vacuum) removed(ctx context.Context) (files []objstore.Info, up Version, err error) {
	up, err = v.table.readLastVacuum(ctx)
	if err != nil {
		return nil, up, err
	}
	l, err := v.table.list(ctx, up+1)
	if err != nil {
		return nil, up, err
	}
	infos := l.before(up+1, v.done.Before)
	if len(infos) == 0 {
		if _, ok := l.commits[up+1]; !ok && l.latest > up {
			return nil, up, fmt.Errorf("commit %d: %w", up+1, ErrLogTooShort)
		}
		return nil, up, nil
	}
	named := map[string]int64{}
	for c, err := range v.table.commitFiles(ctx, infos) {
		if err != nil {
			return nil, up, err
		}
		if err := v.nameRemoved(c, named); err != nil {
			return nil, up, err
		}
		up = c.version
	}
	for _, key := range sortedKeys(named) {
		files = append(files, objstore.Info{Key: key, Size: named[key]})
	}
	return files, up, nil
}

// before gives the commits from a version on that were made before a moment. A gap ends them.
func (l *listing) before(from Version, at time.Time) []objstore.Info {
	times := l.commitTimes()
	var out []objstore.Info
	for v := from; ; v++ {
		info, ok := l.commits[v]
		if !ok || !times[v].Before(at) {
			return out
		}
		out = append(out, info)
	}
}

// nameRemoved adds the keys of the files that a commit removed, and of those with its changes, to named, with their sizes.
func (v *vacuum) nameRemoved(c *commitFile, named map[string]int64) error {
	name := func(path string, size int64) {
		if key, err := v.table.FileKey(path); err == nil && !strings.HasPrefix(key, logPrefix) && !v.hide(key) {
			named[key] = max(named[key], size)
		}
	}
	for _, r := range c.removes {
		var size int64
		if r.Size != nil {
			size = *r.Size
		}
		name(r.Path, size)
		if r.DeletionVector == nil {
			continue
		}
		file, err := r.DeletionVector.file()
		if err != nil {
			return fmt.Errorf("commit %d: file %q: %w", c.version, r.Path, err)
		}
		if file != "" {
			name(file, 0)
		}
	}
	for _, f := range c.changes {
		name(f.Path, f.Size)
	}
	return nil
}

// readLastVacuum gives the last commit that a lite vacuum has dealt with; noVersion when there is none.
func (t *Table) readLastVacuum(ctx context.Context) (Version, error) {
	text, err := objstore.ReadAll(ctx, t.store, lastVacuumKey)
	if errors.Is(err, fs.ErrNotExist) {
		return noVersion, nil
	}
	if err != nil {
		return noVersion, err
	}
	var last lastVacuum
	if err := json.Unmarshal(text, &last); err != nil {
		return noVersion, &CorruptError{Key: lastVacuumKey, Err: err}
	}
	if last.Up == nil || *last.Up < 0 {
		return noVersion, nil
	}
	return *last.Up, nil
}

func (t *Table) writeLastVacuum(ctx context.Context, up Version) error {
	text, err := json.Marshal(lastVacuum{Up: &up})
	if err != nil {
		return err
	}
	return t.store.Put(ctx, lastVacuumKey, bytes.NewReader(text))
}

// runLite deletes what commits removed. How far it came is noted when all of it is deleted.
func (v *vacuum) runLite(ctx context.Context) error {
	files, up, err := v.removed(ctx)
	if err != nil {
		return err
	}
	if v.keep, err = v.table.readKeepSet(ctx, v.done.Before); err != nil {
		return err
	}
	v.done.Version = v.keep.version
	files = slices.DeleteFunc(files, func(f objstore.Info) bool { return v.keep.needs(f.Key) })
	if err := v.deleteAll(ctx, files); err != nil || v.options.DryRun || up == noVersion || ctx.Err() != nil {
		return errors.Join(err, ctx.Err())
	}
	return v.table.writeLastVacuum(ctx, up)
}

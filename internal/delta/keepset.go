package delta

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"launchlake/internal/objstore"
)

// keepSet is the names of the files that versions of a retention need.
type keepSet struct {
	table   *Table
	version Version         // up to which it is complete
	names   map[string]bool // keys, or absolute URIs
	uris    []string        // the absolute ones
}

// readKeepSet collects what every version that was the latest at some time after before needs: the live files of the newest one, and
// whatever commits since then name, be it added or removed. A file that such a version had and the newest has not was removed since.
func (t *Table) readKeepSet(ctx context.Context, before time.Time) (*keepSet, error) {
	s, err := t.Snapshot(ctx)
	if err != nil {
		return nil, err
	}
	k := &keepSet{table: t, version: s.Version(), names: map[string]bool{}}
	for a := range s.state.files.all() {
		if err := k.file(a.Path, a.DeletionVector); err != nil {
			return nil, err
		}
	}
	for r := range s.state.tombstones.all() {
		if !time.UnixMilli(r.DeletionTimestamp).Before(before) {
			if err := k.file(r.Path, r.DeletionVector); err != nil {
				return nil, err
			}
		}
	}
	return k, k.commitsSince(ctx, before)
}

// commitsSince takes in the commits after a moment. Checkpoints forget tombstones after the table's own retention, which may be
// shorter than the one that is asked for, and change data at once.
func (k *keepSet) commitsSince(ctx context.Context, before time.Time) error {
	l, err := k.table.list(ctx, 0)
	if err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(commitsAhead)
	found := make(chan []namedFile, commitsAhead)
	taken := make(chan error, 1)
	go func() {
		var failure error
		for files := range found {
			if failure == nil {
				failure = k.take(files)
			}
		}
		taken <- failure
	}()
	times := l.commitTimes()
	for v := range l.commits {
		if v > k.version || times[v].Before(before) {
			continue
		}
		group.Go(func() error {
			files, err := k.table.commitNames(ctx, v)
			if errors.Is(err, fs.ErrNotExist) {
				return nil // cleaned away meanwhile, by its age
			}
			if err == nil {
				found <- files
			}
			return err
		})
	}
	err = group.Wait()
	close(found)
	return errors.Join(err, <-taken)
}

// catchUp takes in the commits that came since.
func (k *keepSet) catchUp(ctx context.Context) error {
	for {
		files, err := k.table.commitNames(ctx, k.version+1)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err == nil {
			err = k.take(files)
		}
		if err != nil {
			return err
		}
		k.version++
	}
}

func (k *keepSet) take(files []namedFile) error {
	for _, f := range files {
		if err := k.file(decodePath(f.Path), f.DeletionVector); err != nil {
			return err
		}
	}
	return nil
}

func (k *keepSet) file(path string, v *DeletionVector) error {
	k.name(path)
	if v == nil {
		return nil
	}
	key, err := v.file()
	if err != nil {
		return fmt.Errorf("file %q: %w", path, err)
	}
	if key != "" {
		k.name(key)
	}
	return nil
}

func (k *keepSet) name(path string) {
	if !k.names[path] && isAbsolute(path) {
		k.uris = append(k.uris, path)
	}
	k.names[path] = true
	if key, err := k.table.FileKey(path); err == nil {
		k.names[key] = true
	}
}

// needs is whether a file must stay. Where the table lies need not be known, so a file named by its absolute URI is any whose key the
// URI ends with.
func (k *keepSet) needs(key string) bool {
	if k.names[key] {
		return true
	}
	for _, uri := range k.uris {
		if strings.HasSuffix(uri, "/"+key) {
			return true
		}
	}
	return false
}

// namedFile is what an action says of where a file lies, whichever action it is.
type namedFile struct {
	Path           string          `json:"path"`
	DeletionVector *DeletionVector `json:"deletionVector"`
}

// commitNames reads which files a commit names: added, removed, and change data.
func (t *Table) commitNames(ctx context.Context, v Version) ([]namedFile, error) {
	text, err := objstore.ReadAll(ctx, t.store, commitKey(v))
	if err != nil {
		return nil, fmt.Errorf("read commit %d: %w", v, err)
	}
	var out []namedFile
	for lines := json.NewDecoder(bytes.NewReader(text)); ; {
		var actions map[string]json.RawMessage
		if err := lines.Decode(&actions); errors.Is(err, io.EOF) {
			return out, nil
		} else if err != nil {
			return nil, &CorruptError{Key: commitKey(v), Err: err}
		}
		for _, kind := range []string{"add", "remove", "cdc"} {
			var f *namedFile
			if raw, ok := actions[kind]; ok {
				if err := json.Unmarshal(raw, &f); err != nil {
					return nil, &CorruptError{Key: commitKey(v), Err: err}
				}
			}
			if f != nil {
				out = append(out, *f)
			}
		}
	}
}

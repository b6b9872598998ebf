package duckdb

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"launchlake/internal/delta"
	"launchlake/internal/objstore"
)

// fetches is how many data files are fetched at a time.
const fetches = 8

// localFiles brings data files into the folder that DuckDB may read. Their names there are made here, so that no
// character of a key means anything to DuckDB.
type localFiles struct {
	folder string
	cache  cache

	mu   sync.Mutex
	seen map[string]string // what is there already, by identity
	size int64             // of what came, in bytes
}

// of gives the local paths of data files of a table, in their order.
func (l *localFiles) of(ctx context.Context, s *delta.Snapshot, adds []delta.Add) ([]string, error) {
	paths := make([]string, len(adds))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(fetches)
	for i, add := range adds {
		group.Go(func() (err error) {
			if paths[i], err = l.one(ctx, s, add); err != nil {
				return fmt.Errorf("fetch data file %s: %w", add.Path, err)
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	return paths, l.distinct(paths)
}

// distinct gives a file that is there several times, with other rows each time, a name for each.
func (l *localFiles) distinct(paths []string) error {
	times := map[string]int{}
	for i, path := range paths {
		n := times[path]
		times[path]++
		if n == 0 {
			continue
		}
		paths[i] = fmt.Sprintf("%s-%d.parquet", strings.TrimSuffix(path, ".parquet"), n)
		if err := os.Link(path, paths[i]); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
	}
	return nil
}

func (l *localFiles) one(ctx context.Context, s *delta.Snapshot, add delta.Add) (string, error) {
	key, err := s.Table().FileKey(add.Path)
	if err != nil {
		return "", err
	}
	add.Path = key
	identity := identityOf(s.Metadata().ID, add)
	l.mu.Lock()
	path, ok := l.seen[identity]
	l.mu.Unlock()
	if ok {
		return path, nil
	}
	path = filepath.Join(l.folder, identity+".parquet")
	if err := l.cache.take(identity, path); err != nil {
		if err := l.fetch(ctx, s.Table().Store(), add, identity, path); err != nil {
			return "", err
		}
	}
	l.mu.Lock()
	l.seen[identity] = path
	l.size += add.Size
	l.mu.Unlock()
	return path, nil
}

// bytes is the size of all data files that were brought.
func (l *localFiles) bytes() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.size
}

// forget removes local copies that are not read again. Those that it cannot remove go with the session.
func (l *localFiles) forget(s *delta.Snapshot, adds []delta.Add) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, add := range adds {
		identity := identityOf(s.Metadata().ID, add)
		if path, ok := l.seen[identity]; ok && os.Remove(path) == nil {
			delete(l.seen, identity)
		}
	}
}

// identityOf names a data file among those of all tables. Data files are never changed, and a name is never used again.
func identityOf(tableID string, add delta.Add) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\n%s\n%d", tableID, add.Path, add.Size))
	return hex.EncodeToString(sum[:16])
}

// fetch brings an object to path. When the object is a file already, as in a lake on disk, a second name for it does.
func (l *localFiles) fetch(ctx context.Context, store objstore.Store, add delta.Add, identity, path string) error {
	body, err := store.Get(ctx, add.Path, 0, -1)
	if err != nil {
		return err
	}
	defer body.Close()
	file, onDisk := body.(*os.File)
	if onDisk && os.Link(file.Name(), path) == nil {
		return nil
	}
	size, err := write(path, body)
	if err != nil {
		return err
	}
	if add.Size > 0 && size != add.Size {
		return fmt.Errorf("it has %d bytes, the log says %d", size, add.Size)
	}
	if !onDisk {
		l.cache.put(identity, path)
	}
	return nil
}

// write makes a file that is whole or not there.
func write(path string, body io.Reader) (size int64, err error) {
	file, err := os.CreateTemp(filepath.Dir(path), ".partial-")
	if err != nil {
		return 0, err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(file.Name())
		}
	}()
	size, err = io.Copy(file, body)
	if err = errors.Join(err, file.Close()); err != nil {
		return 0, err
	}
	return size, os.Rename(file.Name(), path)
}

// cache keeps fetched files for later sessions, each a hard link. It is an aid: where it fails it is done without.
type cache struct {
	folder string
	limit  int64
}

// take gives a cached file a second name.
func (c cache) take(identity, path string) error {
	if c.limit < 0 {
		return fs.ErrNotExist
	}
	cached := filepath.Join(c.folder, identity)
	if err := os.Link(cached, path); err != nil {
		return err
	}
	now := time.Now()
	_ = os.Chtimes(cached, now, now) // used lately: removed last
	return nil
}

func (c cache) put(identity, path string) {
	if c.limit < 0 || os.MkdirAll(c.folder, 0o700) != nil {
		return
	}
	_ = os.Link(path, filepath.Join(c.folder, identity))
}

// shrink removes the files that were not used for the longest time until the rest is within the limit.
func (c cache) shrink() {
	entries, _ := os.ReadDir(c.folder)
	var files []fs.FileInfo
	var total int64
	for _, entry := range entries {
		if info, err := entry.Info(); err == nil {
			files = append(files, info)
			total += info.Size()
		}
	}
	slices.SortFunc(files, func(a, b fs.FileInfo) int { return a.ModTime().Compare(b.ModTime()) })
	for _, file := range files {
		if total <= max(c.limit, 0) {
			return
		}
		if os.Remove(filepath.Join(c.folder, file.Name())) == nil {
			total -= file.Size()
		}
	}
}

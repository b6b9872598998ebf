package objstore

import (
	"cmp"
	"context"
	"errors"
	"io"
	"io/fs"
	"iter"
	"os"
	"path"
	"slices"
	"strings"
	"syscall"
)

// List implements [Store]. It reads a folder at a time, beginning with the one that the prefix names, and enters no
// folder whose keys are all without the prefix or not after the given key.
func (d *Dir) List(ctx context.Context, prefix, after string) iter.Seq2[Info, error] {
	return func(yield func(Info, error) bool) {
		if !CanBegin(prefix) {
			return
		}
		walk := listing{dir: d, ctx: ctx, prefix: prefix, after: after, yield: yield}
		walk.folder(prefix[:strings.LastIndexByte(prefix, '/')+1])
	}
}

// listing is one run of List.
type listing struct {
	dir           *Dir
	ctx           context.Context
	prefix, after string
	yield         func(Info, error) bool
}

// entry is a file, or a folder with a slash at the end of its key. In the byte order of these keys the files below a
// folder come where the folder stands: "a-b", "a/", "a0".
type entry struct {
	key string
	fs.DirEntry
}

// folder lists what is below a folder, "" or a key that ends with a slash; false ends the listing.
func (l *listing) folder(folder string) bool {
	if err := l.ctx.Err(); err != nil {
		return l.fail(folder, err)
	}
	entries, err := l.read(folder)
	if err != nil {
		err = l.dir.readError("list", folder, err)
		return isAbsent(err) || l.yield(Info{}, err) && false
	}
	for _, e := range entries {
		if strings.HasSuffix(e.key, "/") {
			if !l.folder(e.key) {
				return false
			}
		} else if !l.file(e) {
			return false
		}
	}
	return true
}

// entriesAtOnce is how many entries of a folder are looked at before more are read.
const entriesAtOnce = 4096

// read returns the entries of a folder that are keys of the listing or may hold such, in the order of keys. Others are neither kept nor
// sorted: most listings of a long log are about its end.
func (l *listing) read(folder string) ([]entry, error) {
	open, err := os.Open(l.dir.path(folder))
	if err != nil {
		return nil, err
	}
	defer open.Close()
	var entries []entry
	for {
		found, err := open.ReadDir(entriesAtOnce)
		entries = l.appendWanted(entries, folder, found)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
	}
	slices.SortFunc(entries, func(a, b entry) int { return cmp.Compare(a.key, b.key) })
	return entries, nil
}

func (l *listing) appendWanted(entries []entry, folder string, found []fs.DirEntry) []entry {
	for _, f := range found {
		if f.Type().IsRegular() && l.isBefore(folder, f.Name()) {
			continue
		}
		e := entry{key: folder + f.Name(), DirEntry: f}
		if l.isFolder(e) {
			e.key += "/"
			if !overlaps(e.key, l.prefix) || e.key < l.after && !strings.HasPrefix(l.after, e.key) {
				continue
			}
		} else if !strings.HasPrefix(e.key, l.prefix) || e.key <= l.after || CheckKey(f.Name()) != nil {
			continue
		}
		entries = append(entries, e)
	}
	return entries
}

// isBefore tells quickly of most files of a large folder that the listing begins behind them.
func (l *listing) isBefore(folder, name string) bool {
	after, ok := strings.CutPrefix(l.after, folder)
	return ok && name <= after
}

// isFolder follows links, as reading does.
func (l *listing) isFolder(e entry) bool {
	if e.Type()&fs.ModeSymlink == 0 {
		return e.IsDir()
	}
	return isFolder(l.dir.path(e.key))
}

func (l *listing) file(e entry) bool {
	info, err := os.Stat(l.dir.path(e.key))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return true // deleted since the folder was read
	case err != nil:
		return l.fail(e.key, err)
	case !info.Mode().IsRegular():
		return true
	}
	return l.yield(Info{Key: e.key, Size: info.Size(), ModTime: info.ModTime().UTC()}, nil)
}

func (l *listing) fail(key string, err error) bool {
	l.yield(Info{}, l.dir.storeError("list", path.Clean(key), err))
	return false
}

// overlaps reports whether keys below a folder can have the prefix.
func overlaps(folder, prefix string) bool {
	return strings.HasPrefix(folder, prefix) || strings.HasPrefix(prefix, folder)
}

func isAbsent(err error) bool {
	return (errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR)) && !errors.Is(err, ErrUnavailable)
}

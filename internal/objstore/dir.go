package objstore

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"syscall"
)

// Dir keeps objects as files below a folder: the object of key a/b is the file a/b.
//
// How an object becomes visible and durable: its bytes go to a temporary file in the folder where it shall lie,
// which is fsynced; then the file gets its name, by rename (Put) or by hard link (PutIfAbsent), both of which the
// kernel does whole or not at all, the link only if the name is free; then the folder is fsynced, so that the name
// survives a loss of power too. A folder is itself a name in its parent: before a process reports its first object in
// a folder it has fsynced the folders above it, up to the parent of the root, whoever made them.
// A process that is killed can leave a temporary file behind. Its name begins with [TempPrefix]; it is never listed,
// no key reaches it, and it may be deleted. Deletions are not fsynced: an object may be back after a loss of power.
//
// The folder is made by the first write, but only in a parent that exists: a mistyped path must not become a lake. A
// folder that is not there yet reads as an empty store. An object cannot have the name of a folder of others. The
// file system must have hard links.
type Dir struct {
	root string // absolute

	mu      sync.Mutex
	durable map[string]bool // folders whose names, and whose parents' names, are on disk
}

// NewDir returns the store in a folder. It does no I/O on the folder.
func NewDir(path string) (*Dir, error) {
	if path == "" {
		return nil, errors.New("open folder: the path is empty")
	}
	root, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("open folder %s: %w", path, err)
	}
	return &Dir{root: root, durable: map[string]bool{}}, nil
}

// Path returns the absolute path of the folder.
func (d *Dir) Path() string { return d.root }

// Get implements [Store].
func (d *Dir) Get(ctx context.Context, key string, offset, length int64) (io.ReadCloser, error) {
	if err := checkGet(ctx, key, offset); err != nil {
		return nil, &Error{Op: "get", At: d.path(key), Err: err}
	}
	file, err := openObject(d.path(key), offset)
	if err != nil {
		return nil, d.readError("get", key, err)
	}
	if length < 0 {
		return file, nil
	}
	return limitedFile{io.LimitReader(file, length), file}, nil
}

// Put implements [Store].
func (d *Dir) Put(ctx context.Context, key string, body io.Reader) error {
	if err := checkWrite(ctx, key); err != nil {
		return &Error{Op: "put", At: d.path(key), Err: err, Classes: []error{ErrNotStored}}
	}
	temp, err := d.writeTemp(filepath.Dir(d.path(key)), contextReader{ctx, body})
	if err != nil {
		return d.writeError("put", key, err, notStored)
	}
	if err := os.Rename(temp, d.path(key)); err != nil {
		_ = os.Remove(temp)
		if isFolder(d.path(key)) {
			err = &fs.PathError{Op: "rename", Path: d.path(key), Err: syscall.EISDIR}
		}
		return d.writeError("put", key, err, effectOf(err))
	}
	if err := syncFolder(filepath.Dir(d.path(key))); err != nil {
		return d.writeError("put", key, err, maybeStored)
	}
	return nil
}

// PutIfAbsent implements [Store].
func (d *Dir) PutIfAbsent(ctx context.Context, key string, body []byte) error {
	const op = "put if absent"
	if err := checkWrite(ctx, key); err != nil {
		return &Error{Op: op, At: d.path(key), Err: err, Classes: []error{ErrNotStored}}
	}
	temp, err := d.writeTemp(filepath.Dir(d.path(key)), bytes.NewReader(body))
	if err != nil {
		return d.writeError(op, key, err, notStored)
	}
	err = link(temp, d.path(key))
	_ = os.Remove(temp)
	switch {
	case errors.Is(err, fs.ErrExist):
		return &Error{Op: op, At: d.path(key), Err: fs.ErrExist}
	case err != nil:
		return d.writeError(op, key, err, effectOf(err))
	}
	if err := syncFolder(filepath.Dir(d.path(key))); err != nil {
		return d.writeError(op, key, err, maybeStored)
	}
	return nil
}

// Delete implements [Store].
func (d *Dir) Delete(ctx context.Context, key string) error {
	if err := checkWrite(ctx, key); err != nil {
		return &Error{Op: "delete", At: d.path(key), Err: err, Classes: []error{ErrNotStored}}
	}
	// os.Remove would remove an empty folder too, and a folder is no object.
	info, err := os.Lstat(d.path(key))
	if err == nil && !info.IsDir() {
		err = os.Remove(d.path(key))
	}
	if err == nil {
		return nil
	}
	err = d.readError("delete", key, err)
	if errors.Is(err, fs.ErrNotExist) && !errors.Is(err, ErrUnavailable) {
		return nil
	}
	return err
}

func (d *Dir) path(key string) string {
	return filepath.Join(d.root, filepath.FromSlash(key))
}

// writeTemp writes a body to a new temporary file in a folder, making the folder, and returns the file's path.
func (d *Dir) writeTemp(folder string, body io.Reader) (string, error) {
	file, err := d.createTemp(folder)
	if err != nil {
		return "", err
	}
	_, err = io.Copy(file, body)
	if err == nil {
		err = file.Sync()
	}
	if closeErr := file.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		_ = os.Remove(file.Name())
		return "", err
	}
	return file.Name(), nil
}

func (d *Dir) createTemp(folder string) (*os.File, error) {
	if err := d.makeFolder(folder); err != nil {
		return nil, err
	}
	name := filepath.Join(folder, TempPrefix+rand.Text())
	file, err := os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o666)
	if !errors.Is(err, fs.ErrNotExist) {
		return file, err
	}
	// Somebody removed the folder since this process made it.
	d.forgetFolders()
	if err := d.makeFolder(folder); err != nil {
		return nil, err
	}
	return os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o666)
}

// openObject opens a file at an offset; a folder is no object.
func openObject(path string, offset int64) (*os.File, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	info, err := file.Stat()
	if err == nil && info.IsDir() {
		err = &fs.PathError{Op: "open", Path: path, Err: fs.ErrNotExist}
	}
	if err == nil && offset > 0 {
		_, err = file.Seek(offset, io.SeekStart)
	}
	if err != nil {
		_ = file.Close()
		return nil, err
	}
	return file, nil
}

// link gives a file a second name. A network file system that loses the reply of a link and asks again is told that
// the name exists; then the name is ours if it is the same file.
func link(temp, path string) error {
	err := os.Link(temp, path)
	if !errors.Is(err, fs.ErrExist) {
		return err
	}
	ours, statErr := os.Stat(temp)
	theirs, pathErr := os.Stat(path)
	switch {
	case statErr != nil || pathErr != nil:
		return err
	case os.SameFile(ours, theirs):
		return nil
	case theirs.IsDir():
		return &fs.PathError{Op: "link", Path: path, Err: syscall.EISDIR}
	}
	return err
}

type limitedFile struct {
	io.Reader
	io.Closer
}

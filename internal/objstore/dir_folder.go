package objstore

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// makeFolder makes a folder of the store, and the root, and has their names on disk when it returns.
func (d *Dir) makeFolder(folder string) error {
	d.mu.Lock()
	known := d.durable[folder]
	d.mu.Unlock()
	if known {
		return nil
	}
	if folder != d.root {
		if err := d.makeFolder(filepath.Dir(folder)); err != nil {
			return err
		}
	}
	switch err := os.Mkdir(folder, 0o777); {
	case errors.Is(err, fs.ErrExist) && !isFolder(folder):
		// Not "exists": that is what a write says of its object.
		return &fs.PathError{Op: "mkdir", Path: folder, Err: syscall.ENOTDIR}
	case err != nil && !isFolder(folder):
		return err
	}
	if err := d.syncParent(folder); err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.durable[folder] = true
	return nil
}

// syncParent puts a folder's name on disk, also when another process made the folder: it may not have come to its own
// fsync yet. The parent of the root may be one that we may enter and not read; then the root was there before us.
func (d *Dir) syncParent(folder string) error {
	err := syncFolder(filepath.Dir(folder))
	if folder == d.root && errors.Is(err, fs.ErrPermission) {
		return nil
	}
	return err
}

func (d *Dir) forgetFolders() {
	d.mu.Lock()
	defer d.mu.Unlock()
	clear(d.durable)
}

func isFolder(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

func syncFolder(path string) error {
	folder, err := os.Open(path)
	if err != nil {
		return err
	}
	if err := folder.Sync(); err != nil {
		_ = folder.Close()
		return err
	}
	return folder.Close()
}

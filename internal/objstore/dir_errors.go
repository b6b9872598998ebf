package objstore

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// effect is what a failed write may have done.
type effect int

const (
	notStored effect = iota
	maybeStored
)

// effectOf judges a failed link or rename. A local disk does it or does not; a network file system may have done it
// and lost the answer.
func effectOf(err error) effect {
	if errors.Is(err, syscall.EIO) || errors.Is(err, syscall.ESTALE) || errors.Is(err, syscall.ETIMEDOUT) {
		return maybeStored
	}
	return notStored
}

func (d *Dir) writeError(op, key string, err error, did effect) error {
	e := d.storeError(op, key, err)
	if did == notStored {
		e.Classes = append(e.Classes, ErrNotStored)
	}
	return e
}

// readError gives the error of a read or a delete its class.
func (d *Dir) readError(op, key string, err error) error {
	e := d.storeError(op, key, err)
	absent := errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR)
	if absent && len(e.Classes) == 0 {
		e.Err, e.Classes = fs.ErrNotExist, nil
	}
	return e
}

func (d *Dir) storeError(op, key string, err error) *Error {
	e := &Error{Op: op, At: d.path(key), Err: err}
	switch {
	case errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR):
		if missing := d.missing(); missing != nil {
			e.Err, e.Classes, e.Advice = missing, []error{ErrUnavailable}, "make the folder or correct the path"
		}
	case errors.Is(err, fs.ErrPermission) && isLinkRefusal(err):
		e.Advice = "the file system of " + d.root + " has no hard links: keep the tables on a local disk or in S3"
	case errors.Is(err, syscall.EROFS), errors.Is(err, fs.ErrPermission):
		e.Classes, e.Advice = []error{ErrDenied}, fmt.Sprintf("give user %d access to %s", os.Getuid(), d.root)
	}
	return e
}

// isLinkRefusal tells a file system without hard links (EPERM, ENOTSUP) from a folder that we may not write.
func isLinkRefusal(err error) bool {
	linkErr, ok := errors.AsType[*os.LinkError](err)
	return ok && linkErr.Op == "link" && !errors.Is(err, syscall.EACCES)
}

// missing says why there is no such store: its root is no folder, or cannot become one because the parent is not
// there. A root that only has not been made yet is not missing.
func (d *Dir) missing() error {
	info, err := os.Stat(d.root)
	switch {
	case err == nil && info.IsDir():
		return nil
	case err == nil:
		return fmt.Errorf("%s is a file, not a folder", d.root)
	case errors.Is(err, fs.ErrNotExist) && isFolder(filepath.Dir(d.root)):
		return nil
	case errors.Is(err, fs.ErrPermission):
		return err
	}
	return fmt.Errorf("the folder %s does not exist", filepath.Dir(d.root))
}

package objstore

import (
	"errors"
	"fmt"
)

// What callers branch on. Absent and existing objects are [io/fs.ErrNotExist] and [io/fs.ErrExist].
var (
	// ErrNotStored: a write that certainly had no effect.
	ErrNotStored = errors.New("not stored")
	// ErrDenied: the credentials are missing, wrong, or do not permit the call. Retrying does not help.
	ErrDenied = errors.New("access denied")
	// ErrUnavailable: the store cannot be reached, or its bucket or folder does not exist.
	ErrUnavailable = errors.New("store unavailable")
	// ErrReplaced: the object was replaced while it was read; what was read so far is of the old one. Read it again.
	ErrReplaced = errors.New("object replaced")
)

// Error is what the stores of this module return: what was attempted, on what, why it failed, what to do.
// It matches its cause and each of its classes with [errors.Is].
type Error struct {
	Op      string  // "get", "put", "put if absent", "list" or "delete"
	At      string  // what it was done to: a path, or a URL without credentials
	Classes []error // sentinels of this package or of [io/fs]
	Err     error   // the cause
	Advice  string  // what to do about it, or ""
}

// Error implements error. The classes are not spelled out: the cause says it better.
func (e *Error) Error() string {
	if e.Advice == "" {
		return fmt.Sprintf("%s %s: %v", e.Op, e.At, e.Err)
	}
	return fmt.Sprintf("%s %s: %v; %s", e.Op, e.At, e.Err, e.Advice)
}

// Unwrap returns the cause and the classes.
func (e *Error) Unwrap() []error {
	return append([]error{e.Err}, e.Classes...)
}

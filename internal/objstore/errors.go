package objstore

import "errors"

// What callers branch on. Absent and existing objects are [io/fs.ErrNotExist] and [io/fs.ErrExist].
var (
	// ErrNotStored: a write that certainly had no effect.
	ErrNotStored = errors.New("not stored")
	// ErrDenied: the credentials are missing, wrong, or do not permit the call. Retrying does not help.
	ErrDenied = errors.New("access denied")
	// ErrUnavailable: the store cannot be reached, or its bucket or folder does not exist.
	ErrUnavailable = errors.New("store unavailable")
)

// Package objstore keeps immutable objects under slash-separated keys.
//
// A [Store] is the one contract; [Dir] keeps objects in a folder, [Memory] in the process, and package
// objstore/s3 in a bucket. [Sub] narrows a store to a prefix. What the contract promises is checked for
// every implementation by one suite, package storetest.
//
// The package knows nothing of Delta Lake: which keys are written once and which are replaced is the
// caller's business.
package objstore

import (
	"context"
	"io"
	"iter"
	"time"
)

// Store is an object store. All methods may be called concurrently; what one call has written every later
// call sees (read after write, list after write). Keys are relative, slash-separated and never empty; they may
// hold any printable character, '%', ':' and spaces included, and are used as they are.
type Store interface {
	// Get opens length bytes of an object from offset; a negative length means to its end. Past the end there is
	// nothing: a range that reaches or begins there yields what the object has of it. The error matches
	// [io/fs.ErrNotExist] when there is no such object. The caller closes the reader, which fails with [ErrReplaced]
	// rather than go on with another object than it began with.
	Get(ctx context.Context, key string, offset, length int64) (io.ReadCloser, error)

	// Put stores an object, replacing the one that is there. A reader of the key sees the old object or the
	// new one, never a part. On return the object is durable.
	Put(ctx context.Context, key string, body io.Reader) error

	// PutIfAbsent creates an object whole. Of any number of concurrent calls for one key exactly one succeeds;
	// the others get an error matching [io/fs.ErrExist]. After any other error that does not match
	// [ErrNotStored] the object may exist: the caller reads it back. The store does not retry by itself.
	PutIfAbsent(ctx context.Context, key string, body []byte) error

	// List yields the objects whose key begins with prefix and is greater than after, in ascending byte order
	// of the keys. It ends after the first error.
	List(ctx context.Context, prefix, after string) iter.Seq2[Info, error]

	// Delete removes an object. That there is none is no error.
	Delete(ctx context.Context, key string) error
}

// Info describes one object of a listing.
type Info struct {
	Key     string
	Size    int64     // bytes
	ModTime time.Time // UTC
}

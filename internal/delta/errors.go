package delta

import (
	"errors"
	"fmt"
	"strings"
)

// What callers branch on.
var (
	// ErrNotATable: the location has no Delta log.
	ErrNotATable = errors.New("not a Delta table")
	// ErrVersionGone: the version existed, but the log needed to read it was cleaned away.
	ErrVersionGone = errors.New("version no longer in the log")
	// ErrAlreadyApplied: the transaction's application version, or a later one, is in the table already.
	ErrAlreadyApplied = errors.New("already applied")
	// ErrNoChangeData: the table's change data feed was not enabled.
	ErrNoChangeData = errors.New("the change data feed was not enabled (delta.enableChangeDataFeed)")
	// ErrAppendOnly: the table's property delta.appendOnly forbids to remove rows.
	ErrAppendOnly = errors.New("table is append-only")
)

// UnsupportedError says which features of a table this package cannot serve. The table was not touched.
type UnsupportedError struct {
	Features []string
	Write    bool // reading the table is possible
}

func (e *UnsupportedError) Error() string {
	verb := "reading"
	if e.Write {
		verb = "writing"
	}
	return fmt.Sprintf("table features not supported for %s: %s", verb, strings.Join(e.Features, ", "))
}

// CorruptError is an object of the log whose content breaks the protocol.
type CorruptError struct {
	Key string
	Err error
}

func (e *CorruptError) Error() string { return fmt.Sprintf("corrupt %s: %v", e.Key, e.Err) }
func (e *CorruptError) Unwrap() error { return e.Err }

// ConflictError says which commit made a transaction impossible. Begin again from a new snapshot.
type ConflictError struct {
	Version Version // of the winning commit
	Reason  string
}

func (e *ConflictError) Error() string {
	return fmt.Sprintf("conflict with version %d: %s", e.Version, e.Reason)
}

// VersionError is a request for a version or a time that the log cannot answer. It matches [ErrVersionGone]
// when the version was cleaned away.
type VersionError struct {
	Asked         string  // the version or the time, as text
	First, Latest Version // the range that can be read
	gone          bool
}

func (e *VersionError) Error() string {
	return fmt.Sprintf("no version for %s: the table has versions %d to %d", e.Asked, e.First, e.Latest)
}

// Is makes the error match ErrVersionGone when that is what happened.
func (e *VersionError) Is(target error) bool { return target == ErrVersionGone && e.gone }

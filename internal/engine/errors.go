package engine

import "errors"

// What callers branch on. An engine within the process has neither.
var (
	// ErrUnavailable: the cluster that does the work cannot be reached, or is lost meanwhile.
	ErrUnavailable = errors.New("the engine cannot be reached")
	// ErrDenied: the cluster refuses the credentials.
	ErrDenied = errors.New("the engine refuses access")
)

var errClosed = errors.New("the session is closed")

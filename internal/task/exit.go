package task

import (
	"context"
	"errors"
	"io/fs"

	"launchlake/internal/delta"
	"launchlake/internal/lake"
	"launchlake/internal/objstore"
)

// ExitCode is what a task tells its caller by the process's exit status.
type ExitCode int

// The exit codes of all tasks.
const (
	Done           ExitCode = 0   // the work is done
	Failed         ExitCode = 1   // a runtime error; a retry may help
	BadConfig      ExitCode = 2   // the environment or an argument is wrong; nothing was touched
	Unavailable    ExitCode = 3   // the store or the API cannot be reached, or the store is not safe; a retry may help
	ContractBroken ExitCode = 65  // a data contract is broken; nothing was published
	BudgetSpent    ExitCode = 75  // the request budget is spent; resume after retry_after_seconds
	NoPermission   ExitCode = 77  // credentials are missing, wrong or too weak
	NothingNew     ExitCode = 99  // there was nothing to do
	Interrupted    ExitCode = 130 // SIGINT, with all tables valid
	Terminated     ExitCode = 143 // SIGTERM, with all tables valid
)

var exitMeanings = []struct {
	code    ExitCode
	meaning string
}{
	{Done, "done"},
	{Failed, "runtime error: retry"},
	{BadConfig, "configuration: nothing was touched"},
	{Unavailable, "environment: the store or the API cannot be reached, or the store is not safe"},
	{ContractBroken, "data contract broken: nothing was published"},
	{BudgetSpent, "request budget spent: resume after retry_after_seconds of the result"},
	{NoPermission, "credentials missing, wrong or too weak"},
	{NothingNew, "nothing new"},
	{Interrupted, "SIGINT: stopped, tables valid"},
	{Terminated, "SIGTERM: stopped, tables valid"},
}

type exitError struct {
	code ExitCode
	err  error
}

func (e *exitError) Error() string { return e.err.Error() }
func (e *exitError) Unwrap() error { return e.err }

// Fail gives an error the exit code that the process shall end with; the text stays. A nil error stays nil.
func Fail(code ExitCode, err error) error {
	if err == nil {
		return nil
	}
	return &exitError{code, err}
}

// CodeOf is the exit code of an error: the one that [Fail] gave it, or else what the error tells by itself.
func CodeOf(err error) ExitCode {
	if given, ok := errors.AsType[*exitError](err); ok {
		return given.code
	}
	if _, broken := errors.AsType[*delta.ConstraintError](err); broken {
		return ContractBroken
	}
	switch {
	case err == nil:
		return Done
	case errors.Is(err, objstore.ErrDenied), errors.Is(err, fs.ErrPermission):
		return NoPermission
	case errors.Is(err, objstore.ErrUnavailable), errors.Is(err, lake.ErrUnsafeStore),
		errors.Is(err, context.DeadlineExceeded):
		return Unavailable
	case errors.Is(err, lake.ErrBadURL):
		return BadConfig
	}
	return Failed
}

func statusOf(code ExitCode) Status {
	switch code {
	case Done:
		return StatusDone
	case NothingNew:
		return StatusNothingNew
	case BudgetSpent:
		return StatusBudgetSpent
	case ContractBroken:
		return StatusContractBroken
	case Interrupted, Terminated:
		return StatusInterrupted
	default:
		return StatusFailed
	}
}

func codeOfStatus(s Status) ExitCode {
	switch s {
	case StatusDone:
		return Done
	case StatusNothingNew:
		return NothingNew
	case StatusBudgetSpent:
		return BudgetSpent
	case StatusContractBroken:
		return ContractBroken
	case StatusInterrupted:
		return Terminated
	default:
		return Failed
	}
}

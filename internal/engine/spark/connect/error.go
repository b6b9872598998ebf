package connect

import (
	"cmp"
	"context"
	"errors"
	"strings"
)

// What callers branch on.
var (
	// ErrUnavailable: the server cannot be reached, or is lost while it works.
	ErrUnavailable = errors.New("Spark cannot be reached")
	// ErrDenied: the server refuses the token, or the user.
	ErrDenied = errors.New("Spark refuses access")
)

// Codes of gRPC that mean more than that a statement failed.
const (
	codeCancelled        = 1
	codePermissionDenied = 7
	codeUnavailable      = 14
	codeUnauthenticated  = 16
)

// Error is what Spark says went wrong with a statement.
type Error struct {
	Class    string // Spark's name of the error, as TABLE_OR_VIEW_NOT_FOUND, or else the exception's class
	SQLState string // "" when it has none
	Message  string // of the first cause, one line
	SQL      string // the part of the statement that it is about; "" when Spark does not tell

	code int
	id   string // by which the server tells more
}

func (e *Error) Error() string {
	text := "spark: "
	if e.Class != "" && !strings.Contains(e.Message, "["+e.Class) {
		text += e.Class + ": "
	}
	text += e.Message
	if e.SQL != "" && !strings.Contains(e.Message, e.SQL) {
		text += ", in " + e.SQL
	}
	return text
}

// Is makes the error match ErrUnavailable and ErrDenied.
func (e *Error) Is(target error) bool {
	switch target {
	case ErrUnavailable:
		return e.code == codeUnavailable
	case ErrDenied:
		return e.code == codePermissionDenied || e.code == codeUnauthenticated
	}
	return false
}

// newError makes an error of a call's status; details is a google.rpc.Status.
func newError(code int, text string, details []byte) error {
	e := &Error{Message: firstLine(text), code: code}
	info := map[string]string{}
	_ = each(details, 3, func(detail field) error { // Any: an ErrorInfo
		return each(detail.bytes, 2, func(value field) error {
			found, err := fields(value.bytes)
			for _, f := range found {
				switch f.number {
				case 1:
					info["reason"] = string(f.bytes)
				case 3:
					key, value := entry(f.bytes)
					info[key] = value
				}
			}
			return err
		})
	})
	e.Class, e.SQLState, e.id = info["errorClass"], info["sqlState"], info["errorId"]
	if e.Class == "" {
		e.Class = shortClass(info["reason"])
	}
	return e
}

func entry(m []byte) (key, value string) {
	found, _ := fields(m)
	for _, f := range found {
		switch f.number {
		case 1:
			key = string(f.bytes)
		case 2:
			value = string(f.bytes)
		}
	}
	return key, value
}

// explain asks the server for the first cause of an error, which the status does not hold.
func (c *Client) explain(ctx context.Context, err error) error {
	if err == nil || ctx.Err() == nil && !errors.As(err, new(*Error)) {
		return err
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	e, _ := errors.AsType[*Error](err)
	if e.id == "" {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, releaseTimeout)
	defer cancel()
	answer, failed := c.unary(ctx, "FetchErrorDetails", c.request().text(3, e.id).text(4, clientType))
	if failed != nil {
		return err // it says enough by itself
	}
	if cause, failed := firstCause(answer); failed == nil && cause.Message != "" {
		e.Message = cause.Message
		if cause.Class != "" {
			e.Class, e.SQLState = cause.Class, cause.SQLState
		}
		e.SQL = cause.SQL
	}
	return e
}

// firstCause follows the causes of a FetchErrorDetailsResponse to the one that has none.
func firstCause(answer []byte) (Error, error) {
	var all []Error
	var causes []int
	root := -1
	found, err := fields(answer)
	if err != nil {
		return Error{}, err
	}
	for _, f := range found {
		switch f.number {
		case 1:
			root = int(f.value)
		case 2:
			e, cause, err := detailOf(f.bytes)
			if err != nil {
				return Error{}, err
			}
			all, causes = append(all, e), append(causes, cause)
		}
	}
	if root < 0 && len(all) > 0 {
		root = 0 // a field that is 0 may be left out
	}
	var last Error
	for range all { // causes that go in circles must not keep us
		if root < 0 || root >= len(all) {
			break
		}
		if all[root].Message != "" {
			sql := last.SQL
			last = all[root]
			last.SQL = cmp.Or(last.SQL, sql)
		}
		root = causes[root]
	}
	return last, nil
}

// detailOf reads one Error of the response; cause is -1 when it has none.
func detailOf(m []byte) (e Error, cause int, err error) {
	cause = -1
	found, err := fields(m)
	for _, f := range found {
		switch f.number {
		case 1:
			if e.Class == "" {
				e.Class = shortClass(string(f.bytes))
			}
		case 2:
			e.Message = firstLine(string(f.bytes))
		case 4:
			cause = int(f.value)
		case 5:
			throwable, err := fields(f.bytes)
			if err != nil {
				return e, cause, err
			}
			for _, f := range throwable {
				switch {
				case f.number == 1 && len(f.bytes) > 0:
					e.Class = string(f.bytes)
				case f.number == 3 && e.SQL == "":
					err = errors.Join(err, each(f.bytes, 5, func(fragment field) error {
						e.SQL = Fragment(string(fragment.bytes))
						return nil
					}))
				case f.number == 4:
					e.SQLState = string(f.bytes)
				}
			}
		}
	}
	return e, cause, err
}

func shortClass(name string) string { return name[strings.LastIndexByte(name, '.')+1:] }

// How much is shown, in bytes.
const (
	messageLimit  = 1000
	fragmentLimit = 200
)

// firstLine is what a message says before it shows the statement, plans and stacks.
func firstLine(text string) string {
	text = strings.TrimSpace(text)
	for _, end := range []string{"\n== ", "\nJVM stacktrace", "\n\tat ", ";\n", "\n\n", "\n'", "\nDriver stacktrace"} {
		text, _, _ = strings.Cut(text, end)
	}
	return shortened(oneLine(text), messageLimit)
}

// Fragment is a part of a statement as errors show it: on one line, and not long.
func Fragment(sql string) string { return shortened(oneLine(sql), fragmentLimit) }

func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

func shortened(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	return strings.ToValidUTF8(text[:limit], "") + "…"
}

package launchapi

import (
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"launchlake/internal/secret"
)

// What callers branch on.
var (
	// ErrUnavailable: the API cannot be used now. It is unreachable, keeps failing, has nothing at this address,
	// answers what is no page of launches, or its firewall turned the client away. A later run may succeed.
	ErrUnavailable = errors.New("launch API unavailable")
	// ErrUnauthorized: the API refused the token, or asks for one.
	ErrUnauthorized = errors.New("launch API refused the credentials")
	// ErrBudgetUnknown: the server does not tell its request budget.
	ErrBudgetUnknown = errors.New("request budget unknown")
	// ErrMoved: launches were revised faster than pages were read, so that the next page does not join those yielded.
	// They are complete up to their last record: start again from its last_updated. It matches ErrUnavailable too.
	ErrMoved = fmt.Errorf("%w: the collection changed faster than it was read", ErrUnavailable)
)

// BudgetError reports that no request is left in the server's window. Nothing is wrong: come back later.
type BudgetError struct {
	// RetryAfter is the time until a request is free again, at most 24 hours.
	RetryAfter time.Duration
	// Budget is what the server said when it was asked; zero when it answered 429 instead.
	Budget Budget
	// Err is what a retry was to mend when the budget ended; nil when there was none. It is not wrapped: a spent
	// budget is no failure of the API.
	Err error
}

func (e *BudgetError) Error() string {
	text := "request budget spent"
	if e.Budget.Limit > 0 {
		text += fmt.Sprintf(": %d of %d requests used", e.Budget.Used, e.Budget.Limit)
	}
	text += fmt.Sprintf("; the next is free in %s", e.RetryAfter)
	if e.Err != nil {
		text += "; while retrying: " + e.Err.Error()
	}
	return text
}

// ResponseError is an answer that is not the one asked for: an error status, or a body that is no page.
type ResponseError struct {
	URL         string
	Status      int
	ContentType string
	Reason      string // what is wrong with it
	Snippet     string // the first bytes of the body, made printable; empty where they may hold private data

	kind error
}

func (e *ResponseError) Error() string {
	text := fmt.Sprintf("get %s: status %d", e.URL, e.Status)
	if e.ContentType != "" {
		text += ", " + e.ContentType
	}
	text += ": " + e.Reason
	if e.Snippet != "" {
		text += fmt.Sprintf("; it begins with %q", e.Snippet)
	}
	return text
}

// Unwrap returns [ErrUnavailable], [ErrUnauthorized], or nil when neither waiting nor a token helps.
func (e *ResponseError) Unwrap() error { return e.kind }

const snippetBytes = 160

// snippet makes the head of a body fit for one log line and takes the token out of it.
func snippet(body []byte, token secret.Text) string {
	text := string(body[:min(len(body), 16*snippetBytes+len(token))])
	if token != "" {
		text = strings.ReplaceAll(text, token.Reveal(), secret.Redacted)
	}
	text = strings.ToValidUTF8(text[:min(len(text), 4*snippetBytes)], "\uFFFD")
	text = strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return ' '
	}, text)
	text = strings.Join(strings.Fields(text), " ")
	if len(text) <= snippetBytes {
		return text
	}
	end := snippetBytes
	for end > 0 && !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end] + "…"
}

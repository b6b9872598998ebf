package launchapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"regexp"
	"strconv"
	"time"
)

// Budget is what the server says of its request limit. Asking for it is free.
type Budget struct {
	Limit   int           // requests granted in a window
	Used    int           // requests of the current window
	Window  time.Duration // its length
	NextUse time.Duration // until a request is free again; as served, which may be negative
}

// Left is how many requests may be sent now.
func (b Budget) Left() int { return max(b.Limit-b.Used, 0) }

// wait until one more request is granted when none is left. Servers have been seen to count it downwards from zero.
func (b Budget) wait() time.Duration {
	switch next := b.NextUse.Abs(); {
	case next > 0:
		return min(next, maxRetryAfter)
	case b.Window > 0:
		return min(b.Window, maxRetryAfter)
	default:
		return defaultRetryAfter
	}
}

// Throttle asks the server for its budget. The error matches [ErrBudgetUnknown] when it does not tell. The caller's
// identity, which the answer holds (an address, or the API key), is neither kept nor part of any error.
func (c *Client) Throttle(ctx context.Context) (Budget, error) {
	var b Budget
	_, err := c.do(ctx, request{
		url:   c.base.throttle(),
		spend: func(context.Context) error { return nil },
		accept: func(a *answer) (err error) {
			if b, err = parseBudget(a.body); err == nil || errors.Is(err, ErrBudgetUnknown) {
				return err
			}
			failure := c.responseError(a, ErrUnavailable, err.Error())
			failure.Snippet = "" // it would hold the caller's identity
			return &transient{err: failure}
		},
	})
	if failure, ok := errors.AsType[*ResponseError](err); ok && failure.Status == http.StatusNotFound {
		return Budget{}, fmt.Errorf("%w: %s has no api-throttle", ErrBudgetUnknown, c.base.root)
	}
	return b, err
}

// parseBudget reads one object, or an array of one: the API's schema says the latter, its server answers the former.
func parseBudget(body []byte) (Budget, error) {
	type served struct {
		Limit   *float64 `json:"your_request_limit"`
		Window  float64  `json:"limit_frequency_secs"`
		Used    *float64 `json:"current_use"`
		NextUse float64  `json:"next_use_secs"`
	}
	var list []served
	if err := json.Unmarshal(body, &list); err != nil {
		list = make([]served, 1)
		if err := json.Unmarshal(body, &list[0]); err != nil {
			return Budget{}, errors.New("no request budget: the body is neither an object nor an array of them")
		}
	}
	if len(list) == 0 {
		return Budget{}, fmt.Errorf("%w: the server lists none", ErrBudgetUnknown)
	}
	s := list[0]
	if s.Limit == nil || s.Used == nil {
		return Budget{}, errors.New("no request budget: your_request_limit or current_use is missing")
	}
	return Budget{
		Limit: count(*s.Limit), Used: count(*s.Used),
		Window: seconds(s.Window), NextUse: seconds(s.NextUse),
	}, nil
}

// count keeps within what an int holds anywhere.
func count(n float64) int { return int(max(0, min(n, math.MaxInt32))) }

// ledger counts down what one pass may still spend.
type ledger struct {
	client  *Client
	unknown bool
	left    int
}

// spend takes one request from the budget, which is asked for when there is nothing left: at the start, and again
// later, since the window moves on during a long pass.
func (l *ledger) spend(ctx context.Context) error {
	if !l.unknown && l.left == 0 {
		if err := l.refill(ctx); err != nil {
			return err
		}
	}
	if !l.unknown {
		l.left--
	}
	l.client.spent.Add(1)
	return nil
}

func (l *ledger) refill(ctx context.Context) error {
	budget, err := l.client.Throttle(ctx)
	answered, ok := errors.AsType[*ResponseError](err)
	switch {
	case errors.Is(err, ErrBudgetUnknown):
		l.unknown = true
		return nil
	case ok && !errors.Is(answered, ErrUnauthorized):
		// The launches may well be served where the budget is not; a 429 will tell when it is spent.
		l.client.log.WarnContext(ctx, "going on without knowing the request budget", "error", err)
		l.unknown = true
		return nil
	case err != nil:
		return fmt.Errorf("ask for the request budget: %w", err)
	case budget.Left() == 0:
		return &BudgetError{RetryAfter: budget.wait(), Budget: budget}
	}
	l.client.log.DebugContext(ctx, "request budget", "limit", budget.Limit, "used", budget.Used, "window", budget.Window)
	l.left = budget.Left()
	return nil
}

const (
	defaultRetryAfter = time.Hour
	maxRetryAfter     = 24 * time.Hour
)

var availableIn = regexp.MustCompile(`[Ee]xpected available in (\d+) seconds?`)

// retryAfter is the wait that a 429 asks for: by its header, else by its text, else the length of the API's window.
func retryAfter(a *answer) time.Duration {
	if wait, ok := headerWait(a); ok {
		return wait
	}
	if m := availableIn.FindSubmatch(a.body); m != nil {
		if n, err := strconv.ParseFloat(string(m[1]), 64); err == nil {
			return min(seconds(n), maxRetryAfter)
		}
	}
	return defaultRetryAfter
}

// headerWait reads Retry-After: seconds, or a date, which is compared with the server's own clock.
func headerWait(a *answer) (time.Duration, bool) {
	value := a.header.Get("Retry-After")
	if n, err := strconv.ParseFloat(value, 64); err == nil && n >= 0 {
		return min(seconds(n), maxRetryAfter), true
	}
	at, err := http.ParseTime(value)
	if err != nil {
		return 0, false
	}
	now := serverTime(a)
	if now.IsZero() {
		now = a.receivedAt
	}
	return min(max(at.Sub(now), 0), maxRetryAfter), true
}

// seconds keeps within what a Duration holds.
func seconds(n float64) time.Duration {
	const most = float64(1<<62) / float64(time.Second)
	return time.Duration(max(-most, min(n, most)) * float64(time.Second))
}

// serverTime is the answer's Date; zero when it has none.
func serverTime(a *answer) time.Time {
	at, err := http.ParseTime(a.header.Get("Date"))
	if err != nil {
		return time.Time{}
	}
	return at.UTC()
}

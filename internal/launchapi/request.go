package launchapi

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// answer is a whole response.
type answer struct {
	url        string
	status     int
	header     http.Header
	body       []byte  // of the buffer
	buffer     *buffer // that may be used again
	receivedAt time.Time
}

// transient marks an error that another try may mend, and the wait that the server asked for.
type transient struct {
	err  error
	wait time.Duration
}

func (t *transient) Error() string { return t.err.Error() }
func (t *transient) Unwrap() error { return t.err }

// request says how one URL is asked for.
type request struct {
	url *url.URL
	// spend is asked before each try; its error ends them.
	spend func(context.Context) error
	// accept checks the answer; a transient error asks for another try.
	accept func(*answer) error
}

// do sends r until an answer is accepted. The error of the last try is returned without its transient mark.
func (c *Client) do(ctx context.Context, r request) (*answer, error) {
	var failed *transient
	for try := 1; ; try++ {
		if err := r.spend(ctx); err != nil {
			if budget, ok := errors.AsType[*BudgetError](err); ok && failed != nil {
				budget.Err = failed.err
			}
			return nil, err
		}
		a, err := c.try(ctx, r)
		if err == nil {
			return a, nil
		}
		if ctx.Err() != nil {
			return nil, ended(ctx)
		}
		if !errors.As(err, &failed) {
			return nil, err
		}
		if try > c.opts.Retries {
			return nil, tries(failed.err, try)
		}
		wait := max(backoff(try), min(failed.wait, maxBackoff))
		c.log.WarnContext(ctx, "request failed, trying again", "try", try, "wait", wait, "error", failed.err)
		if err := c.opts.Sleep(ctx, wait); err != nil {
			return nil, err
		}
	}
}

// ended is why the caller's context is over; it matches [context.Canceled] or [context.DeadlineExceeded] in any case.
func ended(ctx context.Context) error {
	if cause := context.Cause(ctx); cause != ctx.Err() {
		return fmt.Errorf("%w: %w", ctx.Err(), cause)
	}
	return ctx.Err()
}

func tries(err error, n int) error {
	if n == 1 {
		return err
	}
	return fmt.Errorf("after %d tries: %w", n, err)
}

const (
	firstBackoff = time.Second
	maxBackoff   = 30 * time.Second
)

// backoff before the try after n: full jitter, so that clients which failed together do not return together.
func backoff(n int) time.Duration {
	ceiling := min(firstBackoff<<min(n-1, 16), maxBackoff)
	return rand.N(ceiling)
}

func (c *Client) try(ctx context.Context, r request) (*answer, error) {
	ctx, cancel := context.WithTimeout(ctx, c.opts.Timeout)
	defer cancel()
	started := c.opts.Now()
	a, err := c.send(ctx, r.url)
	if err != nil {
		return nil, c.networkError(ctx, r.url, err)
	}
	c.log.DebugContext(ctx, "request", "url", a.url, "status", a.status, "bytes", len(a.body), "took", c.opts.Now().Sub(started))
	if a.status != http.StatusOK {
		return nil, c.statusError(a)
	}
	if err := r.accept(a); err != nil {
		return nil, err
	}
	return a, nil
}

func (c *Client) send(ctx context.Context, u *url.URL) (*answer, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", c.opts.UserAgent)
	if c.opts.Token != "" {
		req.Header.Set("Authorization", "Token "+c.opts.Token.Reveal())
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	a := &answer{url: u.String(), status: resp.StatusCode, header: resp.Header, receivedAt: c.opts.Now()}
	a.buffer = c.buffers.take()
	if a.body, err = a.buffer.read(resp, c.opts.MaxBytes); err != nil {
		return nil, err
	}
	return a, nil
}

// networkError describes an answer that did not arrive whole. It may quote the URL, never a header.
func (c *Client) networkError(ctx context.Context, u *url.URL, err error) error {
	if failure, ok := errors.AsType[*url.Error](err); ok {
		err = failure.Err // its text is the method and URL, which are said below
	}
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		err = fmt.Errorf("no whole answer within %s", c.opts.Timeout)
	}
	wrapped := fmt.Errorf("%w: get %s: %w", ErrUnavailable, u, err)
	if errors.Is(err, errRedirect) || errors.Is(err, errTooLarge) {
		return wrapped
	}
	return &transient{err: wrapped}
}

// statusError says what an answer other than 200 means.
func (c *Client) statusError(a *answer) error {
	fail := func(kind error, reason string) *ResponseError { return c.responseError(a, kind, reason) }
	switch {
	case fromFirewall(a):
		return fail(ErrUnavailable, "the firewall before the API turned the request away")
	case a.status == http.StatusTooManyRequests:
		return &BudgetError{RetryAfter: retryAfter(a)}
	case a.status == http.StatusUnauthorized || a.status == http.StatusForbidden:
		return fail(ErrUnauthorized, "the API refused the credentials; check the token")
	case a.status == http.StatusNotFound || a.status == http.StatusGone:
		return fail(ErrUnavailable, "there is nothing here; check the API's address")
	case a.status == http.StatusRequestTimeout || a.status >= http.StatusInternalServerError:
		wait, _ := headerWait(a)
		return &transient{err: fail(ErrUnavailable, "the server failed"), wait: wait}
	default:
		return fail(nil, "the server refused the request")
	}
}

// fromFirewall tells an answer of the network in front of the API from one of the API, which always speaks JSON.
func fromFirewall(a *answer) bool {
	if a.header.Get("Cf-Mitigated") != "" {
		return true
	}
	return a.status == http.StatusForbidden && !isJSON(a.header.Get("Content-Type"))
}

func (c *Client) responseError(a *answer, kind error, reason string) *ResponseError {
	return &ResponseError{
		URL: a.url, Status: a.status, ContentType: a.header.Get("Content-Type"),
		Reason: reason, Snippet: snippet(a.body, c.opts.Token), kind: kind,
	}
}

func isJSON(contentType string) bool {
	media, _, _ := mime.ParseMediaType(contentType)
	return media == "application/json" || strings.HasSuffix(media, "+json")
}

func isHTML(contentType string) bool {
	media, _, _ := mime.ParseMediaType(contentType)
	return media == "text/html" || media == "application/xhtml+xml"
}

// Package launchapi reads the launches of a Launch Library 2 server (The Space Devs), versions 2.2 and 2.3, as the
// exact bytes that it serves.
//
// A [Client] knows one server. [Client.Pages] is one pass over its launches in the order of last_updated, as a
// sequence of [Page] values. A [Budget] is how many requests the server still grants in its window; a pass asks for it
// first, stops with a [BudgetError] before it would exceed it, and never waits for it. Answers that a later try may
// mend (5xx, timeouts, cut or truncated bodies, HTML in place of JSON) are retried with exponential backoff and full
// jitter, each try at the budget's expense; what remains wrong ends the pass with a [ResponseError] or an error that
// matches [ErrUnavailable].
//
// A launch that is revised during a pass moves to the end of the order, and all behind it move up by one: a reader of
// plain offsets would then miss a record at each page's edge. Pages therefore overlap by one record, which is not
// yielded again; when the overlap does not hold, the page before is read again first.
//
// The package neither decodes launches nor keeps state; where to resume is the caller's. Collections besides launches
// are not read.
package launchapi

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"launchlake/internal/secret"
)

// Defaults of [Options].
const (
	DefaultTimeout   = 90 * time.Second
	DefaultRetries   = 3
	DefaultUserAgent = "launchlake"
	DefaultMaxBytes  = 256 << 20
)

// NoRetries as [Options.Retries] makes each request once.
const NoRetries = -1

// Options of [New]. The zero value works, anonymously.
type Options struct {
	Token     secret.Text   // sent as "Authorization: Token …" to the base URL's origin alone; empty: anonymous
	UserAgent string        // the API's makers ask callers to name themselves
	Timeout   time.Duration // of one try, its body included
	Retries   int           // tries after the first of a request; 0: DefaultRetries
	MaxBytes  int64         // of one body, after decompression
	Logger    *slog.Logger  // each request at debug, each retry at warn; nil: none

	// Transport makes the requests; nil: a clone of [http.DefaultTransport].
	Transport http.RoundTripper
	// Now is the clock of FetchedAt; nil: [time.Now].
	Now func() time.Time
	// Sleep waits before a retry and returns early, with the context's error, when that ends; nil: it really waits.
	Sleep func(context.Context, time.Duration) error
}

// Client reads one server. It may be used concurrently; passes share nothing but the count of requests.
type Client struct {
	base  base
	http  *http.Client
	opts  Options
	log   *slog.Logger
	spent atomic.Int64

	buffers buffers
}

// New returns a client of the API at baseURL, for instance https://ll.thespacedevs.com/2.3.0. A trailing slash, the
// path of the launches collection, and query parameters are tolerated; the last are sent with every request for
// launches, so they may hold a filter. There is no I/O.
func New(baseURL string, o Options) (*Client, error) {
	b, err := parseBase(baseURL)
	if err != nil {
		return nil, err
	}
	o.UserAgent = cmp.Or(o.UserAgent, DefaultUserAgent)
	o.Timeout = cmp.Or(o.Timeout, DefaultTimeout)
	o.Retries = max(cmp.Or(o.Retries, DefaultRetries), 0)
	o.MaxBytes = cmp.Or(o.MaxBytes, DefaultMaxBytes)
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Sleep == nil {
		o.Sleep = sleep
	}
	if o.Transport == nil {
		o.Transport = defaultTransport()
	}
	c := &Client{base: b, opts: o, log: o.Logger}
	if c.log == nil {
		c.log = slog.New(slog.DiscardHandler)
	}
	c.http = &http.Client{Transport: o.Transport, CheckRedirect: c.checkRedirect}
	return c, nil
}

// Version is the API version that the base URL names, such as "2.3.0"; empty when it names none.
func (c *Client) Version() string { return c.base.version }

// URL is the launches collection's address, without parameters.
func (c *Client) URL() string { return withoutQuery(c.base.launches(nil)) }

// Requests counts the requests that were sent at the budget's expense, retries included.
func (c *Client) Requests() int { return int(c.spent.Load()) }

const maxRedirects = 4

var errRedirect = errors.New("redirect refused")

// checkRedirect keeps the token, and the origin of records, on the base URL's own server.
func (c *Client) checkRedirect(r *http.Request, via []*http.Request) error {
	if !sameOrigin(c.base.root, r.URL) {
		return fmt.Errorf("%w: %s sends on to %s; if that is right, make it the API's address", errRedirect,
			withoutQuery(via[0].URL), withoutQuery(r.URL))
	}
	if len(via) > maxRedirects {
		return fmt.Errorf("%w: more than %d from %s", errRedirect, maxRedirects, withoutQuery(via[0].URL))
	}
	return nil
}

func defaultTransport() http.RoundTripper {
	if t, ok := http.DefaultTransport.(*http.Transport); ok {
		return t.Clone()
	}
	return http.DefaultTransport
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ended(ctx)
	case <-timer.C:
		return nil
	}
}

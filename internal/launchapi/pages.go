package launchapi

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"net/url"
	"strconv"
	"time"
)

const (
	usualLimit  = 100 // the most that the API serves
	usualMode   = "detailed"
	timeInQuery = "2006-01-02T15:04:05Z"
)

// Query says which launches a pass reads. The zero value reads all of them in full detail.
type Query struct {
	Since time.Time // only launches whose last_updated is not before it, to the second; zero: all, undated ones too
	Mode  string    // "list", "normal" or "detailed"; empty: detailed
	Limit int       // launches a page; 0: 100, which is the server's maximum
}

func (q Query) parameters() url.Values {
	v := url.Values{
		"format":   {"json"},
		"limit":    {strconv.Itoa(cmp.Or(q.Limit, usualLimit))},
		"mode":     {cmp.Or(q.Mode, usualMode)},
		"ordering": {"last_updated"},
	}
	if !q.Since.IsZero() {
		v.Set("last_updated__gte", q.Since.UTC().Format(timeInQuery))
	}
	return v
}

// Page is one answer of a pass.
type Page struct {
	URL        string    // as requested
	Number     int       // 0 for the pass's first
	Status     int       // of the answer: 200
	FetchedAt  time.Time // by our clock
	ServerTime time.Time // by the server's; zero when it does not say
	Total      int       // launches that match the query; -1 when the server does not say
	Bytes      int64     // of the body
	Last       bool      // no page follows

	// Results are the launches not yielded before, each the exact bytes served. They alias one buffer, which the package does
	// not touch again before Release. There may be none, and they may be other JSON values than objects.
	Results []json.RawMessage
	// Keys are those of the Results, each at its result's place. They alias the same buffer.
	Keys []Key
	// Skipped is how many elements of the answer precede Results; all were yielded with the page before.
	Skipped int
	// Release lets a later page have the buffer. It may be called once, from any goroutine, when nobody refers to Results and
	// Keys any more. Who does not call it leaves the buffer to the garbage collector.
	Release func()
}

// Key is what a launch is known and ordered by: JSON text as served, nil for a member that it does not have, and of the
// last where a name comes twice.
type Key struct{ ID, LastUpdated []byte }

// Pages reads the launches that q asks for, in the order of last_updated, page by page. The first error ends the
// pass: it comes with a zero Page, after the pages before it. Each use of the sequence is a new pass.
func (c *Client) Pages(ctx context.Context, q Query) iter.Seq2[Page, error] {
	return func(yield func(Page, error) bool) {
		p := pass{client: c, budget: ledger{client: c}}
		number := 0
		for next := c.base.launches(q.parameters()); next != nil; next = p.latest.next {
			page, err := p.read(ctx, next)
			if err != nil {
				yield(Page{}, fmt.Errorf("read page %d of the launches: %w", number, err))
				return
			}
			p.advance(page)
			if page.skipped == len(page.results) && page.next != nil {
				continue
			}
			if !yield(page.export(number), nil) {
				return
			}
			number++
		}
	}
}

// fetched is a page as served, and where it leads.
type fetched struct {
	*answer
	envelope
	at       *url.URL
	next     *url.URL // nil: this is the last page
	overlaps bool     // next begins with this page's last record
	skipped  int      // leading results that the page before it had
}

// export makes the page the caller's too.
func (f *fetched) export(number int) Page {
	f.buffer.hold()
	return Page{
		URL: f.url, Number: number, Status: f.status,
		FetchedAt: f.receivedAt.UTC(), ServerTime: serverTime(f.answer),
		Total: f.total, Bytes: int64(len(f.body)), Last: f.next == nil,
		Results: f.results[f.skipped:], Keys: f.keys[f.skipped:], Skipped: f.skipped,
		Release: f.buffer.release,
	}
}

func (p *pass) fetch(ctx context.Context, u *url.URL) (*fetched, error) {
	page := &fetched{at: u}
	var err error
	page.answer, err = p.client.do(ctx, request{url: u, spend: p.budget.spend, accept: func(a *answer) error {
		if err := page.parse(a, p); err != nil {
			return &transient{err: p.client.responseError(a, ErrUnavailable, err.Error())}
		}
		return nil
	}})
	return page, err
}

// parse reads the answer's body and resolves its link to the next page.
func (f *fetched) parse(a *answer, p *pass) (err error) {
	if isHTML(a.header.Get("Content-Type")) {
		return errors.New("the body is HTML, not JSON")
	}
	if f.envelope, err = splitPage(a.body, &p.walker); err != nil {
		return err
	}
	f.next, f.overlaps = nil, false
	if f.envelope.next == "" {
		return nil
	}
	if f.next, err = p.client.base.follow(f.at, f.envelope.next); err != nil {
		return err
	}
	return f.overlap()
}

// overlap moves next back by one record, onto this page's last, where the server pages by offsets and a step of
// one record less still leads forward.
func (f *fetched) overlap() error {
	query := f.next.Query()
	from, to := offset(f.at), offset(f.next)
	if query.Has("offset") && to <= from || f.next.String() == f.at.String() {
		return fmt.Errorf("next does not lead on: %q", f.next)
	}
	if !query.Has("offset") || len(f.results) < 2 || to != from+len(f.results) {
		return nil
	}
	query.Set("offset", strconv.Itoa(to-1))
	f.next.RawQuery = query.Encode()
	f.overlaps = true
	return nil
}

// offset of a page's first record; 0 when its URL names none.
func offset(u *url.URL) int {
	n, err := strconv.Atoi(u.Query().Get("offset"))
	if err != nil {
		return 0
	}
	return n
}

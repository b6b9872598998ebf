package launchapi

import (
	"context"
	"fmt"
	"net/url"

	"launchlake/internal/rawjson"
)

// maxRereads of one page, before a collection that moves under the reader is given up.
const maxRereads = 3

// pass is one reading of the collection. It holds on to its latest page, to see whether the next one joins it.
type pass struct {
	client  *Client
	budget  ledger
	walker  rawjson.Walker
	latest  *fetched
	rereads int // of the latest page
	kept    *fetched
}

// read fetches the page at u, which begins with the latest page's last record. A launch that is revised leaves its
// place for the end of the order; when that breaks the overlap, records that were not yet yielded have moved up into
// the latest page's place. That page is then read again and returned in the stead of the one at u, which follows it
// and is kept for then.
func (p *pass) read(ctx context.Context, u *url.URL) (*fetched, error) {
	kept := p.kept
	p.kept = nil
	if kept != nil && kept.url == u.String() && p.joins(kept) {
		p.rereads = 0
		return kept, nil
	}
	page, err := p.fetch(ctx, u)
	if err != nil {
		return nil, err
	}
	if p.joins(page) || p.tied(page) {
		p.rereads = 0
		return page, nil
	}
	if p.rereads == maxRereads {
		return nil, fmt.Errorf("%w: get %s", ErrMoved, u)
	}
	p.rereads++
	p.client.log.InfoContext(ctx, "launches were revised between two pages; reading the earlier one again",
		"url", p.latest.url, "times", p.rereads)
	again, err := p.fetch(ctx, p.latest.at)
	if err != nil {
		return nil, err
	}
	if p.countKnown(again) == 0 && offset(again.at) > 0 {
		return nil, fmt.Errorf("%w: get %s", ErrMoved, again.at)
	}
	again.skipped = p.leadingKnown(again)
	if page.next != nil { // a last page would end the pass before what was revised since it was fetched
		p.kept = page
	}
	return again, nil
}

// advance makes a page the latest.
func (p *pass) advance(page *fetched) {
	if p.latest != nil {
		p.latest.buffer.release()
	}
	p.latest = page
}

// joins reports whether page follows the latest one without a gap, and marks what both hold.
func (p *pass) joins(page *fetched) bool {
	if p.latest == nil || !p.latest.overlaps {
		return true
	}
	if len(page.results) == 0 {
		return false
	}
	if page.revision(0) == p.latest.revision(len(p.latest.results)-1) {
		page.skipped = 1
		return true
	}
	page.skipped = p.leadingKnown(page)
	return page.skipped > 0
}

// tied reports whether nothing more can be done about a gap: the latest page was read again without finding a new
// record, and the records on both sides share their last_updated, which servers order differently for each page.
func (p *pass) tied(page *fetched) bool {
	if p.rereads == 0 || p.latest.skipped < len(p.latest.results) || len(page.results) == 0 {
		return false
	}
	before := textUnlessNull(p.latest.keys[len(p.latest.results)-1].LastUpdated)
	after := textUnlessNull(page.keys[0].LastUpdated)
	return before != "" && before == after
}

// leadingKnown counts the results before the first that the latest page does not have.
func (p *pass) leadingKnown(page *fetched) int {
	known := p.latest.revisions()
	for i := range page.results {
		if !known[page.revision(i)] {
			return i
		}
	}
	return len(page.results)
}

func (p *pass) countKnown(page *fetched) (n int) {
	known := p.latest.revisions()
	for i := range page.results {
		if known[page.revision(i)] {
			n++
		}
	}
	return n
}

func (f *fetched) revisions() map[string]bool {
	revisions := make(map[string]bool, len(f.results))
	for i := range f.results {
		revisions[f.revision(i)] = true
	}
	return revisions
}

// revision tells revisions of launches apart. Counts that the server derives change without a revision, so a launch's
// other bytes do not matter; what has no id or no last_updated is known by all of its bytes.
func (f *fetched) revision(i int) string {
	id, updated := textUnlessNull(f.keys[i].ID), textUnlessNull(f.keys[i].LastUpdated)
	if id == "" || updated == "" {
		return string(f.results[i])
	}
	return id + "\x00" + updated
}

func textUnlessNull(value []byte) string {
	if rawjson.Kind(value) == 'n' {
		return ""
	}
	return string(value)
}

package bronze

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"launchlake/internal/delta"
)

// pass is one reading of a source.
type pass struct {
	options  Options
	table    *delta.Table
	snapshot *delta.Snapshot // the latest that is known; nil while there is no table
	since    time.Time       // what the source is asked for; zero: everything
	known    known
	batch    *batch    // what the next commit will add
	underway *underway // the commit before it; nil: none

	horizon  time.Time // the watermark stays at or before it
	newest   time.Time // greatest last_updated so far
	settled  time.Time // greatest last_updated so far that is not after the horizon
	ordered  bool      // last_updated never went down so far
	filtered bool      // nothing before since came so far
	complete bool      // the source has no more
	reported time.Time // when progress was logged

	result Result
}

func newPass(ctx context.Context, table *delta.Table, o Options) (*pass, error) {
	p := &pass{
		options: o, table: table, batch: new(batch), ordered: true, filtered: true, reported: o.Now(),
		known:  known{rows: set{}, loaded: map[string]bool{}},
		result: Result{VersionBefore: NoVersion, Version: NoVersion},
	}
	snapshot, err := table.Snapshot(ctx)
	if errors.Is(err, delta.ErrNotATable) {
		if o.BeforeCreate != nil {
			err = o.BeforeCreate(ctx)
			return p, err
		}
		return p, nil
	}
	if err != nil {
		return p, err
	}
	p.result.VersionBefore = snapshot.Version()
	if err := checkSchema(snapshot); err != nil {
		return p, err
	}
	if seconds, ok := snapshot.AppVersion(AppID); ok && !o.Sweep {
		p.since = time.Unix(seconds, 0).UTC()
	}
	return p, p.adopt(ctx, snapshot)
}

// run reads the source and commits.
func (p *pass) run(ctx context.Context, source Source) error {
	lasting, stop := outlive(ctx, commitGrace)
	defer stop()
	defer p.abandon(lasting)
	for page, err := range source.Pages(ctx, p.since) {
		if err != nil {
			// Whatever ended the pass, what was served so far counts.
			if flushErr := p.finish(lasting); flushErr != nil {
				return fmt.Errorf("%w (after the source ended with: %v)", flushErr, err)
			}
			return err
		}
		if err := p.take(lasting, page); err != nil {
			return err
		}
		if err := p.look(lasting); err != nil {
			return err
		}
		if p.batch.due(p.options) {
			if err := p.flush(lasting); err != nil {
				return err
			}
		}
	}
	p.complete = true
	return p.finish(lasting)
}

// take adds a page's new rows to the batch.
func (p *pass) take(ctx context.Context, page Page) error {
	served := page.ServerTime
	if served.IsZero() {
		served = page.FetchedAt
	}
	if p.horizon.IsZero() {
		p.horizon = served.Add(-p.options.Overlap)
	}
	from := &origin{
		page: int32(min(p.result.Pages, math.MaxInt32)), status: int32(page.Status), url: page.URL,
		version: page.APIVersion, runID: p.options.RunID, fetchedAt: page.FetchedAt.UTC().Truncate(time.Microsecond),
	}
	p.result.Pages++
	p.result.Bytes += page.Bytes
	if p.batch.pages++; p.batch.pages == 1 {
		p.batch.begun = p.options.Now()
	}
	all := rowsOf(page, from)
	p.result.RowsRead += int64(len(all))
	for i := range all {
		if err := p.observe(ctx, all[i].LastUpdated); err != nil {
			return err
		}
	}
	rows := all[:0] // those that are new
	for i := range all {
		if !p.known.rows.add(all[i].sum) {
			p.result.RowsKnown++
			continue
		}
		if len(rows) == i {
			rows = all[:i+1] // none is to be moved so far
			continue
		}
		rows = append(rows, all[i])
	}
	p.progress()
	release := page.Release
	if release == nil {
		release = func() {}
	}
	p.batch.write(from.fetchedAt.Format(time.DateOnly), rows, release)
	return nil
}

// observe follows the order of the source.
func (p *pass) observe(ctx context.Context, updated *time.Time) error {
	if updated == nil {
		return nil
	}
	if updated.Before(p.newest) {
		p.ordered = false
	} else {
		p.newest = *updated
	}
	if !updated.After(p.horizon) && updated.After(p.settled) {
		p.settled = *updated
	}
	if updated.Before(p.since) && p.filtered {
		// The source does not filter: any row of the table may come again.
		p.filtered = false
		p.options.Logger.WarnContext(ctx, "the source serves records older than asked for", "asked", p.since, "got", *updated)
		if err := p.settle(ctx); err != nil {
			return err
		}
		return p.adopt(ctx, p.snapshot)
	}
	return nil
}

// adopt makes a snapshot the latest: rows that it has are known from now on, and no longer in what is to be committed. No commit
// is being made meanwhile.
func (p *pass) adopt(ctx context.Context, s *delta.Snapshot) error {
	p.snapshot = s
	p.result.Version = s.Version()
	p.noteWatermark()
	var relevant []delta.Predicate
	if p.filtered && !p.since.IsZero() {
		updated := delta.Col("last_updated")
		relevant = append(relevant, delta.Or(updated.Ge(p.since), updated.IsNull()))
	}
	fresh, err := p.known.load(ctx, s, relevant...)
	if err != nil {
		return err
	}
	pending := []*batch{p.batch}
	if p.underway != nil {
		pending = append(pending, p.underway.batch)
	}
	for _, b := range pending {
		dropped, err := b.drop(fresh)
		if err != nil {
			return err
		}
		p.result.RowsKnown += dropped
	}
	for sum := range fresh {
		p.known.rows[sum] = true
	}
	return nil
}

// watermark is how far the table would be complete with the batch; false when that is no progress.
func (p *pass) watermark() (int64, bool) {
	if p.settled.IsZero() || !p.ordered && !p.complete {
		return 0, false
	}
	next := p.settled.Unix()
	if p.snapshot == nil {
		return next, true
	}
	before, ok := p.snapshot.AppVersion(AppID)
	return next, !ok || next > before
}

func (p *pass) noteWatermark() {
	if seconds, ok := p.snapshot.AppVersion(AppID); ok {
		p.result.Watermark = time.Unix(seconds, 0).UTC()
	}
}

// progressInterval keeps those who wait for a long pass informed, and proxies from thinking that it hangs.
const progressInterval = 10 * time.Second

func (p *pass) progress() {
	now := p.options.Now()
	if now.Sub(p.reported) < progressInterval {
		return
	}
	p.reported = now
	p.options.Logger.Info("reading", "pages", p.result.Pages, "rows", p.result.RowsRead, "bytes", p.result.Bytes,
		"up_to", p.newest)
}

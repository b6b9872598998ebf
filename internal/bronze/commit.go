package bronze

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"launchlake/internal/delta"
)

const (
	// commitGrace is how long a commit may go on when the pass is to end.
	commitGrace = 5 * time.Second
	// commitRounds bounds how often a commit is begun again because of other writers.
	commitRounds = 30
)

// underway is a commit that is made beside the reading of what comes behind it. Until its outcome is there its batch is its own.
type underway struct {
	batch     *batch
	watermark int64
	advances  bool // the watermark
	pages     int  // of the pass, that it and those before it hold
	begun     time.Time
	outcome   chan outcome
}

// empty tells whether there is nothing to commit.
func (c *underway) empty() bool { return len(c.batch.files) == 0 && !c.advances }

type outcome struct {
	snapshot *delta.Snapshot
	err      error
}

// flush begins the commit of the batch and the watermark, when there is something to commit, once the one before is done.
func (p *pass) flush(ctx context.Context) error {
	if err := p.settle(ctx); err != nil {
		return err
	}
	if err := p.ensureTable(ctx); err != nil || p.snapshot == nil {
		return err
	}
	c := &underway{batch: p.batch, pages: p.result.Pages, begun: p.options.Now(), outcome: make(chan outcome, 1)}
	c.watermark, c.advances = p.watermark()
	p.batch = new(batch)
	if c.empty() {
		return nil
	}
	p.underway = c
	snapshot := p.snapshot
	go func() { c.outcome <- p.commit(ctx, snapshot, c) }()
	return nil
}

// finish commits what is left.
func (p *pass) finish(ctx context.Context) error {
	if err := p.flush(ctx); err != nil {
		return err
	}
	return p.settle(ctx)
}

// abandon ends what is not to be committed any more. What is underway has its time to end well.
func (p *pass) abandon(ctx context.Context) {
	p.batch.abandon()
	if p.underway != nil {
		if done := <-p.underway.outcome; done.err == nil {
			p.committed(ctx, p.underway, done.snapshot)
		}
	}
}

// look settles the commit that is underway if its outcome is there.
func (p *pass) look(ctx context.Context) error {
	if p.underway == nil || len(p.underway.outcome) == 0 {
		return nil
	}
	return p.settle(ctx)
}

// settle waits for the commit that is underway. When another writer was first it is begun again.
func (p *pass) settle(ctx context.Context) error {
	c := p.underway
	if c == nil {
		return nil
	}
	done := <-c.outcome
	for range commitRounds {
		if done.err == nil {
			p.committed(ctx, c, done.snapshot)
			return nil
		}
		if !wasBeaten(done.err) {
			break
		}
		p.options.Logger.InfoContext(ctx, "another writer was first; beginning the commit again", "reason", done.err.Error())
		if done.err = p.refresh(ctx, c); done.err != nil || c.empty() {
			break
		}
		c.begun = p.options.Now()
		done = p.commit(ctx, p.snapshot, c)
	}
	p.underway = nil
	if done.err != nil && wasBeaten(done.err) {
		return fmt.Errorf("other writers were first %d times; run again when fewer of them run", commitRounds)
	}
	return done.err
}

// wasBeaten tells whether another writer was first.
func wasBeaten(err error) bool {
	_, conflict := errors.AsType[*delta.ConflictError](err)
	return conflict || errors.Is(err, delta.ErrAlreadyApplied)
}

// ensureTable creates the table when there is something to put into it, or when it is sure that there is nothing.
func (p *pass) ensureTable(ctx context.Context) error {
	if p.snapshot != nil || len(p.batch.files) == 0 && !p.complete {
		return nil
	}
	snapshot, err := p.table.Create(ctx, metadata())
	if err != nil {
		return err
	}
	// Another pass may have made it, and have filled it meanwhile.
	if err := checkSchema(snapshot); err != nil {
		return err
	}
	return p.adopt(ctx, snapshot)
}

// refresh takes the table's latest version, and the rows that it has out of what is to be committed.
func (p *pass) refresh(ctx context.Context, c *underway) error {
	snapshot, err := p.table.Snapshot(ctx)
	if err != nil {
		return err
	}
	if err := p.adopt(ctx, snapshot); err != nil {
		return err
	}
	// The conflict proves that no commit names these files. One that stays is vacuum's.
	for _, key := range c.batch.stale {
		_ = p.table.Store().Delete(ctx, key)
	}
	c.batch.stale = nil
	before, ok := snapshot.AppVersion(AppID)
	c.advances = c.advances && (!ok || c.watermark > before)
	return nil
}

// commit commits a batch upon a snapshot. It touches nothing of the pass that changes.
func (p *pass) commit(ctx context.Context, on *delta.Snapshot, c *underway) outcome {
	if err := c.batch.complete(); err != nil {
		return outcome{err: err}
	}
	files := c.batch.files
	tx := on.Begin(delta.Operation{
		Name:       "WRITE",
		Parameters: map[string]string{"mode": "Append", "partitionBy": `["` + partitionColumn + `"]`},
	})
	// That rows are new was found by reading the table: whoever adds rows meanwhile is a conflict.
	tx.Read()
	if c.advances {
		tx.SetTransaction(AppID, c.watermark)
	}
	metrics := map[string]int64{"numFiles": int64(len(files)), "numOutputRows": 0, "numOutputBytes": 0}
	for _, file := range files {
		if err := p.store(ctx, file); err != nil {
			return outcome{err: err}
		}
		tx.Add(file.add(c.begun))
		metrics["numOutputRows"] += file.rows
		metrics["numOutputBytes"] += int64(file.content.Len())
	}
	tx.SetMetrics(metrics)
	snapshot, err := tx.Commit(ctx)
	if err != nil {
		return outcome{err: fmt.Errorf("commit %d rows: %w", metrics["numOutputRows"], err)}
	}
	return outcome{snapshot: snapshot}
}

// store writes a file; one that was stored for a commit that another writer got ahead of is as good as new.
func (p *pass) store(ctx context.Context, file *dataFile) error {
	if file.key != "" {
		return nil
	}
	key := file.newKey()
	if err := p.table.Store().Put(ctx, key, bytes.NewReader(file.content.Bytes())); err != nil {
		return fmt.Errorf("store a data file of %d rows: %w", file.rows, err)
	}
	file.key = key
	return nil
}

func (p *pass) committed(ctx context.Context, c *underway, snapshot *delta.Snapshot) {
	p.underway = nil
	p.snapshot = snapshot
	p.result.Version = snapshot.Version()
	p.result.Commits++
	p.noteWatermark()
	var rows int64
	for _, file := range c.batch.files {
		p.known.loaded[file.key] = true
		p.result.FilesAdded++
		p.result.RowsOdd += file.odd
		rows += file.rows
		file.forget()
	}
	p.result.RowsNew += rows
	p.options.Logger.InfoContext(ctx, "commit", "version", int64(snapshot.Version()), "rows", rows,
		"watermark", p.result.Watermark, "pages", c.pages)
	p.reported = p.options.Now()
}

// outlive gives a context that ends a while after ctx does, for work that is better finished than broken off.
func outlive(ctx context.Context, grace time.Duration) (context.Context, context.CancelFunc) {
	longer, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		timer := time.NewTimer(grace)
		defer timer.Stop()
		select {
		case <-timer.C:
			cancel(fmt.Errorf("not finished %s after %w", grace, context.Cause(ctx)))
		case <-longer.Done():
		}
	})
	return longer, func() {
		stop()
		cancel(context.Canceled)
	}
}

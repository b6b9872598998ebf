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

// flush commits the batch and the watermark, when there is something to commit.
func (p *pass) flush(ctx context.Context) error {
	ctx, stop := outlive(ctx, commitGrace)
	defer stop()
	if err := p.ensureTable(ctx); err != nil || p.snapshot == nil {
		return err
	}
	for range commitRounds {
		if err := p.batch.complete(); err != nil {
			return err
		}
		watermark, advances := p.watermark()
		if len(p.batch.files) == 0 && !advances {
			p.batch = new(batch)
			return nil
		}
		err := p.commit(ctx, watermark, advances)
		if err == nil {
			p.batch = new(batch)
			return nil
		}
		if _, conflict := errors.AsType[*delta.ConflictError](err); !conflict && !errors.Is(err, delta.ErrAlreadyApplied) {
			return err
		}
		p.options.Logger.InfoContext(ctx, "another writer was first; beginning the commit again", "reason", err.Error())
		if err := p.refresh(ctx); err != nil {
			return err
		}
	}
	return fmt.Errorf("other writers were first %d times; run again when fewer of them run", commitRounds)
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

// refresh takes the table's latest version, and the rows that it has out of the batch.
func (p *pass) refresh(ctx context.Context) error {
	snapshot, err := p.table.Snapshot(ctx)
	if err != nil {
		return err
	}
	if err := p.adopt(ctx, snapshot); err != nil {
		return err
	}
	// The conflict proves that no commit names these files. One that stays is vacuum's.
	for _, key := range p.batch.stale {
		_ = p.table.Store().Delete(ctx, key)
	}
	p.batch.stale = nil
	return nil
}

func (p *pass) commit(ctx context.Context, watermark int64, advances bool) error {
	files := p.batch.files
	tx := p.snapshot.Begin(delta.Operation{
		Name:       "WRITE",
		Parameters: map[string]string{"mode": "Append", "partitionBy": `["` + partitionColumn + `"]`},
	})
	// That rows are new was found by reading the table: whoever adds rows meanwhile is a conflict.
	tx.Read()
	if advances {
		tx.SetTransaction(AppID, watermark)
	}
	metrics := map[string]int64{"numFiles": int64(len(files)), "numOutputRows": 0, "numOutputBytes": 0}
	for _, file := range files {
		if err := p.store(ctx, file); err != nil {
			return err
		}
		tx.Add(file.add(p.options.Now()))
		metrics["numOutputRows"] += file.rows
		metrics["numOutputBytes"] += int64(file.content.Len())
	}
	tx.SetMetrics(metrics)
	snapshot, err := tx.Commit(ctx)
	if err != nil {
		return fmt.Errorf("commit %d rows: %w", metrics["numOutputRows"], err)
	}
	p.committed(ctx, snapshot)
	return nil
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

func (p *pass) committed(ctx context.Context, snapshot *delta.Snapshot) {
	p.snapshot = snapshot
	p.result.Version = snapshot.Version()
	p.result.Commits++
	p.noteWatermark()
	var rows int64
	for _, file := range p.batch.files {
		p.known.loaded[file.key] = true
		p.result.FilesAdded++
		p.result.RowsOdd += file.odd
		rows += file.rows
	}
	p.result.RowsNew += rows
	p.options.Logger.InfoContext(ctx, "commit", "version", int64(snapshot.Version()), "rows", rows,
		"watermark", p.result.Watermark, "pages", p.result.Pages)
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

// Package ingest is the job that brings launches from the launch API into bronze/launches.
//
// It puts the parts together: the API, or the recorded one that is built in, as a [bronze.Source]; the lake's table;
// and the meaning of their errors for the process. What is read and how it is kept is said in package bronze.
package ingest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"time"

	"launchlake/internal/bronze"
	"launchlake/internal/lake"
	"launchlake/internal/launchapi"
	"launchlake/internal/task"
)

// Table is the name of the table in the lake.
const Table = "bronze/launches"

// Job is the task ingest, configured by the environment.
func Job() task.Job {
	config := new(Config)
	return task.Job{
		Name:    "ingest",
		Summary: "brings what is new at the launch API into " + Table + ", byte for byte",
		Config:  config,
		Run: func(ctx context.Context) (task.Result, error) {
			return Run(ctx, *config, slog.Default())
		},
	}
}

// Run ingests once.
func Run(ctx context.Context, c Config, log *slog.Logger) (task.Result, error) {
	l, err := lake.Open(ctx, c.Lake())
	if err != nil {
		return task.Result{}, err
	}
	client, closeSource, err := c.OpenSource(ctx, log)
	if err != nil {
		return task.Result{}, err
	}
	defer closeSource()
	start := time.Now()
	done, err := bronze.Ingest(ctx, source{client}, l.Table(Table), bronze.Options{
		Overlap:      c.Overlap,
		Sweep:        c.Sweep,
		BatchBytes:   c.BatchBytes,
		BatchPages:   c.BatchPages,
		RunID:        c.RunID,
		BeforeCreate: l.Probe,
		Logger:       log.With("table", Table),
	})
	if err != nil {
		err = fmt.Errorf("ingest %s into %s of %s: %w", task.RedactURL(c.SourceURL), Table, l, err)
	}
	result := resultOf(done, client.Requests(), err)
	result.Seconds = time.Since(start).Seconds()
	return result, classify(err)
}

// resultOf says in the process's words what a pass did.
func resultOf(done bronze.Result, requests int, err error) task.Result {
	r := task.Result{Requests: requests, Bytes: done.Bytes}
	if done.Version != bronze.NoVersion {
		r.Tables = []task.Table{{
			Name:          Table,
			VersionBefore: int64(done.VersionBefore),
			Version:       int64(done.Version),
			RowsIn:        done.RowsRead,
			RowsOut:       done.RowsNew,
			FilesAdded:    done.FilesAdded,
		}}
	}
	if !done.Watermark.IsZero() {
		r.Watermark = done.Watermark.Format(time.RFC3339)
	}
	if budget, ok := errors.AsType[*launchapi.BudgetError](err); ok {
		wait := max(1, int(math.Ceil(budget.RetryAfter.Seconds())))
		r.RetryAfterSeconds = &wait
	}
	if err == nil && done.RowsNew == 0 {
		r.Status = task.StatusNothingNew
	}
	return r
}

// classify gives the API's errors their exit codes; package task knows those of the store.
func classify(err error) error {
	if _, ok := errors.AsType[*launchapi.BudgetError](err); ok {
		return task.Fail(task.BudgetSpent, err)
	}
	switch {
	case errors.Is(err, launchapi.ErrUnauthorized):
		return task.Fail(task.NoPermission, fmt.Errorf("%w; check LL2_TOKEN", err))
	case errors.Is(err, launchapi.ErrUnavailable):
		return task.Fail(task.Unavailable, err)
	}
	return err
}

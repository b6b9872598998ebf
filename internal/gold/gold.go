// Package gold makes the tables that people read, each by one SQL query over Silver tables.
//
// A [Model] is a .sql file of this folder: its head says what a row is, which tables it reads and how its measures are
// defined. Adding a table is adding a file. [Aggregate] runs the models whose inputs have a new version, or whose
// text has changed, and replaces the rows of their tables, each in one commit that also records which versions it was made
// from. When the rows come out as they were the data files stay.
//
// The SQL is what DuckDB and Spark both understand. A measure "as of" refers to the data's own time, never to the clock,
// so that the same Silver gives the same Gold.
package gold

import (
	"context"
	"fmt"
	"log/slog"
	"runtime"

	"golang.org/x/sync/errgroup"

	"launchlake/internal/delta"
	"launchlake/internal/engine"
)

// Tables finds the tables of a layer by name.
type Tables func(name string) *delta.Table

// Options adjust Aggregate; the zero value serves.
type Options struct {
	Models []Model // nil: those of this program
	RunID  string  // for the tables' histories
	// SilverVersions are the versions of Silver tables to read, by name; the latest of a table that is not there.
	SilverVersions map[string]delta.Version
	Logger         *slog.Logger // nil: silent
}

// Result is what Aggregate did.
type Result struct {
	NothingNew bool // every table was up to date
	Models     []ModelResult
}

// ModelResult is what became of one model's table. Published.AlreadyApplied says that it was up to date.
type ModelResult struct {
	Model     string
	Inputs    map[string]delta.Version // the versions that it is made from now
	Published engine.Published
}

// hashProperty is the table property that holds the hash of the model that made the rows.
const hashProperty = "launchlake.model.sha256"

// Aggregate brings the Gold tables up to the versions of the Silver tables that the options name, or the latest. All models see the same versions.
// e must be a new session.
func Aggregate(ctx context.Context, e engine.Engine, silver, gold Tables, o Options) (Result, error) {
	if o.Models == nil {
		var err error
		if o.Models, err = Models(); err != nil {
			return Result{}, fmt.Errorf("aggregate: %w", err)
		}
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	a := aggregation{engine: e, silver: silver, gold: gold, options: o, bound: map[string]bool{}}
	plans, err := a.plans(ctx)
	if err != nil {
		return Result{}, err
	}
	err = a.publish(ctx, plans)
	result := Result{NothingNew: true}
	for _, p := range plans {
		if p.done {
			result.NothingNew = result.NothingNew && p.result.Published.AlreadyApplied
			result.Models = append(result.Models, p.result)
		}
	}
	return result, err
}

// plan is what is to be done for a model.
type plan struct {
	model  Model
	out    engine.Output
	done   bool
	result ModelResult
}

type aggregation struct {
	engine       engine.Engine
	silver, gold Tables
	options      Options
	inputs       map[string]*delta.Head
	bound        map[string]bool
}

// publish runs the models that are to be run, some at a time: most of what one takes is not the work of several processors. After an
// error those that run are finished and no further one is begun.
func (a *aggregation) publish(ctx context.Context, plans []*plan) error {
	group, failed := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	for _, p := range plans {
		if p.done {
			continue
		}
		group.Go(func() error {
			if failed.Err() != nil {
				return ctx.Err()
			}
			published, err := a.engine.Publish(ctx, p.model.SQL, p.out)
			if err != nil {
				return fmt.Errorf("aggregate %s: %w", p.model.Name, err)
			}
			p.result.Published, p.done = published, true
			a.options.Logger.InfoContext(ctx, "table published", slog.String("table", p.model.Name), slog.Int64("version", int64(published.After)),
				slog.Int64("rows", published.Inserted), slog.Int64("unchanged", published.Unchanged))
			return nil
		})
	}
	return group.Wait()
}

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
	"errors"
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
	a := aggregation{engine: e, silver: silver, gold: gold, options: o, inputs: map[string]*delta.Snapshot{}, bound: map[string]bool{}}
	var plans []*plan
	for _, m := range o.Models {
		p, err := a.plan(ctx, m)
		if err != nil {
			return Result{}, fmt.Errorf("aggregate %s: %w", m.Name, err)
		}
		plans = append(plans, p)
	}
	err := a.publish(ctx, plans)
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
	inputs       map[string]*delta.Snapshot
	bound        map[string]bool
}

// plan finds out whether a model is to be run, and binds what it reads.
func (a *aggregation) plan(ctx context.Context, m Model) (*plan, error) {
	p := &plan{model: m, result: ModelResult{Model: m.Name, Inputs: map[string]delta.Version{}}}
	p.out = engine.Output{
		Table: a.gold(m.Name), Mode: engine.Overwrite, Comments: m.Comments, Name: m.Name, Description: m.Description,
		Configuration: map[string]string{hashProperty: m.hash()}, UserMetadata: a.options.RunID,
	}
	for _, name := range m.Reads {
		s, err := a.input(ctx, name)
		if err != nil {
			return nil, err
		}
		p.result.Inputs[name] = s.Version()
		p.out.Progress = append(p.out.Progress, engine.Progress{AppID: m.appID(name), Version: int64(s.Version())})
	}
	var err error
	if p.result.Published, p.done, err = a.upToDate(ctx, m, p.out); err != nil || p.done {
		return p, err
	}
	return p, a.bind(ctx, m)
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

// input takes a snapshot of a Silver table, once.
func (a *aggregation) input(ctx context.Context, name string) (*delta.Snapshot, error) {
	if s := a.inputs[name]; s != nil {
		return s, nil
	}
	var s *delta.Snapshot
	var err error
	if v, ok := a.options.SilverVersions[name]; ok {
		s, err = a.silver(name).SnapshotAt(ctx, v)
	} else {
		s, err = a.silver(name).Snapshot(ctx)
	}
	if err != nil {
		return nil, fmt.Errorf("read silver table %s: %w", name, err)
	}
	a.inputs[name] = s
	return s, nil
}

// bind makes the tables that a model reads known to the engine, which fetches their files only then.
func (a *aggregation) bind(ctx context.Context, m Model) error {
	for _, name := range m.Reads {
		if a.bound[name] {
			continue
		}
		if err := a.engine.Bind(ctx, name, engine.Input{Snapshot: a.inputs[name]}); err != nil {
			return err
		}
		a.bound[name] = true
	}
	return nil
}

// upToDate gives what Publish would report, when the table has all progress already.
func (a *aggregation) upToDate(ctx context.Context, m Model, out engine.Output) (engine.Published, bool, error) {
	s, err := out.Table.Snapshot(ctx)
	if errors.Is(err, delta.ErrNotATable) {
		return engine.Published{}, false, nil
	}
	if err != nil {
		return engine.Published{}, false, err
	}
	for i, p := range out.Progress {
		if v, ok := s.AppVersion(p.AppID); ok && v > p.Version {
			if err := a.overtaken(ctx, m.Reads[i], delta.Version(v)); err != nil {
				return engine.Published{}, false, err
			}
		}
	}
	return engine.Published{AlreadyApplied: true, Before: s.Version(), After: s.Version()}, out.Applied(s), nil
}

// overtaken checks that a version that another run has seen exists by now. Where it does not the table was made anew.
func (a *aggregation) overtaken(ctx context.Context, name string, seen delta.Version) error {
	s, err := a.silver(name).Snapshot(ctx)
	if err != nil {
		return fmt.Errorf("read silver table %s: %w", name, err)
	}
	if s.Version() < seen {
		return fmt.Errorf("it is made from version %d of silver table %s, which has only %d and was made anew: delete the gold table, it will be computed again", seen, name, s.Version())
	}
	return nil
}

package gold

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"golang.org/x/sync/errgroup"

	"launchlake/internal/delta"
	"launchlake/internal/engine"
)

// plans finds out which models are to be run, and binds what these read.
func (a *aggregation) plans(ctx context.Context) ([]*plan, error) {
	outputs, err := a.readHeads(ctx)
	if err != nil {
		return nil, fmt.Errorf("aggregate: %w", err)
	}
	var plans []*plan
	for i, m := range a.options.Models {
		p, err := a.plan(ctx, m, outputs[i])
		if err != nil {
			return nil, fmt.Errorf("aggregate %s: %w", m.Name, err)
		}
		plans = append(plans, p)
	}
	return plans, nil
}

// readHeads reads how far the tables are that the models read, and those that they make, which are nil where there are none yet.
func (a *aggregation) readHeads(ctx context.Context) ([]*delta.Head, error) {
	var names []string
	for _, m := range a.options.Models {
		names = append(names, m.Reads...)
	}
	slices.Sort(names)
	names = slices.Compact(names)
	inputs, outputs := make([]*delta.Head, len(names)), make([]*delta.Head, len(a.options.Models))
	group, ahead := errgroup.WithContext(ctx)
	for i, name := range names {
		group.Go(func() (err error) {
			inputs[i], err = a.input(ahead, name)
			return err
		})
	}
	for i, m := range a.options.Models {
		group.Go(func() (err error) {
			if outputs[i], err = a.gold(m.Name).Head(ahead); errors.Is(err, delta.ErrNotATable) {
				return nil
			}
			return err
		})
	}
	err := group.Wait()
	a.inputs = map[string]*delta.Head{}
	for i, name := range names {
		a.inputs[name] = inputs[i]
	}
	return outputs, err
}

// input reads how far a Silver table is.
func (a *aggregation) input(ctx context.Context, name string) (h *delta.Head, err error) {
	if v, ok := a.options.SilverVersions[name]; ok {
		h, err = a.silver(name).HeadAt(ctx, v)
	} else {
		h, err = a.silver(name).Head(ctx)
	}
	if err != nil {
		return nil, fmt.Errorf("read silver table %s: %w", name, err)
	}
	return h, nil
}

// plan finds out whether a model is to be run, and binds what it reads. made is its table, nil when there is none.
func (a *aggregation) plan(ctx context.Context, m Model, made *delta.Head) (*plan, error) {
	p := &plan{model: m, result: ModelResult{Model: m.Name, Inputs: map[string]delta.Version{}}}
	p.out = engine.Output{
		Table: a.gold(m.Name), Mode: engine.Overwrite, Comments: m.Comments, Name: m.Name, Description: m.Description,
		Configuration: map[string]string{hashProperty: m.hash()}, UserMetadata: a.options.RunID,
	}
	for _, name := range m.Reads {
		version := a.inputs[name].Version()
		p.result.Inputs[name] = version
		p.out.Progress = append(p.out.Progress, engine.Progress{AppID: m.appID(name), Version: int64(version)})
	}
	var err error
	if p.done, err = a.upToDate(ctx, m, p.out, made); err != nil {
		return nil, err
	}
	if !p.done {
		return p, a.bind(ctx, m)
	}
	p.result.Published = engine.Published{AlreadyApplied: true, Before: made.Version(), After: made.Version()}
	return p, nil
}

// bind makes the tables that a model reads known to the engine, which fetches their files only then.
func (a *aggregation) bind(ctx context.Context, m Model) error {
	for _, name := range m.Reads {
		if a.bound[name] {
			continue
		}
		s, err := a.inputs[name].Snapshot(ctx)
		if err != nil {
			return fmt.Errorf("read silver table %s: %w", name, err)
		}
		if err := a.bindTable(ctx, name, s); err != nil {
			return err
		}
		a.bound[name] = true
	}
	return nil
}

// fewRows is up to how many rows of a Silver table are read once, with all columns, and kept for the models. Of more, each model reads the
// columns that it needs; of so few it takes longer to find out where they lie.
const fewRows = 20_000

func (a *aggregation) bindTable(ctx context.Context, name string, s *delta.Snapshot) error {
	if n, ok := s.NumRecords(); !ok || n > fewRows {
		return a.engine.Bind(ctx, name, engine.Input{Snapshot: s})
	}
	stored := name + "_as_stored"
	if err := a.engine.Bind(ctx, stored, engine.Input{Snapshot: s}); err != nil {
		return err
	}
	return a.engine.Define(ctx, name, "select * from "+stored, engine.Once)
}

// upToDate is whether a model's table has all progress already.
func (a *aggregation) upToDate(ctx context.Context, m Model, out engine.Output, made *delta.Head) (bool, error) {
	if made == nil {
		return false, nil
	}
	for i, p := range out.Progress {
		if v, ok := made.AppVersion(p.AppID); ok && v > p.Version {
			if err := a.overtaken(ctx, m.Reads[i], delta.Version(v)); err != nil {
				return false, err
			}
		}
	}
	return out.Applied(made), nil
}

// overtaken checks that a version that another run has seen exists by now. Where it does not the table was made anew.
func (a *aggregation) overtaken(ctx context.Context, name string, seen delta.Version) error {
	h, err := a.silver(name).Head(ctx)
	if err != nil {
		return fmt.Errorf("read silver table %s: %w", name, err)
	}
	if h.Version() < seen {
		return fmt.Errorf("it is made from version %d of silver table %s, which has only %d and was made anew: delete the gold table, it will be computed again", seen, name, h.Version())
	}
	return nil
}

package silver

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/sync/errgroup"

	"launchlake/internal/delta"
	"launchlake/internal/engine"
)

// heads tell how far the tables are. Those of tables that do not exist are nil.
type heads struct{ bronze, target, quarantine *delta.Head }

func (r *refinement) heads(ctx context.Context) (heads, error) {
	var h heads
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() (err error) {
		if h.bronze, err = r.bronze(ctx); err != nil {
			return fmt.Errorf("read bronze: %w", err)
		}
		return nil
	})
	group.Go(func() (err error) {
		h.target, err = progressOf(ctx, r.tables.Target, AppID(r.contract))
		return err
	})
	group.Go(func() (err error) {
		h.quarantine, err = progressOf(ctx, r.tables.Quarantine, QuarantineAppID(r.contract))
		return err
	})
	return h, group.Wait()
}

// bronze is Bronze at the version that is asked for.
func (r *refinement) bronze(ctx context.Context) (*delta.Head, error) {
	if v := r.options.BronzeVersion; v != nil {
		return r.tables.Bronze.HeadAt(ctx, *v)
	}
	return r.tables.Bronze.Head(ctx)
}

func progressOf(ctx context.Context, table *delta.Table, app string) (*delta.Head, error) {
	h, err := table.Head(ctx)
	if errors.Is(err, delta.ErrNotATable) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read progress %s: %w", app, err)
	}
	return h, nil
}

// seen is the version of Bronze that is in both tables; NoVersion when there is none. The tables' versions are noted as
// they stand when nothing is to be done.
func (r *refinement) seen(h heads, result *Result) delta.Version {
	return min(seenBy(h.target, AppID(r.contract), &result.Target), seenBy(h.quarantine, QuarantineAppID(r.contract), &result.Quarantine))
}

func seenBy(h *delta.Head, app string, idle *engine.Published) delta.Version {
	*idle = engine.Published{AlreadyApplied: true, Before: engine.NoVersion, After: engine.NoVersion}
	if h == nil {
		return engine.NoVersion
	}
	idle.Before, idle.After = h.Version(), h.Version()
	if v, ok := h.AppVersion(app); ok {
		return delta.Version(v)
	}
	return engine.NoVersion
}

// open reads the files of the tables, and gives Bronze. The others are opened to publish into, which then has less to read.
func (h heads) open(ctx context.Context) (*delta.Snapshot, error) {
	var bronze *delta.Snapshot
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() (err error) {
		bronze, err = h.bronze.Snapshot(ctx)
		return err
	})
	for _, to := range []*delta.Head{h.target, h.quarantine} {
		if to != nil {
			group.Go(func() error {
				_, err := to.Snapshot(ctx)
				return err
			})
		}
	}
	return bronze, group.Wait()
}

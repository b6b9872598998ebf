// Package silver refines raw records into a clean table, under a contract.
//
// [Refine] reads the records that came to a Bronze table since it last looked, parses them by a contract, holds every row
// against the contract's rules, and merges the newest good row of each key into the target. What breaks a rule is dropped
// or put into the quarantine with the names of all rules that it broke and its raw record; a rule that must not be
// broken stops everything before anything is published.
//
// How far Bronze was read is committed with the rows, for the target and the quarantine each by itself. A refinement
// that was killed at any moment is simply done again: the target takes only rows newer than its own, and the quarantine only
// records that it does not hold.
//
// The package makes SQL and counts; what runs it is an [engine.Engine].
package silver

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"golang.org/x/sync/errgroup"

	"launchlake/internal/contract"
	"launchlake/internal/delta"
	"launchlake/internal/engine"
)

// Tables are where records come from and go to.
type Tables struct {
	Bronze     *delta.Table
	Target     *delta.Table
	Quarantine *delta.Table
}

// Options adjust Refine; the zero value serves.
type Options struct {
	// BronzeVersion is the version up to which Bronze is read; nil: the latest.
	BronzeVersion *delta.Version

	// AcceptBroken publishes although a limit of the contract is broken: the records that break rules go to quarantine, as ever.
	// Rules of action fail hold all the same.
	AcceptBroken bool

	RunID  string           // kept with quarantined records and in the tables' histories
	Now    func() time.Time // nil: time.Now
	Logger *slog.Logger     // nil: silent
}

// Result is what Refine did.
type Result struct {
	NothingNew bool          // Bronze holds no files that the target and the quarantine have not seen; nothing was committed
	Bronze     delta.Version // up to which Bronze is in now
	Counts     Counts
	Rules      []RuleCount // in the contract's order, the built-in ones first
	Target     engine.Published
	Quarantine engine.Published
}

// Counts tells what became of the records read. Read = Good + Quarantined + Dropped.
type Counts struct {
	Read        int64
	Good        int64
	Superseded  int64 // good ones that a newer one of the same key, read with them, replaced
	Quarantined int64 // the same record read twice counts twice, and is in the quarantine once
	Dropped     int64
}

// RuleCount is how many records broke a rule.
type RuleCount struct {
	Rule   string
	Action contract.Action
	Broken int64
}

// ErrContractBroken is matched by a *[ContractError].
var ErrContractBroken = errors.New("data contract broken")

// ContractError is a rule of action fail that records broke, or a limit that they broke together. Nothing was published.
type ContractError struct {
	Rule    string
	Message string
	Broken  int64  // records
	Example string // hash of one of them in Bronze
}

func (e *ContractError) Error() string {
	return fmt.Sprintf("data contract broken: rule %s: %s (%d records, one has sha256 %s in Bronze); nothing was published",
		e.Rule, e.Message, e.Broken, e.Example)
}

// Is makes the error match ErrContractBroken.
func (e *ContractError) Is(target error) bool { return target == ErrContractBroken }

// AppID names the progress of a contract's table in that table.
func AppID(c *contract.Contract) string { return "refine:" + c.Name }

// QuarantineAppID names the progress of a contract's quarantine in the quarantine.
func QuarantineAppID(c *contract.Contract) string { return "refine:" + c.Name + "_quarantine" }

// Refine brings the target and the quarantine up to a version of Bronze, the latest when the options name none. e must be a new session.
func Refine(ctx context.Context, e engine.Engine, c *contract.Contract, t Tables, o Options) (Result, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	r := refinement{engine: e, contract: c, tables: t, options: o}
	result, err := r.run(ctx)
	if err != nil {
		return result, fmt.Errorf("refine %s: %w", c.Name, err)
	}
	return result, nil
}

// refinement is one Refine.
type refinement struct {
	engine   engine.Engine
	contract *contract.Contract
	tables   Tables
	options  Options
	plan     plan
}

func (r *refinement) run(ctx context.Context) (Result, error) {
	heads, err := r.heads(ctx)
	if err != nil {
		return Result{}, err
	}
	result := Result{Bronze: heads.bronze.Version()}
	seen := r.seen(heads, &result)
	if seen == heads.bronze.Version() {
		result.NothingNew = true
		return result, nil
	}
	engine.Begin(ctx, r.engine)
	bronze, err := heads.open(ctx)
	if err != nil {
		return result, err
	}
	files, err := r.newFiles(ctx, bronze, seen)
	if err != nil {
		return result, err
	}
	if len(files) == 0 {
		result.NothingNew = true
		return result, nil
	}
	if r.plan, err = newPlan(r.contract); err != nil {
		return result, err
	}
	if err := r.evaluate(ctx, bronze, files); err != nil {
		return result, err
	}
	if result.Counts, result.Rules, err = r.count(ctx); err != nil {
		return result, err
	}
	r.options.Logger.InfoContext(ctx, "records checked", slog.Int64("bronze_version", int64(result.Bronze)), slog.Int("files", len(files)),
		slog.Int64("read", result.Counts.Read), slog.Int64("good", result.Counts.Good), slog.Int64("quarantined", result.Counts.Quarantined), slog.Int64("dropped", result.Counts.Dropped))
	if err := r.failed(ctx, result.Rules); err != nil {
		return result, err
	}
	if err := r.exceeded(ctx, result.Counts); err != nil {
		return result, err
	}
	return result, r.publish(ctx, &result)
}

// evaluate parses the records and holds them against the rules, once.
func (r *refinement) evaluate(ctx context.Context, bronze *delta.Snapshot, files []engine.File) error {
	if err := r.engine.Bind(ctx, relBronze, engine.Input{Snapshot: bronze, Files: files}); err != nil {
		return err
	}
	if err := r.engine.Define(ctx, relRecords, r.plan.records(), engine.EachTime); err != nil {
		return err
	}
	if err := r.engine.Parse(ctx, relParsed, r.plan.documents()); err != nil {
		return err
	}
	return r.engine.Define(ctx, relChecked, r.plan.checked(), engine.Once)
}

// publish commits the quarantine before the target, for a record is never left out of both. When none goes to the quarantine both may be
// committed at once.
func (r *refinement) publish(ctx context.Context, result *Result) error {
	if result.Counts.Quarantined > 0 {
		if err := r.publishQuarantine(ctx, result); err != nil {
			return err
		}
		return r.publishTarget(ctx, result)
	}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return r.publishQuarantine(ctx, result) })
	group.Go(func() error { return r.publishTarget(ctx, result) })
	return group.Wait()
}

func (r *refinement) publishQuarantine(ctx context.Context, result *Result) (err error) {
	result.Quarantine, err = r.engine.Publish(ctx, r.plan.quarantined(r.options.RunID, r.options.Now()), engine.Output{
		Table:        r.tables.Quarantine,
		Mode:         engine.Merge,
		Keys:         []string{"sha256"},
		Progress:     progress(QuarantineAppID(r.contract), result.Bronze),
		Schema:       QuarantineSchema(),
		Name:         r.contract.Name + "_quarantine",
		Description:  "Records of " + r.contract.Name + " that broke a rule, with the rules' names and the raw record.",
		UserMetadata: r.options.RunID,
	})
	return err
}

func (r *refinement) publishTarget(ctx context.Context, result *Result) (err error) {
	result.Target, err = r.engine.Publish(ctx, r.plan.newest(result.Counts), engine.Output{
		Table:        r.tables.Target,
		Mode:         engine.Merge,
		Keys:         r.contract.Keys(),
		Newer:        r.plan.newer(),
		Progress:     progress(AppID(r.contract), result.Bronze),
		Schema:       r.contract.Schema(),
		Name:         r.contract.Name,
		Description:  r.contract.Description,
		UserMetadata: r.options.RunID,
	})
	return err
}

func progress(app string, bronze delta.Version) []engine.Progress {
	return []engine.Progress{{AppID: app, Version: int64(bronze)}}
}

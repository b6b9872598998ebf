// Package refine is the job that cleans what is new in Bronze into the Silver tables of every contract.
//
// It puts the parts together: the lake's tables, the contracts, the engine; and what became of the records for the
// process's result. How records are refined is said in package silver.
package refine

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"

	"launchlake/internal/contract"
	"launchlake/internal/delta"
	"launchlake/internal/lake"
	"launchlake/internal/silver"
	"launchlake/internal/task"
	"launchlake/internal/task/engines"
)

// Config is the environment of the task.
type Config struct {
	task.Common
	engines.Config
	BronzeVersion int64 `envconfig:"BRONZE_VERSION" default:"-1" desc:"read bronze/launches up to this version; -1: the latest"`
	AcceptBroken  bool  `envconfig:"ACCEPT_BROKEN" default:"false" desc:"publish although a limit of the contract is broken; what breaks a rule goes to quarantine"`
}

// Validate checks what the types of the variables do not say.
func (c *Config) Validate() error {
	if c.BronzeVersion < task.NoVersion {
		return task.BadValue("BRONZE_VERSION", strconv.FormatInt(c.BronzeVersion, 10), "a version, or -1")
	}
	return c.CheckEngine()
}

// options are those of silver.Refine.
func (c *Config) options(log *slog.Logger) silver.Options {
	o := silver.Options{AcceptBroken: c.AcceptBroken, RunID: c.RunID, Logger: log}
	if c.BronzeVersion != task.NoVersion {
		o.BronzeVersion = new(delta.Version(c.BronzeVersion))
	}
	return o
}

// Job is the task refine, configured by the environment.
func Job() task.Job {
	config := new(Config)
	return task.Job{
		Name:    "refine",
		Summary: "cleans what is new in Bronze into Silver, by contract; what breaks a rule goes to quarantine",
		Config:  config,
		Run: func(ctx context.Context) (task.Result, error) {
			return Run(ctx, *config, slog.Default())
		},
	}
}

// Run refines once.
func Run(ctx context.Context, c Config, log *slog.Logger) (task.Result, error) {
	l, err := lake.Open(ctx, c.Lake())
	if err != nil {
		return task.Result{}, err
	}
	var result task.Result
	nothingNew := true
	for _, name := range contract.Names() {
		done, err := refine(ctx, c, l, name, log)
		result.Tables = append(result.Tables, done.tables...)
		if err != nil {
			return result, err
		}
		nothingNew = nothingNew && done.NothingNew
	}
	if nothingNew {
		result.Status = task.StatusNothingNew
	}
	return result, nil
}

// refined is what was done under one contract.
type refined struct {
	silver.Result
	tables []task.Table
}

func refine(ctx context.Context, c Config, l *lake.Lake, name string, log *slog.Logger) (refined, error) {
	rules, err := contract.Load(name)
	if err != nil {
		return refined{}, task.Fail(task.BadConfig, err)
	}
	sql := c.OnDemand(l)
	defer sql.Close()
	source, quarantine := "bronze/"+name, rules.Table+"_quarantine"
	done, err := silver.Refine(ctx, sql, rules, silver.Tables{
		Bronze:     l.Table(source),
		Target:     l.Table(rules.Table),
		Quarantine: l.Table(quarantine),
	}, c.options(log.With("table", rules.Table)))
	if err != nil {
		return refined{}, classify(fmt.Errorf("%s of %s: %w", source, l, err))
	}
	broken := rulesBroken(done.Rules)
	if len(broken) > 0 {
		log.InfoContext(ctx, "rules broken", "table", rules.Table, "records", broken)
	}
	return refined{done, tables(rules.Table, quarantine, done)}, nil
}

func classify(err error) error {
	switch {
	case errors.Is(err, silver.ErrContractBroken):
		return task.Fail(task.ContractBroken, err)
	case errors.Is(err, delta.ErrNotATable):
		return task.Fail(task.BadConfig, fmt.Errorf("%w: run ingest first, or check LAKE_URL", err))
	}
	return engines.Classify(err)
}

// tables says in the process's words what became of the tables.
func tables(target, quarantine string, done silver.Result) []task.Table {
	if done.NothingNew {
		return nil
	}
	return []task.Table{
		{
			Name:          target,
			VersionBefore: int64(done.Target.Before),
			Version:       int64(done.Target.After),
			RowsIn:        done.Counts.Read,
			RowsOut:       done.Target.Inserted,
			RowsUpdated:   done.Target.Updated,
			Quarantined:   done.Counts.Quarantined,
			FilesAdded:    int64(done.Target.FilesAdded),
			FilesRemoved:  int64(done.Target.FilesRemoved),
			RulesBroken:   rulesBroken(done.Rules),
		},
		{
			Name:          quarantine,
			VersionBefore: int64(done.Quarantine.Before),
			Version:       int64(done.Quarantine.After),
			RowsIn:        done.Counts.Quarantined,
			RowsOut:       done.Quarantine.Inserted,
			FilesAdded:    int64(done.Quarantine.FilesAdded),
			FilesRemoved:  int64(done.Quarantine.FilesRemoved),
		},
	}
}

// rulesBroken counts the records by the rule that they broke; nil when none did.
func rulesBroken(counts []silver.RuleCount) map[string]int64 {
	var broken map[string]int64
	for _, c := range counts {
		if c.Broken == 0 {
			continue
		}
		if broken == nil {
			broken = map[string]int64{}
		}
		broken[c.Rule] = c.Broken
	}
	return broken
}

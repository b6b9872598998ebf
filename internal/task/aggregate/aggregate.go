// Package aggregate is the job that makes the Gold tables of what is new in Silver.
//
// It puts the parts together: the lake's tables, the engine; and what became of the tables for the process's result. What
// the tables hold is said in package gold.
package aggregate

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"

	"launchlake/internal/delta"
	"launchlake/internal/gold"
	"launchlake/internal/lake"
	"launchlake/internal/task"
	"launchlake/internal/task/engines"
)

// Config is the environment of the task.
type Config struct {
	task.Common
	engines.Config
	SilverVersion int64 `envconfig:"SILVER_VERSION" default:"-1" desc:"read silver/launches at this version; -1: the latest"`
}

// Validate checks what the types of the variables do not say.
func (c *Config) Validate() error {
	if c.SilverVersion < task.NoVersion {
		return task.BadValue("SILVER_VERSION", strconv.FormatInt(c.SilverVersion, 10), "a version, or -1")
	}
	return c.CheckEngine()
}

// options are those of gold.Aggregate.
func (c *Config) options(log *slog.Logger) gold.Options {
	o := gold.Options{RunID: c.RunID, Logger: log}
	if c.SilverVersion != task.NoVersion {
		o.SilverVersions = map[string]delta.Version{"launches": delta.Version(c.SilverVersion)}
	}
	return o
}

// Job is the task aggregate, configured by the environment.
func Job() task.Job {
	config := new(Config)
	return task.Job{
		Name:    "aggregate",
		Summary: "makes the Gold tables of what is new in Silver, one SQL model a table",
		Config:  config,
		Run: func(ctx context.Context) (task.Result, error) {
			return Run(ctx, *config, slog.Default())
		},
	}
}

// Run aggregates once.
func Run(ctx context.Context, c Config, log *slog.Logger) (task.Result, error) {
	l, err := lake.Open(ctx, c.Lake())
	if err != nil {
		return task.Result{}, err
	}
	sql := c.OnDemand(l)
	defer sql.Close()
	layer := func(name string) gold.Tables {
		return func(table string) *delta.Table { return l.Table(name + "/" + table) }
	}
	done, err := gold.Aggregate(ctx, sql, layer("silver"), layer("gold"), c.options(log))
	result := task.Result{}
	for _, made := range done.Models {
		result.Tables = append(result.Tables, table(made))
	}
	switch {
	case errors.Is(err, delta.ErrNotATable):
		return result, task.Fail(task.BadConfig, fmt.Errorf("%w in %s: run refine first, or check LAKE_URL", err, l))
	case err != nil:
		return result, engines.Classify(err)
	case done.NothingNew:
		result.Status = task.StatusNothingNew
	}
	return result, nil
}

// table says in the process's words what became of a table.
func table(made gold.ModelResult) task.Table {
	p := made.Published
	return task.Table{
		Name:          "gold/" + made.Model,
		VersionBefore: int64(p.Before),
		Version:       int64(p.After),
		RowsOut:       p.Inserted,
		FilesAdded:    int64(p.FilesAdded),
		FilesRemoved:  int64(p.FilesRemoved),
	}
}

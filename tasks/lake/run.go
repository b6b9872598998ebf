package main

import (
	"cmp"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"launchlake/internal/lake"
	"launchlake/internal/task"
	"launchlake/internal/task/aggregate"
	"launchlake/internal/task/ingest"
	"launchlake/internal/task/refine"
)

type runCommand struct {
	Quiet bool
}

func newRunCommand(s *session) *cobra.Command {
	var c runCommand
	cmd := &cobra.Command{
		Use:   "run",
		Short: "Run ingest, refine and aggregate, and show what they did. Configured by the tasks' environment.",
		Args:  exactly(),
		RunE:  func(*cobra.Command, []string) error { return c.Run(s) },
	}
	addSwitch(cmd.Flags(), &c.Quiet, "quiet", "Only the summary, without rows of the Gold tables.")
	return cmd
}

func (c runCommand) Run(s *session) error {
	// The log of a run that a person watches tells what goes wrong; LOG_LEVEL=info shows each step.
	if os.Getenv("LOG_LEVEL") == "" {
		_ = os.Setenv("LOG_LEVEL", "warn")
	}
	jobs, err := pipeline(s)
	if err != nil {
		return err
	}
	start := time.Now()
	var results []task.Result
	var failed error
	for _, job := range jobs {
		fmt.Fprintf(s.log, "%s …\n", job.Name)
		result, err := task.Attempt(s.ctx, job, s.log)
		results = append(results, result)
		failed = cmp.Or(failed, err)
		// A spent budget is a pause of the source only: what has come is refined.
		if err != nil && task.CodeOf(err) != task.BudgetSpent {
			break
		}
	}
	if err := c.report(s, results, failed, time.Since(start)); err != nil {
		return err
	}
	return failed
}

// pipeline configures the three tasks before the first is run. They are one run, of one id.
func pipeline(s *session) ([]task.Job, error) {
	jobs := []task.Job{ingest.Job(), refine.Job(), aggregate.Job()}
	if os.Getenv("RUN_ID") == "" {
		_ = os.Setenv("RUN_ID", task.NewRunID())
	}
	for _, job := range jobs {
		if err := loadConfig(s, job.Config); err != nil {
			return nil, err
		}
	}
	return jobs, nil
}

func (c runCommand) report(s *session, results []task.Result, failed error, took time.Duration) error {
	fmt.Fprintln(s.out)
	if err := task.Summary(s.out, results); err != nil {
		return err
	}
	changed := false
	for _, result := range results {
		changed = changed || result.Status != task.StatusNothingNew
	}
	if !changed {
		fmt.Fprintf(s.out, "\nNothing new at the source: nothing was written. (%s)\n", took.Round(time.Millisecond))
		return nil
	}
	if failed == nil && !c.Quiet {
		if err := showGold(s); err != nil {
			return err
		}
	}
	fmt.Fprintf(s.out, "\nThe lake is %s; it took %s. Look around with `lake tables` and `lake query`.\n",
		s.config.URL, took.Round(time.Millisecond))
	return nil
}

// glimpses are the queries whose first rows end a run.
var glimpses = []struct{ title, table, query string }{
	{"The busiest rockets", "gold/rocket_reliability", `SELECT rocket_name, attempts, successes, success_rate, current_streak, days_since_last_failure
FROM gold.rocket_reliability ORDER BY attempts DESC, rocket_name LIMIT 5`},
	{"The latest years", "gold/launches_by_period", `SELECT period, attempts, successes, failures, partial_failures, success_rate
FROM gold.launches_by_period WHERE period_type = 'year' ORDER BY period DESC LIMIT 5`},
	{"What comes next", "gold/upcoming_manifest", `SELECT name, net, net_precision_name AS precision, days_until, pad_name
FROM gold.upcoming_manifest WHERE NOT is_overdue ORDER BY position LIMIT 5`},
}

func showGold(s *session) error {
	l, err := lake.Open(s.ctx, s.config)
	if err != nil {
		return err
	}
	sql, err := openEngine(s)
	if err != nil {
		return err
	}
	defer sql.Close()
	for _, g := range glimpses {
		if err := firstRows(s.ctx, s, l, sql, g.title, g.table, g.query); err != nil {
			return err
		}
	}
	return nil
}

package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"launchlake/internal/delta"
	"launchlake/internal/engine"
	"launchlake/internal/task"
	"launchlake/internal/task/engines"
)

type catCommand struct {
	Table string
	at
	Changes string
	Columns []string
	Where   string
	Limit   int64
	Format  string
}

func newCatCommand(s *session) *cobra.Command {
	var c catCommand
	cmd := &cobra.Command{
		Use:   "cat TABLE",
		Short: "Print a table's rows as JSON lines. Reads any Delta table.",
		Args:  exactly("TABLE"),
		RunE: func(_ *cobra.Command, args []string) error {
			c.Table = args[0]
			return c.Run(s)
		},
	}
	describeUsage(cmd, "", "TABLE", tableArgument)
	flags := cmd.Flags()
	c.at.addFlags(cmd, "changes")
	addOption(flags, &c.Changes, "changes", "FROM:TO", asIs,
		"The rows that the commits FROM to TO changed, both included, and how: versions or times; TO may be left out.")
	addList(flags, &c.Columns, "columns", "A,B", "Only these columns.")
	addOption(flags, &c.Where, "where", "SQL", asIs, "Only rows for which this SQL condition is true; of files that cannot hold such rows nothing is read.")
	addOption(flags, &c.Limit, "limit", "N", wholeNumber, "At most this many rows; 0: all.")
	addFormat(flags, &c.Format, "json, csv or table.", "json", "csv", "table")
	return cmd
}

func (c catCommand) Run(s *session) error {
	t, err := s.table(c.Table)
	if err != nil {
		return err
	}
	input, err := c.input(s, t)
	if err != nil {
		return err
	}
	sql, err := openEngine(s)
	if err != nil {
		return err
	}
	defer sql.Close()
	if err := sql.Bind(s.ctx, "cat", input); err != nil {
		return fmt.Errorf("%s: %w", c.Table, err)
	}
	rows, err := sql.Query(s.ctx, c.query())
	if err != nil {
		return fmt.Errorf("%s: %w", c.Table, err)
	}
	return writeRows(s.out, rows, c.Format)
}

func (c catCommand) input(s *session, t *delta.Table) (engine.Input, error) {
	if c.Changes == "" {
		snapshot, err := c.snapshot(s, t, c.Table)
		return engine.Input{Snapshot: snapshot, Where: c.Where}, err
	}
	r, err := parseRange(c.Changes)
	if err != nil {
		return engine.Input{}, task.Fail(task.BadConfig, fmt.Errorf("--changes: %w", err))
	}
	changes, err := r.read(s.ctx, t)
	return engine.Input{Changes: changes}, readFailure(c.Table, err)
}

func (c catCommand) query() string {
	columns := "*"
	if len(c.Columns) > 0 {
		quoted := make([]string, len(c.Columns))
		for i, name := range c.Columns {
			quoted[i] = `"` + strings.ReplaceAll(strings.TrimSpace(name), `"`, `""`) + `"`
		}
		columns = strings.Join(quoted, ", ")
	}
	query := "SELECT " + columns + " FROM cat"
	if c.Where != "" && c.Changes != "" {
		query += " WHERE (" + c.Where + "\n)"
	}
	if c.Changes != "" {
		query += ` ORDER BY "` + engine.CommitVersion + `"`
	}
	if c.Limit > 0 {
		query += fmt.Sprintf(" LIMIT %d", c.Limit)
	}
	return query
}

// engineEnvironment is the tasks' environment as far as it is about the engine.
type engineEnvironment struct {
	task.Common
	engines.Config
}

// Validate is called by task.Load.
func (c *engineEnvironment) Validate() error { return c.CheckEngine() }

// openEngine starts the engine of this process as the tasks' environment says; ENGINE is for the tasks.
func openEngine(s *session) (engine.Engine, error) {
	var environment engineEnvironment
	if err := loadConfig(s, &environment); err != nil {
		return nil, err
	}
	return environment.OpenHere(s.ctx)
}

package main

import (
	"fmt"
	"strings"

	"launchlake/internal/delta"
	"launchlake/internal/engine"
	"launchlake/internal/task"
	"launchlake/internal/task/engines"
)

type catCommand struct {
	Table string `arg:"" help:"Name in the lake, or URL of any Delta table."`
	at
	Changes string   `help:"The rows that the commits FROM to TO changed, both included, and how: versions or times; TO may be left out." xor:"at" placeholder:"FROM:TO"`
	Columns []string `help:"Only these columns." placeholder:"A,B"`
	Where   string   `help:"Only rows for which this SQL condition is true." placeholder:"SQL"`
	Limit   int64    `help:"At most this many rows; 0: all." placeholder:"N"`
	Format  string   `help:"json, csv or table." enum:"json,csv,table" default:"json"`
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
		return engine.Input{Snapshot: snapshot}, err
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
	if c.Where != "" {
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

// openEngine starts the engine as the tasks' environment says.
func openEngine(s *session) (engine.Engine, error) {
	var environment engineEnvironment
	if err := loadConfig(s, &environment); err != nil {
		return nil, err
	}
	return environment.Open(s.ctx)
}

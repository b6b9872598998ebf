package main

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"launchlake/internal/engine"
	"launchlake/internal/lake"
	"launchlake/internal/task"
)

type queryCommand struct {
	SQL string
	at
	Format string
}

const queryHelp = `Tables go by their names in the lake with a dot for the slash. --version and --as-of hold for every table
of the query.`

func newQueryCommand(s *session) *cobra.Command {
	var c queryCommand
	cmd := &cobra.Command{
		Use:   "query SQL",
		Short: "Run SQL over the lake's tables, such as gold.provider_scorecard.",
		Args:  exactly("SQL"),
		RunE: func(_ *cobra.Command, args []string) error {
			c.SQL = args[0]
			return c.Run(s)
		},
	}
	describeUsage(cmd, queryHelp, "SQL", "A query over tables such as gold.provider_scorecard or silver.launches.")
	c.at.addFlags(cmd)
	addFormat(cmd.Flags(), &c.Format, "table, json or csv.", "table", "json", "csv")
	return cmd
}

func (c queryCommand) Run(s *session) error {
	l, err := lake.Open(s.ctx, s.config)
	if err != nil {
		return err
	}
	sql, err := openEngine(s)
	if err != nil {
		return err
	}
	defer sql.Close()
	if err := c.bindTables(s, l, sql); err != nil {
		return err
	}
	rows, err := sql.Query(s.ctx, c.SQL)
	if err != nil {
		return err
	}
	return writeRows(s.out, rows, c.Format)
}

// bindTables gives the query the tables that it names.
func (c queryCommand) bindTables(s *session, l *lake.Lake, sql engine.Engine) error {
	names, err := l.Tables(s.ctx)
	if err != nil {
		return err
	}
	bound := false
	for _, name := range names {
		sqlName := strings.ReplaceAll(name, "/", ".")
		if !mentions(c.SQL, sqlName) {
			continue
		}
		snapshot, err := c.snapshot(s, l.Table(name), name)
		if err != nil {
			return err
		}
		if err := sql.Bind(s.ctx, sqlName, engine.Input{Snapshot: snapshot}); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		bound = true
	}
	if !bound && layerTable.MatchString(c.SQL) {
		return task.Fail(task.BadConfig, fmt.Errorf("the query names no table of %s, which has %s", l, sqlNames(names)))
	}
	return nil
}

var layerTable = regexp.MustCompile(`(?i)\b(bronze|silver|gold|ops)\.`)

// mentions is whether the name of a table occurs in the query as a whole, quoted or not.
func mentions(query, name string) bool {
	plain := strings.ReplaceAll(query, `"`, "")
	found, _ := regexp.MatchString(`(?i)(^|[^\w.])`+regexp.QuoteMeta(name)+`($|[^\w])`, plain)
	return found
}

func sqlNames(tables []string) string {
	names := slices.Clone(tables)
	for i := range names {
		names[i] = strings.ReplaceAll(names[i], "/", ".")
	}
	if len(names) == 0 {
		return "no tables yet (`lake run` makes them)"
	}
	return strings.Join(names, ", ")
}

// firstRows prints the first rows of a query over one table, under a title.
func firstRows(ctx context.Context, s *session, l *lake.Lake, sql engine.Engine, title, table, query string) error {
	snapshot, err := l.Table(table).Snapshot(ctx)
	if err != nil {
		return fmt.Errorf("%s: %w", table, err)
	}
	if err := sql.Bind(ctx, strings.ReplaceAll(table, "/", "."), engine.Input{Snapshot: snapshot}); err != nil {
		return fmt.Errorf("%s: %w", table, err)
	}
	rows, err := sql.Query(ctx, query)
	if err != nil {
		return fmt.Errorf("%s: %w", table, err)
	}
	fmt.Fprintf(s.out, "\n%s  (%s)\n", title, table)
	return writeRows(s.out, rows, "table")
}

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"launchlake/internal/delta"
	"launchlake/internal/lake"
	"launchlake/internal/task"
)

// tableURL is whether a table is named by where it lies and not by its name in the lake.
func tableURL(table string) bool {
	return strings.Contains(table, "://") || strings.HasPrefix(table, ".") || filepath.IsAbs(table)
}

// table finds a table by its name in the lake or by its URL.
func (s *session) table(name string) (*delta.Table, error) {
	config := s.config
	if tableURL(name) {
		config.URL = name
	}
	l, err := lake.Open(s.ctx, config)
	if err != nil {
		return nil, err
	}
	if tableURL(name) {
		return delta.OpenWith(l.Store(), delta.Options{Location: l.String()}), nil
	}
	return l.Table(name), nil
}

// someTables are the tables that a command works on.
type someTables struct {
	Tables []string
	All    bool
}

func (n *someTables) addFlags(cmd *cobra.Command) {
	cmd.Args = func(_ *cobra.Command, args []string) error {
		n.Tables = args
		return nil
	}
	addSwitch(cmd.Flags(), &n.All, "all", "Every table of the lake.")
}

// each does the work for one table after the other. One that fails does not keep the others from it.
func (n someTables) each(s *session, work func(*session, string, *delta.Table) error) error {
	names := n.Tables
	if n.All == (len(names) > 0) {
		return task.Fail(task.BadConfig, errors.New("name the tables, or all of the lake by --all"))
	}
	if n.All {
		l, err := lake.Open(s.ctx, s.config)
		if err != nil {
			return err
		}
		if names, err = l.Tables(s.ctx); err != nil {
			return err
		}
	}
	var failures []error
	for _, name := range names {
		t, err := s.table(name)
		if err == nil {
			err = work(s, name, t)
		}
		if err != nil {
			failures = append(failures, err)
		}
		if s.ctx.Err() != nil {
			break
		}
	}
	return errors.Join(failures...)
}

// at chooses a version of a table.
type at struct {
	Version *int64
	AsOf    string
}

// addFlags adds --version and --as-of, of which one only can be given; with others only one of all.
func (a *at) addFlags(cmd *cobra.Command, others ...string) {
	addOption(cmd.Flags(), &a.Version, "version", "N", orNone(wholeNumber), "At this version.")
	addOption(cmd.Flags(), &a.AsOf, "as-of", "TIME", asIs,
		"As it was at this time: 2026-01-02, 2026-01-02T03:04 or with seconds and offset; UTC unless it says otherwise.")
	notTogether(cmd, append([]string{"version", "as-of"}, others...)...)
}

var timeForms = []string{time.RFC3339Nano, "2006-01-02T15:04:05", "2006-01-02 15:04:05", "2006-01-02T15:04", "2006-01-02"}

func parseTime(text string) (time.Time, bool) {
	for _, form := range timeForms {
		if moment, err := time.Parse(form, text); err == nil {
			return moment, true
		}
	}
	return time.Time{}, false
}

func (a at) snapshot(s *session, t *delta.Table, name string) (*delta.Snapshot, error) {
	snapshot, err := a.read(s, t)
	return snapshot, readFailure(name, err)
}

// readFailure says of which table an error is, and what to do when there is no table.
func readFailure(name string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, delta.ErrNotATable):
		return task.Fail(task.BadConfig, fmt.Errorf("%s: %w; `lake tables` lists those of the lake", name, err))
	}
	return fmt.Errorf("%s: %w", name, err)
}

func (a at) read(s *session, t *delta.Table) (*delta.Snapshot, error) {
	switch {
	case a.Version != nil:
		return t.SnapshotAt(s.ctx, delta.Version(*a.Version))
	case a.AsOf != "":
		if moment, ok := parseTime(a.AsOf); ok {
			return t.SnapshotAsOf(s.ctx, moment)
		}
		return nil, task.Fail(task.BadConfig, fmt.Errorf("--as-of: %q is no time such as 2026-01-02T03:04:05Z", a.AsOf))
	}
	return t.Snapshot(s.ctx)
}

type tablesCommand struct {
	Format string
}

func newTablesCommand(s *session) *cobra.Command {
	var c tablesCommand
	cmd := &cobra.Command{
		Use:   "tables",
		Short: "List the lake's tables.",
		Args:  exactly(),
		RunE:  func(*cobra.Command, []string) error { return c.Run(s) },
	}
	addFormat(cmd.Flags(), &c.Format, "table, or json: an object a line.", "table", "json")
	return cmd
}

// tableLine is one table in the list.
type tableLine struct {
	Table   string    `json:"table"`
	Version int64     `json:"version"`
	Rows    *int64    `json:"rows"` // null when the statistics do not say
	Files   int       `json:"files"`
	Bytes   int64     `json:"bytes"`
	Changed time.Time `json:"changed"`
	Error   string    `json:"error,omitempty"` // why it cannot be read
}

func (c tablesCommand) Run(s *session) error {
	l, err := lake.Open(s.ctx, s.config)
	if err != nil {
		return err
	}
	names, err := l.Tables(s.ctx)
	if err != nil {
		return err
	}
	if len(names) == 0 {
		fmt.Fprintf(s.log, "%s has no tables yet: `lake run` makes them\n", l)
		return nil
	}
	var lines []tableLine
	for _, name := range names {
		lines = append(lines, s.describe(l, name))
	}
	if c.Format == "json" {
		return writeJSONLines(s.out, lines)
	}
	return writeTables(s.out, lines)
}

func (s *session) describe(l *lake.Lake, name string) tableLine {
	line := tableLine{Table: name, Version: task.NoVersion}
	snapshot, err := l.Table(name).Snapshot(s.ctx)
	if err != nil {
		line.Error = err.Error()
		return line
	}
	line.Version, line.Changed = int64(snapshot.Version()), snapshot.Timestamp()
	line.Files, line.Bytes = snapshot.NumFiles(), snapshot.SizeInBytes()
	if rows, known := snapshot.NumRecords(); known {
		line.Rows = &rows
	}
	return line
}

func writeTables(out io.Writer, lines []tableLine) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "TABLE\tVERSION\tROWS\tFILES\tSIZE\tCHANGED")
	for _, line := range lines {
		if line.Error != "" {
			fmt.Fprintf(w, "%s\t%s\n", line.Table, line.Error)
			continue
		}
		rows := "?"
		if line.Rows != nil {
			rows = fmt.Sprint(*line.Rows)
		}
		fmt.Fprintf(w, "%s\t%d\t%s\t%d\t%s\t%s\n", line.Table, line.Version, rows, line.Files, size(line.Bytes),
			line.Changed.Format(time.DateTime))
	}
	return w.Flush()
}

// size writes a number of bytes for people.
func size(n int64) string {
	const step = 1024
	value, unit := float64(n), "B"
	for _, larger := range []string{"KiB", "MiB", "GiB", "TiB"} {
		if value < step {
			break
		}
		value, unit = value/step, larger
	}
	if unit == "B" {
		return fmt.Sprintf("%d B", n)
	}
	return fmt.Sprintf("%.1f %s", value, unit)
}

func writeJSONLines[T any](out io.Writer, values []T) error {
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	for _, value := range values {
		if err := encoder.Encode(value); err != nil {
			return err
		}
	}
	return nil
}

type schemaCommand struct {
	Table string
	at
}

func newSchemaCommand(s *session) *cobra.Command {
	var c schemaCommand
	cmd := &cobra.Command{
		Use:   "schema TABLE",
		Short: "Show a table's columns with their meaning.",
		Args:  exactly("TABLE"),
		RunE: func(_ *cobra.Command, args []string) error {
			c.Table = args[0]
			return c.Run(s)
		},
	}
	describeUsage(cmd, "", "TABLE", tableArgument)
	c.at.addFlags(cmd)
	return cmd
}

func (c schemaCommand) Run(s *session) error {
	t, err := s.table(c.Table)
	if err != nil {
		return err
	}
	snapshot, err := c.snapshot(s, t, c.Table)
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "COLUMN\tTYPE\tNULL\tMEANING")
	for _, field := range snapshot.Schema().Fields {
		null := "yes"
		if !field.Nullable {
			null = "no"
		}
		var meaning string
		_ = json.Unmarshal(field.Metadata["comment"], &meaning) // without a comment it stays empty
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", field.Name, field.Type, null, meaning)
	}
	return w.Flush()
}

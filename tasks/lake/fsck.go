package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"launchlake/internal/delta"
	"launchlake/internal/lake"
	"launchlake/internal/objstore"
	"launchlake/internal/task"
)

type fsckCommand struct {
	Tables []string
	Deep   bool
	JSON   bool
}

const fsckHelp = `Reads the whole log, compares every checkpoint and checksum with what the commits add up to, looks for every file of the latest version, and
compares the statistics of data files with their rows. Nothing is changed. Exits with 1 when something is found.`

func newFsckCommand(s *session) *cobra.Command {
	var c fsckCommand
	cmd := &cobra.Command{
		Use:   "fsck [TABLE...]",
		Short: "Look for damage in tables: log, checkpoints, files, statistics.",
		Args:  cobra.ArbitraryArgs,
		RunE: func(_ *cobra.Command, args []string) error {
			c.Tables = args
			return c.Run(s)
		},
	}
	describeUsage(cmd, fsckHelp, "TABLE...", "Names in the lake, or URLs of any Delta tables; none: all of the lake.")
	addSwitch(cmd.Flags(), &c.Deep, "deep", "Read every data file, not only a sample.")
	addSwitch(cmd.Flags(), &c.JSON, "json", "Print an object a finding.")
	return cmd
}

// tableFinding is a finding with the table that it was made in.
type tableFinding struct {
	Table string `json:"table"`
	delta.Finding
	Advice string `json:"advice"`
}

func (c fsckCommand) Run(s *session) error {
	names, err := c.names(s)
	if err != nil {
		return err
	}
	total := 0
	for _, name := range names {
		n, err := c.check(s, name)
		if err != nil {
			return err
		}
		total += n
	}
	if total > 0 {
		return task.Fail(task.Failed, fmt.Errorf("%d findings in %d tables", total, len(names)))
	}
	return nil
}

func (c fsckCommand) names(s *session) ([]string, error) {
	if len(c.Tables) > 0 {
		return c.Tables, nil
	}
	l, err := lake.Open(s.ctx, s.config)
	if err != nil {
		return nil, err
	}
	names, err := l.Tables(s.ctx)
	if err == nil && len(names) == 0 {
		fmt.Fprintf(s.log, "%s has no tables yet: `lake run` makes them\n", l)
	}
	return names, err
}

func (c fsckCommand) check(s *session, name string) (int, error) {
	t, err := s.table(name)
	if err != nil {
		return 0, err
	}
	start, found, checked, lone := time.Now(), 0, 0, 0
	show := newProgress(s.log, name)
	options := delta.CheckOptions{Deep: c.Deep, Progress: func(p delta.CheckProgress) {
		show.step(p.Step, p.Done, p.Total)
		if p.Step == "files" {
			checked = p.Total
		}
	}, LoneVector: func(objstore.Info) { lone++ }}
	for f, err := range t.Check(s.ctx, options) {
		if errors.Is(err, delta.ErrNotATable) {
			return 0, notATable(name, err)
		}
		if err != nil {
			return 0, fmt.Errorf("%s: %w", name, err)
		}
		found++
		show.clear()
		if err := c.print(s, name, f); err != nil {
			return 0, err
		}
	}
	show.clear()
	if found == 0 && !c.JSON {
		fmt.Fprintf(s.out, "ok    %s: %d files, log and statistics are sound (%s)\n", name, checked, time.Since(start).Round(time.Millisecond))
	}
	if lone > 0 && !c.JSON {
		fmt.Fprintf(s.out, "      %s: %d files of deletion vectors that the version does not need: `lake vacuum` deletes them\n", name, lone)
	}
	return found, nil
}

func (c fsckCommand) print(s *session, name string, f delta.Finding) error {
	if c.JSON {
		return writeJSONLines(s.out, []tableFinding{{Table: name, Finding: f, Advice: f.Advice()}})
	}
	_, err := fmt.Fprintf(s.out, "FAIL  %s: %s: %s\n      %s\n      -> %s\n", name, f.Kind, f.Key, f.Detail, f.Advice())
	return err
}

func notATable(name string, err error) error {
	return task.Fail(task.BadConfig, fmt.Errorf("%s: %w; `lake tables` lists those of the lake", name, err))
}

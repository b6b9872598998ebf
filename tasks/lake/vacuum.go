package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"launchlake/internal/delta"
	"launchlake/internal/objstore"
	"launchlake/internal/task"
)

type vacuumCommand struct {
	someTables
	Retention           *time.Duration
	Lite                bool
	DryRun              bool
	ForceShortRetention bool
}

func newVacuumCommand(s *session) *cobra.Command {
	var c vacuumCommand
	cmd := &cobra.Command{
		Use:   "vacuum [TABLE...]",
		Short: "Delete files that no version of the retention needs.",
		RunE:  func(*cobra.Command, []string) error { return c.Run(s) },
	}
	describeUsage(cmd, "", "TABLE...", tablesArgument)
	c.someTables.addFlags(cmd)
	flags := cmd.Flags()
	addOption(flags, &c.Retention, "retention", "168h", orNone(time.ParseDuration),
		"Keep files younger than this, and those of versions that were the latest since; the table's own setting, a week, when not given.")
	addSwitch(flags, &c.Lite, "lite",
		"Find the files in the log, without listing the table: quick, and what was never committed stays.")
	addSwitch(flags, &c.DryRun, "dry-run", "Only list what would be deleted.")
	addSwitch(flags, &c.ForceShortRetention, "force-short-retention",
		"Allow less than 168h. Only when nobody writes, and nobody reads older versions.")
	return cmd
}

func (c vacuumCommand) Run(s *session) error { return c.each(s, c.vacuum) }

func (c vacuumCommand) vacuum(s *session, name string, t *delta.Table) error {
	show := newProgress(s.log, name)
	options := delta.VacuumOptions{Lite: c.Lite, DryRun: c.DryRun, ShortRetention: c.ForceShortRetention,
		Progress: func(done, total int) { show.step("deleted", done, total) }}
	if c.Retention != nil {
		// To the option 0 is "not given".
		if options.Retention = *c.Retention; options.Retention == 0 {
			options.Retention = time.Nanosecond
		}
	}
	if c.DryRun {
		options.File = func(f objstore.Info) { fmt.Fprintf(s.out, "%s\t%s\n", f.Key, size(f.Size)) }
	}
	done, err := t.Vacuum(s.ctx, options)
	show.clear()
	switch {
	case errors.Is(err, delta.ErrShortRetention):
		return task.Fail(task.BadConfig, fmt.Errorf("%s: %w; --force-short-retention allows it", name, err))
	case errors.Is(err, delta.ErrLogTooShort):
		return task.Fail(task.BadConfig, fmt.Errorf("%s: %w; without --lite it is not needed", name, err))
	case err != nil:
		if done.Files > 0 && !c.DryRun {
			fmt.Fprintf(s.out, "%s: deleted %d files (%s) before it failed; run it again to go on\n", name, done.Files, size(done.Bytes))
		}
		return commandError(name, err)
	}
	verb := "deleted"
	if c.DryRun {
		verb = "would delete"
	}
	fmt.Fprintf(s.out, "%s: %s %d files (%s) that no version since %s needs; %d unused files are too young\n",
		name, verb, done.Files, size(done.Bytes), done.Before.Format(time.DateTime), done.KeptYoung)
	return nil
}

// commandError names the table in an error.
func commandError(table string, err error) error {
	if errors.Is(err, delta.ErrNotATable) {
		return notATable(table, err)
	}
	return fmt.Errorf("%s: %w", table, err)
}

type cleanLogCommand struct {
	someTables
	DryRun bool
}

const cleanLogHelp = `Deletes commits and checkpoints older than the table's delta.logRetentionDuration, 30 days unless set, up to a checkpoint that was
compared with them first. Versions before it cannot be read any more.`

func newCleanLogCommand(s *session) *cobra.Command {
	var c cleanLogCommand
	cmd := &cobra.Command{
		Use:   "clean-log [TABLE...]",
		Short: "Delete what of a table's log is older than its retention.",
		RunE:  func(*cobra.Command, []string) error { return c.Run(s) },
	}
	describeUsage(cmd, cleanLogHelp, "TABLE...", tablesArgument)
	c.someTables.addFlags(cmd)
	addSwitch(cmd.Flags(), &c.DryRun, "dry-run", "Only list what would be deleted.")
	return cmd
}

func (c cleanLogCommand) Run(s *session) error { return c.each(s, c.clean) }

func (c cleanLogCommand) clean(s *session, name string, t *delta.Table) error {
	show := newProgress(s.log, name)
	options := delta.CleanLogOptions{DryRun: c.DryRun, Progress: func(done, total int) { show.step("deleted", done, total) }}
	if c.DryRun {
		options.File = func(f objstore.Info) { fmt.Fprintf(s.out, "%s\t%s\n", f.Key, size(f.Size)) }
	}
	done, err := t.CleanLog(s.ctx, options)
	show.clear()
	if err != nil {
		return commandError(name, err)
	}
	verb, can := "deleted", "can"
	if c.DryRun {
		verb, can = "would delete", "could then"
	}
	fmt.Fprintf(s.out, "%s: %s %d files (%s) of the log; versions from %d on %s be read\n", name, verb, done.Files, size(done.Bytes), done.First, can)
	return nil
}

type checkpointCommand struct{ someTables }

func newCheckpointCommand(s *session) *cobra.Command {
	var c checkpointCommand
	cmd := &cobra.Command{
		Use:   "checkpoint [TABLE...]",
		Short: "Write checkpoints of tables' latest versions.",
		RunE:  func(*cobra.Command, []string) error { return c.Run(s) },
	}
	describeUsage(cmd, "", "TABLE...", tablesArgument)
	c.someTables.addFlags(cmd)
	return cmd
}

func (c checkpointCommand) Run(s *session) error { return c.each(s, c.write) }

func (c checkpointCommand) write(s *session, name string, t *delta.Table) error {
	snapshot, err := t.Snapshot(s.ctx)
	if err == nil {
		err = t.Checkpoint(s.ctx, snapshot)
	}
	if err != nil {
		return commandError(name, err)
	}
	fmt.Fprintf(s.out, "%s: version %d has a checkpoint, of %d files\n", name, snapshot.Version(), snapshot.NumFiles())
	return nil
}

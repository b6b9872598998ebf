package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"launchlake/internal/delta"
	"launchlake/internal/task"
)

type restoreCommand struct {
	Table string
	at
	WithoutGoneFiles bool
}

const restoreHelp = `Makes the table what it was, by one commit that can itself be undone by a restore. How far the pipeline has come stays recorded: it
does not write again what a restore of Silver took away, so correct the cause and rebuild from Bronze instead when new rows are to come back.`

func newRestoreCommand(s *session) *cobra.Command {
	var c restoreCommand
	cmd := &cobra.Command{
		Use:   "restore TABLE",
		Short: "Make a table what it was at a version or time.",
		Args:  exactly("TABLE"),
		RunE: func(_ *cobra.Command, args []string) error {
			c.Table = args[0]
			return c.Run(s)
		},
	}
	describeUsage(cmd, restoreHelp, "TABLE", tableArgument)
	c.at.addFlags(cmd)
	addSwitch(cmd.Flags(), &c.WithoutGoneFiles, "without-gone-files",
		"Restore what is left of the version when a vacuum has deleted files of it.")
	return cmd
}

func (c restoreCommand) Run(s *session) error {
	if c.Version == nil && c.AsOf == "" {
		return task.Fail(task.BadConfig, errors.New("restore to what? --version N or --as-of TIME says; `lake history` lists them"))
	}
	t, err := s.table(c.Table)
	if err != nil {
		return err
	}
	snapshot, err := c.snapshot(s, t, c.Table)
	if err != nil {
		return err
	}
	done, err := t.Restore(s.ctx, snapshot.Version(), delta.RestoreOptions{WithoutGoneFiles: c.WithoutGoneFiles})
	if errors.Is(err, delta.ErrFilesGone) {
		return fmt.Errorf("%s: %w; --without-gone-files restores the rest", c.Table, err)
	}
	if err != nil {
		return commandError(c.Table, err)
	}
	if done.After == done.Before {
		fmt.Fprintf(s.out, "%s: it is as at version %d already\n", c.Table, snapshot.Version())
		return nil
	}
	fmt.Fprintf(s.out, "%s: version %d is as version %d was: %d files are back (%s), %d are out (%s)\n", c.Table, done.After,
		snapshot.Version(), done.Added, size(done.BytesAdded), done.Removed, size(done.BytesRemoved))
	for _, key := range done.Gone {
		fmt.Fprintf(s.log, "%s: %s is gone, and its rows with it\n", c.Table, key)
	}
	return nil
}

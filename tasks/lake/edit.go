package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"launchlake/internal/engine"
	"launchlake/internal/task"
)

type editCommand struct {
	Table string
	Where string
	All   bool
	Set   []string
}

const editHelp = `One commit does it, and lake restore undoes it until a vacuum. Files that hold such rows are written again; where the table's property
delta.enableDeletionVectors is true they stay, with deletion vectors, until lake optimize --purge. Where delta.enableChangeDataFeed is true
lake cat --changes shows what became of which row.

How far the pipeline has come stays recorded: it does not write again what is changed here by hand.`

func newDeleteCommand(s *session) *cobra.Command {
	var c editCommand
	cmd := &cobra.Command{
		Use:   "delete TABLE",
		Short: "Delete the rows of a table that meet a condition.",
		Args:  exactly("TABLE"),
		RunE: func(_ *cobra.Command, args []string) error {
			c.Table = args[0]
			return c.Delete(s)
		},
	}
	describeUsage(cmd, editHelp, "TABLE", tableArgument)
	c.addFlags(cmd)
	return cmd
}

func newUpdateCommand(s *session) *cobra.Command {
	var c editCommand
	cmd := &cobra.Command{
		Use:   "update TABLE",
		Short: "Give columns other values in the rows that meet a condition.",
		Args:  exactly("TABLE"),
		RunE: func(_ *cobra.Command, args []string) error {
			c.Table = args[0]
			return c.Update(s)
		},
	}
	describeUsage(cmd, editHelp, "TABLE", tableArgument)
	addOption(cmd.Flags(), &c.Set, "set", "COLUMN=SQL", func(text string) ([]string, error) {
		if column, value, ok := strings.Cut(text, "="); !ok || strings.TrimSpace(column) == "" || strings.TrimSpace(value) == "" {
			return nil, errors.New("must be COLUMN=SQL")
		}
		return append(c.Set, text), nil
	}, "The value of a column as a SQL expression over the row, such as \"name=upper(name)\" or \"pad_id=null\". Given again, it sets another column.")
	c.addFlags(cmd)
	return cmd
}

func (c *editCommand) addFlags(cmd *cobra.Command) {
	addOption(cmd.Flags(), &c.Where, "where", "SQL", asIs, "The condition on a row, such as \"net < '1990-01-01' and pad_id is null\".")
	addSwitch(cmd.Flags(), &c.All, "all-rows", "Every row, in place of a condition.")
	notTogether(cmd, "where", "all-rows")
}

func (c editCommand) Delete(s *session) error {
	return c.run(s, func(editor engine.Editor, e engine.Edit) (engine.Published, error) { return editor.Delete(s.ctx, e) })
}

func (c editCommand) Update(s *session) error {
	if len(c.Set) == 0 {
		return task.Fail(task.BadConfig, errors.New("update what? --set COLUMN=SQL says"))
	}
	set := make([]engine.Assignment, len(c.Set))
	for i, text := range c.Set {
		column, value, _ := strings.Cut(text, "=")
		set[i] = engine.Assignment{Column: strings.TrimSpace(column), Value: value}
	}
	return c.run(s, func(editor engine.Editor, e engine.Edit) (engine.Published, error) {
		return editor.Update(s.ctx, e, set)
	})
}

func (c editCommand) run(s *session, work func(engine.Editor, engine.Edit) (engine.Published, error)) error {
	if c.All {
		c.Where = "true"
	}
	if strings.TrimSpace(c.Where) == "" {
		return task.Fail(task.BadConfig, errors.New("which rows? --where SQL says, or --all-rows"))
	}
	t, err := s.table(c.Table)
	if err != nil {
		return err
	}
	sql, err := openEngine(s)
	if err != nil {
		return err
	}
	defer sql.Close()
	editor, ok := sql.(engine.Editor)
	if !ok {
		return task.Fail(task.BadConfig, errors.New("the engine cannot edit rows: set ENGINE=duckdb"))
	}
	done, err := work(editor, engine.Edit{Table: t, Where: c.Where})
	if err != nil {
		return commandError(c.Table, err)
	}
	fmt.Fprintln(s.out, c.Table+": "+summary(done))
	return nil
}

// summary says what an edit did.
func summary(done engine.Published) string {
	if done.After == done.Before {
		return fmt.Sprintf("no row meets the condition at version %d", done.Before)
	}
	rows := fmt.Sprintf("%d rows deleted", done.Deleted)
	if done.Updated > 0 {
		rows = fmt.Sprintf("%d rows updated", done.Updated)
	}
	text := fmt.Sprintf("version %d has %s: %d files removed, %d added (%s)", done.After, rows, done.FilesRemoved, done.FilesAdded, size(done.BytesAdded))
	if done.VectorsAdded > 0 {
		text += fmt.Sprintf(", %d with deletion vectors", done.VectorsAdded)
	}
	return text
}

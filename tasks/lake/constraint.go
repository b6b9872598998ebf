package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"launchlake/internal/delta"
	"launchlake/internal/engine"
	"launchlake/internal/task"
)

const constraintHelp = `A constraint is a condition of Spark SQL, such as "attempts >= 0 AND name IS NOT NULL", that is true for every row of the table: each
writer that knows Delta refuses rows for which it is false or null.`

func newConstraintCommand(s *session) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "constraint",
		Short: "Add, drop and list the constraints of a table.",
		Args:  noCommand,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return badUsage(cmd, errors.New("a command is missing"))
		},
	}
	cmd.Long = cmd.Short + "\n\n" + constraintHelp
	list := &cobra.Command{
		Use:   "list TABLE",
		Short: "Show what a table asks of its rows.",
		Args:  exactly("TABLE"),
		RunE:  func(_ *cobra.Command, args []string) error { return listConstraints(s, args[0]) },
	}
	describeUsage(list, "", "TABLE", tableArgument)
	add := &cobra.Command{
		Use:   "add TABLE NAME CONDITION",
		Short: "Add a constraint that all rows of a table meet.",
		Args:  exactly("TABLE", "NAME", "CONDITION"),
		RunE:  func(_ *cobra.Command, args []string) error { return addConstraint(s, args[0], args[1], args[2]) },
	}
	describeUsage(add, constraintHelp+" The rows that are there are checked first; some that do not meet it end the command with exit code 65.", "TABLE", tableArgument)
	drop := &cobra.Command{
		Use:   "drop TABLE NAME",
		Short: "Take a constraint away.",
		Args:  exactly("TABLE", "NAME"),
		RunE:  func(_ *cobra.Command, args []string) error { return dropConstraint(s, args[0], args[1]) },
	}
	describeUsage(drop, "", "TABLE", tableArgument)
	cmd.AddCommand(list, add, drop)
	return cmd
}

func listConstraints(s *session, name string) error {
	t, err := s.table(name)
	if err != nil {
		return err
	}
	snapshot, err := at{}.snapshot(s, t, name)
	if err != nil {
		return err
	}
	for _, c := range snapshot.Metadata().Constraints() {
		fmt.Fprintf(s.out, "%s\t%s\t%s\n", c.Rule, c.Name, c.Expression)
	}
	return nil
}

func addConstraint(s *session, table, name, condition string) error {
	t, err := s.table(table)
	if err != nil {
		return err
	}
	sql, err := openEngine(s)
	if err != nil {
		return err
	}
	defer sql.Close()
	constrainer, ok := sql.(engine.Constrainer)
	if !ok {
		return task.Fail(task.BadConfig, errors.New("the engine cannot add constraints: set ENGINE=duckdb"))
	}
	version, err := constrainer.AddConstraint(s.ctx, t, name, condition)
	if err != nil {
		return commandError(table, err)
	}
	fmt.Fprintf(s.out, "%s: version %d has the constraint %s\n", table, version, name)
	return nil
}

func dropConstraint(s *session, table, name string) error {
	t, err := s.table(table)
	if err != nil {
		return err
	}
	snapshot, err := at{}.snapshot(s, t, table)
	if err != nil {
		return err
	}
	tx := snapshot.Begin(delta.Operation{Name: "DROP CONSTRAINT", Parameters: map[string]string{"name": name}})
	tx.DropConstraint(name)
	after, err := tx.Commit(s.ctx)
	if err != nil {
		return commandError(table, err)
	}
	fmt.Fprintf(s.out, "%s: version %d has no constraint %s\n", table, after.Version(), name)
	return nil
}

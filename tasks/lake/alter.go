package main

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"launchlake/internal/delta"
	"launchlake/internal/task"
)

const alterHelp = `A column is named by dots within structs; below arrays and maps the path goes on by element, key and value. A TYPE is one of Delta's,
such as long, decimal(10,2) or timestamp. Data files stay as they are: renaming and dropping need the property
delta.columnMapping.mode=name, widening needs delta.enableTypeWidening=true; lake properties sets them.`

// alteration is a command that changes one column.
type alteration struct {
	name, short string
	more        []string // arguments behind TABLE and COLUMN
	change      func(column string, more []string) (delta.ColumnChange, error)
}

var alterations = []alteration{
	{"add-column", "Add a column that may be null.", []string{"TYPE"}, func(column string, more []string) (delta.ColumnChange, error) {
		t, err := delta.ParseType(more[0])
		return delta.AddColumn{Column: column, Type: t}, err
	}},
	{"rename-column", "Give a column another name.", []string{"NAME"}, func(column string, more []string) (delta.ColumnChange, error) {
		return delta.RenameColumn{Column: column, To: more[0]}, nil
	}},
	{"drop-column", "Take a column away.", nil, func(column string, _ []string) (delta.ColumnChange, error) {
		return delta.DropColumn{Column: column}, nil
	}},
	{"widen-column", "Give a column a type that holds more.", []string{"TYPE"}, func(column string, more []string) (delta.ColumnChange, error) {
		t, err := delta.ParseType(more[0])
		return delta.WidenColumn{Column: column, Type: t}, err
	}},
	{"comment-column", "Describe a column.", []string{"TEXT"}, func(column string, more []string) (delta.ColumnChange, error) {
		return delta.CommentColumn{Column: column, Comment: more[0]}, nil
	}},
	{"allow-null", "Let a column be null.", nil, func(column string, _ []string) (delta.ColumnChange, error) {
		return delta.AllowNull{Column: column}, nil
	}},
}

func newAlterCommand(s *session) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "alter",
		Short: "Add, rename, drop, widen and describe columns of a table.",
		Args:  noCommand,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return badUsage(cmd, errors.New("a command is missing"))
		},
	}
	cmd.Long = cmd.Short + "\n\n" + alterHelp
	for _, a := range alterations {
		names := append([]string{"TABLE", "COLUMN"}, a.more...)
		sub := &cobra.Command{
			Use:   a.name + " " + strings.Join(names, " "),
			Short: a.short,
			Args:  exactly(names...),
			RunE: func(cmd *cobra.Command, args []string) error {
				change, err := a.change(args[1], args[2:])
				if err != nil {
					return badUsage(cmd, err)
				}
				return alterTable(s, args[0], change)
			},
		}
		describeUsage(sub, alterHelp, "TABLE", tableArgument)
		cmd.AddCommand(sub)
	}
	return cmd
}

func alterTable(s *session, name string, change delta.ColumnChange) error {
	t, err := s.table(name)
	if err != nil {
		return err
	}
	after, err := t.Alter(s.ctx, change)
	if err != nil {
		return commandError(name, err)
	}
	fmt.Fprintf(s.out, "%s: version %d has the columns %s\n", name, after.Version(), namesOfColumns(after.Schema()))
	return nil
}

func namesOfColumns(schema *delta.Schema) string {
	names := make([]string, len(schema.Fields))
	for i, f := range schema.Fields {
		names[i] = f.Name
	}
	return strings.Join(names, ", ")
}

const propertiesHelp = `Without settings it shows the table's properties. Setting one raises the table's protocol to what it asks for; the protocol is never
lowered, so older readers may be shut out: lake describe shows it.`

func newPropertiesCommand(s *session) *cobra.Command {
	var unset []string
	cmd := &cobra.Command{
		Use:   "properties TABLE [KEY=VALUE…]",
		Short: "Show, set and unset the properties of a table.",
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return badUsage(cmd, errors.New("TABLE is missing"))
			}
			set := map[string]string{}
			for _, arg := range args[1:] {
				key, value, found := strings.Cut(arg, "=")
				if !found || key == "" {
					return badUsage(cmd, fmt.Errorf("%q must be KEY=VALUE", arg))
				}
				set[key] = value
			}
			return changeProperties(s, args[0], set, unset)
		},
	}
	describeUsage(cmd, propertiesHelp, "TABLE", tableArgument)
	addList(cmd.Flags(), &unset, "unset", "KEYS", "Properties to take away.")
	return cmd
}

func changeProperties(s *session, name string, set map[string]string, unset []string) error {
	t, err := s.table(name)
	if err != nil {
		return err
	}
	snapshot, err := at{}.snapshot(s, t, name)
	if err != nil {
		return err
	}
	if len(set)+len(unset) > 0 {
		if snapshot, err = t.SetProperties(s.ctx, set, unset...); err != nil {
			if refused, ok := errors.AsType[*delta.UnsupportedError](err); ok {
				return task.Fail(task.BadConfig, fmt.Errorf("%s: %w", name, refused))
			}
			return commandError(name, err)
		}
	}
	properties := snapshot.Metadata().Configuration
	for _, key := range slices.Sorted(maps.Keys(properties)) {
		fmt.Fprintf(s.out, "%s=%s\n", key, properties[key])
	}
	return nil
}

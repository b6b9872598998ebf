// Command lake is the person's tool over a launchlake: it runs the pipeline in one process, and shows, queries and
// checks the tables of a lake, or any other Delta table.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"launchlake/internal/lake"
	"launchlake/internal/task"
)

// session is what every command gets.
type session struct {
	ctx    context.Context
	config lake.Config
	out    io.Writer
	log    io.Writer
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := newRoot(&session{ctx: ctx, config: lake.Config{URL: "./lake"}, out: os.Stdout, log: os.Stderr}).Execute()
	if err != nil {
		fmt.Fprintln(os.Stderr, "lake:", err)
	}
	os.Exit(int(task.CodeOf(err)))
}

// newRoot is the command line. It uses no templates of cobra's: they call methods by name, which keeps the linker from
// leaving out any that nobody calls.
func newRoot(s *session) *cobra.Command {
	cobra.EnableCommandSorting = false
	var version bool
	root := &cobra.Command{
		Use:                        "lake",
		Short:                      "Look after a lakehouse of space launches: run it, read it, check it.",
		Args:                       noCommand,
		PersistentPreRunE:          fromEnvironment,
		SilenceErrors:              true,
		SilenceUsage:               true,
		CompletionOptions:          cobra.CompletionOptions{DisableDefaultCmd: true},
		SuggestionsMinimumDistance: 2,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if version {
				return printVersion(s)
			}
			return badUsage(cmd, errors.New("a command is missing"))
		},
	}
	root.SetOut(s.out)
	root.SetErr(s.log)
	root.SetFlagErrorFunc(badUsage)
	addLakeFlags(root.PersistentFlags(), &s.config)
	addSwitch(root.Flags(), &version, "version", "Print the version.") // not of the commands: theirs is a table's
	root.AddCommand(newRunCommand(s), newTablesCommand(s), newSchemaCommand(s), newCatCommand(s), newQueryCommand(s),
		newHistoryCommand(s), newDescribeCommand(s), newFsckCommand(s), newPropertiesCommand(s), newAlterCommand(s), newConstraintCommand(s),
		newDeleteCommand(s), newUpdateCommand(s), newOptimizeCommand(s), newVacuumCommand(s), newRestoreCommand(s), newCheckpointCommand(s),
		newCleanLogCommand(s), newDoctorCommand(s), newVersionCommand(s))
	root.SetHelpCommand(newHelpCommand(root))
	for _, cmd := range root.Commands() {
		cmd.Flags().SortFlags = false
	}
	return root
}

// addLakeFlags adds the flags that say which lake it is; fromEnvironment knows their variables.
func addLakeFlags(flags *pflag.FlagSet, c *lake.Config) {
	flags.SortFlags = false
	addOption(flags, &c.URL, "lake", "URL", asIs, "The lake: a folder, file:///… or s3://bucket/prefix ($LAKE_URL).")
	addOption(flags, &c.S3Endpoint, "s3-endpoint", "URL", asIs, "The S3 service's address, when it is not AWS's ($S3_ENDPOINT).")
	addSwitch(flags, &c.S3PathStyle, "s3-path-style", "Address buckets by path, as MinIO wants it ($S3_PATH_STYLE).")
}

// noCommand is the end of a command line whose first word is no command.
func noCommand(root *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	err := fmt.Errorf("unknown command %q", args[0])
	if similar := root.SuggestionsFor(args[0]); len(similar) > 0 {
		err = fmt.Errorf("%w, did you mean %s?", err, strings.Join(similar, " or "))
	}
	return badUsage(root, err)
}

// newHelpCommand stands for cobra's, to which a command that there is not is no error.
func newHelpCommand(root *cobra.Command) *cobra.Command {
	return &cobra.Command{
		Use:   "help [COMMAND]",
		Short: "Show what a command does, and its flags; so does lake COMMAND --help.",
		Args:  cobra.ArbitraryArgs,
		RunE: func(_ *cobra.Command, args []string) error {
			cmd, rest, err := root.Find(args)
			if err == nil {
				err = noCommand(root, rest)
			}
			if err != nil {
				return err
			}
			cmd.InitDefaultHelpFlag()
			return cmd.Help()
		},
	}
}

func newVersionCommand(s *session) *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version; so does lake --version.",
		Args:  exactly(),
		RunE:  func(*cobra.Command, []string) error { return printVersion(s) },
	}
}

func printVersion(s *session) error {
	_, err := fmt.Fprintln(s.out, "lake", task.Build())
	return err
}

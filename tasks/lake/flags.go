package main

import (
	"errors"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"launchlake/internal/task"
)

// badUsage is a command line that cannot be followed, with where to look.
func badUsage(cmd *cobra.Command, err error) error {
	return task.Fail(task.BadConfig, fmt.Errorf("%w; see `%s --help`", err, cmd.CommandPath()))
}

const (
	tableArgument  = "Name in the lake, or URL of any Delta table."
	tablesArgument = "Names in the lake, or URLs of any Delta tables."
)

// describeUsage adds to a command's help what cobra has no place for: its arguments.
func describeUsage(cmd *cobra.Command, details, argument, meaning string) {
	cmd.Long = cmd.Short
	if details != "" {
		cmd.Long += "\n\n" + details
	}
	cmd.Long += fmt.Sprintf("\n\nArguments:\n  %s   %s", argument, meaning)
}

// exactly asks for these arguments and no others.
func exactly(names ...string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		switch {
		case len(args) < len(names):
			return badUsage(cmd, fmt.Errorf("%s is missing", names[len(args)]))
		case len(args) > len(names):
			return badUsage(cmd, fmt.Errorf("unexpected argument %q", args[len(names)]))
		}
		return nil
	}
}

// notTogether refuses more than one of some flags.
func notTogether(cmd *cobra.Command, flags ...string) {
	cmd.PreRunE = func(cmd *cobra.Command, _ []string) error {
		given := slices.DeleteFunc(slices.Clone(flags), func(name string) bool { return !cmd.Flags().Changed(name) })
		if len(given) > 1 {
			return badUsage(cmd, fmt.Errorf("--%s cannot be used together", strings.Join(given, " and --")))
		}
		return nil
	}
}

// fromEnvironment takes the flags of variables that the command line does not give.
func fromEnvironment(cmd *cobra.Command, _ []string) error {
	for _, f := range []struct{ flag, variable string }{
		{"lake", "LAKE_URL"}, {"s3-endpoint", "S3_ENDPOINT"}, {"s3-path-style", "S3_PATH_STYLE"},
	} {
		text, set := os.LookupEnv(f.variable)
		flag := cmd.Flags().Lookup(f.flag)
		if !set || flag.Changed {
			continue
		}
		if err := flag.Value.Set(text); err != nil {
			return badUsage(cmd, fmt.Errorf("%s: %q: %w", f.variable, text, err))
		}
	}
	return nil
}

// option is a flag with a value. What its target holds at first is the default.
type option[T any] struct {
	target      *T
	placeholder string
	parse       func(text string) (T, error)
}

func addOption[T any](flags *pflag.FlagSet, target *T, name, placeholder string, parse func(string) (T, error), usage string) *pflag.Flag {
	return flags.VarPF(option[T]{target, placeholder, parse}, name, "", usage)
}

// Set is called by pflag.
func (o option[T]) Set(text string) error {
	value, err := o.parse(text)
	if err == nil {
		*o.target = value
	}
	return err
}

// Type is what the help calls the value.
func (o option[T]) Type() string { return o.placeholder }

// String is the default, when there is one.
func (o option[T]) String() string {
	if reflect.ValueOf(o.target).Elem().IsZero() {
		return ""
	}
	return fmt.Sprint(*o.target)
}

// addSwitch adds a flag that needs no value.
func addSwitch(flags *pflag.FlagSet, target *bool, name, usage string) {
	addOption(flags, target, name, "bool", yesOrNo, usage).NoOptDefVal = "true"
}

func yesOrNo(text string) (bool, error) {
	switch strings.ToLower(text) {
	case "true", "1", "yes":
		return true, nil
	case "false", "0", "no":
		return false, nil
	}
	return false, errors.New("must be true or false")
}

// addFormat adds --format, of which the first format is the default.
func addFormat(flags *pflag.FlagSet, target *string, usage string, formats ...string) {
	*target = formats[0]
	addOption(flags, target, "format", "FORMAT", func(text string) (string, error) {
		if !slices.Contains(formats, text) {
			return "", fmt.Errorf("must be one of %s", strings.Join(formats, ", "))
		}
		return text, nil
	}, usage)
}

func asIs(text string) (string, error) { return text, nil }

func wholeNumber(text string) (int64, error) {
	n, err := strconv.ParseInt(text, 0, 64)
	if err != nil {
		return 0, errors.New("must be a whole number")
	}
	return n, nil
}

// orNone makes of a value one that can be not given.
func orNone[T any](parse func(string) (T, error)) func(string) (*T, error) {
	return func(text string) (*T, error) {
		value, err := parse(text)
		return &value, err
	}
}

// addList adds a flag of values with commas between them, "\," for a comma in a value. Given again, it adds to them.
func addList(flags *pflag.FlagSet, target *[]string, name, placeholder, usage string) {
	addOption(flags, target, name, placeholder, func(text string) ([]string, error) {
		values := strings.Split(strings.ReplaceAll(text, `\,`, "\x00"), ",")
		for i := range values {
			values[i] = strings.ReplaceAll(values[i], "\x00", ",")
		}
		return append(*target, values...), nil
	}, usage)
}

// addPairs adds a flag of a name and a value. Given again, it adds to them.
func addPairs(flags *pflag.FlagSet, target *map[string]string, name, placeholder, usage string) {
	*target = make(map[string]string)
	addOption(flags, target, name, placeholder, func(text string) (map[string]string, error) {
		key, value, found := strings.Cut(text, "=")
		if !found || key == "" {
			return nil, fmt.Errorf("must be %s", placeholder)
		}
		(*target)[key] = value
		return *target, nil
	}, usage).DefValue = ""
}

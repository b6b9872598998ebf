package main

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"launchlake/internal/delta"
	"launchlake/internal/engine"
	"launchlake/internal/task"
)

type optimizeCommand struct {
	someTables
	TargetSize    string
	ZOrder        []string
	Partition     map[string]string
	Purge         bool
	PurgeFraction float64
}

const optimizeHelp = `Puts small files together. The rows stay as they are, and writers that append meanwhile are not disturbed. The old files
stay until a vacuum: older versions can still be read.`

func newOptimizeCommand(s *session) *cobra.Command {
	var c optimizeCommand
	cmd := &cobra.Command{
		Use:   "optimize [TABLE...]",
		Short: "Put a table's small files together, or order its rows by columns.",
		RunE:  func(*cobra.Command, []string) error { return c.Run(s) },
	}
	describeUsage(cmd, optimizeHelp, "TABLE...", tablesArgument)
	c.someTables.addFlags(cmd)
	flags := cmd.Flags()
	addOption(flags, &c.TargetSize, "target-size", "SIZE", asIs,
		"Size of the files to be, such as 64MiB; the table's delta.targetFileSize, else 128MiB, when not given.")
	addList(flags, &c.ZOrder, "zorder", "A,B", "Write all rows anew so that queries on these columns read few files.")
	addSwitch(flags, &c.Purge, "purge", "Write files again too that have lost rows by deletion vectors.")
	addOption(flags, &c.PurgeFraction, "purge-fraction", "FRACTION", fraction, "With --purge: only those that have lost at least this part of their rows, such as 0.1.")
	addPairs(flags, &c.Partition, "partition", "COLUMN=VALUE", "Only the partition with this value of a partition column.")
	return cmd
}

func fraction(text string) (float64, error) {
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || !(f >= 0 && f <= 1) {
		return 0, errors.New("must be a number from 0, and at most 1")
	}
	return f, nil
}

func (c optimizeCommand) Run(s *session) error { return c.each(s, c.optimize) }

func (c optimizeCommand) optimize(s *session, name string, t *delta.Table) (err error) {
	show := newProgress(s.log, name)
	options := engine.OptimizeOptions{ZOrder: c.ZOrder, Purge: c.Purge, PurgeFraction: c.PurgeFraction,
		Progress: func(done, total int) { show.step("written", done, total) }}
	if options.TargetBytes, err = bytesOf(c.TargetSize); err != nil {
		return task.Fail(task.BadConfig, fmt.Errorf("--target-size: %w", err))
	}
	if options.Where, err = c.where(s, name, t); err != nil {
		return err
	}
	sql, err := openEngine(s)
	if err != nil {
		return err
	}
	defer sql.Close()
	optimizer, ok := sql.(engine.Optimizer)
	if !ok {
		return task.Fail(task.BadConfig, errors.New("the engine cannot optimize tables: set ENGINE=duckdb"))
	}
	done, err := optimizer.Optimize(s.ctx, t, options)
	show.clear()
	if err != nil {
		return commandError(name, err)
	}
	if done.After == done.Before {
		fmt.Fprintf(s.out, "%s: nothing to improve at version %d\n", name, done.Before)
		return nil
	}
	fmt.Fprintf(s.out, "%s: version %d has %d files (%s) in place of %d (%s), with the same %d rows\n", name, done.After,
		done.FilesAdded, size(done.BytesAdded), done.FilesRemoved, size(done.BytesRemoved), done.Rows)
	return nil
}

func (c optimizeCommand) where(s *session, table string, t *delta.Table) ([]delta.Predicate, error) {
	if len(c.Partition) == 0 {
		return nil, nil
	}
	snapshot, err := at{}.snapshot(s, t, table)
	if err != nil {
		return nil, err
	}
	var where []delta.Predicate
	for name, text := range c.Partition {
		field, ok := snapshot.Schema().Field(name)
		if !ok {
			return nil, task.Fail(task.BadConfig, fmt.Errorf("--partition: %s has no column %s", table, name))
		}
		value, err := delta.ParsePartitionValue(field.Type, &text)
		if err != nil {
			return nil, task.Fail(task.BadConfig, fmt.Errorf("--partition %s: %w", name, err))
		}
		if value == nil {
			where = append(where, delta.Col(name).IsNull())
		} else {
			where = append(where, delta.Col(name).Eq(value))
		}
	}
	return where, nil
}

var byteSize = regexp.MustCompile(`^(?i)([1-9][0-9]{0,8}) ?([KMG]i?B?|B)?$`)

// bytesOf reads a size; 0 for none.
func bytesOf(text string) (int64, error) {
	if text == "" {
		return 0, nil
	}
	m := byteSize.FindStringSubmatch(text)
	if m == nil {
		return 0, fmt.Errorf("%q is no size such as 64MiB", text)
	}
	n, err := strconv.ParseInt(m[1], 10, 64)
	if err != nil {
		return 0, err
	}
	for range strings.Index("bkmg", strings.ToLower(m[2] + "b")[:1]) {
		n <<= 10
	}
	return n, nil
}

package main

import (
	"errors"
	"fmt"
	"sort"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"launchlake/internal/delta"
	"launchlake/internal/task"
)

type historyCommand struct {
	Table  string
	Limit  int64
	Format string
}

func newHistoryCommand(s *session) *cobra.Command {
	c := historyCommand{Limit: 20}
	cmd := &cobra.Command{
		Use:   "history TABLE",
		Short: "List a table's commits, newest first.",
		Args:  exactly("TABLE"),
		RunE: func(_ *cobra.Command, args []string) error {
			c.Table = args[0]
			return c.Run(s)
		},
	}
	describeUsage(cmd, "", "TABLE", tableArgument)
	addOption(cmd.Flags(), &c.Limit, "limit", "N", wholeNumber, "At most this many commits; 0: all.")
	addFormat(cmd.Flags(), &c.Format, "table, or json: an object a line.", "table", "json")
	return cmd
}

// historyLine is one commit.
type historyLine struct {
	Version   int64             `json:"version"`
	Time      time.Time         `json:"timestamp"`
	Operation string            `json:"operation"`
	Engine    string            `json:"engineInfo,omitempty"`
	Metrics   map[string]string `json:"operationMetrics,omitempty"`
	User      string            `json:"userMetadata,omitempty"`
}

func (c historyCommand) Run(s *session) error {
	t, err := s.table(c.Table)
	if err != nil {
		return err
	}
	var lines []historyLine
	for commit, err := range t.History(s.ctx) {
		if errors.Is(err, delta.ErrNotATable) {
			return task.Fail(task.BadConfig, fmt.Errorf("%s: %w; `lake tables` lists those of the lake", c.Table, err))
		}
		if err != nil {
			return fmt.Errorf("%s: %w", c.Table, err)
		}
		lines = append(lines, historyLine{
			Version: int64(commit.Version), Time: commit.Timestamp, Operation: commit.Info.Operation,
			Engine: commit.Info.EngineInfo, Metrics: commit.Info.OperationMetrics, User: commit.Info.UserMetadata,
		})
		if int64(len(lines)) == c.Limit {
			break
		}
	}
	if c.Format == "json" {
		return writeJSONLines(s.out, lines)
	}
	w := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "VERSION\tTIME\tOPERATION\tMETRICS\tRUN")
	for _, line := range lines {
		fmt.Fprintf(w, "%d\t%s\t%s\t%s\t%s\n", line.Version, line.Time.Format(time.DateTime), line.Operation,
			metrics(line.Metrics), line.User)
	}
	return w.Flush()
}

// metrics writes what is not zero, in the order of the names.
func metrics(all map[string]string) string {
	var shown []string
	for name, value := range all {
		if value != "0" {
			shown = append(shown, name+"="+value)
		}
	}
	sort.Strings(shown)
	return strings.Join(shown, " ")
}

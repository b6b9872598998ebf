package task

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
)

// Summary shows to a person what tasks did: a row a table, then what went wrong.
func Summary(w io.Writer, results []Result) error {
	var text strings.Builder
	table := tabwriter.NewWriter(&text, 0, 0, columnGap, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, leftCells(results, "TASK", "TABLE")+"READ\tWRITTEN\tUPDATED\tREJECTED\tVERSION\tTIME\t")
	for _, r := range results {
		for _, row := range rowsOf(r) {
			fmt.Fprintln(table, leftCells(results, row.task, row.table)+strings.Join(row.cells, "\t")+"\t")
		}
	}
	_ = table.Flush() // a Builder takes everything
	var lines strings.Builder
	for line := range strings.Lines(text.String()) {
		fmt.Fprintln(&lines, strings.TrimRight(line[columnGap:], " \n"))
	}
	for _, r := range results {
		for _, t := range r.Tables {
			if len(t.RulesBroken) > 0 {
				fmt.Fprintf(&lines, "\n%s: rules broken: %s\n", t.Name, rulesBroken(t.RulesBroken))
			}
		}
		if r.Error != "" {
			fmt.Fprintf(&lines, "\n%s: %s: %s\n", r.Task, words(r.Status), r.Error)
		}
	}
	if _, err := io.WriteString(w, lines.String()); err != nil {
		return fmt.Errorf("write the summary: %w", err)
	}
	return nil
}

const columnGap = 2

type summaryRow struct {
	task, table string
	cells       []string
}

// rowsOf gives a result's rows: the task's name and time stand on the first only.
func rowsOf(r Result) []summaryRow {
	duration := time.Duration(r.Seconds * float64(time.Second)).Round(time.Millisecond).String()
	if len(r.Tables) == 0 {
		return []summaryRow{{r.Task, words(r.Status), []string{"", "", "", "", "", duration}}}
	}
	var rows []summaryRow
	name := r.Task
	for _, t := range r.Tables {
		rows = append(rows, summaryRow{name, t.Name, []string{
			count(t.RowsIn), count(t.RowsOut), count(t.RowsUpdated), count(t.Quarantined), versions(t), duration,
		}})
		name, duration = "", ""
	}
	return rows
}

// leftCells pads the text columns by hand, for the writer aligns all columns to the right.
func leftCells(results []Result, task, table string) string {
	taskWidth, tableWidth := len("TASK"), len("TABLE")
	for _, r := range results {
		for _, row := range rowsOf(r) {
			taskWidth = max(taskWidth, len(row.task))
			tableWidth = max(tableWidth, len(row.table))
		}
	}
	return fmt.Sprintf("%-*s  %-*s\t", taskWidth, task, tableWidth, table)
}

func versions(t Table) string {
	switch t.VersionBefore {
	case t.Version:
		return fmt.Sprintf("%d unchanged", t.Version)
	case NoVersion:
		return fmt.Sprintf("new -> %d", t.Version)
	}
	return fmt.Sprintf("%d -> %d", t.VersionBefore, t.Version)
}

// rulesBroken lists the rules, those broken most often first.
func rulesBroken(counts map[string]int64) string {
	names := slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a, b))
	})
	for i, name := range names {
		names[i] = fmt.Sprintf("%s %s", name, count(counts[name]))
	}
	return strings.Join(names, ", ")
}

func words(s Status) string { return strings.ReplaceAll(string(s), "_", " ") }

// count writes a number with its thousands apart, and none as a dash.
func count(n int64) string {
	if n == 0 {
		return "-"
	}
	digits := strconv.FormatInt(n, 10)
	for i := len(digits) - 3; i > 0 && digits[i-1] != '-'; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

package main

import (
	"fmt"
	"io"
	"strings"
)

// print writes the medians as tables in Markdown: what each tool took, and how many times launchlake's that is.
func (b *bench) print(w io.Writer, tools []python) error {
	names := b.names(tools)
	head, line := "| |", "| --- |"
	for _, name := range names {
		head += " " + titleOf(name) + " |"
		line += " --- |"
	}
	rows := []string{head, line}
	for i, title := range b.titles() {
		rows = append(rows, "| "+title+b.cells(names, i))
	}
	_, err := fmt.Fprintf(w, "\n%s launches, %.0f MB of JSON; medians of %d runs; all tables equal row for row\n\n%s\n\n%s\n",
		thousands(b.launches), megabytes(b.in.bytes), b.runs, strings.Join(rows, "\n"), b.ownSteps())
	return err
}

func (b *bench) cells(names []string, step int) string {
	own := median(b.figures[oursName][step])
	text := " |"
	for _, name := range names {
		f := median(b.figures[name][step])
		text += " " + f.String()
		if name != oursName {
			text += fmt.Sprintf("<br>%s, CPU %s, memory %s", times(f.seconds/own.seconds), times(f.cpu/own.cpu), times(float64(f.peak)/float64(own.peak)))
		}
		text += " |"
	}
	return text
}

func times(ratio float64) string {
	if ratio < 10 {
		return fmt.Sprintf("× %.1f", ratio)
	}
	return fmt.Sprintf("× %.0f", ratio)
}

// ownSteps says what each of launchlake's three takes of it.
func (b *bench) ownSteps() string {
	rows := []string{"| launchlake | " + strings.Join(binaries, " | ") + " |", "| --- |" + strings.Repeat(" --- |", len(binaries))}
	for i, title := range b.titles() {
		row := "| " + title + " |"
		for _, name := range binaries {
			f := median(b.ours.steps[i][name])
			row += " " + f.String()
			if i == wholeRun && name != "aggregate" {
				row += fmt.Sprintf(" <br>%.0f MB/s of JSON", megabytes(b.in.bytes)/f.seconds)
			}
			row += " |"
		}
		rows = append(rows, row)
	}
	return strings.Join(rows, "\n")
}

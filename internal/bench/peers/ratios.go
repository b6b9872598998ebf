package main

import (
	"fmt"
	"io"
	"strings"
)

// printRatios writes what counts in the end, over all sizes: launchlake's time and memory against each peer's.
func printRatios(w io.Writer, all []*bench, tools []python) error {
	head, line := "| |", "| --- |"
	for _, p := range tools {
		head += " against " + p.title + " |"
		line += " --- |"
	}
	rows := []string{head, line}
	add := func(title string, b *bench, step int, cell func(own, peer figure) string) {
		row := "| " + title + " |"
		for _, p := range tools {
			if b.figures[p.name] == nil {
				row += " |"
				continue
			}
			row += " " + cell(median(b.figures[oursName][step]), median(b.figures[p.name][step])) + " |"
		}
		rows = append(rows, row)
	}
	for _, b := range all {
		size := thousands(b.launches)
		add("full run, "+size, b, wholeRun, speedup)
		for i, k := range b.in.changes {
			add(fmt.Sprintf("increment of %s on %s", thousands(k), size), b, i+1, speedup)
		}
		add("peak memory, "+size, b, wholeRun, memoryShare)
		for i, k := range b.in.changes {
			add(fmt.Sprintf("peak memory, increment of %s on %s", thousands(k), size), b, i+1, memoryShare)
		}
	}
	if len(tools) == 0 {
		return nil
	}
	_, err := fmt.Fprintf(w, "\n%s\n", strings.Join(rows, "\n"))
	return err
}

func speedup(own, peer figure) string {
	return fmt.Sprintf("%s times faster (processor time: %s)", ratio(peer.seconds/own.seconds), ratio(peer.cpu/own.cpu))
}

func memoryShare(own, peer figure) string {
	return fmt.Sprintf("%.2f of it", float64(own.peak)/float64(peer.peak))
}

func ratio(r float64) string {
	if r < 10 {
		return fmt.Sprintf("%.1f", r)
	}
	return fmt.Sprintf("%.0f", r)
}

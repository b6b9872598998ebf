package main

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// measureGrowth measures what the same changes cost upon tables of different size.
func measureGrowth(s settings, folder string) (err error) {
	var all []*bench
	defer func() {
		for _, b := range all {
			if stopErr := b.ours.api.stop(); err == nil {
				err = stopErr
			}
		}
	}()
	for _, n := range s.launches {
		own := filepath.Join(folder, fmt.Sprint(n))
		b, err := newBench(s, n, own)
		if err != nil {
			return err
		}
		all = append(all, b)
		if err := b.grow(filepath.Join(own, "lake")); err != nil {
			return err
		}
	}
	for range s.runs {
		for step := range s.changes {
			for _, b := range all {
				if err := b.increment(filepath.Join(folder, fmt.Sprint(b.launches), "lake"), step+1); err != nil {
					return err
				}
			}
		}
	}
	return printGrowth(os.Stdout, all)
}

// grow brings the launches into a new lake.
func (b *bench) grow(lake string) error {
	b.figures[oursName] = make([][]figure, 1+len(b.in.changes))
	return b.take(lake, b.in.pages(), wholeRun)
}

// increment brings changes into a copy of a lake. Files of a lake never change, so links to them are a copy.
func (b *bench) increment(lake string, step int) error {
	changed := lake + "-changed"
	if err := linkFolder(lake, changed); err != nil {
		return err
	}
	if err := b.take(changed, b.in.changed(b.in.changes[step-1]), step); err != nil {
		return err
	}
	return os.RemoveAll(changed)
}

func (b *bench) take(lake, pages string, step int) error {
	f, err := b.ours.run(lake, b.in, pages, step)
	if err != nil {
		return err
	}
	b.figures[oursName][step] = append(b.figures[oursName][step], f)
	fmt.Fprintf(os.Stderr, "%s launches, %s: %s\n", thousands(b.launches), b.titles()[step], f)
	return nil
}

func linkFolder(from, to string) error {
	return filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		if d.IsDir() {
			return os.MkdirAll(filepath.Join(to, name), 0o755)
		}
		return os.Link(path, filepath.Join(to, name))
	})
}

// printGrowth writes the medians, each with how many times that upon the first number of launches it is.
func printGrowth(w io.Writer, all []*bench) error {
	rows := []string{
		"| launches | changes | together | " + strings.Join(binaries, " | ") + " |",
		"| --- | --- | --- |" + strings.Repeat(" --- |", len(binaries)),
	}
	for step := range all[0].titles() {
		for _, b := range all {
			changes := "all of them"
			if step != wholeRun {
				changes = thousands(b.in.changes[step-1])
			}
			row := fmt.Sprintf("| %s | %s | %s |", thousands(b.launches), changes,
				growth(median(all[0].figures[oursName][step]), median(b.figures[oursName][step])))
			for _, name := range binaries {
				row += " " + growth(median(all[0].ours.steps[step][name]), median(b.ours.steps[step][name])) + " |"
			}
			rows = append(rows, row)
		}
	}
	_, err := fmt.Fprintf(w, "\nwhat changes cost upon tables of different size; medians of %d runs\n\n%s\n", all[0].runs, strings.Join(rows, "\n"))
	return err
}

func growth(first, f figure) string {
	if f == first {
		return f.String()
	}
	return fmt.Sprintf("%s<br>× %s, CPU × %s, memory × %s", f, ratio(f.seconds/first.seconds), ratio(f.cpu/first.cpu),
		ratio(float64(f.peak)/float64(first.peak)))
}

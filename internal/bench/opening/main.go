// Command opening measures how long it takes to open a Delta table and how much memory, by the length of its log and the number
// of its files, with and without a checkpoint: this module's package delta beside delta-rs. Each opening is a process of its
// own; the table that it prints holds medians.
package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
)

type settings struct {
	commits []int
	files   int
	runs    int
	folder  string // of the tables
	python  string
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "opening:", err)
		os.Exit(1)
	}
}

func run() error {
	var s settings
	commits := flag.String("commits", "1,100,10000,100000", "lengths of the logs")
	flag.IntVar(&s.files, "files", 1_000_000, "files of the one table with many, 0: none")
	flag.IntVar(&s.runs, "runs", 5, "openings of each table by each tool")
	flag.StringVar(&s.folder, "folder", "", "where the tables are made, and left (default: a temporary folder)")
	flag.StringVar(&s.python, "python", "", "a Python with deltalake (default: one made in the user's cache; none: without delta-rs)")
	table := flag.String("open", "", "open this table, say what it took, and end")
	made := flag.Int("make", -1, "make the table of this number in -folder, and end")
	flag.Parse()
	if *table != "" {
		return openTable(*table)
	}
	for text := range strings.SplitSeq(*commits, ",") {
		n, err := strconv.Atoi(text)
		if err != nil {
			return fmt.Errorf("-commits: %w", err)
		}
		s.commits = append(s.commits, n)
	}
	if *made >= 0 {
		t := s.tables()[*made]
		return t.generate(filepath.Join(s.folder, t.name()))
	}
	return s.measure()
}

// generate makes a table in a process of its own: what is begun here later counts this process's memory as its own peak.
func (s settings) generate(number int) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	command := exec.Command(self, append(os.Args[1:], "-folder", s.folder, "-make", strconv.Itoa(number))...)
	command.Stderr = os.Stderr
	return command.Run()
}

func (s settings) measure() error {
	if s.folder == "" {
		folder, err := os.MkdirTemp("", "launchlake-opening-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(folder)
		s.folder = folder
	}
	openers, err := s.openers()
	if err != nil {
		return err
	}
	out := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(out, "log\tfiles\t")
	for _, o := range openers {
		fmt.Fprintf(out, "%s\tpeak\t", o.name)
	}
	fmt.Fprintln(out)
	for i, t := range s.tables() {
		path := filepath.Join(s.folder, t.name())
		if err := s.generate(i); err != nil {
			return fmt.Errorf("make %s: %w", path, err)
		}
		fmt.Fprintf(out, "%s\t%d\t", t, t.files())
		measured, err := s.open(t, path, openers)
		if err != nil {
			return err
		}
		for _, m := range measured {
			fmt.Fprintf(out, "%.1f ms\t%d MB\t", m.Milliseconds, m.PeakKB/1024)
		}
		fmt.Fprintln(out)
	}
	return out.Flush()
}

// tables lists the tables to open.
func (s settings) tables() []table {
	var out []table
	for _, n := range s.commits {
		out = append(out, table{commits: n, each: 1}, table{commits: n, each: 1, checkpoint: true})
	}
	if s.files > 0 {
		const commits = 100
		out = append(out, table{commits: commits, each: s.files / commits, checkpoint: true})
	}
	return out
}

// opener is a program that opens the table whose folder is its last argument and prints an opening as JSON.
type opener struct {
	name    string
	command []string
}

// opening is what it took to open a table.
type opening struct {
	Milliseconds float64 `json:"ms"`
	Files        int     `json:"files"`
	PeakKB       int64   `json:"peak_kb"` // of the whole process
}

func (s settings) openers() ([]opener, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	out := []opener{{"launchlake", []string{self, "-open"}}}
	if s.python == "none" {
		return out, nil
	}
	interpreter, script, err := s.deltaRS()
	return append(out, opener{"delta-rs", []string{interpreter, script}}), err
}

// open opens a table by each opener in turn, several times, and gives the medians.
func (s settings) open(t table, path string, openers []opener) ([]opening, error) {
	all := make([][]opening, len(openers))
	for range s.runs {
		for i, o := range openers {
			one, err := o.open(path)
			if err == nil && one.Files != t.files() {
				err = fmt.Errorf("it has %d files, and not %d", one.Files, t.files())
			}
			if err != nil {
				return nil, fmt.Errorf("%s opens %s: %w", o.name, path, err)
			}
			all[i] = append(all[i], one)
		}
	}
	medians := make([]opening, len(openers))
	for i, runs := range all {
		medians[i].Milliseconds = median(runs, func(o opening) float64 { return o.Milliseconds })
		medians[i].PeakKB = median(runs, func(o opening) int64 { return o.PeakKB })
	}
	return medians, nil
}

func (o opener) open(path string) (opening, error) {
	command := exec.Command(o.command[0], append(slices.Clone(o.command[1:]), path)...)
	out, err := command.Output()
	if failed, ok := errors.AsType[*exec.ExitError](err); ok {
		return opening{}, fmt.Errorf("%w: %s", err, failed.Stderr)
	}
	if err != nil {
		return opening{}, err
	}
	var one opening
	return one, json.Unmarshal(out, &one)
}

func median[T cmp.Ordered](runs []opening, of func(opening) T) T {
	values := make([]T, len(runs))
	for i, r := range runs {
		values[i] = of(r)
	}
	slices.Sort(values)
	return values[len(values)/2]
}

func printOpening(out io.Writer, o opening) error { return json.NewEncoder(out).Encode(o) }

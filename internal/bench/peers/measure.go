package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// bench is the measurements of one size.
type bench struct {
	settings
	launches int
	in       *input
	tables   []compared
	want     map[int][]content // by step: what launchlake made
	lakes    map[int]string    // by step: a lake of launchlake's that has it
	figures  map[string][][]figure
	ours     *ours
}

// A step is the whole run (0) or the i-th of the changes upon it.
const wholeRun = 0

func measure(s settings) error {
	tools, err := s.prepare()
	if err != nil {
		return err
	}
	folder, err := os.MkdirTemp(s.folder, "launchlake-peers-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	if err := unpackScripts(folder); err != nil {
		return err
	}
	for i := range tools {
		tools[i].scripts = filepath.Join(folder, "python")
	}
	if s.growth {
		return measureGrowth(s, folder)
	}
	var all []*bench
	for _, n := range s.launches {
		b, err := measureSize(s, n, filepath.Join(folder, fmt.Sprint(n)), tools)
		if err != nil {
			return err
		}
		all = append(all, b)
	}
	return printRatios(os.Stdout, all, tools)
}

// prepare finds the peers and makes their environments. A peer that needs Java where there is none is left out.
func (s *settings) prepare() ([]python, error) {
	var tools []python
	for _, name := range s.tools {
		if name == oursName {
			continue
		}
		p, err := findPeer(name)
		if err != nil {
			return nil, err
		}
		interpreter, err := environment(p)
		if errors.Is(err, errNoJava) {
			fmt.Fprintf(os.Stderr, "%s is left out: %v\n", p.title, err)
			continue
		}
		if err != nil {
			return nil, err
		}
		tools = append(tools, python{peer: p, interpreter: interpreter})
	}
	return tools, nil
}

func newBench(s settings, launches int, folder string) (b *bench, err error) {
	b = &bench{settings: s, launches: launches, want: map[int][]content{}, lakes: map[int]string{}, figures: map[string][][]figure{}}
	if b.in, err = makeInput(filepath.Join(folder, "input"), launches, s.changes); err != nil {
		return nil, err
	}
	if b.tables, err = comparedTables(); err != nil {
		return nil, err
	}
	server, err := startAPI(b.in)
	if err != nil {
		return nil, err
	}
	b.ours = newOurs(s, server, len(b.titles()))
	return b, nil
}

// measureSize measures all tools on one number of launches, and leaves nothing in the folder.
func measureSize(s settings, launches int, folder string, tools []python) (*bench, error) {
	defer os.RemoveAll(folder)
	b, err := newBench(s, launches, folder)
	if err != nil {
		return nil, err
	}
	err = b.rounds(tools, folder)
	if stopErr := b.ours.api.stop(); err == nil {
		err = stopErr
	}
	if err != nil {
		return nil, err
	}
	return b, b.print(os.Stdout, tools)
}

// slowRuns is how often tools are run of which a step is slow.
const (
	slow     = 30 * time.Second
	slowRuns = 3
)

// rounds measures the tools in turn, so that what else the machine does at a time is the same for all.
func (b *bench) rounds(tools []python, folder string) error {
	for i := range b.runs {
		if err := b.round(oursName, b.ours, filepath.Join(folder, fmt.Sprint(oursName, i))); err != nil {
			return err
		}
		for _, p := range tools {
			if i >= slowRuns && b.figures[p.name][wholeRun][0].seconds > slow.Seconds() {
				continue
			}
			if err := b.round(p.name, &p, filepath.Join(folder, fmt.Sprint(p.name, i))); err != nil {
				return err
			}
		}
	}
	return nil
}

// round measures all steps of a tool once, the changes each upon a copy of the lake.
func (b *bench) round(name string, t tool, lake string) error {
	if b.figures[name] == nil {
		b.figures[name] = make([][]figure, 1+len(b.in.changes))
	}
	if err := os.Mkdir(lake, 0o755); err != nil {
		return err
	}
	if err := b.step(name, t, lake, b.in.pages(), wholeRun); err != nil {
		return err
	}
	for j, k := range b.in.changes {
		changed := fmt.Sprintf("%s-%d", lake, k)
		if err := os.CopyFS(changed, os.DirFS(lake)); err != nil {
			return err
		}
		if err := b.step(name, t, changed, b.in.changed(k), j+1); err != nil {
			return err
		}
		if err := b.remove(changed); err != nil {
			return err
		}
	}
	return b.remove(lake)
}

// remove removes a lake that is not compared with any more.
func (b *bench) remove(lake string) error {
	for _, kept := range b.lakes {
		if kept == lake {
			return nil
		}
	}
	return os.RemoveAll(lake)
}

// step runs a tool once and compares what it made with launchlake's first.
func (b *bench) step(name string, t tool, lake, pages string, i int) error {
	what := fmt.Sprintf("%s, %d launches", titleOf(name), b.launches)
	if i != wholeRun {
		what += fmt.Sprintf(", %d changes", b.in.changes[i-1])
	}
	f, err := t.run(lake, b.in, pages, i)
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	b.figures[name][i] = append(b.figures[name][i], f)
	fmt.Fprintf(os.Stderr, "%s: %s\n", what, f)
	if !b.compares(name, i) {
		return nil
	}
	got, err := contents(b.bin, lake)
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	if b.want[i] == nil {
		b.want[i], b.lakes[i] = got, lake
		return nil
	}
	for j, t := range b.tables {
		if got[j].equal(&b.want[i][j]) {
			continue
		}
		text, err := differences(b.bin, b.lakes[i], lake, t)
		return errors.Join(fmt.Errorf("%s: the tables are not those of launchlake: %s", what, text), err)
	}
	return nil
}

// comparedAlways is the most launches of which every run's tables are compared; of more, those of each tool's first run, for
// reading them takes longer than the work.
const comparedAlways = 100_000

func (b *bench) compares(name string, step int) bool {
	return b.launches <= comparedAlways || len(b.figures[name][step]) == 1
}

func megabytes(n int64) float64 {
	const mega = 1e6
	return float64(n) / mega
}

// titles of the steps, in their order.
func (b *bench) titles() []string {
	titles := []string{fmt.Sprintf("all of %s launches", thousands(b.launches))}
	for _, k := range b.in.changes {
		titles = append(titles, fmt.Sprintf("%s changes on them", thousands(k)))
	}
	return titles
}

func thousands(n int) string {
	text := fmt.Sprint(n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

func (b *bench) names(tools []python) []string {
	names := []string{oursName}
	for _, p := range tools {
		names = append(names, p.name)
	}
	return slices.DeleteFunc(names, func(name string) bool { return b.figures[name] == nil })
}

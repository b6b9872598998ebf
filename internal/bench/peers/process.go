package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// figure is what one step took.
type figure struct {
	seconds float64 // from start to exit
	cpu     float64 // seconds of all processors, which other work on the machine changes less
	peak    int64   // bytes, of the resident sets of a process and those that it started
}

func (f figure) String() string {
	return fmt.Sprintf("%.2f s (%.2f s of CPU), %.0f MB", f.seconds, f.cpu, megabytes(f.peak))
}

// sampling is how often the memory of a process' children is looked at; its own is known exactly.
const sampling = 25 * time.Millisecond

// run measures a process from its start to its exit. A code of accepted is no failure.
func run(env []string, accepted []int, name string, arguments ...string) (figure, error) {
	c := exec.Command(name, arguments...)
	c.Env = append(os.Environ(), env...)
	var out bytes.Buffer
	c.Stdout, c.Stderr = &out, &out
	start := time.Now()
	if err := c.Start(); err != nil {
		return figure{}, err
	}
	ended, children := make(chan struct{}), make(chan usage)
	go func() { children <- watchChildren(c.Process.Pid, ended) }()
	err := c.Wait()
	took := time.Since(start)
	close(ended)
	used := <-children
	if err != nil && !slices.Contains(accepted, c.ProcessState.ExitCode()) {
		return figure{}, fmt.Errorf("%s: %w\n%s", strings.Join(append([]string{name}, arguments...), " "), err, out.String())
	}
	const kilobyte = 1024 // the unit of Maxrss on Linux
	used.peak += c.ProcessState.SysUsage().(*syscall.Rusage).Maxrss * kilobyte
	used.cpu += (c.ProcessState.UserTime() + c.ProcessState.SystemTime()).Seconds()
	return figure{took.Seconds(), used.cpu, used.peak}, nil
}

// usage is what the descendants of a process took: together the most memory, each at its own peak; and processor time.
type usage struct {
	peak int64
	cpu  float64
}

// watchChildren watches the descendants of a process until it ends.
func watchChildren(pid int, ended <-chan struct{}) (most usage) {
	ticker := time.NewTicker(sampling)
	defer ticker.Stop()
	for {
		select {
		case <-ended:
			return most
		case <-ticker.C:
			var now usage
			for _, child := range descendants(pid) {
				now.peak += highWater(child)
				now.cpu += processorTime(child)
			}
			most = usage{max(most.peak, now.peak), max(most.cpu, now.cpu)}
		}
	}
}

func descendants(pid int) (all []int) {
	lists, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	for _, list := range lists {
		text, _ := os.ReadFile(list)
		for field := range strings.FieldsSeq(string(text)) {
			if child, err := strconv.Atoi(field); err == nil {
				all = append(append(all, child), descendants(child)...)
			}
		}
	}
	return all
}

func highWater(pid int) int64 {
	status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	for line := range strings.Lines(string(status)) {
		if text, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			const kilobyte = 1024
			n, _ := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(text), " kB"), 10, 64)
			return n * kilobyte
		}
	}
	return 0
}

// processorTime reads the user and system time of a process.
func processorTime(pid int) float64 {
	stat, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	_, rest, _ := strings.Cut(string(stat), ") ") // the name before it may hold anything
	fields := strings.Fields(rest)
	const user, system, ticks = 11, 12, 100 // a second has a hundred ticks on Linux
	if len(fields) <= system {
		return 0
	}
	u, _ := strconv.ParseFloat(fields[user], 64)
	s, _ := strconv.ParseFloat(fields[system], 64)
	return (u + s) / ticks
}

// median takes the median of each measure by itself.
func median(figures []figure) figure {
	of := func(measure func(figure) float64) float64 {
		values := make([]float64, len(figures))
		for i, f := range figures {
			values[i] = measure(f)
		}
		slices.Sort(values)
		return values[len(values)/2]
	}
	return figure{
		seconds: of(func(f figure) float64 { return f.seconds }),
		cpu:     of(func(f figure) float64 { return f.cpu }),
		peak:    int64(of(func(f figure) float64 { return float64(f.peak) })),
	}
}

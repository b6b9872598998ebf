// Command peers runs the same work with launchlake and with its peers (DuckDB with delta-rs, polars with delta-rs, Spark
// with Delta), compares the tables they made row for row, and prints what each took.
//
//	go run ./internal/bench/peers -launches 7500,200000 -changes 200,2000,10000 -tools duckdb,spark
//	go run ./internal/bench/peers -launches 100000,1000000 -changes 200 -growth
//
// The work is generated launches in pages of 100: their bytes into Bronze; Silver parsed, checked, with one row a launch,
// and a quarantine with reasons; the Gold tables. Then, each upon a copy of that lake, changes of several sizes. A step is a
// whole run of processes, from start to exit; peers do it in one process, launchlake in its three. The peers read the pages as
// files, launchlake asks for them over HTTP, from a server on the same processors, as it would ask the API.
//
// The scripts of the peers are in the folder python, their versions in its requirements files. They need not do what only
// launchlake promises (progress in the commit, resuming, conflicts). A time counts only when the tables are equal: when any row differs
// the program says where, and ends with 1. In the end it prints how many times faster than each peer launchlake was.
//
// With -growth it tells whether changes cost more upon a larger table: each number of launches is brought in once, by
// launchlake, and the changes, upon copies, take turns over them.
//
// With -vectors launchlake's Silver uses deletion vectors from the end of the whole run on, as the README advises for large tables.
//
// Input and lakes lie in a folder that is removed at the end: 1,000,000 launches are 4.4 GB of pages, and a lake about a tenth of that.
//
// It runs the binaries of ./bin, so `make build` comes first; the Python environments are made on first use.
package main

import (
	"flag"
	"fmt"
	"os"
	"strconv"
	"strings"
)

const seed = 1

// settings are the command line.
type settings struct {
	launches []int
	changes  []int
	tools    []string
	runs     int
	bin      string
	folder   string
	growth   bool
	vectors  bool
}

func main() {
	launches := flag.String("launches", "7500", "how many launches, several sizes by commas")
	changes := flag.String("changes", "200,2000,10000", "how many of them change, several sizes by commas")
	tools := flag.String("tools", strings.Join(toolNames(), ","), "what to measure; launchlake is always")
	runs := flag.Int("runs", 5, "how often each step is measured, for the median; 3 is the most for steps that take longer than 30 s")
	bin := flag.String("bin", "bin", "folder of the binaries")
	folder := flag.String("folder", "", "where input and lakes are made; a temporary folder when not set")
	growth := flag.Bool("growth", false, "measure launchlake alone: what the changes cost upon each of the numbers of launches, which are brought in once")
	vectors := flag.Bool("vectors", false, "have launchlake's Silver use deletion vectors, once the launches are in")
	ofLake := flag.String("contents", "", "print what is compared of a lake's tables")
	asServer := flag.String("serve", "", "be the API over the pages of these folders, by commas; a line on stdin goes on to that number of folders")
	flag.Parse()
	work := func() error {
		s := settings{tools: strings.Split(*tools, ","), runs: *runs, bin: *bin, folder: *folder, growth: *growth, vectors: *vectors}
		var err error
		if s.launches, err = numbers(*launches); err != nil {
			return fmt.Errorf("-launches: %w", err)
		}
		if s.changes, err = numbers(*changes); err != nil {
			return fmt.Errorf("-changes: %w", err)
		}
		return measure(s)
	}
	switch {
	case *asServer != "":
		work = func() error { return serve(strings.Split(*asServer, ","), os.Stdin, os.Stdout) }
	case *ofLake != "":
		work = func() error { return printContents(*bin, *ofLake, os.Stdout) }
	}
	if err := work(); err != nil {
		fmt.Fprintln(os.Stderr, "peers:", err)
		os.Exit(1)
	}
}

func numbers(list string) ([]int, error) {
	var all []int
	for text := range strings.SplitSeq(list, ",") {
		n, err := strconv.Atoi(strings.TrimSpace(text))
		if err != nil || n < 1 {
			return nil, fmt.Errorf("%q is no number of launches", text)
		}
		all = append(all, n)
	}
	return all, nil
}

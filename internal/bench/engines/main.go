// Command engines measures refine and aggregate on both engines, as whole processes: wall time, processor time and peak memory of the
// program and, on Spark, of the JVM. It runs the binaries of ./bin, so `make build` comes first.
//
//	go run ./internal/bench/engines -launches 10000,100000,1000000
//
// For each size launches are generated and ingested once; each engine works on a copy of that lake. Spark is one new JVM for each size, from
// SPARK_HOME or else from PyPI; its time to start is not counted, as a cluster's would not be. It fails when the tables of the engines
// differ in any row.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
)

const seed = 1

// options are the command line.
type options struct {
	launches []int
	bin      string
	memory   string // heap of the JVM
	master   string
}

func main() {
	sizes := flag.String("launches", "10000,100000", "how many launches: sizes, with commas between; 1000000 needs 10 GB of memory for the API that serves them")
	o := options{}
	flag.StringVar(&o.bin, "bin", "bin", "folder of the binaries")
	flag.StringVar(&o.memory, "spark-memory", "2g", "heap of Spark's JVM")
	flag.StringVar(&o.master, "spark-master", "local[*]", "where Spark works; the memory of executors elsewhere is not measured")
	serving := flag.Int("serve", 0, "be the API of so many launches, until stdin ends")
	comparing := flag.Bool("compare", false, "compare the tables of two lakes, which are the arguments")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	var err error
	switch {
	case *serving > 0:
		err = serve(*serving)
	case *comparing:
		err = compare(ctx, flag.Arg(0), flag.Arg(1))
	default:
		if o.launches, err = numbers(*sizes); err == nil {
			err = measure(ctx, o)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "engines:", err)
		os.Exit(1)
	}
}

func numbers(text string) ([]int, error) {
	var all []int
	for part := range strings.SplitSeq(text, ",") {
		n, err := strconv.Atoi(strings.TrimSpace(part))
		if err != nil || n <= 0 || len(all) > 0 && n <= all[len(all)-1] {
			return nil, fmt.Errorf("-launches %q: not ascending numbers with commas between", text)
		}
		all = append(all, n)
	}
	return all, nil
}

// measure does the work at each size and prints what it took.
func measure(ctx context.Context, o options) error {
	all := map[string][]figure{}
	for _, n := range o.launches {
		if err := measureSize(ctx, o, n, all); err != nil {
			return fmt.Errorf("%d launches: %w", n, err)
		}
		show(o.launches[:len(all[duckDB])], all)
	}
	fmt.Println(breakEven(o.launches, all))
	return nil
}

const (
	duckDB = "duckdb"
	spark  = "spark"
)

func measureSize(ctx context.Context, o options, n int, all map[string][]figure) (err error) {
	folder, err := os.MkdirTemp("", "launchlake-engines-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	lakes := map[string]string{duckDB: filepath.Join(folder, duckDB), spark: filepath.Join(folder, spark)}
	if err := ingest(ctx, o, n, lakes[duckDB]); err != nil {
		return err
	}
	if err := os.CopyFS(lakes[spark], os.DirFS(lakes[duckDB])); err != nil {
		return err
	}
	f, err := transform(ctx, o, "ENGINE="+duckDB, "LAKE_URL="+lakes[duckDB], "WORK_FOLDER="+filepath.Join(folder, "work"))
	if err != nil {
		return fmt.Errorf("duckdb: %w", err)
	}
	all[duckDB] = append(all[duckDB], f)
	if f, err = onSpark(ctx, o, folder, lakes[spark]); err != nil {
		return fmt.Errorf("spark: %w", err)
	}
	all[spark] = append(all[spark], f)
	return runSelf(ctx, "-compare", lakes[duckDB], lakes[spark])
}

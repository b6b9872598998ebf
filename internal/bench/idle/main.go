// Command idle measures how long the tasks take to find that there is nothing to do, as whole processes on a real MinIO. The lake has
// all tables of the pipeline, each with a long log. It runs the binaries of ./bin, so `make build` comes first.
//
//	go run ./internal/bench/idle -versions 10000
//
// It prints medians: the wall time of each task, its processor time; and, of runs in which a proxy stands before
// MinIO and the launch API, the time from the start of the process to its first request, and how many it sent.
package main

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

var tasks = []string{"ingest", "refine", "aggregate"}

func main() {
	versions := flag.Int("versions", 10_000, "length of each table's log")
	runs := flag.Int("runs", 15, "how often everything is measured")
	bin := flag.String("bin", "bin", "folder of the binaries; several, with commas between, are measured in turn")
	flag.Parse()
	if err := measure(context.Background(), *versions, *runs, strings.Split(*bin, ",")); err != nil {
		fmt.Fprintln(os.Stderr, "idle:", err)
		os.Exit(1)
	}
}

func measure(ctx context.Context, versions, runs int, bins []string) error {
	s, err := newScene(ctx, bins[0], versions)
	if err != nil {
		return err
	}
	defer s.close()
	direct, watched := map[string][]figure{}, map[string][]figure{}
	for range runs {
		for _, bin := range bins {
			for _, task := range tasks {
				f, err := s.run(bin, task)
				if err != nil {
					return err
				}
				direct[bin+task] = append(direct[bin+task], f)
				if f, err = s.watch(bin, task); err != nil {
					return err
				}
				watched[bin+task] = append(watched[bin+task], f)
			}
		}
	}
	fmt.Printf("logs of %d versions, medians of %d runs\n\n", versions, runs)
	return show(bins, direct, watched)
}

func show(bins []string, direct, watched map[string][]figure) error {
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "binaries\ttask\twall ms\tprocessor ms\tfirst request ms\trequests\tof these lists\t")
	for _, bin := range bins {
		var all time.Duration
		for _, task := range tasks {
			d, p := direct[bin+task], watched[bin+task]
			wall := median(d, func(f figure) time.Duration { return f.wall })
			all += wall
			fmt.Fprintf(w, "%s\t%s\t%.1f\t%.1f\t%.1f\t%d\t%d\t\n", bin, task, milliseconds(wall),
				milliseconds(median(d, func(f figure) time.Duration { return f.processor })),
				milliseconds(median(p, func(f figure) time.Duration { return f.first })),
				median(p, func(f figure) int { return f.requests }), median(p, func(f figure) int { return f.lists }))
		}
		fmt.Fprintf(w, "%s\tall\t%.1f\t\t\t\t\t\n", bin, milliseconds(all))
	}
	return w.Flush()
}

func median[T cmp.Ordered](figures []figure, of func(figure) T) T {
	values := make([]T, len(figures))
	for i, f := range figures {
		values[i] = of(f)
	}
	slices.Sort(values)
	return values[len(values)/2]
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1e3 }

// Command pipeline measures the tasks as whole processes: wall and processor time, peak memory and bytes a second, over
// launches that are generated and served on loopback. It runs the binaries of ./bin, so `make build` comes first.
//
//	go run ./internal/bench/pipeline -launches 100000
//	go run ./internal/bench/pipeline -tasks ingest -bin before,bin -runs 9
//
// Of several folders of binaries each is measured in turn, so that what else the machine does is the same for all.
// The lake is a new temporary folder, or with -lake one on S3, for which the tasks' environment says the rest.
package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"

	"launchlake/internal/task"
)

const seed = 1

func main() {
	launches := flag.Int("launches", 100_000, "how many launches the API has")
	changes := flag.Int("changes", 200, "how many of them change for the second run")
	runs := flag.Int("runs", 1, "how often everything is measured; medians are printed")
	lake := flag.String("lake", "", "URL of an empty lake; a temporary folder when not set")
	bins := flag.String("bin", "bin", "folders of the binaries, by commas")
	tasks := flag.String("tasks", "ingest,refine,aggregate", "which tasks to measure, in this order")
	asServer := flag.Bool("serve", false, "be the API: print its size and address, then switch its state at every line of stdin")
	flag.Parse()
	work := func() error {
		b := bench{bins: strings.Split(*bins, ","), tasks: strings.Split(*tasks, ","), figures: map[string][]figure{}}
		return b.measure(*launches, *changes, *runs, *lake)
	}
	if *asServer {
		work = func() error { return serve(*launches, *changes, os.Stdin, os.Stdout) }
	}
	if err := work(); err != nil {
		fmt.Fprintln(os.Stderr, "pipeline:", err)
		os.Exit(1)
	}
}

// bench is what is measured, and the figures by folder, state and task.
type bench struct {
	bins, tasks []string
	figures     map[string][]figure
}

// figure is what one process took.
type figure struct {
	seconds   float64
	processor float64 // seconds
	peak      int64   // bytes, of the resident set
}

func (b *bench) measure(launches, changes, runs int, lake string) error {
	var size sizes
	for run := range runs {
		api, err := startAPI(launches, changes)
		if err != nil {
			return err
		}
		size = api.size
		err = b.measureOnce(api, lakeOf(lake, run))
		if stopErr := api.stop(); err == nil {
			err = stopErr
		}
		if err != nil {
			return err
		}
	}
	fmt.Printf("%d launches, %.0f MB of JSON; then %d changes, %.2f MB\n\n", launches, megabytes(size.All), changes, megabytes(size.Changes))
	return b.show(size.All)
}

// lakeOf is the lake of a run; "": a temporary folder.
func lakeOf(lake string, run int) string {
	if lake == "" {
		return ""
	}
	return fmt.Sprintf("%s/%d", lake, run)
}

var states = []string{"first", "changes", "nothing new"}

func (b *bench) measureOnce(server *api, lake string) error {
	if lake == "" {
		folder, err := os.MkdirTemp("", "launchlake-bench-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(folder)
		lake = "file://" + folder
	}
	for i, state := range states {
		if i == 1 {
			if err := server.change(); err != nil {
				return err
			}
		}
		for n, bin := range b.bins {
			for _, name := range b.tasks {
				f, err := runTask(filepath.Join(bin, name), fmt.Sprintf("%s/%d", lake, n), server.url)
				if err != nil {
					return fmt.Errorf("%s, %s: %w", name, state, err)
				}
				key := figureOf(bin, state, name)
				b.figures[key] = append(b.figures[key], f)
			}
		}
	}
	return nil
}

func figureOf(bin, state, task string) string { return bin + "/" + state + "/" + task }

func runTask(binary, lake, source string) (figure, error) {
	c := exec.Command(binary)
	c.Env = append(os.Environ(), "LAKE_URL="+lake, "SOURCE_URL="+source, "LOG_LEVEL=warn", "LOG_FORMAT=json")
	var out bytes.Buffer
	c.Stdout, c.Stderr = &out, &out
	start := time.Now()
	err := c.Run()
	took := time.Since(start)
	if code := c.ProcessState.ExitCode(); code != int(task.Done) && code != int(task.NothingNew) {
		return figure{}, fmt.Errorf("%w\n%s", err, out.String())
	}
	usage := c.ProcessState.SysUsage().(*syscall.Rusage)
	processor := c.ProcessState.UserTime() + c.ProcessState.SystemTime()
	const kilobyte = 1024 // the unit of Maxrss on Linux
	return figure{took.Seconds(), processor.Seconds(), usage.Maxrss * kilobyte}, nil
}

func (b *bench) show(rawBytes int64) error {
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "run\ttask\tbinaries\tseconds\tprocessor\tMB/s of JSON\tpeak MB\t")
	for _, state := range states {
		for _, name := range b.tasks {
			for _, bin := range b.bins {
				f := b.figures[figureOf(bin, state, name)]
				seconds := median(f, func(f figure) float64 { return f.seconds })
				rate := "-"
				if state == states[0] && name != "aggregate" {
					rate = fmt.Sprintf("%.0f", megabytes(rawBytes)/seconds)
				}
				processor := median(f, func(f figure) float64 { return f.processor })
				peak := median(f, func(f figure) float64 { return megabytes(f.peak) })
				fmt.Fprintf(w, "%s\t%s\t%s\t%.3f\t%.3f\t%s\t%.0f\t\n", state, name, bin, seconds, processor, rate, peak)
			}
		}
	}
	return w.Flush()
}

func median(figures []figure, of func(figure) float64) float64 {
	values := make([]float64, len(figures))
	for i, f := range figures {
		values[i] = of(f)
	}
	slices.Sort(values)
	return values[len(values)/2]
}

func megabytes(n int64) float64 {
	const mega = 1e6
	return float64(n) / mega
}

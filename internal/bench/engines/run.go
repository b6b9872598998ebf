package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"launchlake/internal/launchapi/launchapitest"
	"launchlake/internal/launchapi/recorded"
)

// figure is what refine and aggregate took together, but for the peaks.
type figure struct {
	wall, cpu time.Duration
	program   int64 // bytes, the greater peak of the resident sets
	jvm       int64 // likewise, of Spark
	jvmCPU    time.Duration
}

// transform runs refine and aggregate.
func transform(ctx context.Context, o options, environment ...string) (f figure, err error) {
	for _, name := range []string{"refine", "aggregate"} {
		start := time.Now()
		usage, err := run(ctx, filepath.Join(o.bin, name), environment...)
		if err != nil {
			return f, fmt.Errorf("%s: %w", name, err)
		}
		f.wall += time.Since(start)
		f.cpu += processor(usage)
		f.program = max(f.program, peak(usage))
	}
	return f, nil
}

func run(ctx context.Context, binary string, environment ...string) (*syscall.Rusage, error) {
	c := exec.CommandContext(ctx, binary)
	c.Env = append(append(os.Environ(), "LOG_LEVEL=warn", "LOG_FORMAT=json", "RUN_ID=bench"), environment...)
	var out bytes.Buffer
	c.Stdout, c.Stderr = &out, &out
	if err := c.Run(); err != nil {
		return nil, fmt.Errorf("%w\n%s", err, out.String())
	}
	return c.ProcessState.SysUsage().(*syscall.Rusage), nil
}

func processor(u *syscall.Rusage) time.Duration {
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func peak(u *syscall.Rusage) int64 {
	const kilobyte = 1024 // the unit of Maxrss on Linux
	return u.Maxrss * kilobyte
}

// self is this program in another process: a process begins with the peak memory of the one that starts it, so this one stays small.
func self(ctx context.Context, arguments ...string) (*exec.Cmd, error) {
	path, err := os.Executable()
	if err != nil {
		return nil, err
	}
	c := exec.CommandContext(ctx, path, arguments...)
	c.Stderr = os.Stderr
	return c, nil
}

func runSelf(ctx context.Context, arguments ...string) error {
	c, err := self(ctx, arguments...)
	if err != nil {
		return err
	}
	c.Stdout = os.Stdout
	return c.Run()
}

// ingest makes a lake whose Bronze has generated launches.
func ingest(ctx context.Context, o options, n int, lake string) error {
	api, err := self(ctx, "-serve", strconv.Itoa(n))
	if err != nil {
		return err
	}
	in, err := api.StdinPipe()
	if err != nil {
		return err
	}
	out, err := api.StdoutPipe()
	if err != nil {
		return err
	}
	if err := api.Start(); err != nil {
		return err
	}
	defer func() {
		_ = in.Close()
		_ = api.Wait()
	}()
	url, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		return fmt.Errorf("start the API: %w", err)
	}
	if err := os.MkdirAll(lake, 0o700); err != nil {
		return err
	}
	_, err = run(ctx, filepath.Join(o.bin, "ingest"), "LAKE_URL="+lake, "SOURCE_URL="+strings.TrimSpace(url))
	if err != nil {
		return fmt.Errorf("ingest: %w", err)
	}
	return nil
}

// serve is the API's process.
func serve(n int) error {
	server, err := launchapitest.New(launchapitest.Options{States: [][]json.RawMessage{slices.Collect(recorded.Generate(n, seed))}})
	if err != nil {
		return err
	}
	defer server.Close()
	fmt.Println(server.URL())
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

package ingest_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"launchlake/internal/bench/cputime"
	"launchlake/internal/launchapi/launchapitest"
	"launchlake/internal/launchapi/recorded"
	"launchlake/internal/task/ingest"
)

// benchLaunches are about 130 MB.
const benchLaunches = 30_000

// beServer in the environment makes this program the API of the benchmark, until its input ends.
const beServer = "LAUNCHLAKE_BENCH_SERVER"

func TestMain(m *testing.M) {
	if os.Getenv(beServer) == "" {
		os.Exit(m.Run())
	}
	server, err := launchapitest.New(launchapitest.Options{
		States: [][]json.RawMessage{slices.Collect(recorded.Generate(benchLaunches, 1))},
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(server.URL())
	_, _ = io.Copy(io.Discard, os.Stdin)
}

// BenchmarkRun reads launches from a server on this machine, in a process of its own, into a lake in a folder. The processor
// time is that of the task alone.
func BenchmarkRun(b *testing.B) {
	server := exec.Command(os.Args[0])
	server.Env, server.Stderr = append(os.Environ(), beServer+"=1"), os.Stderr
	stdin, err := server.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	stdout, err := server.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := server.Start(); err != nil {
		b.Fatal(err)
	}
	defer func() {
		_ = stdin.Close()
		_ = server.Wait()
	}()
	url, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		b.Fatal(err)
	}
	var size int64
	for raw := range recorded.Generate(benchLaunches, 1) {
		size += int64(len(raw))
	}
	var c ingest.Config
	b.ReportAllocs()
	defer cputime.PerMB(b, size)()
	for b.Loop() {
		c = configOf(b, map[string]string{"LAKE_URL": "file://" + b.TempDir(), "SOURCE_URL": strings.TrimSpace(url)})
		result, err := ingest.Run(b.Context(), c, slog.New(slog.DiscardHandler))
		if err != nil || result.Tables[0].RowsIn != benchLaunches {
			b.Fatal(result, err)
		}
	}
}

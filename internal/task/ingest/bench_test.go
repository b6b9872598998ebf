package ingest_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"launchlake/internal/bench/cputime"
	"launchlake/internal/launchapi"
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

// BenchmarkRun reads launches from a server on this machine, in a process of its own, so that the processor time is that of
// the reader alone: what HTTP takes, what the pages take with it, and the whole task into a lake in a folder.
func BenchmarkRun(b *testing.B) {
	address, size := startServer(b)
	b.Run("http", func(b *testing.B) {
		defer cputime.PerMB(b, size)()
		for b.Loop() {
			for offset := 0; offset < benchLaunches; offset += 100 {
				discard(b, fmt.Sprintf("%s/launches/?ordering=last_updated&limit=100&offset=%d", address, offset))
			}
		}
	})
	b.Run("pages", func(b *testing.B) {
		client, err := launchapi.New(address, launchapi.Options{})
		if err != nil {
			b.Fatal(err)
		}
		b.ReportAllocs()
		defer cputime.PerMB(b, size)()
		for b.Loop() {
			for page, err := range client.Pages(b.Context(), launchapi.Query{}) {
				if err != nil {
					b.Fatal(err)
				}
				page.Release()
			}
		}
	})
	b.Run("lake", func(b *testing.B) {
		b.ReportAllocs()
		defer cputime.PerMB(b, size)()
		for b.Loop() {
			c := configOf(b, map[string]string{"LAKE_URL": "file://" + b.TempDir(), "SOURCE_URL": address})
			result, err := ingest.Run(b.Context(), c, slog.New(slog.DiscardHandler))
			if err != nil || result.Tables[0].RowsIn != benchLaunches {
				b.Fatal(result, err)
			}
		}
	})
}

func discard(b *testing.B, url string) {
	response, err := http.Get(url)
	if err != nil {
		b.Fatal(err)
	}
	defer response.Body.Close()
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		b.Fatal(err)
	}
}

// startServer gives the API's address, and the bytes of its launches.
func startServer(b *testing.B) (address string, size int64) {
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
	b.Cleanup(func() {
		_ = stdin.Close()
		_ = server.Wait()
	})
	if address, err = bufio.NewReader(stdout).ReadString('\n'); err != nil {
		b.Fatal(err)
	}
	for raw := range recorded.Generate(benchLaunches, 1) {
		size += int64(len(raw))
	}
	return strings.TrimSpace(address), size
}

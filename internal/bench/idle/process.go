package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"launchlake/internal/task"
)

// figure is what one process took.
type figure struct {
	wall, processor time.Duration
	first           time.Duration // from its start to its first request; only of watched ones, as the following
	requests, lists int
}

// run runs a task that must find nothing to do.
func (s *scene) run(bin, name string) (figure, error) {
	return runTask(filepath.Join(bin, name), s.environment(s.minio, s.api.URL()), task.NothingNew)
}

// watch runs a task likewise, by way of the proxy.
func (s *scene) watch(bin, name string) (figure, error) {
	return s.watcher.during(func() (figure, error) {
		return runTask(filepath.Join(bin, name), s.environment(s.watcher.store.URL, s.watcher.source.URL), task.NothingNew)
	})
}

func runTask(binary string, environment []string, want task.ExitCode) (figure, error) {
	c := exec.Command(binary)
	c.Env = environment
	var out bytes.Buffer
	c.Stdout, c.Stderr = &out, &out
	start := time.Now()
	err := c.Run()
	took := time.Since(start)
	if c.ProcessState == nil {
		return figure{}, err
	}
	if code := c.ProcessState.ExitCode(); code != int(want) {
		return figure{}, fmt.Errorf("%s ended with code %d, not %d: %s", binary, code, want, out.String())
	}
	return figure{wall: took, processor: c.ProcessState.UserTime() + c.ProcessState.SystemTime()}, nil
}

// environment is that of the tasks.
func (s *scene) environment(store, source string) []string {
	all := append(os.Environ(), "LAKE_URL="+s.url, "SOURCE_URL="+source, "LOG_LEVEL=warn", "LOG_FORMAT=json")
	for name, value := range s.store {
		all = append(all, name+"="+value)
	}
	return append(all, "S3_ENDPOINT="+store)
}

package integration_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"launchlake/internal/task"
)

// binaries is the folder of the built binaries.
var binaries string

func TestMain(m *testing.M) {
	os.Exit(buildAndRun(m))
}

func buildAndRun(m *testing.M) int {
	folder, err := os.MkdirTemp("", "launchlake-bin-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(folder)
	build := exec.Command("go", "build", "-o", folder, "../../tasks/...")
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "build the binaries:", err)
		return 1
	}
	binaries = folder
	return m.Run()
}

// environment is what a process is started with beside PATH and the like.
type environment map[string]string

// with is the environment with some variables changed.
func (e environment) with(pairs ...string) environment {
	changed := environment{}
	for name, value := range e {
		changed[name] = value
	}
	for i := 0; i < len(pairs); i += 2 {
		changed[pairs[i]] = pairs[i+1]
	}
	return changed
}

// ended is a process that has ended.
type ended struct {
	code   int // -1: killed by a signal
	stdout string
	stderr string
	result task.Result // of the last line of stdout, when it is one
}

func (e ended) String() string {
	return fmt.Sprintf("exit %d\nstdout: %s\nstderr: %s", e.code, e.stdout, e.stderr)
}

func command(ctx context.Context, env environment, name string, args ...string) *exec.Cmd {
	c := exec.CommandContext(ctx, filepath.Join(binaries, name), args...)
	for _, inherited := range []string{"PATH", "HOME", "TMPDIR"} {
		if value, ok := os.LookupEnv(inherited); ok {
			c.Env = append(c.Env, inherited+"="+value)
		}
	}
	for name, value := range env {
		c.Env = append(c.Env, name+"="+value)
	}
	return c
}

// run runs a binary to its end.
func run(t *testing.T, env environment, name string, args ...string) ended {
	t.Helper()
	c := command(t.Context(), env, name, args...)
	var stdout, stderr bytes.Buffer
	c.Stdout, c.Stderr = &stdout, &stderr
	err := c.Run()
	if _, exited := errors.AsType[*exec.ExitError](err); err != nil && !exited {
		t.Fatalf("%s %s: %v", name, strings.Join(args, " "), err)
	}
	e := ended{code: c.ProcessState.ExitCode(), stdout: stdout.String(), stderr: stderr.String()}
	lines := strings.Split(strings.TrimSpace(e.stdout), "\n")
	// Commands of `lake` print no result; for a task the caller looks at what is here.
	_ = json.Unmarshal([]byte(lines[len(lines)-1]), &e.result)
	return e
}

// runTask runs a task and requires its exit code and a result that agrees with it.
func runTask(t *testing.T, env environment, name string, want task.ExitCode) ended {
	t.Helper()
	e := run(t, env, name)
	if e.code != int(want) {
		t.Fatalf("%s: exit code %d, want %d\n%s", name, e.code, want, e)
	}
	if e.result.Task != name {
		t.Fatalf("%s: the last line of stdout is no result of it\n%s", name, e)
	}
	return e
}

// runPipeline runs the three tasks and requires one exit code of all.
func runPipeline(t *testing.T, env environment, want task.ExitCode) (results []task.Result) {
	t.Helper()
	for _, name := range []string{"ingest", "refine", "aggregate"} {
		results = append(results, runTask(t, env, name, want).result)
	}
	return results
}

// cat reads a table with `lake cat`.
func cat(t *testing.T, env environment, args ...string) (rows []map[string]any) {
	t.Helper()
	e := run(t, env, "lake", append([]string{"cat"}, args...)...)
	if e.code != 0 {
		t.Fatalf("lake cat %s: %s", strings.Join(args, " "), e)
	}
	decoder := json.NewDecoder(strings.NewReader(e.stdout))
	decoder.UseNumber()
	for decoder.More() {
		var row map[string]any
		if err := decoder.Decode(&row); err != nil {
			t.Fatalf("lake cat %s: %v", strings.Join(args, " "), err)
		}
		rows = append(rows, row)
	}
	return rows
}

func decodeBase64(t *testing.T, text string) string {
	t.Helper()
	decoded, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return string(decoded)
}

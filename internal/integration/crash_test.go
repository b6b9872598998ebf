package integration_test

import (
	"context"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"launchlake/internal/task"
)

// TestKilledTasksConverge kills every task at random instants, again and again, until it gets through, over both states
// of the recorded API. The lake must then hold what a lake holds whose tasks were left alone.
func TestKilledTasksConverge(t *testing.T) {
	forEachStore(t, func(t *testing.T, killed environment) {
		quiet := environment{"LAKE_URL": "file://" + t.TempDir(), "WORK_FOLDER": t.TempDir()}
		seed := uint64(time.Now().UnixNano())
		t.Logf("seed %d", seed)
		random := rand.New(rand.NewPCG(seed, 0))
		for _, state := range []string{"1", "2"} {
			for _, name := range []string{"ingest", "refine", "aggregate"} {
				start := time.Now()
				runTask(t, quiet.with("SAMPLE_STATE", state), name, task.Done)
				runKilling(t, killed.with("SAMPLE_STATE", state), name, time.Since(start), random)
			}
		}
		compareLakes(t, quiet, killed)
	})
}

// compareLakes compares the rows of two lakes, by the columns that do not tell when they were written.
func compareLakes(t *testing.T, undisturbed, disturbed environment) {
	t.Helper()
	for name, columns := range map[string]string{
		"bronze/launches":            "id,sha256,raw",
		"silver/launches":            "id,last_updated,net,status_id,bronze_sha256",
		"silver/launches_quarantine": "sha256,rules",
		"gold/rocket_reliability":    "",
		"gold/launches_by_period":    "",
	} {
		args := []string{name}
		if columns != "" {
			args = append(args, "--columns", columns)
		}
		want, got := sorted(t, cat(t, undisturbed, args...)), sorted(t, cat(t, disturbed, args...))
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-undisturbed +disturbed):\n%.2000s", name, diff)
		}
	}
}

// killsPerTask is how often a task is killed before it may run to its end.
const killsPerTask = 6

// runKilling runs a task, killing it at random instants of the time that it takes, and then to its end. A process that was
// faster than its killer does not count, and the next one is given half the time.
func runKilling(t *testing.T, env environment, name string, takes time.Duration, random *rand.Rand) {
	t.Helper()
	for kills := 0; kills < killsPerTask; {
		ctx, cancel := context.WithTimeout(t.Context(), 1+time.Duration(random.Int64N(int64(takes))))
		c := command(ctx, env, name)
		c.WaitDelay = time.Second
		if err := c.Run(); err != nil && ctx.Err() != nil {
			kills++
		} else {
			takes = max(takes/2, time.Millisecond)
		}
		cancel()
	}
	e := run(t, env, name)
	if e.code != int(task.Done) && e.code != int(task.NothingNew) {
		t.Fatalf("%s after %d kills: %s", name, killsPerTask, e)
	}
}

// TestBadEnvironmentsEndBeforeAnythingIsWritten starts every task with what cannot work: one clear line, the right exit
// code, and nothing written.
func TestBadEnvironmentsEndBeforeAnythingIsWritten(t *testing.T) {
	writable := t.TempDir()
	alien := filepath.Join(t.TempDir(), "alien")
	writeAlienTables(t, alien)
	for _, test := range []struct {
		name string
		env  environment
		want task.ExitCode
	}{
		{"no lake", environment{}, task.BadConfig},
		{"unknown scheme", environment{"LAKE_URL": "ftp://lake"}, task.BadConfig},
		{"no bucket", environment{"LAKE_URL": "s3://"}, task.BadConfig},
		{"bad log level", environment{"LAKE_URL": writable, "LOG_LEVEL": "loud"}, task.BadConfig},
		{"nobody listens", environment{
			"LAKE_URL": "s3://bucket/lake", "S3_ENDPOINT": "http://127.0.0.1:1", "S3_PATH_STYLE": "true",
			"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "not-in-any-output",
		}, task.Unavailable},
		{"tables of an unknown protocol", environment{"LAKE_URL": alien}, task.Failed},
	} {
		for _, name := range []string{"ingest", "refine", "aggregate"} {
			t.Run(test.name+": "+name, func(t *testing.T) {
				e := runTask(t, test.env, name, test.want)
				if e.result.Error == "" || e.result.Status != task.StatusFailed {
					t.Errorf("the result names no error: %+v", e.result)
				}
				if secret := test.env["AWS_SECRET_ACCESS_KEY"]; secret != "" {
					refuseSecret(t, e, secret)
				}
			})
		}
	}
	if names := fileNames(t, writable); len(names) > 0 {
		t.Errorf("something was written: %v", names)
	}
}

// TestReadOnlyFolderIsRefused runs the tasks as a user that may not write the lake's folder.
func TestReadOnlyFolderIsRefused(t *testing.T) {
	if err := os.Chmod(binaries, 0o755); err != nil {
		t.Fatal(err)
	}
	folder, err := os.MkdirTemp("", "launchlake-read-only-") // t.TempDir is below a folder of root's own
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(folder) })
	if err := os.Chmod(folder, 0o555); err != nil {
		t.Fatal(err)
	}
	c := command(t.Context(), environment{"LAKE_URL": "file://" + folder}, "ingest")
	if os.Geteuid() == 0 {
		const nobody = 65534 // root writes read-only folders
		c.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	}
	out, err := c.Output()
	if code := c.ProcessState.ExitCode(); code != int(task.NoPermission) {
		t.Errorf("exit code %d, want %d: %v\n%s", code, task.NoPermission, err, out)
	}
	if !strings.Contains(string(out), folder) {
		t.Errorf("the result does not name the folder: %s", out)
	}
	if names := fileNames(t, folder); len(names) > 0 {
		t.Errorf("something was written: %v", names)
	}
}

// writeAlienTables makes tables that ask more of their readers than we can.
func writeAlienTables(t *testing.T, lake string) {
	t.Helper()
	const log = `{"protocol":{"minReaderVersion":3,"minWriterVersion":7,"readerFeatures":["timeMachine"],"writerFeatures":["timeMachine"]}}
{"metaData":{"id":"6c1b9c4e-0c3e-4f5e-9a53-3f1f8f1f2c11","format":{"provider":"parquet","options":{}},"schemaString":"{\"type\":\"struct\",\"fields\":[]}","partitionColumns":[],"configuration":{}}}
`
	for _, name := range []string{"bronze/launches", "silver/launches"} {
		folder := filepath.Join(lake, name, "_delta_log")
		if err := os.MkdirAll(folder, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(folder, "00000000000000000000.json"), []byte(log), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func refuseSecret(t *testing.T, e ended, secret string) {
	t.Helper()
	for where, text := range map[string]string{"stdout": e.stdout, "stderr": e.stderr} {
		if strings.Contains(text, secret) {
			t.Errorf("%s holds a secret: %s", where, text)
		}
	}
}

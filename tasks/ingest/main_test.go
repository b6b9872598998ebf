package main_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"launchlake/internal/launchapi/launchapitest"
	"launchlake/internal/miniotest"
	"launchlake/internal/task"
)

// binary is the task as it is shipped, built once.
var binary string

func TestMain(m *testing.M) {
	folder, err := os.MkdirTemp("", "ingest")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	binary = filepath.Join(folder, "ingest")
	build := exec.Command("go", "build", "-o", binary, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if output, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build the task: %v\n%s", err, output)
		os.Exit(1)
	}
	code := m.Run()
	_ = os.RemoveAll(folder)
	os.Exit(code)
}

// ended is a process that has ended.
type ended struct {
	code           int
	stdout, stderr string
	after          time.Duration
}

// command is the task in an environment of these variables alone.
func command(ctx context.Context, t *testing.T, env map[string]string, args ...string) *exec.Cmd {
	t.Helper()
	c := exec.CommandContext(ctx, binary, args...)
	c.Env = []string{"HOME=" + t.TempDir(), "AWS_EC2_METADATA_DISABLED=true"}
	for name, value := range env {
		c.Env = append(c.Env, name+"="+value)
	}
	return c
}

func wait(t *testing.T, c *exec.Cmd, during func(*os.Process)) ended {
	t.Helper()
	var stdout, stderr bytes.Buffer
	c.Stdout, c.Stderr = &stdout, &stderr
	start := time.Now()
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	if during != nil {
		during(c.Process)
	}
	err := c.Wait()
	if _, exited := errors.AsType[*exec.ExitError](err); err != nil && !exited {
		t.Fatal(err)
	}
	return ended{c.ProcessState.ExitCode(), stdout.String(), stderr.String(), time.Since(start)}
}

func run(t *testing.T, env map[string]string, args ...string) ended {
	t.Helper()
	return wait(t, command(t.Context(), t, env, args...), nil)
}

// resultOf reads the result: the one line on stdout.
func resultOf(t *testing.T, e ended) task.Result {
	t.Helper()
	var result task.Result
	if strings.Count(e.stdout, "\n") != 1 || json.Unmarshal([]byte(e.stdout), &result) != nil {
		t.Fatalf("stdout is not one line of JSON: %q; stderr:\n%s", e.stdout, e.stderr)
	}
	if result.Schema != "task-result/v1" || result.Task != "ingest" || result.RunID == "" {
		t.Errorf("result %+v", result)
	}
	return result
}

// with gives an environment with more variables.
func with(env map[string]string, more ...string) map[string]string {
	all := map[string]string{}
	for name, value := range env {
		all[name] = value
	}
	for i := 0; i < len(more); i += 2 {
		all[more[i]] = more[i+1]
	}
	return all
}

func TestHelpAndVersionNeedNoEnvironment(t *testing.T) {
	help := run(t, nil, "--help")
	for _, want := range []string{"LAKE_URL", "SOURCE_URL", "LL2_TOKEN", "12h", "AWS_ACCESS_KEY_ID", "EXIT CODES"} {
		if help.code != 0 || !strings.Contains(help.stdout, want) {
			t.Errorf("exit code %d, no %s in\n%s", help.code, want, help.stdout)
		}
	}
	version := run(t, nil, "--version")
	if version.code != 0 || !strings.HasPrefix(version.stdout, "ingest ") || strings.Count(version.stdout, "\n") != 1 {
		t.Errorf("exit code %d, stdout %q", version.code, version.stdout)
	}
}

func TestRecordedLaunchesAreIngestedOnce(t *testing.T) {
	env := map[string]string{"LAKE_URL": "file://" + filepath.Join(t.TempDir(), "lake"), "RUN_ID": "manual__2026-01-01"}
	first := resultOf(t, run(t, env))
	if first.Status != task.StatusDone || first.RunID != "manual__2026-01-01" || len(first.Tables) != 1 ||
		first.Tables[0].VersionBefore != task.NoVersion || first.Tables[0].RowsOut < 400 || first.Watermark == "" {
		t.Errorf("first run: %+v", first)
	}
	second := run(t, env)
	if result := resultOf(t, second); second.code != 99 || result.Status != task.StatusNothingNew ||
		result.Tables[0].Version != first.Tables[0].Version {
		t.Errorf("second run: exit code %d, %+v", second.code, result)
	}
	third := run(t, with(env, "SAMPLE_STATE", "2"))
	if result := resultOf(t, third); third.code != 0 || result.Tables[0].RowsOut == 0 ||
		result.Tables[0].RowsOut >= first.Tables[0].RowsOut/2 {
		t.Errorf("the later state: exit code %d, %+v", third.code, result)
	}
}

func TestBadEnvironmentEndsWithCodeTwoAndTheVariablesName(t *testing.T) {
	good := map[string]string{"LAKE_URL": filepath.Join(t.TempDir(), "lake")}
	tests := []struct {
		env  map[string]string
		args []string
		want string
	}{
		{nil, nil, "LAKE_URL is not set"},
		{with(good, "LAKE_URL", "s3://"), nil, "LAKE_URL: "},
		{with(good, "LAKE_URL", "lake"), nil, "LAKE_URL: "},
		{with(good, "SOURCE_URL", "ftp://x"), nil, "SOURCE_URL: "},
		{with(good, "SOURCE_URL", "https://me:hunter22@x/2.3.0"), nil, "SOURCE_URL: "},
		{with(good, "SOURCE_URL", "samples:"), nil, "SOURCE_URL: "},
		{with(good, "SAMPLE_STATE", "3"), nil, `SAMPLE_STATE: "3" is not between 1 and 2`},
		{with(good, "OVERLAP", "0s"), nil, "OVERLAP: "},
		{with(good, "OVERLAP", "half a day"), nil, "OVERLAP: "},
		{with(good, "BATCH_PAGES", "0"), nil, "BATCH_PAGES: "},
		{with(good, "BATCH_BYTES", "1e6"), nil, "BATCH_BYTES: "},
		{with(good, "REQUEST_TIMEOUT", "10"), nil, "REQUEST_TIMEOUT: "},
		{with(good, "REQUEST_RETRIES", "-1"), nil, "REQUEST_RETRIES: "},
		{with(good, "USER_AGENT", "a\r\nX: b"), nil, "USER_AGENT: "},
		{with(good, "LL2_TOKEN", "hunter22 x"), nil, "LL2_TOKEN: "},
		{good, []string{"run"}, `unknown argument "run"`},
		{good, []string{"--lake", "x"}, `unknown argument "--lake"`},
	}
	for _, test := range tests {
		t.Run(test.want, func(t *testing.T) {
			got := run(t, test.env, test.args...)
			result := resultOf(t, got)
			if got.code != 2 || !strings.Contains(result.Error, test.want) || result.Status != task.StatusFailed {
				t.Errorf("exit code %d, %+v", got.code, result)
			}
			if strings.Contains(got.stdout+got.stderr, "hunter22") {
				t.Errorf("the secret is in the output:\n%s%s", got.stdout, got.stderr)
			}
			if _, err := os.Stat(good["LAKE_URL"]); err == nil {
				t.Error("the lake was touched")
			}
		})
	}
}

func TestFolderThatCannotBeALakeEndsWithoutARequest(t *testing.T) {
	api := launchapitest.Start(t, launchapitest.Options{})
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	folders := map[string]task.ExitCode{
		file:                                     task.Unavailable,
		filepath.Join(t.TempDir(), "no", "lake"): task.Unavailable,
	}
	if os.Getuid() != 0 {
		locked := t.TempDir()
		if err := os.Chmod(locked, 0o500); err != nil {
			t.Fatal(err)
		}
		folders[locked] = task.NoPermission
	}
	for folder, want := range folders {
		got := run(t, map[string]string{"LAKE_URL": folder, "SOURCE_URL": api.URL()})
		if result := resultOf(t, got); got.code != int(want) || !strings.Contains(result.Error, folder) {
			t.Errorf("%s: exit code %d, want %d: %+v", folder, got.code, want, result)
		}
	}
	if n := len(api.Requests()); n != 0 {
		t.Errorf("%d requests were spent", n)
	}
}

func TestTableOfAnUnknownProtocolIsRefusedUntouched(t *testing.T) {
	folder := t.TempDir()
	log := filepath.Join(folder, "bronze", "launches", "_delta_log")
	if err := os.MkdirAll(log, 0o750); err != nil {
		t.Fatal(err)
	}
	commit := `{"protocol":{"minReaderVersion":3,"minWriterVersion":7,"readerFeatures":["teleport"],"writerFeatures":["teleport"]}}
{"metaData":{"id":"6e2d1c3a-0000-4000-8000-000000000000","format":{"provider":"parquet","options":{}},"schemaString":"{\"type\":\"struct\",\"fields\":[]}","partitionColumns":[],"configuration":{}}}
`
	if err := os.WriteFile(filepath.Join(log, "00000000000000000000.json"), []byte(commit), 0o600); err != nil {
		t.Fatal(err)
	}
	got := run(t, map[string]string{"LAKE_URL": folder})
	if result := resultOf(t, got); got.code != 1 || !strings.Contains(result.Error, "teleport") {
		t.Errorf("exit code %d, %+v", got.code, result)
	}
	if entries, _ := os.ReadDir(filepath.Dir(log)); len(entries) != 1 {
		t.Errorf("the table's folder holds %v", entries)
	}
}

const token = "0123456789abcdef0123456789abcdef"

func TestFailuresOfTheAPIHaveTheirExitCodes(t *testing.T) {
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = closed.Close()
	launches := make([]json.RawMessage, 350)
	for i := range launches {
		launches[i] = json.RawMessage(fmt.Sprintf(`{"id":"%d","last_updated":"2026-01-01T00:00:%02dZ"}`, i, i/10))
	}
	tests := []struct {
		name    string
		options launchapitest.Options
		fault   launchapitest.Fault
		url     string
		code    int
		status  task.Status
		want    string
	}{
		{"wrong token", launchapitest.Options{Token: "another"}, nil, "", 77, task.StatusFailed, "LL2_TOKEN"},
		{"nobody listens", launchapitest.Options{}, nil, "http://" + closed.Addr().String() + "/2.3.0", 3, task.StatusFailed, closed.Addr().String()},
		{"a web page", launchapitest.Options{}, launchapitest.HTML(), "", 3, task.StatusFailed, "<!DOCTYPE html>"},
		{"server error", launchapitest.Options{}, launchapitest.ErrorPage(502), "", 3, task.StatusFailed, "502"},
		{"no results", launchapitest.Options{}, launchapitest.NoResults(), "", 3, task.StatusFailed, "results is missing"},
		{"budget", launchapitest.Options{Throttle: launchapitest.Throttle{Limit: 2, Window: time.Hour}}, nil, "", 75, task.StatusBudgetSpent, "budget"},
		{"throttled", launchapitest.Options{}, launchapitest.Throttled(90 * time.Second), "", 75, task.StatusBudgetSpent, "budget"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			test.options.States = [][]json.RawMessage{launches}
			api := launchapitest.Start(t, test.options)
			api.FailAlways(test.fault)
			env := map[string]string{
				"LAKE_URL": filepath.Join(t.TempDir(), "lake"), "SOURCE_URL": api.URL(), "LL2_TOKEN": token,
				"REQUEST_RETRIES": "0", "LOG_LEVEL": "debug",
			}
			if test.url != "" {
				env["SOURCE_URL"] = test.url
			}
			got := run(t, env)
			result := resultOf(t, got)
			if got.code != test.code || result.Status != test.status || !strings.Contains(result.Error, test.want) {
				t.Errorf("exit code %d, %+v", got.code, result)
			}
			if wait := result.RetryAfterSeconds; (test.code == 75) != (wait != nil && *wait > 60) {
				t.Errorf("retry_after_seconds in %s", got.stdout)
			}
			if strings.Contains(got.stdout+got.stderr, token) {
				t.Errorf("the token is in the output:\n%s%s", got.stdout, got.stderr)
			}
		})
	}
}

func TestKeyInTheAPIsAddressIsInNoOutput(t *testing.T) {
	api := launchapitest.Start(t, launchapitest.Options{States: [][]json.RawMessage{{json.RawMessage(`{"id":"1"}`)}}})
	got := run(t, map[string]string{
		"LAKE_URL": filepath.Join(t.TempDir(), "lake"), "SOURCE_URL": api.URL() + "?api_key=" + token, "LOG_LEVEL": "debug",
	})
	if got.code != 0 || strings.Contains(got.stdout+got.stderr, token) {
		t.Errorf("exit code %d, output:\n%s%s", got.code, got.stdout, got.stderr)
	}
}

func TestSignalEndsTheTaskWithItsPagesCommitted(t *testing.T) {
	launches := make([]json.RawMessage, 350)
	for i := range launches {
		launches[i] = json.RawMessage(fmt.Sprintf(`{"id":"%d","last_updated":"2026-01-01T00:00:%02dZ"}`, i, i/10))
	}
	for signal, code := range map[os.Signal]int{syscall.SIGTERM: 143, os.Interrupt: 130} {
		t.Run(signal.String(), func(t *testing.T) {
			api := launchapitest.Start(t, launchapitest.Options{States: [][]json.RawMessage{launches}})
			api.FailAt(3, launchapitest.Slow(time.Minute))
			reached := make(chan struct{})
			api.BeforeEach(func(number int) {
				if number == 3 {
					close(reached)
				}
			})
			env := map[string]string{"LAKE_URL": filepath.Join(t.TempDir(), "lake"), "SOURCE_URL": api.URL()}
			var signalled time.Time
			got := wait(t, command(t.Context(), t, env), func(p *os.Process) {
				<-reached
				signalled = time.Now()
				if err := p.Signal(signal); err != nil {
					t.Error(err)
				}
			})
			if took := time.Since(signalled); took > 8*time.Second {
				t.Errorf("it took %s to end", took)
			}
			result := resultOf(t, got)
			if got.code != code || result.Status != task.StatusInterrupted || len(result.Tables) != 1 || result.Tables[0].RowsOut < 190 {
				t.Fatalf("exit code %d, %+v", got.code, result)
			}
			api.BeforeEach(nil)
			rest := resultOf(t, run(t, env))
			if sum := result.Tables[0].RowsOut + rest.Tables[0].RowsOut; sum != 350 {
				t.Errorf("%d rows after the run that went on", sum)
			}
		})
	}
}

func TestIngestIntoABucket(t *testing.T) {
	env, bucket := miniotest.Bucket(t)
	secret := env["AWS_SECRET_ACCESS_KEY"]
	tests := []struct {
		name string
		env  map[string]string
		code int
		want string
	}{
		{"first", with(env, "LAKE_URL", bucket+"/lake"), 0, ""},
		{"again", with(env, "LAKE_URL", bucket+"/lake"), 99, ""},
		{"another prefix", with(env, "LAKE_URL", bucket), 0, ""},
		{"missing bucket", with(env, "LAKE_URL", "s3://no-such-bucket-here/lake"), 3, "no-such-bucket-here"},
		{"wrong key", with(env, "LAKE_URL", bucket+"/lake", "AWS_SECRET_ACCESS_KEY", "another/"+secret), 77, ""},
		{"unknown key id", with(env, "LAKE_URL", bucket+"/lake", "AWS_ACCESS_KEY_ID", "nobody"), 77, ""},
		{"no server", with(env, "LAKE_URL", bucket+"/lake", "S3_ENDPOINT", "http://127.0.0.1:1"), 3, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := run(t, with(test.env, "LOG_LEVEL", "debug"))
			result := resultOf(t, got)
			if got.code != test.code || !strings.Contains(result.Error, test.want) {
				t.Errorf("exit code %d after %s, %+v", got.code, got.after, result)
			}
			if strings.Contains(got.stdout+got.stderr, secret) {
				t.Errorf("the secret key is in the output:\n%s%s", got.stdout, got.stderr)
			}
			if test.code > 0 && test.code != 99 {
				t.Logf("after %s: %s", got.after.Round(time.Millisecond), result.Error)
			}
		})
	}
}

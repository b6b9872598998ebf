package task

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"launchlake/internal/lake"
	"launchlake/internal/objstore"
	"launchlake/internal/secret"
)

// sampleConfig has a variable of each kind.
type sampleConfig struct {
	Common
	SourceURL string        `envconfig:"SOURCE_URL" default:"sample:" desc:"the API"`
	Token     secret.Text   `envconfig:"LL2_TOKEN" desc:"key of the API"`
	Overlap   time.Duration `envconfig:"OVERLAP" default:"12h" desc:"what is read again"`
	Pages     int           `envconfig:"BATCH_PAGES" default:"10" desc:"pages a commit"`
	Share     float64       `envconfig:"SHARE" default:"0.5" desc:"a share"`
}

func (c *sampleConfig) Validate() error {
	if c.Pages < 1 {
		return BadValue("BATCH_PAGES", fmt.Sprint(c.Pages), "at least 1")
	}
	return nil
}

// setEnvironment sets the variables of sampleConfig, and only these.
func setEnvironment(t *testing.T, env map[string]string) {
	t.Helper()
	for _, v := range variablesOf(&sampleConfig{}) {
		t.Setenv(v.name, env[v.name])
	}
	for _, name := range []string{"AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"} {
		t.Setenv(name, env[name])
	}
}

type ran struct {
	code   ExitCode
	stdout string
	stderr string
}

// runJob runs a job in this process as Main would.
func runJob(t *testing.T, p process, work func(context.Context, *sampleConfig) (Result, error)) ran {
	t.Helper()
	var stdout, stderr bytes.Buffer
	config := new(sampleConfig)
	p.stdout, p.stderr, p.now = &stdout, &stderr, time.Now
	if p.grace == 0 {
		p.grace = time.Minute
	}
	code := run(Job{
		Name: "sample", Summary: "does a test's work", Config: config,
		Run: func(ctx context.Context) (Result, error) { return work(ctx, config) },
	}, p)
	return ran{code, stdout.String(), stderr.String()}
}

// resultOf reads the result, which must be the one and only line on stdout.
func resultOf(t *testing.T, r ran) Result {
	t.Helper()
	if strings.Count(r.stdout, "\n") != 1 || !strings.HasSuffix(r.stdout, "\n") {
		t.Fatalf("stdout is not one line:\n%s", r.stdout)
	}
	var result Result
	if err := json.Unmarshal([]byte(r.stdout), &result); err != nil {
		t.Fatalf("the result %q: %v", r.stdout, err)
	}
	return result
}

func TestEndOfAJobBecomesExitCodeAndResult(t *testing.T) {
	fault := func(err error) error { return fmt.Errorf("read silver/launches: %w", err) }
	tests := []struct {
		name   string
		status Status
		err    error
		code   ExitCode
		want   Status
	}{
		{"done", "", nil, Done, StatusDone},
		{"nothing new", StatusNothingNew, nil, NothingNew, StatusNothingNew},
		{"budget by status", StatusBudgetSpent, nil, BudgetSpent, StatusBudgetSpent},
		{"budget by error", "", Fail(BudgetSpent, errors.New("15 of 15 requests")), BudgetSpent, StatusBudgetSpent},
		{"contract", "", Fail(ContractBroken, errors.New("rule")), ContractBroken, StatusContractBroken},
		{"plain error", "", errors.New("disk on fire"), Failed, StatusFailed},
		{"an error wins over a status", StatusDone, errors.New("late"), Failed, StatusFailed},
		{"denied", "", fault(objstore.ErrDenied), NoPermission, StatusFailed},
		{"permission of the file system", "", fault(fs.ErrPermission), NoPermission, StatusFailed},
		{"unavailable", "", fault(objstore.ErrUnavailable), Unavailable, StatusFailed},
		{"unsafe store", "", fault(lake.ErrUnsafeStore), Unavailable, StatusFailed},
		{"deadline", "", fault(context.DeadlineExceeded), Unavailable, StatusFailed},
		{"bad URL", "", fault(lake.ErrBadURL), BadConfig, StatusFailed},
		{"wrapped code", "", fault(Fail(NoPermission, errors.New("401"))), NoPermission, StatusFailed},
		{"the outer code wins", "", Fail(Unavailable, Fail(NoPermission, errors.New("x"))), Unavailable, StatusFailed},
		{"cancelled without a signal", "", context.Canceled, Failed, StatusFailed},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			setEnvironment(t, map[string]string{"LAKE_URL": "/lake", "RUN_ID": "r1"})
			got := runJob(t, process{}, func(context.Context, *sampleConfig) (Result, error) {
				return Result{Status: test.status, Requests: 3}, test.err
			})
			if got.code != test.code {
				t.Errorf("exit code %d, want %d", got.code, test.code)
			}
			want := Result{
				Schema: "task-result/v1", Task: "sample", RunID: "r1",
				Status: test.want, Tables: []Table{}, Requests: 3,
			}
			if test.err != nil {
				want.Error = test.err.Error()
			}
			result := resultOf(t, got)
			if diff := cmp.Diff(want, result, cmpopts.IgnoreFields(Result{}, "Seconds"),
				cmpopts.IgnoreUnexported(Result{})); diff != "" {
				t.Errorf("result (-want +got):\n%s", diff)
			}
		})
	}
}

func TestPanicOfAJobIsAnErrorWithAResult(t *testing.T) {
	setEnvironment(t, map[string]string{"LAKE_URL": "/lake"})
	got := runJob(t, process{}, func(context.Context, *sampleConfig) (Result, error) {
		panic("index out of range")
	})
	if got.code != Failed {
		t.Errorf("exit code %d, want %d", got.code, Failed)
	}
	if result := resultOf(t, got); !strings.Contains(result.Error, "index out of range") || result.Status != StatusFailed {
		t.Errorf("result %+v does not tell the panic", result)
	}
	if !strings.Contains(got.stderr, "task_test.go") {
		t.Errorf("the log has no stack:\n%s", got.stderr)
	}
}

func TestBadEnvironmentStopsBeforeTheJob(t *testing.T) {
	tests := []struct {
		name string
		env  map[string]string
		args []string
		want string
	}{
		{"missing", map[string]string{}, nil, "LAKE_URL is not set: where the tables lie"},
		{"no scheme", map[string]string{"LAKE_URL": "bucket/x"}, nil, `LAKE_URL: "bucket/x" has no scheme`},
		{"endpoint", map[string]string{"LAKE_URL": "s3://bucket", "S3_ENDPOINT": "localhost:9000"}, nil, `S3_ENDPOINT: "localhost:9000"`},
		{"duration", map[string]string{"LAKE_URL": "/l", "OVERLAP": "12"}, nil, `OVERLAP: "12" is not a duration`},
		{"number", map[string]string{"LAKE_URL": "/l", "BATCH_PAGES": "ten"}, nil, `BATCH_PAGES: "ten" is not a whole number`},
		{"fraction", map[string]string{"LAKE_URL": "/l", "SHARE": "half"}, nil, `SHARE: "half" is not a number`},
		{"bool", map[string]string{"LAKE_URL": "/l", "S3_PATH_STYLE": "yes"}, nil, `S3_PATH_STYLE: "yes" is not true or false`},
		{"level", map[string]string{"LAKE_URL": "/l", "LOG_LEVEL": "loud"}, nil, `LOG_LEVEL: "loud" is not debug, info`},
		{"format", map[string]string{"LAKE_URL": "/l", "LOG_FORMAT": "xml"}, nil, `LOG_FORMAT: "xml" is not auto`},
		{"run id", map[string]string{"LAKE_URL": "/l", "RUN_ID": "a\nb"}, nil, `RUN_ID: "a\nb" is not printable`},
		{"own check", map[string]string{"LAKE_URL": "/l", "BATCH_PAGES": "-1"}, nil, `BATCH_PAGES: "-1" is not at least 1`},
		{"flag", map[string]string{"LAKE_URL": "/l"}, []string{"--verbose"}, `unknown argument "--verbose"`},
		{"flag beside help", map[string]string{"LAKE_URL": "/l"}, []string{"--help", "x"}, `unknown argument`},
		{"password", map[string]string{"LAKE_URL": "s3://me:hunter22@bucket/x"}, nil, "LAKE_URL: "},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			setEnvironment(t, test.env)
			got := runJob(t, process{args: test.args}, func(context.Context, *sampleConfig) (Result, error) {
				t.Error("the job ran")
				return Result{}, nil
			})
			result := resultOf(t, got)
			if got.code != BadConfig || result.Status != StatusFailed {
				t.Errorf("exit code %d, status %s", got.code, result.Status)
			}
			if !strings.Contains(result.Error, test.want) {
				t.Errorf("error %q, want it to hold %q", result.Error, test.want)
			}
			if strings.Contains(got.stdout+got.stderr, "hunter22") {
				t.Errorf("the password is in the output:\n%s%s", got.stdout, got.stderr)
			}
		})
	}
}

func TestEmptyVariableCountsAsNotSet(t *testing.T) {
	setEnvironment(t, map[string]string{"LAKE_URL": "/lake"})
	got := runJob(t, process{}, func(_ context.Context, c *sampleConfig) (Result, error) {
		if c.Overlap != 12*time.Hour || c.Pages != 10 || c.LogFormat != LogAuto || c.RunID == "" {
			t.Errorf("defaults are not in %+v", c)
		}
		return Result{}, nil
	})
	if got.code != Done {
		t.Errorf("exit code %d: %s", got.code, got.stdout)
	}
}

func TestFirstSignalLetsTheJobFinish(t *testing.T) {
	for signal, want := range map[os.Signal]ExitCode{os.Interrupt: Interrupted, syscall.SIGTERM: Terminated} {
		setEnvironment(t, map[string]string{"LAKE_URL": "/lake"})
		signals := make(chan os.Signal, 2)
		signals <- signal
		got := runJob(t, process{signals: signals}, func(ctx context.Context, _ *sampleConfig) (Result, error) {
			<-ctx.Done()
			return Result{Tables: []Table{{Name: "bronze/launches", Version: 3}}}, fmt.Errorf("batch dropped: %w", context.Cause(ctx))
		})
		result := resultOf(t, got)
		if got.code != want || result.Status != StatusInterrupted || len(result.Tables) != 1 {
			t.Errorf("%v: exit code %d, result %+v", signal, got.code, result)
		}
	}
}

func TestJobThatFinishedDespiteTheSignalIsDone(t *testing.T) {
	setEnvironment(t, map[string]string{"LAKE_URL": "/lake"})
	signals := make(chan os.Signal, 2)
	signals <- syscall.SIGTERM
	got := runJob(t, process{signals: signals}, func(ctx context.Context, _ *sampleConfig) (Result, error) {
		<-ctx.Done()
		return Result{}, nil
	})
	if got.code != Done {
		t.Errorf("exit code %d, want %d: all of the work is done", got.code, Done)
	}
}

func TestJobThatIgnoresTheSignalIsLeftBehind(t *testing.T) {
	tests := []struct {
		name    string
		signals []os.Signal
		grace   time.Duration
		want    string
	}{
		{"after its time", []os.Signal{syscall.SIGTERM}, 20 * time.Millisecond, "did not end within 20ms"},
		{"at the second signal", []os.Signal{syscall.SIGTERM, syscall.SIGTERM}, time.Hour, "second signal"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			setEnvironment(t, map[string]string{"LAKE_URL": "/lake"})
			signals := make(chan os.Signal, 2)
			for _, s := range test.signals {
				signals <- s
			}
			release := make(chan struct{})
			defer close(release)
			got := runJob(t, process{signals: signals, grace: test.grace}, func(context.Context, *sampleConfig) (Result, error) {
				<-release
				return Result{}, nil
			})
			if result := resultOf(t, got); got.code != Terminated || !strings.Contains(result.Error, test.want) {
				t.Errorf("exit code %d, result %+v", got.code, result)
			}
		})
	}
}

func TestSecretsAreInNoOutput(t *testing.T) {
	const token, awsSecret, password = "ll2-0123456789", "aws/Se+cret", "p@ss:word"
	setEnvironment(t, map[string]string{
		"LAKE_URL": "/lake", "LL2_TOKEN": token, "AWS_SECRET_ACCESS_KEY": awsSecret, "LOG_LEVEL": "debug",
		"SOURCE_URL": "https://me:" + password + "@api.example/2.3.0?api_key=q1w2e3r4",
	})
	got := runJob(t, process{}, func(_ context.Context, c *sampleConfig) (Result, error) {
		slog.Info("config "+c.Token.Reveal(), "config", c, "token", c.Token, "url", c.SourceURL, "header", "Authorization: Token "+token)
		slog.Debug("nested", slog.Group("g", "url", "x"+c.SourceURL), "error", errors.New(awsSecret))
		if shown := fmt.Sprintf("%v %+v %#v %s %q %x %v", c.Token, c.Token, c.Token, c.Token, c.Token, c.Token, *c); strings.Contains(shown, token) {
			t.Errorf("fmt shows the token: %s", shown)
		}
		return Result{}, fmt.Errorf("get %s with %s: key %s", c.SourceURL, c.Token.Reveal(), awsSecret)
	})
	output := got.stdout + got.stderr
	for _, secret := range []string{token, awsSecret, "p@ss", "word@", "q1w2e3r4"} {
		if strings.Contains(output, secret) {
			t.Errorf("%q is in the output:\n%s", secret, output)
		}
	}
	if !strings.Contains(output, "https://api.example/2.3.0?api_key=REDACTED") {
		t.Errorf("the URL itself is gone:\n%s", output)
	}
}

func TestURLIsRedacted(t *testing.T) {
	for raw, want := range map[string]string{
		"https://u:p@host/x?limit=1&token=abc#f":   "https://host/x?limit=1&token=REDACTED#f",
		"https://host/x?last_updated__gte=2026-01": "https://host/x?last_updated__gte=2026-01",
		"http://a:b@[::1]:99/x":                    "http://[::1]:99/x",
		"http://a:%zz@host/":                       "http://host/",
		"sample:":                                  "sample:",
		"https://host/?launch_designator=2024-001&X-Amz-Signature=ab12&apikey=q&access_token=z&keys=1": "https://host/?launch_designator=2024-001&X-Amz-Signature=REDACTED&apikey=REDACTED&access_token=REDACTED&keys=1",
	} {
		if got := RedactURL(raw); got != want {
			t.Errorf("RedactURL(%q) = %q, want %q", raw, got, want)
		}
	}
	for _, name := range []string{
		"token", "key", "apikey", "secret", "password", "passwd", "signature", "sig", "credential", "auth", "authorization", "SIG", "\u212aey", "\u017fig",
	} {
		want := "https://host/?" + name + "=REDACTED"
		if got := RedactURL("https://host/?" + name + "=q"); got != want {
			t.Errorf("RedactURL gives %q, want %q", got, want)
		}
	}
}

func TestLogIsJSONWithTheKeysOfTheContract(t *testing.T) {
	setEnvironment(t, map[string]string{"LAKE_URL": "/lake", "RUN_ID": "r7", "LOG_FORMAT": "json"})
	got := runJob(t, process{}, func(context.Context, *sampleConfig) (Result, error) {
		slog.Info("commit", "table", "bronze/launches", "rows", 3)
		return Result{}, nil
	})
	lines := strings.Split(strings.TrimSpace(got.stderr), "\n")
	if len(lines) != 3 {
		t.Fatalf("%d lines, want start, commit, end:\n%s", len(lines), got.stderr)
	}
	for _, line := range lines {
		var record map[string]any
		if err := json.Unmarshal([]byte(line), &record); err != nil {
			t.Fatalf("line %q: %v", line, err)
		}
		for _, key := range []string{"time", "level", "msg", "task", "run_id"} {
			if record[key] == nil {
				t.Errorf("line %q has no %s", line, key)
			}
		}
	}
}

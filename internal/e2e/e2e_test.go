package e2e_test

import (
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"launchlake/internal/lake"
	"launchlake/internal/launchapi/recorded"
)

// Far more than a busy machine needs: what is measured is logged, and nothing else hangs on the time.
const (
	startLimit = 5 * time.Minute
	runLimit   = 10 * time.Minute
)

var (
	green   = map[string]string{"ingest": "success", "refine": "success", "aggregate": "success", "ask_a_human": "skipped"}
	skipped = map[string]string{"ingest": "skipped", "refine": "skipped", "aggregate": "skipped", "ask_a_human": "skipped"}
)

// ofIngest are the labels of a container of ingest: those of other tasks and DAGs may run beside it.
var ofIngest = []string{"launchlake.network=" + taskNetwork, "launchlake.dag_id=launches", "launchlake.task_id=ingest"}

func TestThePlatform(t *testing.T) {
	if os.Getenv("LAKE_E2E") == "" {
		t.Skip("runs the whole platform in Docker for some minutes: make e2e")
	}
	s := newStack(t)
	start := time.Now()
	s.mustCompose(t, nil, "build")
	t.Logf("images built in %s", time.Since(start).Round(time.Second))

	start = time.Now()
	s.mustCompose(t, []string{"DELAY=3s", "THROTTLE=0"}, "up", "--detach", "--wait")
	t.Logf("healthy after %s", time.Since(start).Round(time.Second))

	api := logIn(t, s.secrets["AIRFLOW_ADMIN_PASSWORD"])
	test := &platformTest{stack: s, api: api}
	t.Run("a task that is killed in the middle is retried, and no launch is lost or doubled", test.killed)
	t.Run("nothing of the stack's secrets is in logs or rendered fields", test.secrets)
	t.Run("a second run has nothing to do", test.nothingNew)
	t.Run("a spent request budget is waited for without a worker", test.throttled)
	t.Run("a task whose worker crashed goes on in the same container", test.crashed)
	t.Run("an API that changes its shape stops the run, and a person lets it go on", test.reshaped)
	t.Run("Spark goes on with the tables that DuckDB made", test.onSpark)
	t.Run("maintenance goes over every table", test.maintained)
	t.Run("the socket proxy refuses what a task does not need", test.confined)
	t.Run("no container of a task is left", test.tidy)
}

// platformTest is what its steps share: each goes on from where the one before ended.
type platformTest struct {
	stack *stack
	api   *airflow
	first *run
}

func (p *platformTest) killed(t *testing.T) {
	p.first = p.api.trigger(t, nil)
	var victim string
	waitFor(t, "running container of ingest", startLimit, func() (bool, string) {
		found := running(t.Context(), ofIngest...)
		if len(found) == 0 {
			return false, describe(p.first.states(t))
		}
		victim = found[0]
		return true, ""
	})
	time.Sleep(4 * time.Second) // the API takes three seconds a page: this is between two of eight
	if out, err := exec.CommandContext(t.Context(), "docker", "kill", "--signal", "KILL", victim).CombinedOutput(); err != nil {
		t.Fatalf("kill the task: %v\n%s", err, out)
	}
	state, took := p.first.wait(t, runLimit)
	t.Logf("the run took %s, with the retry", took.Round(time.Second))
	if diff := cmp.Diff(green, p.first.states(t)); state != "success" || diff != "" {
		t.Fatalf("the run ended as %s (-want +got):\n%s", state, diff)
	}
	if tries := p.first.tasks(t)["ingest"].TryNumber; tries != 2 {
		t.Errorf("ingest was tried %d times, want 2", tries)
	}
	if log := p.first.log(t, "ingest", 1); !strings.Contains(log, "exit code 137") {
		t.Errorf("the first try's log does not tell of exit code 137:\n%s", log)
	}
	p.checkTables(t, p.first, 1)
}

// checkTables reads Silver and Gold from MinIO and holds them against the recorded state and the assets' events.
func (p *platformTest) checkTables(t *testing.T, r *run, state int) {
	t.Helper()
	l := p.openLake(t)
	want, err := recorded.Summarize(state)
	if err != nil {
		t.Fatal(err)
	}
	told := r.versions(t)
	for _, table := range []string{
		"bronze/launches", "silver/launches", "gold/provider_scorecard", "gold/launches_by_period", "gold/upcoming_manifest",
	} {
		snapshot, err := l.Table(table).Snapshot(t.Context())
		if err != nil {
			t.Errorf("read %s from MinIO: %v", table, err)
			continue
		}
		rows, known := snapshot.NumRecords()
		if !known || rows == 0 || table == "silver/launches" && rows != int64(want.Launches) {
			t.Errorf("%s has %d rows, the recorded state %d has %d launches", table, rows, state, want.Launches)
		}
		if told[table] != int64(snapshot.Version()) {
			t.Errorf("the asset %s tells version %d, the table has %d", table, told[table], snapshot.Version())
		}
	}
}

func (p *platformTest) openLake(t *testing.T) *lake.Lake {
	t.Helper()
	t.Setenv("AWS_ACCESS_KEY_ID", p.stack.secrets["S3_ACCESS_KEY"])
	t.Setenv("AWS_SECRET_ACCESS_KEY", p.stack.secrets["S3_SECRET_KEY"])
	t.Setenv("AWS_REGION", "us-east-1")
	l, err := lake.Open(t.Context(), lake.Config{
		URL: "s3://lake", S3Endpoint: "http://localhost:" + minioPort, S3PathStyle: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func (p *platformTest) secrets(t *testing.T) {
	shown := string(p.api.text(t, "GET", p.first.path+"/taskInstances", nil))
	for task := range green {
		if task != "ask_a_human" {
			shown += p.first.log(t, task, p.first.tasks(t)[task].TryNumber)
		}
	}
	shown += p.first.log(t, "ingest", 1)
	if !strings.Contains(shown, "starting the container") {
		t.Errorf("the logs do not show the tasks:\n%s", shown)
	}
	for name, value := range p.stack.secrets {
		if len(value) >= 12 && strings.Contains(shown, value) {
			t.Errorf("%s is shown", name)
		}
	}
}

func (p *platformTest) nothingNew(t *testing.T) {
	p.stack.serveLaunches(t, "THROTTLE=0")
	r := p.api.trigger(t, nil)
	state, took := r.wait(t, runLimit)
	t.Logf("the run took %s", took.Round(100*time.Millisecond))
	if diff := cmp.Diff(skipped, r.states(t)); state != "success" || diff != "" {
		t.Errorf("the run ended as %s (-want +got):\n%s", state, diff)
	}
	if told := r.versions(t); len(told) > 0 {
		t.Errorf("the run told new versions of %v", told)
	}
}

func (p *platformTest) throttled(t *testing.T) {
	// The whole budget is spent when the API starts, and comes back within the window.
	p.stack.serveLaunches(t, "SAMPLE_STATE=2", "THROTTLE=9", "USED=9", "THROTTLE_WINDOW=60s")
	r := p.api.trigger(t, nil)
	waitFor(t, "deferral", startLimit, func() (bool, string) {
		states := r.states(t)
		return states["ingest"] == "deferred", describe(states)
	})
	if left := containers(t.Context(), ofIngest...); len(left) > 0 {
		t.Errorf("the waiting task keeps the container %v", left)
	}
	state, took := r.wait(t, runLimit)
	t.Logf("the run took %s, with the wait", took.Round(time.Second))
	if diff := cmp.Diff(green, r.states(t)); state != "success" || diff != "" {
		t.Fatalf("the run ended as %s (-want +got):\n%s", state, diff)
	}
	if tries := r.tasks(t)["ingest"].TryNumber; tries != 1 {
		t.Errorf("waiting took %d tries", tries)
	}
	p.checkTables(t, r, 2)
}

func (p *platformTest) crashed(t *testing.T) {
	p.stack.serveLaunches(t, "SAMPLE_STATE=2", "THROTTLE=0", "DELAY=15s")
	r := p.api.trigger(t, map[string]any{"sweep": true})
	var before []string
	waitFor(t, "running container of ingest", startLimit, func() (bool, string) {
		before = running(t.Context(), ofIngest...)
		return len(before) == 1, describe(r.states(t))
	})
	// LocalExecutor's workers live in the scheduler.
	p.stack.mustCompose(t, nil, "kill", "--signal", "KILL", "airflow-scheduler")
	if after := containers(t.Context(), ofIngest...); !slices.Equal(before, after) {
		t.Fatalf("the crash took the container along: %v, then %v", before, after)
	}
	p.stack.mustCompose(t, nil, "up", "--detach", "--no-deps", "airflow-scheduler")
	adopted := "going on with an earlier try's container"
	var log string
	waitFor(t, "adoption of the container", runLimit, func() (bool, string) {
		task := r.tasks(t)["ingest"]
		if task.TryNumber > 1 && task.State != "up_for_retry" && task.State != "queued" {
			log = r.log(t, "ingest", task.TryNumber)
		}
		found := strings.Contains(log, adopted)
		if task.State == "success" && !found {
			t.Fatalf("try %d took another container than %v:\n%s", task.TryNumber, before, log)
		}
		return found, describe(r.states(t))
	})
	if !strings.Contains(log, before[0]) {
		t.Errorf("another container than %s was adopted:\n%s", before[0], log)
	}
	state, took := r.wait(t, runLimit)
	t.Logf("the run took %s, with the crash", took.Round(time.Second))
	// The sweep finds what the API changed without telling.
	if diff := cmp.Diff(green, r.states(t)); state != "success" || diff != "" {
		t.Errorf("the run ended as %s (-want +got):\n%s", state, diff)
	}
}

// personThinks is how long a person takes to answer. The worker that asked has gone by then: of a task that was answered, and
// queued again, before its worker ended, Airflow takes the worker's end for the task's.
const personThinks = 15 * time.Second

func (p *platformTest) reshaped(t *testing.T) {
	p.stack.serveLaunches(t, "SAMPLE_STATE=2", "THROTTLE=0", "RESHAPED=true")
	before := p.rows(t, "silver/launches_quarantine")
	r := p.api.trigger(t, map[string]any{"sweep": true})
	state, _ := r.wait(t, runLimit)
	stopped := map[string]string{"ingest": "success", "refine": "failed", "aggregate": "upstream_failed", "ask_a_human": "success"}
	if diff := cmp.Diff(stopped, r.states(t)); state != "failed" || diff != "" {
		t.Fatalf("the run ended as %s (-want +got):\n%s", state, diff)
	}
	if tries := r.tasks(t)["refine"].TryNumber; tries != 1 {
		t.Errorf("a broken contract was tried %d times", tries)
	}
	review := p.api.newest(t, "contract_review")
	waitFor(t, "question", startLimit, func() (bool, string) {
		states := review.states(t)
		return states["review"] == "deferred" || states["review"] == "awaiting_input", describe(states)
	})
	time.Sleep(personThinks)
	p.api.call(t, http.MethodPatch, review.path+"/taskInstances/review/-1/hitlDetails",
		map[string]any{"chosen_options": []string{"Approve"}, "params_input": map[string]any{"accept_broken": true}}, &struct{}{})
	if state, _ := review.wait(t, runLimit); state != "success" {
		t.Fatalf("the review ended as %s: %s\n%s", state, describe(review.states(t)), review.log(t, "review", 1))
	}
	again := p.api.newest(t, "launches")
	if state, _ := again.wait(t, runLimit); state != "success" || again.states(t)["refine"] != "success" {
		t.Fatalf("the run after the approval ended as %s: %s", state, describe(again.states(t)))
	}
	if added, least := p.rows(t, "silver/launches_quarantine")-before, int64(700); added < least {
		t.Errorf("%d records were put aside, want %d at least", added, least)
	}
}

// rows counts those of a table.
func (p *platformTest) rows(t *testing.T, table string) int64 {
	t.Helper()
	snapshot, err := p.openLake(t).Table(table).Snapshot(t.Context())
	if err != nil {
		t.Fatalf("read %s from MinIO: %v", table, err)
	}
	rows, _ := snapshot.NumRecords()
	return rows
}

func (p *platformTest) maintained(t *testing.T) {
	r := p.api.triggerDAG(t, "maintenance", nil)
	state, took := r.wait(t, runLimit)
	t.Logf("the run took %s", took.Round(time.Second))
	for task, ended := range r.states(t) {
		if ended != "success" {
			t.Errorf("%s ended as %s:\n%s", task, ended, r.log(t, task, 1))
		}
	}
	if state != "success" {
		t.Errorf("the run ended as %s", state)
	}
}

func (p *platformTest) confined(t *testing.T) {
	for _, path := range []string{"/containers/json", "/info", "/volumes", "/containers/" + project + "-postgres-1/json"} {
		out, err := p.stack.compose(t.Context(), nil, "exec", "-T", "airflow-scheduler",
			"curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "http://socketproxy:2375"+path).CombinedOutput()
		if err != nil || string(out) != "403" {
			t.Errorf("GET %s through the proxy: %s %v, want 403", path, out, err)
		}
	}
	out, err := p.stack.compose(t.Context(), nil, "exec", "-T", "airflow-dag-processor",
		"curl", "-s", "--max-time", "5", "http://socketproxy:2375/_ping").CombinedOutput()
	if err == nil {
		t.Errorf("the DAG processor reaches the socket proxy: %s", out)
	}
}

func (p *platformTest) tidy(t *testing.T) {
	if left := containers(t.Context(), "launchlake.network="+taskNetwork); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

package e2e_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os/exec"
	"testing"
	"time"
)

const airflowURL = "http://localhost:" + airflowPort

// airflow is a client of Airflow's REST API.
type airflow struct{ token string }

func logIn(t *testing.T, password string) *airflow {
	t.Helper()
	var answer struct {
		AccessToken string `json:"access_token"`
	}
	a := &airflow{}
	a.call(t, http.MethodPost, "/auth/token", map[string]string{"username": "admin", "password": password}, &answer)
	if answer.AccessToken == "" {
		t.Fatal("Airflow gave no token")
	}
	a.token = answer.AccessToken
	return a
}

// call sends a request and decodes the answer.
func (a *airflow) call(t *testing.T, method, path string, body, answer any) {
	t.Helper()
	text := a.text(t, method, path, body)
	if err := json.Unmarshal(text, answer); err != nil {
		t.Fatalf("%s %s: %v\n%s", method, path, err, text)
	}
}

func (a *airflow) text(t *testing.T, method, path string, body any) []byte {
	t.Helper()
	encoded, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	if body == nil {
		encoded = nil
	}
	request, err := http.NewRequestWithContext(t.Context(), method, airflowURL+path, bytes.NewReader(encoded))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Accept", "application/json")
	if a.token != "" {
		request.Header.Set("Authorization", "Bearer "+a.token)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode >= http.StatusBadRequest {
		t.Fatalf("%s %s: %s %v\n%s", method, path, response.Status, err, text)
	}
	return text
}

// run is one run of a DAG.
type run struct {
	airflow *airflow
	path    string
	started time.Time
}

// trigger starts a run of the DAG launches with the parameters that its form has.
func (a *airflow) trigger(t *testing.T, parameters map[string]any) *run {
	t.Helper()
	return a.triggerDAG(t, "launches", parameters)
}

func (a *airflow) triggerDAG(t *testing.T, dag string, parameters map[string]any) *run {
	t.Helper()
	var answer struct {
		ID string `json:"dag_run_id"`
	}
	started := time.Now()
	body := map[string]any{"logical_date": nil, "conf": parameters}
	runs := "/api/v2/dags/" + dag + "/dagRuns"
	a.call(t, http.MethodPost, runs, body, &answer)
	return &run{a, runs + "/" + url.PathEscape(answer.ID), started}
}

// newest is the last run of a DAG.
func (a *airflow) newest(t *testing.T, dag string) *run {
	t.Helper()
	var answer struct {
		Runs []struct {
			ID string `json:"dag_run_id"`
		} `json:"dag_runs"`
	}
	runs := "/api/v2/dags/" + dag + "/dagRuns"
	a.call(t, http.MethodGet, runs+"?limit=1&order_by=-run_after", nil, &answer)
	if len(answer.Runs) == 0 {
		t.Fatalf("%s has no run", dag)
	}
	return &run{a, runs + "/" + url.PathEscape(answer.Runs[0].ID), time.Now()}
}

// wait gives the run's state once it has ended, and how long that took.
func (r *run) wait(t *testing.T, limit time.Duration) (state string, took time.Duration) {
	t.Helper()
	defer func() {
		if t.Failed() {
			r.tell(t)
		}
	}()
	waitFor(t, "end of the run", limit, func() (bool, string) {
		var answer struct{ State string }
		r.airflow.call(t, http.MethodGet, r.path, nil, &answer)
		state = answer.State
		return state == "success" || state == "failed", state + " " + describe(r.states(t))
	})
	return state, time.Since(r.started)
}

// tell logs what the tasks that have not ended well said last, and which containers there are.
func (r *run) tell(t *testing.T) {
	t.Helper()
	for id, task := range r.tasks(t) {
		if task.State == "success" || task.State == "skipped" || task.TryNumber == 0 {
			continue
		}
		var log struct {
			Content []struct{ Timestamp, Event string }
		}
		if err := json.Unmarshal([]byte(r.log(t, id, task.TryNumber)), &log); err != nil {
			t.Logf("%s: %v", id, err)
		}
		said := fmt.Sprintf("%s is %s, try %d:", id, task.State, task.TryNumber)
		for _, line := range log.Content[max(0, len(log.Content)-shownLines):] {
			said += fmt.Sprintf("\n%s %.200s", line.Timestamp, line.Event)
		}
		t.Log(said)
	}
	out, _ := exec.Command("docker", "ps", "--all", "--format", "{{.Names}}: {{.Status}}").CombinedOutput()
	t.Logf("containers:\n%s", out)
}

// shownLines are the last of a task's log that a failed test shows.
const shownLines = 15

// taskInstance is what Airflow knows of a task in a run.
type taskInstance struct {
	ID        string  `json:"task_id"`
	State     string  `json:"state"`
	TryNumber int     `json:"try_number"`
	Duration  float64 `json:"duration"`
}

func (r *run) tasks(t *testing.T) map[string]taskInstance {
	t.Helper()
	var answer struct {
		Tasks []taskInstance `json:"task_instances"`
	}
	r.airflow.call(t, http.MethodGet, r.path+"/taskInstances", nil, &answer)
	found := map[string]taskInstance{}
	for _, task := range answer.Tasks {
		found[task.ID] = task
	}
	return found
}

func (r *run) states(t *testing.T) map[string]string {
	t.Helper()
	found := map[string]string{}
	for id, task := range r.tasks(t) {
		found[id] = task.State
	}
	return found
}

// log is the text of a try's log, as JSON.
func (r *run) log(t *testing.T, task string, try int) string {
	t.Helper()
	path := fmt.Sprintf("%s/taskInstances/%s/logs/%d?full_content=true", r.path, task, try)
	return string(r.airflow.text(t, http.MethodGet, path, nil))
}

// versions gives the version of each table that the run told on the table's asset.
func (r *run) versions(t *testing.T) map[string]int64 {
	t.Helper()
	var answer struct {
		Events []struct {
			Name  string
			Extra struct {
				Version int64 `json:"delta_version"`
			}
		} `json:"asset_events"`
	}
	id, err := url.PathUnescape(r.path[len("/api/v2/dags/launches/dagRuns/"):])
	if err != nil {
		t.Fatal(err)
	}
	r.airflow.call(t, http.MethodGet, "/api/v2/assets/events?limit=100&source_run_id="+url.QueryEscape(id), nil, &answer)
	found := map[string]int64{}
	for _, event := range answer.Events {
		found[event.Name] = event.Extra.Version
	}
	return found
}

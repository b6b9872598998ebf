package integration_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"launchlake/internal/launchapi/launchapitest"
	"launchlake/internal/launchapi/recorded"
	"launchlake/internal/task"
)

func recordedServer(t *testing.T, o launchapitest.Options) *launchapitest.Server {
	t.Helper()
	launches, err := recorded.State(1)
	if err != nil {
		t.Fatal(err)
	}
	o.States = [][]json.RawMessage{launches}
	return launchapitest.Start(t, o)
}

func TestSpentBudgetEndsTheTaskAndTheNextRunGoesOn(t *testing.T) {
	const window = time.Hour
	start := time.Now()
	var passed atomic.Int64 // read by the server's goroutines
	server := recordedServer(t, launchapitest.Options{
		Throttle: launchapitest.Throttle{Limit: 2, Window: window},
		Now:      func() time.Time { return start.Add(time.Duration(passed.Load())) },
	})
	env := environment{"LAKE_URL": "file://" + t.TempDir(), "SOURCE_URL": server.URL(), "BATCH_PAGES": "1"}
	runs := 0
	for {
		e := run(t, env, "ingest")
		if e.code == int(task.Done) {
			break
		}
		if e.code != int(task.BudgetSpent) || e.result.RetryAfterSeconds == nil || *e.result.RetryAfterSeconds > int(window.Seconds())+1 {
			t.Fatalf("run %d: %s", runs, e)
		}
		if runs++; runs > 10 {
			t.Fatal("the pass does not come to its end")
		}
		passed.Add(int64(window + time.Second))
	}
	if runs < 2 {
		t.Errorf("the budget of 2 requests was spent %d times", runs)
	}
	want, err := recorded.Summarize(1)
	if err != nil {
		t.Fatal(err)
	}
	if rows := cat(t, env, "bronze/launches", "--columns", "sha256"); len(rows) != want.Records {
		t.Errorf("Bronze holds %d records, the API %d", len(rows), want.Records)
	}
}

func TestBrokenAnswersEndWithTheAddressAndTheFirstBytes(t *testing.T) {
	for _, test := range []struct {
		name  string
		fault launchapitest.Fault
		says  string
	}{
		{"web page", launchapitest.HTML(), "html"},
		{"bad gateway", launchapitest.ErrorPage(http.StatusBadGateway), "502"},
		{"firewall", launchapitest.Challenge(http.StatusForbidden), "403"},
		{"half a page", launchapitest.Truncated(), "results"},
		{"cut connection", launchapitest.Cut(), "launches/"},
		{"no results", launchapitest.NoResults(), "results"},
		{"malformed JSON", launchapitest.Answer(http.StatusOK, "application/json", `{"count": 1, "results": [{]}`), `[{]`},
	} {
		t.Run(test.name, func(t *testing.T) {
			server := recordedServer(t, launchapitest.Options{})
			env := environment{"LAKE_URL": "file://" + t.TempDir(), "SOURCE_URL": server.URL(), "REQUEST_RETRIES": "1"}
			server.FailAlways(test.fault)
			e := runTask(t, env, "ingest", task.Unavailable)
			if !strings.Contains(e.result.Error, server.URL()) || !strings.Contains(e.result.Error, test.says) {
				t.Errorf("the error does not say %q and the address: %s", test.says, e.result.Error)
			}
			server.FailAlways(nil)
			runPipeline(t, env, task.Done)
		})
	}
}

// TestOddRecordsAreKeptAndQuarantined serves what no launch looks like among real ones.
func TestOddRecordsAreKeptAndQuarantined(t *testing.T) {
	launches, err := recorded.State(1)
	if err != nil {
		t.Fatal(err)
	}
	odd := map[string]string{
		"a string":                 `"launch"`,
		"a number":                 `42`,
		"null":                     `null`,
		"a list":                   `[1,2]`,
		"an empty object":          `{}`,
		"a word for a number":      strings.Replace(string(launches[0]), `"probability":null`, `"probability":"high"`, 1),
		"bytes that are not UTF-8": "{\"id\":\"\xff\xfe\",\"last_updated\":\"2026-01-01T00:00:00Z\"}",
		"a megabyte of text":       `{"id":"x","name":"` + strings.Repeat("long ", 200_000) + `"}`,
		"deep nesting":             `{"id":` + strings.Repeat(`{"a":`, 500) + `1` + strings.Repeat(`}`, 500) + `}`,
	}
	if odd["a word for a number"] == string(launches[0]) {
		t.Fatal("the recorded launch has no null probability any more")
	}
	state := append([]json.RawMessage{}, launches[1:]...)
	for _, text := range odd {
		state = append(state, json.RawMessage(text))
	}
	server := launchapitest.Start(t, launchapitest.Options{States: [][]json.RawMessage{state}})
	env := environment{"LAKE_URL": "file://" + t.TempDir(), "SOURCE_URL": server.URL()}
	runPipeline(t, env, task.Done)

	kept := map[string]bool{}
	for _, row := range cat(t, env, "bronze/launches", "--columns", "raw") {
		kept[decodeBase64(t, row["raw"].(string))] = true
	}
	reasons := map[string]any{}
	for _, row := range cat(t, env, "silver/launches_quarantine") {
		reasons[decodeBase64(t, row["raw"].(string))] = row["messages"]
	}
	for name, text := range odd {
		if !kept[text] {
			t.Errorf("%s is not in Bronze as it was served", name)
		}
		if messages, ok := reasons[text]; !ok || len(messages.([]any)) == 0 {
			t.Errorf("%s is not in quarantine with a reason: %v", name, messages)
		}
	}
	if rows := cat(t, env, "silver/launches", "--columns", "id"); len(rows) != len(launches)-1 {
		t.Errorf("Silver has %d launches, want %d", len(rows), len(launches)-1)
	}
}

func TestTheTokenIsSentAndNeverShown(t *testing.T) {
	const token = "0123456789abcdef-never-shown"
	server := recordedServer(t, launchapitest.Options{Token: token})
	env := environment{"LAKE_URL": "file://" + t.TempDir(), "SOURCE_URL": server.URL(), "LOG_LEVEL": "debug"}
	refuseSecret(t, runTask(t, env.with("LL2_TOKEN", token), "ingest", task.Done), token)
	const wrong = "another-token-that-is-refused"
	refuseSecret(t, runTask(t, env.with("LL2_TOKEN", wrong), "ingest", task.NoPermission), wrong)
}

package task

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestACollectorIsToldOfTheRun(t *testing.T) {
	setEnvironment(t, map[string]string{"LAKE_URL": "./lake", "RUN_ID": "manual__1", "LL2_TOKEN": "very-secret"})
	told := map[string]string{}
	collector := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		told[r.URL.Path] = string(body)
	}))
	defer collector.Close()
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.URL)
	t.Setenv("TRACEPARENT", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
	done := runJob(t, process{}, func(_ context.Context, c *sampleConfig) (Result, error) {
		return Result{Requests: 3, Tables: []Table{{Name: "silver/launches", Version: 7, RowsOut: 812}}},
			Fail(ContractBroken, io.ErrUnexpectedEOF)
	})
	if done.code != ContractBroken {
		t.Fatalf("exit code %d\n%s", done.code, done.stderr)
	}
	for path, parts := range map[string][]string{
		"/v1/traces":  {`"traceId":"0af7651916cd43dd8448eb211c80319c"`, `"name":"sample"`, `"manual__1"`, `"unexpected EOF"`, `"intValue":"65"`},
		"/v1/metrics": {`"launchlake.table.rows_out"`, `"asInt":"812"`, `"launchlake.task.duration"`, `"silver/launches"`},
	} {
		for _, part := range parts {
			if !strings.Contains(told[path], part) {
				t.Errorf("POST %s lacks %s: %s", path, part, told[path])
			}
		}
		if strings.Contains(told[path], "very-secret") {
			t.Errorf("POST %s shows the token", path)
		}
	}
}

func TestACollectorThatIsAwayDoesNotHarmTheTask(t *testing.T) {
	setEnvironment(t, map[string]string{"LAKE_URL": "./lake"})
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", gone.URL)
	done := runJob(t, process{}, func(context.Context, *sampleConfig) (Result, error) { return Result{}, nil })
	if done.code != Done || !strings.Contains(done.stderr, "collector was not told") {
		t.Errorf("exit code %d\n%s", done.code, done.stderr)
	}
}

func TestABadAddressOfTheCollectorStopsTheTaskBeforeItStarts(t *testing.T) {
	setEnvironment(t, map[string]string{"LAKE_URL": "./lake"})
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "collector")
	done := runJob(t, process{}, func(context.Context, *sampleConfig) (Result, error) {
		t.Error("the job was run")
		return Result{}, nil
	})
	if done.code != BadConfig || !strings.Contains(done.stdout, "OTEL_EXPORTER_OTLP_ENDPOINT") {
		t.Errorf("exit code %d\n%s", done.code, done.stdout)
	}
}

package otlp

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// collector takes what is sent to it.
type collector struct {
	bodies  map[string]string
	headers http.Header
	status  int
}

func (c *collector) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	c.bodies[r.URL.Path] = string(body)
	c.headers = r.Header
	if c.status != 0 {
		w.WriteHeader(c.status)
		_, _ = w.Write([]byte("no room"))
	}
}

func environment(variables map[string]string) func(string) string {
	return func(name string) string { return variables[name] }
}

var start = time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC)

var aRun = Run{
	Name: "ingest", Start: start, End: start.Add(2 * time.Second), Error: "the API is down",
	Attributes: []Attribute{{"launchlake.run_id", "manual__1"}, {"launchlake.exit_code", int64(3)}},
	Gauges: []Gauge{
		{Name: "launchlake.task.duration", Unit: "s", Value: 2.5},
		{Name: "launchlake.table.rows", Unit: "{row}", Value: int64(812), Attributes: []Attribute{{"table", "silver/launches"}}},
	},
}

func TestARunIsToldInOTLPsForm(t *testing.T) {
	c := &collector{bodies: map[string]string{}}
	server := httptest.NewServer(c)
	defer server.Close()
	e, err := FromEnvironment(environment(map[string]string{
		"OTEL_EXPORTER_OTLP_ENDPOINT": server.URL + "/",
		"OTEL_EXPORTER_OTLP_HEADERS":  "authorization=Bearer%20abc,x-tenant=a",
		"OTEL_SERVICE_NAME":           "lake",
		"TRACEPARENT":                 "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
	}))
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Send(t.Context(), aRun); err != nil {
		t.Fatal(err)
	}
	if c.headers.Get("Authorization") != "Bearer abc" || c.headers.Get("X-Tenant") != "a" {
		t.Errorf("headers: %v", c.headers)
	}
	var traces map[string]any
	if err := json.Unmarshal([]byte(c.bodies["/v1/traces"]), &traces); err != nil {
		t.Fatal(err)
	}
	span := traces["resourceSpans"].([]any)[0].(map[string]any)["scopeSpans"].([]any)[0].(map[string]any)["spans"].([]any)[0].(map[string]any)
	if id, ok := span["spanId"].(string); !ok || len(id) != 16 {
		t.Errorf("span id %q", span["spanId"])
	}
	span["spanId"] = "0123456789abcdef"
	encoded, err := json.Marshal(traces)
	if err != nil {
		t.Fatal(err)
	}
	const resource = `{"attributes":[{"key":"service.name","value":{"stringValue":"lake"}}]}`
	wantTraces := `{"resourceSpans":[{"resource":` + resource + `,"scopeSpans":[{"scope":{"name":"launchlake"},"spans":[{
		"attributes":[{"key":"launchlake.run_id","value":{"stringValue":"manual__1"}},{"key":"launchlake.exit_code","value":{"intValue":"3"}}],
		"endTimeUnixNano":"1767323047000000006","kind":1,"name":"ingest","parentSpanId":"b7ad6b7169203331","spanId":"0123456789abcdef",
		"startTimeUnixNano":"1767323045000000006","status":{"code":2,"message":"the API is down"},"traceId":"0af7651916cd43dd8448eb211c80319c"}]}]}]}`
	wantMetrics := `{"resourceMetrics":[{"resource":` + resource + `,"scopeMetrics":[{"metrics":[
		{"gauge":{"dataPoints":[{"asDouble":2.5,"attributes":[],"timeUnixNano":"1767323047000000006"}]},"name":"launchlake.task.duration","unit":"s"},
		{"gauge":{"dataPoints":[{"asInt":"812","attributes":[{"key":"table","value":{"stringValue":"silver/launches"}}],"timeUnixNano":"1767323047000000006"}]},"name":"launchlake.table.rows","unit":"{row}"}],
		"scope":{"name":"launchlake"}}]}]}`
	if diff := cmp.Diff(plain(wantTraces), string(encoded)); diff != "" {
		t.Errorf("traces (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(plain(wantMetrics), c.bodies["/v1/metrics"]); diff != "" {
		t.Errorf("metrics (-want +got):\n%s", diff)
	}
}

// plain takes out the line breaks of a test's text.
func plain(text string) string { return strings.NewReplacer("\n", "", "\t", "").Replace(text) }

func TestWithoutAnEndpointNothingIsSent(t *testing.T) {
	e, err := FromEnvironment(environment(nil))
	if e != nil || err != nil {
		t.Fatalf("%v, %v", e, err)
	}
	if err := e.Send(t.Context(), aRun); err != nil {
		t.Error(err)
	}
}

func TestAnEndpointThatIsNoURLIsRefused(t *testing.T) {
	for _, endpoint := range []string{"collector:4318", "grpc://collector:4317", "http://", "::"} {
		if _, err := FromEnvironment(environment(map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": endpoint})); err == nil {
			t.Errorf("%q: no error", endpoint)
		}
	}
}

func TestACollectorThatRefusesOrIsSilentIsAnError(t *testing.T) {
	c := &collector{bodies: map[string]string{}, status: http.StatusTooManyRequests}
	server := httptest.NewServer(c)
	defer server.Close()
	e, err := FromEnvironment(environment(map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": server.URL}))
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Send(t.Context(), aRun); err == nil || !strings.Contains(err.Error(), "429") || !strings.Contains(err.Error(), "no room") {
		t.Errorf("refused: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := e.Send(ctx, aRun); err == nil {
		t.Error("out of time: no error")
	}
}

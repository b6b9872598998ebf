// Package otlp tells an OpenTelemetry collector what one run of a task was: a span and some gauges, sent once at its end.
//
// It speaks OTLP over HTTP in its JSON form, which every collector takes at port 4318. The official SDK would make
// the image of ingest 8 MB larger, for batching, sampling and propagation that a process with one span has no use for.
//
// A [Run] is what is told. An [Exporter] is where it is sent, from OpenTelemetry's own variables of the environment:
// OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_EXPORTER_OTLP_HEADERS, OTEL_SERVICE_NAME, OTEL_RESOURCE_ATTRIBUTES, TRACEPARENT.
package otlp

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"
)

// Run is one run of a task.
type Run struct {
	Name       string
	Start, End time.Time
	Error      string // why it failed; empty when it did not
	Attributes []Attribute
	Gauges     []Gauge
}

// Attribute is a property of a run or of a gauge. Its value is a string, an int64, a float64 or a bool.
type Attribute struct {
	Key   string
	Value any
}

// Gauge is a number that a run ended with. Its value is an int64 or a float64.
type Gauge struct {
	Name, Unit string
	Value      any
	Attributes []Attribute
}

// Exporter sends runs to a collector. A nil Exporter sends nothing.
type Exporter struct {
	endpoint string
	headers  map[string]string
	resource []Attribute
	trace    string // id of the trace that the run belongs to; empty: one of its own
	parent   string // id of the span that started the run
}

// FromEnvironment makes the exporter that the environment asks for: nil, without an error, when it names no endpoint.
func FromEnvironment(getenv func(string) string) (*Exporter, error) {
	endpoint := strings.TrimRight(getenv("OTEL_EXPORTER_OTLP_ENDPOINT"), "/")
	if endpoint == "" {
		return nil, nil
	}
	u, err := url.Parse(endpoint)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, errors.New("OTEL_EXPORTER_OTLP_ENDPOINT: want a URL such as http://collector:4318")
	}
	e := &Exporter{endpoint: endpoint, headers: pairs(getenv("OTEL_EXPORTER_OTLP_HEADERS"))}
	for key, value := range pairs(getenv("OTEL_RESOURCE_ATTRIBUTES")) {
		e.resource = append(e.resource, Attribute{key, value})
	}
	name := getenv("OTEL_SERVICE_NAME")
	if name == "" {
		name = "launchlake"
	}
	e.resource = append(e.resource, Attribute{"service.name", name})
	if parts := traceparent.FindStringSubmatch(getenv("TRACEPARENT")); parts != nil {
		e.trace, e.parent = parts[1], parts[2]
	}
	return e, nil
}

// traceparent is W3C's form of a trace's and a span's id.
var traceparent = regexp.MustCompile(`^[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}$`)

// pairs reads "key=value,key=value" with values encoded as in a URL.
func pairs(text string) map[string]string {
	found := map[string]string{}
	for part := range strings.SplitSeq(text, ",") {
		key, value, ok := strings.Cut(strings.TrimSpace(part), "=")
		if !ok {
			continue
		}
		if decoded, err := url.PathUnescape(value); err == nil {
			value = decoded
		}
		found[key] = value
	}
	return found
}

// Send tells the collector of a run. It tries once.
func (e *Exporter) Send(ctx context.Context, r Run) error {
	if e == nil {
		return nil
	}
	return errors.Join(e.post(ctx, "/v1/traces", e.traces(r)), e.post(ctx, "/v1/metrics", e.metrics(r)))
}

const answerLimit = 1 << 10

func (e *Exporter) post(ctx context.Context, path string, body any) error {
	encoded, err := json.Marshal(body)
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, e.endpoint+path, bytes.NewReader(encoded))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	for name, value := range e.headers {
		request.Header.Set(name, value)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return fmt.Errorf("tell the collector: %w", err)
	}
	defer response.Body.Close()
	if response.StatusCode/100 != 2 {
		answer, _ := io.ReadAll(io.LimitReader(response.Body, answerLimit))
		return fmt.Errorf("tell the collector: POST %s: %s: %s", path, response.Status, answer)
	}
	return nil
}

func randomID(size int) string {
	id := make([]byte, size)
	_, _ = rand.Read(id) // never fails
	return hex.EncodeToString(id)
}

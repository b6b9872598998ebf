package launchapi_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"launchlake/internal/launchapi"
	"launchlake/internal/launchapi/launchapitest"
)

// clock stands still until it is moved.
type clock struct{ passed atomic.Int64 }

func (c *clock) now() time.Time       { return epoch.Add(time.Duration(c.passed.Load())) }
func (c *clock) move(d time.Duration) { c.passed.Add(int64(d)) }

func throttled(t *testing.T, records, limit int, c *clock) *launchapitest.Server {
	t.Helper()
	return launchapitest.Start(t, launchapitest.Options{
		States:   [][]json.RawMessage{launches(records)},
		Throttle: launchapitest.Throttle{Limit: limit, Window: time.Hour},
		Now:      c.now,
	})
}

func TestAPassEndsBeforeItExceedsTheBudget(t *testing.T) {
	tests := []struct {
		name              string
		limit, used       int
		pages, requests   int
		wantUsed          int
		retryAfterMinutes int
	}{
		{"enough", 15, 10, 3, 3, 0, 0},
		{"just enough", 15, 12, 3, 3, 0, 0},
		{"not enough", 15, 13, 2, 2, 15, 60},
		{"nothing", 15, 15, 0, 0, 15, 60},
		{"overdrawn", 15, 20, 0, 0, 20, 60},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			server := throttled(t, 250, test.limit, new(clock))
			server.SetUsed(test.used)
			c := client(t, server.URL(), launchapi.Options{})
			got := read(t, c, launchapi.Query{})
			if len(got.pages) != test.pages || c.Requests() != test.requests || len(asked(server)) != test.requests {
				t.Errorf("%d pages with %d requests, want %d with %d", len(got.pages), len(asked(server)), test.pages, test.requests)
			}
			budget, ok := errors.AsType[*launchapi.BudgetError](got.err)
			if !ok {
				if got.err != nil || test.wantUsed != 0 {
					t.Fatalf("error %v", got.err)
				}
				return
			}
			want := &launchapi.BudgetError{
				RetryAfter: time.Duration(test.retryAfterMinutes) * time.Minute,
				Budget:     launchapi.Budget{Limit: test.limit, Used: test.wantUsed, Window: time.Hour, NextUse: time.Hour},
			}
			if diff := cmp.Diff(want, budget); diff != "" || errors.Is(got.err, launchapi.ErrUnavailable) {
				t.Errorf("budget (-want +got):\n%s", diff)
			}
		})
	}
}

func TestTheBudgetThatTheWindowFreesDuringAPassIsSpent(t *testing.T) {
	var c clock
	server := throttled(t, 250, 2, &c)
	var got pass
	for page, err := range client(t, server.URL(), launchapi.Options{}).Pages(t.Context(), launchapi.Query{}) {
		if err != nil {
			t.Fatal(err)
		}
		got.pages = append(got.pages, page)
		c.move(31 * time.Minute)
	}
	if diff := cmp.Diff(texts(launches(250)), got.results()); diff != "" {
		t.Errorf("launches (-want +got):\n%s", diff)
	}
}

func TestRetriesDoNotExceedTheBudget(t *testing.T) {
	server := throttled(t, 1, 2, new(clock))
	server.FailAlways(launchapitest.ErrorPage(502))
	c := client(t, server.URL(), launchapi.Options{})
	err := read(t, c, launchapi.Query{}).err
	budget, ok := errors.AsType[*launchapi.BudgetError](err)
	if !ok || budget.Err == nil || !strings.Contains(err.Error(), "2 of 2 requests used; the next is free in 1h0m0s; while retrying: get http://") {
		t.Errorf("error %v", err)
	}
	if c.Requests() != 2 || len(asked(server)) != 2 {
		t.Errorf("%d requests, want 2", c.Requests())
	}
}

func TestA429TellsWhenToComeBack(t *testing.T) {
	tests := []struct {
		name, header, body string
		want               time.Duration
	}{
		{"seconds", "1631", "", 1631 * time.Second},
		{"none", "0", "", 0},
		{"a date", epoch.Add(90 * time.Second).Format(http.TimeFormat), "", 90 * time.Second},
		{"a date in the past", epoch.Add(-time.Hour).Format(http.TimeFormat), "", 0},
		{"the text", "", `{"detail":"Request was throttled. Expected available in 1200 seconds."}`, 20 * time.Minute},
		{"the text for one second", "", `{"detail":"Request was throttled. Expected available in 1 second."}`, time.Second},
		{"the header before the text", "5", `{"detail":"Request was throttled. Expected available in 1200 seconds."}`, 5 * time.Second},
		{"nothing", "", `{"detail":"Request was throttled."}`, time.Hour},
		{"nonsense", "later", ``, time.Hour},
		{"negative", "-10", ``, time.Hour},
		{"years", "99999999999999999999", ``, 24 * time.Hour},
		{"years in the text", "", `Expected available in 99999999999999999999 seconds`, 24 * time.Hour},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			server := launchapitest.Start(t, launchapitest.Options{
				States: [][]json.RawMessage{launches(150)}, Now: func() time.Time { return epoch },
			})
			server.FailAt(2, func(w http.ResponseWriter, _ *http.Request, _ http.HandlerFunc) {
				if test.header != "" {
					w.Header().Set("Retry-After", test.header)
				}
				w.WriteHeader(http.StatusTooManyRequests)
				_, _ = w.Write([]byte(test.body))
			})
			c := client(t, server.URL(), launchapi.Options{})
			got := read(t, c, launchapi.Query{})
			budget, ok := errors.AsType[*launchapi.BudgetError](got.err)
			if !ok || len(got.pages) != 1 || c.Requests() != 2 {
				t.Fatalf("error %v after %d pages and %d requests", got.err, len(got.pages), c.Requests())
			}
			if budget.RetryAfter != test.want {
				t.Errorf("retry after %s, want %s", budget.RetryAfter, test.want)
			}
		})
	}
}

func TestBudgetsAreReadInTheFormsThatServersGiveThem(t *testing.T) {
	tests := []struct {
		name   string
		status int
		body   string
		want   launchapi.Budget
		err    error
	}{
		{"an object", 200, `{"your_request_limit":15,"limit_frequency_secs":3600,"current_use":4,"next_use_secs":0,"ident":"192.0.2.7"}`, launchapi.Budget{Limit: 15, Used: 4, Window: time.Hour}, nil},
		{"an array of it", 200, ` [{"your_request_limit":210,"limit_frequency_secs":3600,"current_use":4,"next_use_secs":0,"ident":"192.0.2.7"}]`, launchapi.Budget{Limit: 210, Used: 4, Window: time.Hour}, nil},
		{"negative wait", 200, `{"your_request_limit":1,"limit_frequency_secs":60,"current_use":1,"next_use_secs":-5}`, launchapi.Budget{Limit: 1, Used: 1, Window: time.Minute, NextUse: -5 * time.Second}, nil},
		{"fractions and floods", 200, `{"your_request_limit":1e300,"limit_frequency_secs":60.5,"current_use":1.0}`, launchapi.Budget{Limit: 1<<31 - 1, Used: 1, Window: 60500 * time.Millisecond}, nil},
		{"an empty array", 200, `[]`, launchapi.Budget{}, launchapi.ErrBudgetUnknown},
		{"not there", 404, `{"detail":"Not found."}`, launchapi.Budget{}, launchapi.ErrBudgetUnknown},
		{"no limit", 200, `{"current_use":1,"ident":"192.0.2.7"}`, launchapi.Budget{}, launchapi.ErrUnavailable},
		{"no JSON", 200, `<p>192.0.2.7</p>`, launchapi.Budget{}, launchapi.ErrUnavailable},
		{"a string", 200, `"192.0.2.7"`, launchapi.Budget{}, launchapi.ErrUnavailable},
		{"refused", 401, `{"detail":"Invalid token."}`, launchapi.Budget{}, launchapi.ErrUnauthorized},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			server := serve(t, nil)
			server.AnswerThrottle(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "application/json")
				w.WriteHeader(test.status)
				_, _ = w.Write([]byte(test.body))
			}))
			var log bytes.Buffer
			c := client(t, server.URL(), launchapi.Options{Logger: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))})
			got, err := c.Throttle(t.Context())
			if diff := cmp.Diff(test.want, got); diff != "" || !errors.Is(err, test.err) {
				t.Errorf("budget (-want +got):\n%s\nerror: %v", diff, err)
			}
			if c.Requests() != 0 {
				t.Errorf("it cost %d requests", c.Requests())
			}
			if strings.Contains(log.String()+fmt.Sprint(err), "192.0.2.7") {
				t.Errorf("the caller's address is in %v or in the log:\n%s", err, &log)
			}
		})
	}
}

func TestTheWaitOfASpentBudget(t *testing.T) {
	tests := []struct {
		name string
		body string
		want time.Duration
	}{
		{"as told", `{"your_request_limit":15,"limit_frequency_secs":3600,"current_use":15,"next_use_secs":1631}`, 1631 * time.Second},
		{"told downwards from zero", `{"your_request_limit":15,"limit_frequency_secs":3600,"current_use":15,"next_use_secs":-1631}`, 1631 * time.Second},
		{"not told", `{"your_request_limit":15,"limit_frequency_secs":1800,"current_use":15,"next_use_secs":0}`, 30 * time.Minute},
		{"nothing told", `{"your_request_limit":15,"current_use":15}`, time.Hour},
		{"absurd", `{"your_request_limit":15,"current_use":15,"next_use_secs":1e300}`, 24 * time.Hour},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			server := serve(t, launches(1))
			server.AnswerThrottle(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(test.body)) }))
			err := read(t, client(t, server.URL(), launchapi.Options{}), launchapi.Query{}).err
			budget, ok := errors.AsType[*launchapi.BudgetError](err)
			if !ok || budget.RetryAfter != test.want {
				t.Errorf("error %v, want a wait of %s", err, test.want)
			}
		})
	}
}

func TestAServerThatDoesNotTellItsBudgetIsRead(t *testing.T) {
	tests := []struct {
		name    string
		handler http.HandlerFunc
		err     error
	}{
		{"no such address", http.NotFound, nil},
		{"it fails", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) }, nil},
		{"it answers nonsense", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`{}`)) }, nil},
		{"it refuses the token", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(401) }, launchapi.ErrUnauthorized},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			server := serve(t, launches(150))
			server.AnswerThrottle(test.handler)
			got := read(t, client(t, server.URL(), launchapi.Options{}), launchapi.Query{})
			if !errors.Is(got.err, test.err) {
				t.Fatalf("error %v, want %v", got.err, test.err)
			}
			if test.err == nil && len(got.results()) != 150 {
				t.Errorf("%d launches, want 150", len(got.results()))
			}
		})
	}
}

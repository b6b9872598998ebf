package launchapi_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"launchlake/internal/launchapi"
	"launchlake/internal/launchapi/launchapitest"
	"launchlake/internal/secret"
)

// passing are the failures that another try may mend.
var passing = []struct {
	name  string
	fault launchapitest.Fault
	want  string // of the error when they do not pass
}{
	{"500", launchapitest.ErrorPage(500), "status 500, text/html; charset=utf-8: the server failed; it begins with"},
	{"502", launchapitest.ErrorPage(502), "status 502"},
	{"525", launchapitest.ErrorPage(525), "status 525"},
	{"408", launchapitest.ErrorPage(408), "status 408"},
	{"truncated", launchapitest.Truncated(), "the body is no JSON: it breaks off after"},
	{"cut", launchapitest.Cut(), "the answer broke off after"},
	{"dropped", launchapitest.Drop(), "EOF"},
	{"HTML", launchapitest.HTML(), "the body is HTML, not JSON"},
	{"HTML that calls itself JSON", launchapitest.Answer(200, "application/json", "<!DOCTYPE html>\n<title>Oops\x00</title>"), "the body is no JSON: byte 1 of 36 is '<'; it begins with \"<!DOCTYPE html> <title>Oops </title>\""},
	{"no results", launchapitest.NoResults(), "no page: results is missing"},
	{"results an object", launchapitest.Answer(200, "application/json", `{"results":{}}`), "no page: results is not an array"},
	{"an array", launchapitest.Answer(200, "application/json", `[]`), "no page: results is missing"},
	{"a number for next", launchapitest.Answer(200, "application/json", `{"results":[],"next":1}`), "no page: next is neither a string nor null"},
	{"nothing", launchapitest.Answer(200, "application/json", ``), "the body is no JSON"},
	{"slow", launchapitest.Slow(time.Minute), "no whole answer within 500ms"},
}

// oneByOne uses each connection once: on one that it used before, net/http itself repeats a request that gets no answer.
var oneByOne = &http.Transport{DisableKeepAlives: true}

func TestPassingFailuresAreTriedAgain(t *testing.T) {
	for _, test := range passing {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			server := serve(t, launches(150))
			server.FailAt(1, test.fault)
			server.FailAt(3, test.fault)
			var slept waits
			c := client(t, server.URL(), launchapi.Options{Timeout: 500 * time.Millisecond, Sleep: slept.sleep, Transport: oneByOne})
			got := read(t, c, launchapi.Query{})
			if diff := cmp.Diff(texts(launches(150)), got.results()); diff != "" || got.err != nil {
				t.Errorf("launches (-want +got):\n%s\nerror: %v", diff, got.err)
			}
			if c.Requests() != 4 || len(slept.all) != 2 {
				t.Errorf("%d requests, %d waits; want 4, 2", c.Requests(), len(slept.all))
			}
		})
	}
}

func TestLastingFailuresEndThePassAfterThePagesBefore(t *testing.T) {
	for _, test := range passing {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			server := serve(t, launches(150))
			for number := 2; number <= 9; number++ {
				server.FailAt(number, test.fault)
			}
			c := client(t, server.URL(), launchapi.Options{Timeout: 500 * time.Millisecond, Retries: 2, Transport: oneByOne})
			got := read(t, c, launchapi.Query{})
			if len(got.pages) != 1 || !errors.Is(got.err, launchapi.ErrUnavailable) {
				t.Fatalf("%d pages, error %v; want 1 and ErrUnavailable", len(got.pages), got.err)
			}
			url := server.URL() + "/launches/?format=json&limit=100&mode=detailed&offset=99&ordering=last_updated"
			for _, want := range []string{"read page 1 of the launches: after 3 tries: ", "get " + url + ": ", test.want} {
				if !strings.Contains(got.err.Error(), want) {
					t.Errorf("the error %q lacks %q", got.err, want)
				}
			}
			if c.Requests() != 4 {
				t.Errorf("%d requests, want 4", c.Requests())
			}
		})
	}
}

func TestLastingAnswersAreNotTriedAgain(t *testing.T) {
	tests := []struct {
		name  string
		fault launchapitest.Fault
		kind  error
		want  string
	}{
		{"404 of the API", launchapitest.NotFound(), launchapi.ErrUnavailable, `there is nothing here; check the API's address; it begins with "{\"detail\":\"Not found.\"}"`},
		{"404 of another server", launchapitest.ErrorPage(404), launchapi.ErrUnavailable, "there is nothing here"},
		{"400", launchapitest.Answer(400, "application/json", `{"mode":["bad"]}`), nil, "status 400, application/json: the server refused the request"},
		{"401", launchapitest.Answer(401, "application/json", `{"detail":"Invalid token."}`), launchapi.ErrUnauthorized, "the API refused the credentials"},
		{"403 of the API", launchapitest.Answer(403, "application/json; charset=utf-8", `{"detail":"t0ken is wrong"}`), launchapi.ErrUnauthorized, `REDACTED is wrong`},
		{"403 of the firewall", launchapitest.Challenge(403), launchapi.ErrUnavailable, "the firewall before the API turned the request away"},
		{"429 of the firewall", launchapitest.Challenge(429), launchapi.ErrUnavailable, "the firewall before the API"},
		{"403 HTML", launchapitest.ErrorPage(403), launchapi.ErrUnavailable, "the firewall before the API"},
		{"redirect to another server", redirect("http://127.0.0.1:1/2.3.0/launches/?secret=1"), launchapi.ErrUnavailable, "sends on to http://127.0.0.1:1/2.3.0/launches/; if that is right, make it the API's address"},
		{"endless redirects", redirect("/2.3.0/launches/"), launchapi.ErrUnavailable, "redirect refused: more than 4"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			server := serve(t, launches(1))
			server.FailAlways(test.fault)
			c := client(t, server.URL(), launchapi.Options{Token: "t0ken"})
			err := read(t, c, launchapi.Query{}).err
			if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "t0ken") {
				t.Errorf("error %v, want one with %q", err, test.want)
			}
			for _, kind := range []error{launchapi.ErrUnavailable, launchapi.ErrUnauthorized} {
				if errors.Is(err, kind) != (kind == test.kind) {
					t.Errorf("error %v matches %q: %v", err, kind, errors.Is(err, kind))
				}
			}
			if c.Requests() != 1 {
				t.Errorf("%d requests, want 1", c.Requests())
			}
		})
	}
}

func redirect(to string) launchapitest.Fault {
	return func(w http.ResponseWriter, r *http.Request, _ http.HandlerFunc) {
		http.Redirect(w, r, to, http.StatusFound)
	}
}

func TestResponseErrorsTellWhatWasAnswered(t *testing.T) {
	server := serve(t, nil)
	server.FailAlways(launchapitest.Answer(200, "text/html; charset=utf-8", strings.Repeat("<p> ä\r\n\x1b\xff</p>", 200)))
	err := read(t, client(t, server.URL(), launchapi.Options{Retries: launchapi.NoRetries}), launchapi.Query{}).err
	response, ok := errors.AsType[*launchapi.ResponseError](err)
	if !ok || response.Status != 200 || response.ContentType != "text/html; charset=utf-8" || !strings.HasPrefix(response.URL, server.URL()) {
		t.Fatalf("error %#v", err)
	}
	if len(response.Snippet) > 170 || !strings.HasPrefix(response.Snippet, "<p> ä \uFFFD</p><p> ä") {
		t.Errorf("snippet %q", response.Snippet)
	}
}

func TestAnswersBeyondTheSizeCapAreRefused(t *testing.T) {
	server := serve(t, []json.RawMessage{json.RawMessage(`"` + strings.Repeat("x", 4000) + `"`)})
	c := client(t, server.URL(), launchapi.Options{MaxBytes: 4000})
	err := read(t, c, launchapi.Query{}).err
	if !errors.Is(err, launchapi.ErrUnavailable) || !strings.Contains(err.Error(), "too large: more than 4000 bytes") || c.Requests() != 1 {
		t.Errorf("error %v after %d requests", err, c.Requests())
	}
}

func TestAServerThatIsNotThere(t *testing.T) {
	server := serve(t, nil)
	server.Close()
	err := read(t, client(t, server.URL(), launchapi.Options{}), launchapi.Query{}).err
	if !errors.Is(err, launchapi.ErrUnavailable) || !strings.Contains(err.Error(), "connection refused") ||
		!strings.Contains(err.Error(), server.URL()) || strings.Count(err.Error(), "http://") != 1 {
		t.Errorf("error %v", err)
	}
}

// direct serves requests without a network, so that a test's bubble has a clock of its own.
type direct struct{ http.Handler }

func (d direct) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	d.ServeHTTP(w, r)
	return w.Result(), r.Context().Err()
}

func TestRetriesBackOffExponentiallyWithJitter(t *testing.T) {
	server := serve(t, nil)
	server.FailAlways(launchapitest.ErrorPage(503))
	synctest.Test(t, func(t *testing.T) {
		starts := []time.Time{}
		handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.Contains(r.URL.Path, "launches") {
				starts = append(starts, time.Now())
			}
			server.ServeHTTP(w, r)
		})
		c, err := launchapi.New(server.URL(), launchapi.Options{Retries: 9, Transport: direct{handler}})
		if err != nil {
			t.Fatal(err)
		}
		if err := read(t, c, launchapi.Query{}).err; !errors.Is(err, launchapi.ErrUnavailable) {
			t.Fatal(err)
		}
		ceiling := time.Second
		var total, most time.Duration
		for i, start := range starts[1:] {
			wait := start.Sub(starts[i])
			if wait >= ceiling {
				t.Errorf("wait %d is %s, want less than %s", i, wait, ceiling)
			}
			total, most = total+wait, most+ceiling
			ceiling = min(2*ceiling, 30*time.Second)
		}
		if len(starts) != 10 || total < most/10 || total > most*9/10 {
			t.Errorf("%d tries waited %s of at most %s", len(starts), total, most)
		}
	})
}

func TestRetryAfterOfAFailingServerIsHeeded(t *testing.T) {
	tests := []struct {
		name, value string
		least, most time.Duration
	}{
		{"seconds", "7", 7 * time.Second, 7 * time.Second},
		{"no longer than the longest backoff", "9000", 30 * time.Second, 30 * time.Second},
		{"nonsense", "-3", 0, time.Second},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			server := serve(t, launches(1))
			server.FailNext(func(w http.ResponseWriter, _ *http.Request, _ http.HandlerFunc) {
				w.Header().Set("Retry-After", test.value)
				w.WriteHeader(http.StatusServiceUnavailable)
			})
			var slept waits
			got := read(t, client(t, server.URL(), launchapi.Options{Sleep: slept.sleep}), launchapi.Query{})
			if got.err != nil || len(slept.all) != 1 || slept.all[0] < test.least || slept.all[0] > test.most {
				t.Errorf("waited %v, error %v; want %s to %s", slept.all, got.err, test.least, test.most)
			}
		})
	}
}

func TestTheCallersContextEndsAPass(t *testing.T) {
	because := errors.New("the task was told to stop")
	tests := []struct {
		name  string
		fault launchapitest.Fault
		when  func(cancel func(error), server *launchapitest.Server, o *launchapi.Options)
	}{
		{"in a request", launchapitest.Slow(time.Minute), func(cancel func(error), server *launchapitest.Server, _ *launchapi.Options) {
			server.BeforeEach(func(int) { time.AfterFunc(20*time.Millisecond, func() { cancel(because) }) })
		}},
		{"between tries", launchapitest.ErrorPage(500), func(cancel func(error), _ *launchapitest.Server, o *launchapi.Options) {
			o.Sleep = func(ctx context.Context, _ time.Duration) error {
				cancel(because)
				return context.Cause(ctx)
			}
		}},
		{"before it", nil, func(cancel func(error), _ *launchapitest.Server, _ *launchapi.Options) { cancel(because) }},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			ctx, cancel := context.WithCancelCause(t.Context())
			defer cancel(nil)
			server := serve(t, launches(1))
			server.FailAlways(test.fault)
			var o launchapi.Options
			test.when(cancel, server, &o)
			started := time.Now()
			var err error
			for _, err = range client(t, server.URL(), o).Pages(ctx, launchapi.Query{}) {
			}
			if !errors.Is(err, because) || errors.Is(err, launchapi.ErrUnavailable) || time.Since(started) > 50*time.Second {
				t.Errorf("error %v after %s", err, time.Since(started))
			}
		})
	}
}

func TestACancelledWaitEndsAtOnce(t *testing.T) {
	server := serve(t, nil)
	server.FailAlways(launchapitest.ErrorPage(500))
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		c, err := launchapi.New(server.URL(), launchapi.Options{Retries: 1000, Transport: direct{server}})
		if err != nil {
			t.Fatal(err)
		}
		started := time.Now()
		for _, err = range c.Pages(ctx, launchapi.Query{}) {
		}
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(started) != 10*time.Second {
			t.Errorf("error %v after %s", err, time.Since(started))
		}
	})
}

func TestTheTokenIsInNoLogAndNoError(t *testing.T) {
	var log bytes.Buffer
	server := launchapitest.Start(t, launchapitest.Options{States: [][]json.RawMessage{launches(150)}, Token: "t0ken"})
	server.FailAt(1, launchapitest.ErrorPage(500))
	server.FailAt(3, launchapitest.Cut())
	token := secret.Text("t0ken")
	o := launchapi.Options{Token: token, Logger: slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))}
	if got := read(t, client(t, server.URL(), o), launchapi.Query{}); got.err != nil {
		t.Fatal(got.err)
	}
	o.Logger.Info("options", "token", token, "all", o.Token)
	text, err := json.Marshal(map[string]any{"token": token})
	if err != nil {
		t.Fatal(err)
	}
	log.Write(text)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d", "%t"} {
		fmt.Fprintf(&log, verb+verb, token, struct{ T secret.Text }{token})
	}
	if out := log.String(); strings.Contains(out, "t0ken") || strings.Contains(out, "74306b656e") || !strings.Contains(out, "REDACTED") || !strings.Contains(out, "request failed") {
		t.Errorf("log:\n%s", out)
	}
	if token.Reveal() != "t0ken" || secret.Text("").String() != "" {
		t.Error("Reveal or the empty secret is wrong")
	}
}

func TestTheTokenDoesNotFollowARedirectToAnotherServer(t *testing.T) {
	server, other := serve(t, launches(1)), serve(t, launches(1))
	server.FailAlways(redirect(other.URL() + "/launches/"))
	err := read(t, client(t, server.URL(), launchapi.Options{Token: "t0ken"}), launchapi.Query{}).err
	if err == nil || len(other.Requests()) != 0 {
		t.Errorf("error %v, and the other server was asked %d times", err, len(other.Requests()))
	}
}

func TestARedirectWithinTheServerIsFollowed(t *testing.T) {
	server := serve(t, launches(3))
	server.FailNext(redirect("/2.3.0/launches/?ordering=last_updated"))
	got := read(t, client(t, server.URL(), launchapi.Options{}), launchapi.Query{})
	if diff := cmp.Diff(texts(launches(3)), got.results()); diff != "" || got.err != nil {
		t.Errorf("launches (-want +got):\n%s\nerror: %v", diff, got.err)
	}
}

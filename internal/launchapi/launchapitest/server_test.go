package launchapitest_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"launchlake/internal/launchapi/launchapitest"
)

// launch is a record of n; its net falls while its last_updated rises.
func launch(n int) json.RawMessage {
	return json.RawMessage(fmt.Sprintf(`{"id":"id-%03d","name":"Launch %d","status":{"id":%d,"name":"x"},"net":"%s","last_updated":"%s"}`,
		n, n, 1+n%4, epoch.Add(-time.Duration(n)*time.Hour).Format(time.RFC3339), epoch.Add(time.Duration(n)*time.Minute).Format(time.RFC3339)))
}

var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func launches(n int) []json.RawMessage {
	records := make([]json.RawMessage, n)
	for i := range records {
		records[i] = launch(i)
	}
	return records
}

type listing struct {
	Count    int               `json:"count"`
	Next     *string           `json:"next"`
	Previous *string           `json:"previous"`
	Results  []json.RawMessage `json:"results"`
}

func get(t *testing.T, url string, header ...string) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(body)
}

func list(t *testing.T, url string) listing {
	t.Helper()
	resp, body := get(t, url)
	var l listing
	if err := json.Unmarshal([]byte(body), &l); err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("GET %s: %s, %v\n%s", url, resp.Status, err, body)
	}
	return l
}

func ids(records []json.RawMessage) string {
	var all []string
	for _, r := range records {
		var v struct{ ID string }
		_ = json.Unmarshal(r, &v)
		all = append(all, strings.TrimPrefix(v.ID, "id-"))
	}
	return strings.Join(all, " ")
}

func TestPagesAreClampedAndLinkedAsByLL2(t *testing.T) {
	s := launchapitest.Start(t, launchapitest.Options{States: [][]json.RawMessage{launches(250)}})
	tests := []struct {
		name, query, next, previous string
		results                     int
	}{
		{"ten without a limit", "", "limit=10&offset=10", "", 10},
		{"a limit above 100 is 100", "?limit=150", "limit=100&offset=100", "", 100},
		{"a limit of 0 is the default", "?limit=0", "limit=10&offset=10", "", 10},
		{"a limit that is no number is the default", "?limit=x", "limit=10&offset=10", "", 10},
		{"links repeat the parameters sorted", "?ordering=-net&mode=list&limit=20&offset=40", "limit=20&mode=list&offset=60&ordering=-net", "limit=20&mode=list&offset=20&ordering=-net", 20},
		{"the link to the first page has no offset", "?limit=50&offset=50", "limit=50&offset=100", "limit=50", 50},
		{"the last page has no next", "?limit=100&offset=200", "", "limit=100&offset=100", 50},
		{"behind the end there is nothing", "?limit=100&offset=900", "", "limit=100&offset=800", 0},
		{"times in links are escaped", "?last_updated__gte=2026-01-01T00:00:00Z", "last_updated__gte=2026-01-01T00%3A00%3A00Z&limit=10&offset=10", "", 10},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			l := list(t, s.URL()+"/launches/"+test.query)
			want := listing{Count: 250, Next: linked(s, test.next), Previous: linked(s, test.previous)}
			if diff := cmp.Diff(want, listing{Count: l.Count, Next: l.Next, Previous: l.Previous}); diff != "" {
				t.Errorf("envelope (-want +got):\n%s", diff)
			}
			if len(l.Results) != test.results {
				t.Errorf("%d results, want %d", len(l.Results), test.results)
			}
		})
	}
}

func linked(s *launchapitest.Server, query string) *string {
	if query == "" {
		return nil
	}
	url := s.URL() + "/launches/?" + query
	return &url
}

func TestFiltersAndOrders(t *testing.T) {
	records := append(launches(5), json.RawMessage(`{"id":"id-odd","last_updated":null}`), json.RawMessage(`42`))
	s := launchapitest.Start(t, launchapitest.Options{States: [][]json.RawMessage{records}})
	tests := []struct{ name, query, want string }{
		{"by net at first", "", "004 003 002 001 000 odd "},
		{"last_updated, undated last", "ordering=last_updated", "000 001 002 003 004 odd "},
		{"last_updated descending, undated first", "ordering=-last_updated", "odd  004 003 002 001 000"},
		{"unknown orders are ignored", "ordering=pad,-id", "odd 004 003 002 001 000 "},
		{"a range excludes the undated", "ordering=id&last_updated__gte=2026-01-01T00:02:00Z", "002 003 004"},
		{"ranges meet", "ordering=id&last_updated__gte=2026-01-01T00:01:00Z&last_updated__lte=2026-01-01T00:03:00Z", "001 002 003"},
		{"last_updated has no gt", "ordering=-net&last_updated__gt=2026-01-01T00:02:00Z&status=1", "000 004"},
		{"net lt", "net__lt=2025-12-31T22:00:00Z", "004 003"},
		{"net by date", "net__gte=2026-01-01", "000"},
		{"status", "status=2", "001"},
		{"status list", "status__ids=2,3", "002 001"},
		{"id", "id=id-003", "003"},
		{"search", "search=launch+3", "003"},
		{"unknown filters are ignored", "id=id-003&colour=red", "003"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := ids(list(t, s.URL()+"/launches/?"+test.query).Results); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestErrorsHaveTheShapeOfLL2(t *testing.T) {
	s := launchapitest.Start(t, launchapitest.Options{States: [][]json.RawMessage{launches(1)}, Token: "right"})
	tests := []struct {
		name, path, header string
		status             int
		contentType, body  string
	}{
		{"no such launch", "/2.3.0/launches/id-9/", "", 404, "application/json", `{"detail":"No Launch matches the given query."}`},
		{"no such page", "/2.3.0/rockets/", "", 404, "text/html; charset=utf-8", "Not Found"},
		{"no such version", "/1.0/launches/", "", 404, "text/html; charset=utf-8", "Not Found"},
		{"bad time", "/2.3.0/launches/?net__gte=soon", "", 400, "application/json", `{"net__gte":["Enter a valid date/time."]}`},
		{"bad token", "/2.3.0/launches/", "Token wrong", 401, "application/json", `{"detail":"Invalid token."}`},
		{"good token", "/2.3.0/launches/id-000/", "Token right", 200, "application/json", string(launch(0))},
		{"missing slash", "/2.3.0/launches?limit=1", "", 301, "text/html; charset=utf-8", "/2.3.0/launches/?limit=1"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			resp, body := get(t, strings.TrimSuffix(s.URL(), "/2.3.0")+test.path, "Authorization", test.header)
			if resp.StatusCode != test.status || resp.Header.Get("Content-Type") != test.contentType || !strings.Contains(body, test.body) {
				t.Errorf("got %s %s\n%s", resp.Status, resp.Header.Get("Content-Type"), body)
			}
			if resp.Header.Get("Date") == "" {
				t.Error("no Date header")
			}
		})
	}
}

func TestThrottleIsASlidingWindow(t *testing.T) {
	now := epoch
	s := launchapitest.Start(t, launchapitest.Options{
		States:   [][]json.RawMessage{launches(1)},
		Throttle: launchapitest.Throttle{Limit: 2, Window: time.Hour},
		Now:      func() time.Time { return now },
	})
	at := func(minutes int) string {
		now = epoch.Add(time.Duration(minutes) * time.Minute)
		resp, body := get(t, s.URL()+"/launches/?limit=1")
		return fmt.Sprintf("%d %s %s", resp.StatusCode, resp.Header.Get("Retry-After"), body[:min(len(body), 70)])
	}
	budget := func() string {
		_, body := get(t, s.URL()+"/api-throttle/")
		return body
	}
	var got []string
	got = append(got, budget(), at(0)[:3], at(10)[:3], budget(), at(59), budget(), at(60)[:3], at(61)[:3])
	want := []string{
		`{"your_request_limit":2,"limit_frequency_secs":3600,"current_use":0,"next_use_secs":0,"ident":"127.0.0.1"}`,
		"200", "200",
		`{"your_request_limit":2,"limit_frequency_secs":3600,"current_use":2,"next_use_secs":3000,"ident":"127.0.0.1"}`,
		`429 60 {"detail":"Request was throttled. Expected available in 60 seconds."}`,
		`{"your_request_limit":2,"limit_frequency_secs":3600,"current_use":2,"next_use_secs":60,"ident":"127.0.0.1"}`,
		"200", "429",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("answers (-want +got):\n%s", diff)
	}
}

func TestRecordsAreServedAsGivenInBothVersions(t *testing.T) {
	odd := json.RawMessage("{ \"id\" : \"a\",\t\"name\":\"\xff\\u0000\", \"n\":1.0e+2,\"n\":0 }")
	s := launchapitest.Start(t, launchapitest.Options{States: [][]json.RawMessage{{odd}}, Gzip: true})
	want := `{"count":1,"next":null,"previous":null,"results":[` + string(odd) + `]}`
	for _, path := range []string{"2.3.0/launches/", "2.2.0/launch/"} {
		if _, body := get(t, strings.TrimSuffix(s.URL(), "2.3.0")+path); body != want {
			t.Errorf("%s: %q, want %q", path, body, want)
		}
	}
	if _, body := get(t, s.VersionURL("2.2.0")+"/launch/a/"); body != string(odd) {
		t.Errorf("detail: %q, want %q", body, odd)
	}
}

func TestRevisedLaunchesMoveToTheEnd(t *testing.T) {
	s := launchapitest.Start(t, launchapitest.Options{States: [][]json.RawMessage{launches(3), launches(1)}})
	page := func() string { return ids(list(t, s.URL()+"/launches/?ordering=last_updated").Results) }
	got := []string{page()}
	s.Revise(json.RawMessage(`{"id":"id-001","last_updated":"2027-01-01T00:00:00Z"}`), json.RawMessage(`{"id":"id-new","last_updated":"2027-01-02T00:00:00Z"}`))
	got = append(got, page())
	s.SetState(1)
	got = append(got, page())
	if diff := cmp.Diff([]string{"000 001 002", "000 002 001 new", "000"}, got); diff != "" {
		t.Errorf("orders (-want +got):\n%s", diff)
	}
}

func TestRequestsAreLogged(t *testing.T) {
	s := launchapitest.Start(t, launchapitest.Options{})
	s.FailAt(2, launchapitest.ErrorPage(502))
	get(t, s.URL()+"/api-throttle/", "User-Agent", "me")
	get(t, s.URL()+"/launches/?limit=1")
	get(t, s.URL()+"/launches/")
	var got []string
	for _, r := range s.Requests() {
		got = append(got, fmt.Sprintf("%d %s %s %d", r.Number, r.Method, r.URL, r.Status))
	}
	want := []string{"0 GET /2.3.0/api-throttle/ 200", "1 GET /2.3.0/launches/?limit=1 200", "2 GET /2.3.0/launches/ 502"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("log (-want +got):\n%s", diff)
	}
	if agent := s.Requests()[0].Header.Get("User-Agent"); agent != "me" {
		t.Errorf("User-Agent %q in the log", agent)
	}
}

func TestAServerThatKnowsTheOrderFindsWhatIsNewInIt(t *testing.T) {
	records := append(launches(5), json.RawMessage(`{"id":"id-odd","last_updated":null}`), json.RawMessage(`42`), launch(2))
	for _, undated := range []bool{false, true} {
		for _, since := range []string{"2025-01-01T00:00:00Z", "2026-01-01T00:02:00Z", "2026-01-01T00:02:01Z", "2027-01-01T00:00:00Z", "", "soon"} {
			options := launchapitest.Options{States: [][]json.RawMessage{records}, Undated: undated}
			query := "/launches/?ordering=last_updated&last_updated__gte=" + since
			fresh, knowing := launchapitest.Start(t, options), launchapitest.Start(t, options)
			list(t, knowing.URL()+"/launches/?ordering=last_updated&limit=1")
			_, want := get(t, fresh.URL()+query)
			if _, got := get(t, knowing.URL()+query); got != want {
				t.Errorf("undated %v, since %q: %s, want %s", undated, since, got, want)
			}
		}
	}
}

func TestUndatedRecordsAreInEveryRangeWhenAsked(t *testing.T) {
	undated := json.RawMessage(`{"id":"id-odd","last_updated":"soon"}`)
	for _, asked := range []bool{false, true} {
		s := launchapitest.Start(t, launchapitest.Options{States: [][]json.RawMessage{append(launches(3), undated)}, Undated: asked})
		page := list(t, s.URL()+"/launches/?ordering=last_updated&last_updated__gte=2026-01-01T00:02:00Z").Results
		want := "002"
		if asked {
			want = "002 odd"
		}
		if got := ids(page); got != want {
			t.Errorf("undated %v: %q, want %q", asked, got, want)
		}
	}
}

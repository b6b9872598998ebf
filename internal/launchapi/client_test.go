package launchapi_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"launchlake/internal/launchapi"
	"launchlake/internal/launchapi/launchapitest"
)

var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func launch(n int) json.RawMessage { return revision(n, epoch.Add(time.Duration(n)*time.Minute)) }

func revision(n int, updated time.Time) json.RawMessage {
	return json.RawMessage(fmt.Sprintf(`{"id":"id-%04d","name":"Launch %d","last_updated":%q}`, n, n, updated.Format(time.RFC3339)))
}

func launches(n int) []json.RawMessage {
	records := make([]json.RawMessage, n)
	for i := range records {
		records[i] = launch(i)
	}
	return records
}

func serve(t *testing.T, records []json.RawMessage) *launchapitest.Server {
	t.Helper()
	return launchapitest.Start(t, launchapitest.Options{States: [][]json.RawMessage{records}})
}

// waits collects what a client would have slept.
type waits struct {
	mu  sync.Mutex
	all []time.Duration
}

func (w *waits) sleep(ctx context.Context, d time.Duration) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.all = append(w.all, d)
	return ctx.Err()
}

// client does not wait between tries unless o says how.
func client(t *testing.T, url string, o launchapi.Options) *launchapi.Client {
	t.Helper()
	if o.Sleep == nil {
		o.Sleep = new(waits).sleep
	}
	c, err := launchapi.New(url, o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// pass is all that one use of Pages yields.
type pass struct {
	pages []launchapi.Page
	err   error
}

func (p pass) results() []string {
	var all []string
	for _, page := range p.pages {
		for _, r := range page.Results {
			all = append(all, string(r))
		}
	}
	return all
}

func read(t *testing.T, c *launchapi.Client, q launchapi.Query) pass {
	t.Helper()
	var p pass
	for page, err := range c.Pages(t.Context(), q) {
		if err != nil {
			p.err = err
			continue
		}
		p.pages = append(p.pages, page)
	}
	return p
}

func texts(records []json.RawMessage) []string {
	all := make([]string, len(records))
	for i, r := range records {
		all[i] = string(r)
	}
	return all
}

// asked lists path and query of the requests for launches.
func asked(s *launchapitest.Server) []string {
	var all []string
	for _, r := range s.Requests() {
		if r.Number > 0 {
			all = append(all, r.URL)
		}
	}
	return all
}

func TestAPassReadsEveryLaunchOnce(t *testing.T) {
	now := epoch.Add(time.Hour)
	server := launchapitest.Start(t, launchapitest.Options{
		States: [][]json.RawMessage{launches(250)}, Gzip: true, Now: func() time.Time { return epoch },
	})
	c := client(t, server.URL(), launchapi.Options{Now: func() time.Time { return now }})
	got := read(t, c, launchapi.Query{})
	if diff := cmp.Diff(texts(launches(250)), got.results()); diff != "" || got.err != nil {
		t.Fatalf("launches (-want +got):\n%s\nerror: %v", diff, got.err)
	}
	const query = "/2.3.0/launches/?format=json&limit=100&mode=detailed&ordering=last_updated"
	want := []string{query, strings.Replace(query, "&ord", "&offset=99&ord", 1), strings.Replace(query, "&ord", "&offset=198&ord", 1)}
	if diff := cmp.Diff(want, asked(server)); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
	page := got.pages[1]
	if len(page.Keys) != len(page.Results) {
		t.Errorf("%d keys of %d results", len(page.Keys), len(page.Results))
	}
	page.Results, page.Keys, page.Release = nil, nil, nil
	origin := strings.TrimSuffix(server.URL(), "/2.3.0")
	wantPage := launchapi.Page{
		URL: origin + want[1], Number: 1, Status: 200, FetchedAt: now, ServerTime: epoch, Total: 250,
		Bytes: page.Bytes, Skipped: 1,
	}
	if diff := cmp.Diff(wantPage, page); diff != "" {
		t.Errorf("second page (-want +got):\n%s", diff)
	}
	if !got.pages[2].Last || got.pages[0].Last || c.Requests() != 3 {
		t.Errorf("last: %v, requests: %d", got.pages[2].Last, c.Requests())
	}
}

func TestAPassReadsOnlyWhatTheQueryAsksFor(t *testing.T) {
	undated := json.RawMessage(`{"id":"undated"}`)
	records := append(launches(5), undated)
	zone := time.FixedZone("", 2*60*60)
	tests := []struct {
		name    string
		query   launchapi.Query
		request string
		want    []json.RawMessage
	}{
		{"all, undated ones last", launchapi.Query{}, "?format=json&limit=100&mode=detailed&ordering=last_updated", records},
		{"since a time, inclusive", launchapi.Query{Since: epoch.Add(3 * time.Minute).In(zone)}, "?format=json&last_updated__gte=2026-01-01T00%3A03%3A00Z&limit=100&mode=detailed&ordering=last_updated", records[3:5]},
		{"fractions of a second are cut off", launchapi.Query{Since: epoch.Add(4*time.Minute + time.Millisecond)}, "?format=json&last_updated__gte=2026-01-01T00%3A04%3A00Z&limit=100&mode=detailed&ordering=last_updated", records[4:5]},
		{"nothing", launchapi.Query{Since: epoch.Add(time.Hour)}, "?format=json&last_updated__gte=2026-01-01T01%3A00%3A00Z&limit=100&mode=detailed&ordering=last_updated", nil},
		{"another mode", launchapi.Query{Mode: "list", Limit: 50}, "?format=json&limit=50&mode=list&ordering=last_updated", records},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			server := serve(t, records)
			got := read(t, client(t, server.URL(), launchapi.Options{}), test.query)
			if diff := cmp.Diff(texts(test.want), append([]string{}, got.results()...)); diff != "" || got.err != nil {
				t.Errorf("launches (-want +got):\n%s\nerror: %v", diff, got.err)
			}
			if len(got.pages) != 1 || !got.pages[0].Last || got.pages[0].Total != len(test.want) {
				t.Errorf("want one page, the last, of %d; got %+v", len(test.want), got.pages)
			}
			if diff := cmp.Diff([]string{"/2.3.0/launches/" + test.request}, asked(server)); diff != "" {
				t.Errorf("requests (-want +got):\n%s", diff)
			}
		})
	}
}

func TestSmallPagesAreReadToTheEnd(t *testing.T) {
	for _, limit := range []int{1, 2, 3} {
		t.Run(fmt.Sprint(limit), func(t *testing.T) {
			got := read(t, client(t, serve(t, launches(7)).URL(), launchapi.Options{}), launchapi.Query{Limit: limit})
			if diff := cmp.Diff(texts(launches(7)), got.results()); diff != "" || got.err != nil {
				t.Errorf("launches (-want +got):\n%s\nerror: %v", diff, got.err)
			}
		})
	}
}

func TestAddressesOfTheAPI(t *testing.T) {
	tests := []struct{ name, suffix, version, path string }{
		{"2.3.0", "/2.3.0", "2.3.0", "/2.3.0/launches/"},
		{"trailing slash", "/2.3.0/", "2.3.0", "/2.3.0/launches/"},
		{"2.2.0 has the singular", "/2.2.0", "2.2.0", "/2.2.0/launch/"},
		{"the collection of 2.3.0", "/2.3.0/launches/", "2.3.0", "/2.3.0/launches/"},
		{"the collection of 2.2.0", "/2.2.0/launch/?format=json", "2.2.0", "/2.2.0/launch/"},
		{"own parameters prevail over the address's", "/2.3.0/?limit=1&ordering=name", "2.3.0", "/2.3.0/launches/"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			server := serve(t, launches(150))
			c := client(t, strings.Replace(server.URL(), "/2.3.0", test.suffix, 1), launchapi.Options{})
			got := read(t, c, launchapi.Query{})
			if diff := cmp.Diff(texts(launches(150)), got.results()); diff != "" || got.err != nil {
				t.Errorf("launches (-want +got):\n%s\nerror: %v", diff, got.err)
			}
			if c.Version() != test.version {
				t.Errorf("version %q, want %q", c.Version(), test.version)
			}
			if path, _, _ := strings.Cut(asked(server)[0], "?"); path != test.path {
				t.Errorf("path %q, want %q", path, test.path)
			}
		})
	}
}

func TestParametersOfTheAddressFilterEveryRequest(t *testing.T) {
	server := serve(t, launches(3))
	got := read(t, client(t, server.URL()+"?id=id-0001", launchapi.Options{}), launchapi.Query{})
	if diff := cmp.Diff(texts(launches(3)[1:2]), got.results()); diff != "" {
		t.Errorf("launches (-want +got):\n%s", diff)
	}
}

func TestBadAddressesAreRefused(t *testing.T) {
	tests := []struct{ name, url, want string }{
		{"nothing", "", `"" is no http or https URL`},
		{"no scheme", "ll.thespacedevs.com/2.3.0", "is no http or https URL"},
		{"another scheme", "ftp://ll.thespacedevs.com/2.3.0", "is no http or https URL"},
		{"no host", "https:///2.3.0", "is no http or https URL"},
		{"no URL, with a password", "https://me:hidden@[::1/2.3.0", "is no URL"},
		{"a password", "https://me:hidden@ll.thespacedevs.com/2.3.0", "holds a user or password"},
		{"a version to come", "https://ll.thespacedevs.com/api/ll/2.4.0/", "API version 2.4.0 is not supported"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := launchapi.New(test.url, launchapi.Options{})
			if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "hidden") {
				t.Errorf("error %v, want one with %q", err, test.want)
			}
		})
	}
}

func TestCallersNameThemselves(t *testing.T) {
	server := serve(t, launches(1))
	read(t, client(t, server.URL(), launchapi.Options{UserAgent: "launchlake/1 (me@example.org)", Token: "t0ken"}), launchapi.Query{})
	for _, r := range server.Requests() {
		got := []string{r.Header.Get("User-Agent"), r.Header.Get("Authorization"), r.Header.Get("Accept")}
		if diff := cmp.Diff([]string{"launchlake/1 (me@example.org)", "Token t0ken", "application/json"}, got); diff != "" {
			t.Errorf("headers of %s (-want +got):\n%s", r.URL, diff)
		}
	}
}

func TestEachUseOfThePagesIsAPassOfItsOwn(t *testing.T) {
	c := client(t, serve(t, launches(150)).URL(), launchapi.Options{})
	pages := c.Pages(t.Context(), launchapi.Query{})
	for page := range pages {
		if page.Number != 0 {
			t.Errorf("page %d after the break", page.Number)
		}
		break
	}
	n := 0
	for page, err := range pages {
		if err != nil {
			t.Fatal(err)
		}
		n += len(page.Results)
	}
	if n != 150 || c.Requests() != 3 {
		t.Errorf("%d launches with %d requests, want 150 with 3", n, c.Requests())
	}
}

func TestLinksThatLeaveTheCollectionAreRefused(t *testing.T) {
	tests := []struct{ name, next, want string }{
		{"another host", "https://example.org/2.3.0/launches/?offset=100", "next leaves the collection"},
		{"another port", "http://127.0.0.1:1/2.3.0/launches/?offset=100", "next leaves the collection"},
		{"another scheme", "https://HOST/2.3.0/launches/?offset=100", "next leaves the collection"},
		{"another path", "http://HOST/2.3.0/pads/?offset=100", "next leaves the collection"},
		{"a user", "http://u:p@HOST/2.3.0/launches/?offset=100", "next leaves the collection"},
		{"no URL", "http://[/", "next is no URL"},
		{"the same page again", "?format=json&limit=100&mode=detailed&offset=0&ordering=last_updated", "next does not lead on"},
		{"back", "?offset=-5", "next does not lead on"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			server := serve(t, nil)
			u, _ := url.Parse(server.URL())
			next := strings.Replace(test.next, "HOST", u.Host, 1)
			server.FailAlways(launchapitest.Answer(200, "application/json", `{"count":2,"next":"`+next+`","results":[1,2]}`))
			got := read(t, client(t, server.URL(), launchapi.Options{Token: "t0ken", Retries: launchapi.NoRetries}), launchapi.Query{})
			if got.err == nil || !strings.Contains(got.err.Error(), test.want) || len(got.pages) != 0 {
				t.Errorf("error %v after %d pages, want one with %q", got.err, len(got.pages), test.want)
			}
		})
	}
}

func TestRelativeLinksAndThoseOfAnotherCaseAreFollowed(t *testing.T) {
	server := serve(t, nil)
	server.FailAt(1, launchapitest.Answer(200, "application/json", `{"count":3,"next":"?offset=2","results":[1,2]}`))
	server.FailAt(2, launchapitest.Answer(200, "application/json", `{"count":3,"next":null,"results":[2,3]}`))
	got := read(t, client(t, server.URL(), launchapi.Options{}), launchapi.Query{})
	if diff := cmp.Diff([]string{"1", "2", "3"}, got.results()); diff != "" || got.err != nil {
		t.Errorf("results (-want +got):\n%s\nerror: %v", diff, got.err)
	}
}

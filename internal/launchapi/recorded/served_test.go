package recorded_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"testing"

	"launchlake/internal/launchapi/launchapitest"
	"launchlake/internal/launchapi/recorded"
)

type page struct {
	Count   int               `json:"count"`
	Results []json.RawMessage `json:"results"`
}

func fetch(t *testing.T, server *launchapitest.Server, q url.Values) page {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL()+"/launches/?"+q.Encode(), nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	var p page
	if err := json.Unmarshal(body, &p); err != nil {
		t.Fatalf("%s: %v: %.200s", request.URL, err, body)
	}
	return p
}

func serve(t *testing.T, states ...[]json.RawMessage) *launchapitest.Server {
	t.Helper()
	server, err := launchapitest.New(launchapitest.Options{States: states})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	return server
}

func TestThePassAfterTheFirstStateGetsARecordTwice(t *testing.T) {
	var states [][]json.RawMessage
	for n := 1; n <= recorded.States; n++ {
		records, err := recorded.State(n)
		if err != nil {
			t.Fatal(err)
		}
		states = append(states, records)
	}
	server := serve(t, states...)
	all := url.Values{"ordering": {"last_updated"}, "mode": {"detailed"}, "limit": {"100"}}
	if p := fetch(t, server, all); p.Count != len(states[0]) || len(p.Results) != 100 {
		t.Errorf("state 1 is served as %d records, %d on the first page", p.Count, len(p.Results))
	}
	var newest struct {
		LastUpdated string `json:"last_updated"`
	}
	if err := json.Unmarshal(states[0][len(states[0])-1], &newest); err != nil {
		t.Fatal(err)
	}
	server.SetState(1)
	all.Set("last_updated__gte", newest.LastUpdated)
	first := fetch(t, server, all)
	all.Set("offset", "100")
	second := fetch(t, server, all)
	if string(first.Results[99]) != string(second.Results[0]) {
		t.Errorf("the pages part %.90s and %.90s", first.Results[99], second.Results[0])
	}
	sum, err := recorded.Summarize(2)
	if err != nil {
		t.Fatal(err)
	}
	unreadable := 2 // faults without a last_updated
	want := 1 + sum.New + sum.Changed + sum.Edited + sum.Repeated + sum.Outdated + sum.Renumbered + len(sum.Faults) - unreadable
	if first.Count != want {
		t.Errorf("the pass gets %d records, the summary makes %d", first.Count, want)
	}
}

func TestGeneratedLaunchesCanBeServed(t *testing.T) {
	const n = 2000
	server := serve(t, slices.Collect(recorded.Generate(n, 1)))
	got := 0
	for offset := 0; offset < n; offset += 100 {
		got += len(fetch(t, server, url.Values{"ordering": {"last_updated"}, "limit": {"100"}, "offset": {fmt.Sprint(offset)}}).Results)
	}
	if got != n {
		t.Errorf("%d of %d generated launches are served", got, n)
	}
}

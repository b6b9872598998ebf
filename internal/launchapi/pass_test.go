package launchapi_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"launchlake/internal/launchapi"
)

var later = epoch.AddDate(1, 0, 0)

// missing are the launches of which no revision was read.
func missing(got pass, want int) []string {
	all := strings.Join(got.results(), "\n")
	var none []string
	for n := range want {
		if id := fmt.Sprintf("id-%04d", n); !strings.Contains(all, id) {
			none = append(none, id)
		}
	}
	return none
}

func TestLaunchesRevisedDuringAPassCostNoOther(t *testing.T) {
	tests := []struct {
		name     string
		before   int   // the request before which
		revised  []int // these launches move to the end
		requests int
	}{
		{"one already read", 2, []int{50}, 4},
		{"the last one read", 2, []int{99}, 4},
		{"the first one", 2, []int{0}, 4},
		{"many already read", 2, numbers(0, 98), 4},
		{"all but one of those read", 2, numbers(0, 99), 4},
		{"all of those read", 2, numbers(0, 100), 4},
		{"one of the next page", 2, []int{150}, 3},
		{"one of the first page, before the third", 3, []int{7}, 5},
		{"ones of two pages, before the third", 3, []int{7, 120, 130}, 5},
		{"all of the rest", 2, numbers(100, 250), 3},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			server := serve(t, launches(250))
			server.BeforeEach(func(number int) {
				if number == test.before {
					for i, n := range test.revised {
						server.Revise(revision(n, later.Add(time.Duration(i)*time.Second)))
					}
				}
			})
			c := client(t, server.URL(), launchapi.Options{})
			got := read(t, c, launchapi.Query{})
			if none := missing(got, 250); len(none) > 0 || got.err != nil {
				t.Errorf("missing %v, error %v", none, got.err)
			}
			all := got.results()
			for i, n := range test.revised {
				if last := string(revision(n, later.Add(time.Duration(i)*time.Second))); !slices.Contains(all, last) {
					t.Errorf("the revision %s is missing", last)
				}
			}
			slices.Sort(all)
			if twice := len(all) - len(slices.Compact(all)); twice > 0 {
				t.Errorf("%d launches came twice", twice)
			}
			if c.Requests() != test.requests {
				t.Errorf("%d requests, want %d", c.Requests(), test.requests)
			}
		})
	}
}

func numbers(from, to int) []int {
	var all []int
	for n := from; n < to; n++ {
		all = append(all, n)
	}
	return all
}

// A reader that starts again where the last pass ended, as ErrMoved asks for, misses nothing, however fast launches
// are revised: here up to four times for each page of seven.
func TestRandomRevisionsCostNoLaunch(t *testing.T) {
	const count = 60
	moved, whole := 0, 0
	for seed := range uint64(200) {
		random := rand.New(rand.NewPCG(seed, 0))
		server := serve(t, launches(count))
		moment := later
		server.BeforeEach(func(number int) {
			if number > 40 {
				return // else the end moves away for ever
			}
			for range random.IntN(int(seed%5) + 1) {
				moment = moment.Add(time.Second)
				server.Revise(revision(random.IntN(count+5), moment))
			}
		})
		var all pass
		for q := (launchapi.Query{Limit: 7}); ; moved++ {
			got := read(t, client(t, server.URL(), launchapi.Options{}), q)
			all.pages = append(all.pages, got.pages...)
			if all.err = got.err; !errors.Is(got.err, launchapi.ErrMoved) {
				break
			}
			q.Since = lastUpdated(t, all)
		}
		if none := missing(all, count); len(none) > 0 || all.err != nil {
			t.Errorf("seed %d: missing %v, error %v", seed, none, all.err)
		}
		whole++
		server.Close()
	}
	t.Logf("%d readings, %d new starts", whole, moved)
}

func lastUpdated(t *testing.T, p pass) time.Time {
	t.Helper()
	all := p.results()
	var last struct {
		Updated time.Time `json:"last_updated"`
	}
	if err := json.Unmarshal([]byte(all[len(all)-1]), &last); err != nil {
		t.Fatal(err)
	}
	return last.Updated
}

func TestACollectionThatMovesTooFastIsGivenUp(t *testing.T) {
	server := serve(t, launches(500))
	server.BeforeEach(func(number int) {
		if number == 3 {
			server.SetRecords(launches(900)[500:])
		}
	})
	got := read(t, client(t, server.URL(), launchapi.Options{}), launchapi.Query{})
	if !errors.Is(got.err, launchapi.ErrMoved) || !errors.Is(got.err, launchapi.ErrUnavailable) {
		t.Errorf("error %v, want ErrMoved", got.err)
	}
	if diff := cmp.Diff(texts(launches(500)[:199]), got.results()); diff != "" {
		t.Errorf("launches before it (-want +got):\n%s", diff)
	}
}

func TestACollectionThatShrinksIsReadToItsEnd(t *testing.T) {
	server := serve(t, launches(250))
	server.BeforeEach(func(number int) {
		if number == 3 {
			server.SetRecords(launches(150))
		}
	})
	got := read(t, client(t, server.URL(), launchapi.Options{}), launchapi.Query{})
	if got.err != nil || len(got.results()) != 199 || !got.pages[len(got.pages)-1].Last {
		t.Errorf("%d launches, error %v", len(got.results()), got.err)
	}
}

// Servers break ties as they like. Here the order of launches updated together turns round with each request.
func TestLaunchesUpdatedTogetherDoNotStopAPass(t *testing.T) {
	const count = 30
	together := make([]json.RawMessage, count)
	for n := range together {
		together[n] = revision(n, epoch)
	}
	server := serve(t, together)
	server.BeforeEach(func(int) {
		slices.Reverse(together)
		server.SetRecords(slices.Clone(together))
	})
	c := client(t, server.URL(), launchapi.Options{})
	got := read(t, c, launchapi.Query{Limit: 10})
	if got.err != nil || !got.pages[len(got.pages)-1].Last || c.Requests() > 30 {
		t.Errorf("error %v after %d pages and %d requests", got.err, len(got.pages), c.Requests())
	}
}

func TestCountsThatChangeWithoutARevisionBreakNoOverlap(t *testing.T) {
	counted := func(n int) (records []json.RawMessage) {
		for i := range 150 {
			records = append(records, json.RawMessage(fmt.Sprintf(`{"count":%d,%s`, n, launch(i)[1:])))
		}
		return records
	}
	server := serve(t, counted(0))
	server.BeforeEach(func(number int) { server.SetRecords(counted(number)) })
	c := client(t, server.URL(), launchapi.Options{})
	if got := read(t, c, launchapi.Query{}); got.err != nil || len(got.results()) != 150 || c.Requests() != 2 {
		t.Errorf("%d launches with %d requests, error %v; want 150 with 2", len(got.results()), c.Requests(), got.err)
	}
}

func TestTheSameRecordOnTwoPagesIsReadTwice(t *testing.T) {
	twice := json.RawMessage(`{"id":"twice"}`)
	records := launches(120)
	for i := range records {
		records[i] = json.RawMessage(fmt.Sprintf(`{"id":"undated %d"}`, i)) // in this order, since all are undated
	}
	records[10], records[110] = twice, twice
	server := serve(t, records)
	got := read(t, client(t, server.URL(), launchapi.Options{}), launchapi.Query{})
	if diff := cmp.Diff(texts(records), got.results()); diff != "" || got.err != nil {
		t.Errorf("launches (-want +got):\n%s\nerror: %v", diff, got.err)
	}
}

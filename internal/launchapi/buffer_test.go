package launchapi_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"launchlake/internal/launchapi"
)

func TestPagesStayAsTheyAreUntilTheyAreReleased(t *testing.T) {
	server := serve(t, launches(1000))
	server.BeforeEach(func(number int) {
		if number%3 == 0 { // so that pages are read again, too
			server.Revise(revision(10*number, later.Add(time.Duration(number)*time.Second)))
		}
	})
	var kept pass
	var all, want []string
	for page, err := range client(t, server.URL(), launchapi.Options{}).Pages(t.Context(), launchapi.Query{}) {
		if err != nil {
			t.Fatal(err)
		}
		got := pass{pages: []launchapi.Page{page}}.results() // copies
		all = append(all, got...)
		if page.Number%2 == 0 {
			page.Release()
			continue
		}
		kept.pages = append(kept.pages, page)
		want = append(want, got...)
	}
	if diff := cmp.Diff(want, kept.results()); diff != "" {
		t.Errorf("pages that were not released (-before +after):\n%s", diff)
	}
	slices.Sort(all)
	if revisions := slices.Compact(all); len(revisions) < 1000 {
		t.Errorf("only %d revisions of launches were read", len(revisions))
	}
}

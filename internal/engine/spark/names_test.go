package spark

import "testing"

func TestOnlyNamesThatWereGivenAreSpelledAnew(t *testing.T) {
	e := &Engine{layered: map[string]bool{"gold.pads": true}}
	for query, want := range map[string]string{
		"select p.n from gold.pads p":                        "select p.n from gold__pads p",
		"select Gold.Pads.n from GOLD.PADS":                  "select Gold__Pads.n from GOLD__PADS",
		"select 'gold.pads', \"gold.pads\" from silver.pads": "select 'gold.pads', \"gold.pads\" from silver.pads",
		"-- gold.pads\nselect /* gold.pads */ 1":             "-- gold.pads\nselect /* gold.pads */ 1",
		"select x.gold.pads from x":                          "select x.gold.pads from x",
		"select 'it\\'s gold.pads' from gold.pads_too":       "select 'it\\'s gold.pads' from gold.pads_too",
	} {
		if got := e.spelled(query); got != want {
			t.Errorf("%q is spelled %q, want %q", query, got, want)
		}
	}
}

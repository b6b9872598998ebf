package recorded

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestEachFaultBreaksItsRuleAndNoOther(t *testing.T) {
	records := mustState(t, 2)
	sum := mustSummarize(t, 2)
	var got []string
	for _, raw := range records {
		got = append(got, brokenRules(raw)...)
	}
	var want []string
	for _, f := range sum.Faults {
		want = append(want, f.Rule)
	}
	slices.Sort(got)
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("rules that state 2 breaks (-summary +found):\n%s", diff)
	}
	if diff := cmp.Diff([]string{
		"id_is_uuid", "id_present", "last_updated_present", "latitude_in_range", "longitude_in_range", "net_in_window", "net_present",
		"not_an_object", "not_utf8", "pad_id_present", "provider_id_present", "status_known",
	}, sum.Rules()); diff != "" {
		t.Errorf("rules (-want +got):\n%s", diff)
	}
}

func TestFaultsStandInNoLaunchsWay(t *testing.T) {
	launches := map[string]bool{}
	for n := 1; n <= States; n++ {
		for _, s := range good(t, mustState(t, n)) {
			launches[s.ID] = true
		}
	}
	served := string(bytes.Join(rawBytes(mustState(t, 2)), nil))
	for _, f := range mustSummarize(t, 2).Faults {
		if launches[f.ID] {
			t.Errorf("the fault %q has the id of a launch", f.Name)
		}
		if f.ID != "" && !bytes.Contains([]byte(served), []byte(`"id":"`+f.ID+`"`)) {
			t.Errorf("the fault %q is not served", f.Name)
		}
	}
}

func TestWhatChangedWasUpdatedAfterTheFirstState(t *testing.T) {
	first := good(t, mustState(t, 1))
	newest := first[len(first)-1].LastUpdated
	before := map[string]seen{}
	for _, s := range first {
		before[s.ID] = s
	}
	for _, s := range good(t, mustState(t, 2)) {
		old, known := before[s.ID]
		if (!known || s.Name != old.Name || !s.Net.Equal(old.Net) || s.Status != old.Status) && !s.LastUpdated.After(newest) {
			t.Errorf("%s changed or is new and was updated %v, not after %v", s.Name, s.LastUpdated, newest)
		}
		if s.LastUpdated.After(AsOf(2)) {
			t.Errorf("%s was updated after the state was taken", s.Name)
		}
	}
}

func TestSummariesSayWhatIsServed(t *testing.T) {
	for n := 1; n <= States; n++ {
		records, sum := mustState(t, n), mustSummarize(t, n)
		newest := map[string]seen{}
		for _, s := range good(t, records) {
			if old, twice := newest[s.ID]; !twice || s.LastUpdated.After(old.LastUpdated) {
				newest[s.ID] = s
			}
		}
		statuses := map[string]int{}
		for _, s := range newest {
			statuses[s.Status.Abbrev]++
		}
		if diff := cmp.Diff(sum.Statuses, statuses); diff != "" {
			t.Errorf("statuses of state %d (-summary +served):\n%s", n, diff)
		}
		if len(newest) != sum.Launches || len(records) != sum.Records {
			t.Errorf("state %d serves %d records of %d launches, summary says %d of %d", n, len(records), len(newest), sum.Records, sum.Launches)
		}
		if sum.Records != sum.Launches+sum.Repeated+sum.Outdated+sum.Renumbered+len(sum.Faults) {
			t.Errorf("state %d does not add up: %+v", n, sum)
		}
	}
}

func TestTheSecondStateHasEveryKindOfChange(t *testing.T) {
	sum := mustSummarize(t, 2)
	for what, n := range map[string]int{
		"new": sum.New, "changed": sum.Changed, "edited": sum.Edited, "slipped": sum.Slipped, "firmed": sum.Firmed, "loosened": sum.Loosened,
		"status": sum.Status, "flown": sum.Flown, "renamed": sum.Renamed, "moved to another pad": sum.MovedPad, "recounted": sum.Recounted,
		"repeated": sum.Repeated, "outdated": sum.Outdated, "renumbered": sum.Renumbered,
	} {
		if n == 0 {
			t.Errorf("nothing %s", what)
		}
		t.Logf("%s: %d", what, n)
	}
}

func TestKnownChangesAreThere(t *testing.T) {
	versions := map[string][]string{}
	for n := 1; n <= States; n++ {
		for _, s := range good(t, mustState(t, n)) {
			text := s.Name + ", " + s.Status.Abbrev + ", " + s.Net.Format(time.RFC3339)
			if !slices.Contains(versions[s.ID], text) {
				versions[s.ID] = append(versions[s.ID], text)
			}
		}
	}
	want := map[string][]string{
		// A payload is revealed and the date firms from a year to a month.
		"57280454-470e-4c5d-8de1-1bbd0ea41b49": {
			"Electron | iQPS Launch 8, TBD, 2026-12-31T00:00:00Z", "Electron | The Lightning God Defends (iQPS Launch 8), TBD, 2026-08-31T00:00:00Z",
		},
		// Slips, with an outdated version in between, then flies.
		"ac897b9f-44d2-4ff4-8416-1a0a076e98a2": {
			"Starship | Flight 13, TBC, 2026-07-15T22:45:00Z", "Starship | Flight 13, TBD, 2026-07-31T00:00:00Z", "Starship | Flight 13, Success, 2026-07-24T22:51:00Z",
		},
		// Is added and fails.
		"cff704ab-8098-4f65-899e-50adaf908e59": {"Long March 7A | Unknown Payload, Failure, 2026-08-10T12:02:00Z"},
	}
	got := maps.Clone(want)
	for id := range want {
		got[id] = versions[id]
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("versions of some launches (-want +got):\n%s", diff)
	}
}

func TestTheLastRecordOfAPageIsServedAgainOnTheNext(t *testing.T) {
	first := good(t, mustState(t, 1))
	since := first[len(first)-1].LastUpdated
	var pass []json.RawMessage
	for _, raw := range mustState(t, 2) {
		var s struct {
			LastUpdated string `json:"last_updated"`
		}
		_ = json.Unmarshal(raw, &s) // not all are objects
		if at, ok := instantOf(s.LastUpdated); ok && !at.Before(since) {
			pass = append(pass, raw)
		}
	}
	if len(pass) <= pageSize {
		t.Fatalf("%d records since %v make a single page", len(pass), since)
	}
	if !bytes.Equal(pass[pageSize-1], pass[pageSize]) {
		t.Errorf("the pages part %.90s and %.90s", pass[pageSize-1], pass[pageSize])
	}
}

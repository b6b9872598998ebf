package recorded

import (
	"bytes"
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestGeneratedBytesDependOnTheArgumentsAlone(t *testing.T) {
	first, again := slices.Collect(Generate(3000, 7)), slices.Collect(Generate(3000, 7))
	for i := range first {
		if !bytes.Equal(first[i], again[i]) {
			t.Fatalf("record %d differs between two runs", i)
		}
	}
	if other := slices.Collect(Generate(1, 8)); bytes.Equal(first[0], other[0]) {
		t.Error("another seed gives the same launch")
	}
	if more := slices.Collect(Generate(4000, 7)); !bytes.Equal(first[2999], more[2999]) {
		t.Error("records depend on how many are asked for")
	}
}

func TestGeneratedLaunchesHaveTheAnnouncedShares(t *testing.T) {
	const n = 6000
	ids := map[string]int{}
	broken := map[string]int{}
	same, size, last := 0, 0, time.Time{}
	var before json.RawMessage
	for raw := range Generate(n, 1) {
		size += len(raw)
		if bytes.Equal(before, raw) {
			same++
		}
		before = raw
		if rules := brokenRules(raw); len(rules) > 0 {
			if len(rules) > 1 {
				t.Errorf("one record breaks %v", rules)
			}
			broken[rules[0]]++
			continue
		}
		s := good(t, []json.RawMessage{raw})[0]
		if s.LastUpdated.Before(last) {
			t.Fatalf("%s was updated before the launch before it", s.Name)
		}
		last = s.LastUpdated
		ids[s.ID]++
	}
	repeats := 0
	for _, times := range ids {
		repeats += times - 1
	}
	launches, faults := GeneratedCounts(n)
	if len(ids) != launches || n-launches-repeats != faults {
		t.Errorf("%d launches, %d repeats; announced are %d launches and %d faults", len(ids), repeats, launches, faults)
	}
	if repeats != n/50 || same != n/100 || faults != n/500 {
		t.Errorf("%d repeats of which %d are the same bytes, %d faults", repeats, same, faults)
	}
	if mean := size / n; mean < 4000 || mean > 4500 {
		t.Errorf("records take %d bytes", mean)
	}
	if len(broken) != orderly {
		t.Errorf("broken rules: %v, want %d kinds", broken, orderly)
	}
}

func TestGeneratedChangesFollowUponTheirLaunches(t *testing.T) {
	const n, k = 2000, 500
	known := map[string]bool{}
	last := time.Time{}
	for _, s := range good(t, slices.Collect(Generate(n, 3))) {
		known[s.ID] = true
		last = s.LastUpdated
	}
	revised, added := 0, 0
	for raw := range GenerateChanges(n, k, 3) {
		if rules := brokenRules(raw); len(rules) > 0 {
			t.Fatalf("a change breaks %v", rules)
		}
		s := good(t, []json.RawMessage{raw})[0]
		if !s.LastUpdated.After(last) {
			t.Fatalf("%s was updated at %v, not after %v", s.Name, s.LastUpdated, last)
		}
		last = s.LastUpdated
		if known[s.ID] {
			revised++
		} else {
			added++
		}
	}
	if revised != k*4/5 || added != k/5 {
		t.Errorf("%d revised and %d added", revised, added)
	}
}

func TestGeneratedLaunchesHaveTheFieldsOfRecordedOnes(t *testing.T) {
	var generated, recorded any
	for raw := range Generate(1, 1) {
		if err := json.Unmarshal(raw, &generated); err != nil {
			t.Fatal(err)
		}
	}
	if err := json.Unmarshal(mustState(t, 1)[0], &recorded); err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{"", "status", "rocket", "mission", "mission.orbit", "pad", "pad.country", "pad.location"} {
		want, got := typesOf(dig(recorded, part)), typesOf(dig(generated, part))
		for name := range got {
			if want[name] == "null" || got[name] == "null" {
				want[name], got[name] = "", ""
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("fields of %q (-recorded +generated):\n%s", part, diff)
		}
	}
}

func TestNoGeneratedRecordOverwritesAnother(t *testing.T) {
	kept := slices.Collect(Generate(2000, 5))
	for i, raw := range kept {
		if cap(raw) != len(raw) {
			t.Fatalf("record %d has room for %d bytes of its neighbour", i, cap(raw)-len(raw))
		}
	}
}

func BenchmarkGenerate(b *testing.B) {
	const n = 10_000
	for b.Loop() {
		size := 0
		for raw := range Generate(n, 1) {
			size += len(raw)
		}
		b.SetBytes(int64(size))
	}
}

package recorded

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// tally counts the launches of one state as LL2 does: by net, those that are still to come included.
type tally struct {
	attempts  map[string]attempt // by launch id
	agencies  map[*provider]totals
	configs   map[*vehicle]totals
	families  map[string]totals
	pads      map[*pad]padTotals
	locations map[*location]int
	all       totals
	pace      map[*vehicle]time.Duration // shortest time between two launches of a configuration
}

// attempt is the place of a launch in eight rows of launches, from 1. A suborbital flight has no place among the orbital.
type attempt struct {
	orbital, location, pad, agency                 int
	orbitalYear, locationYear, padYear, agencyYear int
	sincePad                                       time.Duration // since the launch before it from the pad; 0 for the first
}

type padTotals struct {
	launches, orbital int
	fastest           time.Duration // 0: fewer than two launches
}

func count(launches []launch) *tally {
	t := &tally{
		attempts: map[string]attempt{}, agencies: map[*provider]totals{}, configs: map[*vehicle]totals{},
		families: map[string]totals{}, pads: map[*pad]padTotals{}, locations: map[*location]int{}, pace: map[*vehicle]time.Duration{},
	}
	ordered := slices.SortedFunc(slices.Values(launches), func(a, b launch) int {
		return cmp.Or(a.net.Compare(b.net), strings.Compare(a.id, b.id))
	})
	seen := map[string]int{}
	lastPad, lastConfig := map[*pad]time.Time{}, map[*vehicle]time.Time{}
	for i := range ordered {
		l := &ordered[i]
		t.attempts[l.id] = place(l, seen, lastPad[l.pad])
		lastPad[l.pad] = l.net
		t.add(l)
		if !l.flown() {
			continue
		}
		if before, ok := lastConfig[l.vehicle]; ok {
			t.pace[l.vehicle] = shortest(t.pace[l.vehicle], l.net.Sub(before))
		}
		lastConfig[l.vehicle] = l.net
		t.addFlown(l)
	}
	return t
}

func place(l *launch, seen map[string]int, beforeOnPad time.Time) attempt {
	next := func(what string, id int) (int, int) {
		all, year := fmt.Sprint(what, id), fmt.Sprint(what, id, "/", l.net.Year())
		seen[all]++
		seen[year]++
		return seen[all], seen[year]
	}
	var a attempt
	if l.orbit != suborbital {
		a.orbital, a.orbitalYear = next("orbital", 0)
	}
	a.location, a.locationYear = next("location", l.pad.location.id)
	a.pad, a.padYear = next("pad", l.pad.id)
	a.agency, a.agencyYear = next("agency", l.provider.id)
	if !beforeOnPad.IsZero() {
		a.sincePad = l.net.Sub(beforeOnPad)
	}
	return a
}

func (t *tally) add(l *launch) {
	t.all = t.all.with(l)
	t.agencies[l.provider] = t.agencies[l.provider].with(l)
	t.configs[l.vehicle] = t.configs[l.vehicle].with(l)
	for _, name := range l.vehicle.families {
		t.families[name] = t.families[name].with(l)
	}
}

func (t *tally) addFlown(l *launch) {
	t.locations[l.pad.location]++
	p := t.pads[l.pad]
	p.launches++
	if l.orbit != suborbital {
		p.orbital++
	}
	if since := t.attempts[l.id].sincePad; since > 0 {
		p.fastest = shortest(p.fastest, since)
	}
	t.pads[l.pad] = p
}

// with counts one more launch; launches come oldest first. LL2 counts a partial failure as a failure.
func (t totals) with(l *launch) totals {
	switch l.status {
	case "Success":
		t.Launches++
		t.Successful++
		t.Consecutive++
	case "Failure", "Partial Failure":
		t.Launches++
		t.Failed++
		t.Consecutive = 0
	default:
		t.Pending++
	}
	return t
}

func (l *launch) flown() bool {
	return l.status == "Success" || l.status == "Failure" || l.status == "Partial Failure"
}

// shortest takes 0 for not known.
func shortest(a, b time.Duration) time.Duration {
	if a == 0 || b < a {
		return b
	}
	return a
}

// isoDuration is the form that LL2 gives to spans of time: P29DT7H1M26S.
func isoDuration(d time.Duration) string {
	days := d / (24 * time.Hour)
	rest := d % (24 * time.Hour)
	var b strings.Builder
	b.WriteByte('P')
	if days > 0 || rest == 0 {
		fmt.Fprintf(&b, "%dD", days)
	}
	if rest > 0 {
		b.WriteByte('T')
	}
	for _, part := range []struct {
		unit time.Duration
		name byte
	}{{time.Hour, 'H'}, {time.Minute, 'M'}, {time.Second, 'S'}} {
		if n := rest / part.unit; n > 0 {
			fmt.Fprintf(&b, "%d%c", n, part.name)
		}
		rest %= part.unit
	}
	return b.String()
}

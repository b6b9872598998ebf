package recorded

import (
	"maps"
	"slices"
)

// Summary says what a state holds, for tests and demonstrations to check against.
type Summary struct {
	Records  int            // all that is served, good and bad
	Launches int            // different launches without a fault: the rows of Silver once the state is in
	Statuses map[string]int // of those launches, by abbreviation

	// Changes of good launches since the state before. A launch may count in several.
	New       int
	Changed   int // something else than last_updated
	Edited    int // only last_updated
	Slipped   int // net moved to later, at the same precision
	Firmed    int // a finer precision
	Loosened  int // a coarser one
	Status    int // another status
	Flown     int // among those: now a success or a failure
	Renamed   int
	MovedPad  int
	Recounted int // attempt counts moved and last_updated did not

	Repeated   int // records served twice, byte by byte
	Outdated   int // older versions served beside the newest
	Renumbered int // the same version served again with older counts
	Faults     []Fault
}

// Summarize describes state n, from 1 to [States]. It fails when the embedded data cannot be read.
func Summarize(n int) (Summary, error) {
	mustExist(n)
	both, err := states()
	if err != nil {
		return Summary{}, err
	}
	s := both[n-1]
	sum := Summary{
		Records: len(s.raw), Launches: len(s.launches), Statuses: map[string]int{},
		Repeated: s.oddities.repeated, Outdated: s.oddities.outdated, Renumbered: s.oddities.renumbered,
		Faults: slices.Clone(s.oddities.faults),
	}
	before := map[string]*launch{}
	if n > 1 {
		for i := range both[n-2].launches {
			before[both[n-2].launches[i].id] = &both[n-2].launches[i]
		}
	}
	for i := range s.launches {
		l := &s.launches[i]
		sum.Statuses[l.status]++
		old, known := before[l.id]
		switch {
		case n == 1:
		case !known:
			sum.New++
		default:
			sum.compare(old, l)
			if old.updated.Equal(l.updated) && both[n-2].tally.attempts[l.id] != s.tally.attempts[l.id] {
				sum.Recounted++
			}
		}
	}
	return sum, nil
}

func (sum *Summary) compare(old, l *launch) {
	if old.updated.Equal(l.updated) {
		return
	}
	add := func(n *int, holds bool) bool {
		if holds {
			*n++
		}
		return holds
	}
	from, to := precisions[old.precision].ID, precisions[l.precision].ID
	changed := []bool{
		add(&sum.Slipped, from == to && l.net.After(old.net)),
		add(&sum.Firmed, to < from),
		add(&sum.Loosened, to > from),
		add(&sum.Status, old.status != l.status),
		add(&sum.Flown, !old.flown() && l.flown()),
		add(&sum.Renamed, old.name() != l.name()),
		add(&sum.MovedPad, old.pad != l.pad),
		!old.net.Equal(l.net) || !old.opens.Equal(l.opens) || !old.closes.Equal(l.closes),
		old.vehicle != l.vehicle || old.orbit != l.orbit || old.kind != l.kind || old.reason != l.reason,
		!slices.Equal(old.programs, l.programs) || old.provider != l.provider,
	}
	if slices.Contains(changed, true) {
		sum.Changed++
	} else {
		sum.Edited++
	}
}

// Rules are the names of the rules and defects that the faults of the state break, sorted.
func (sum *Summary) Rules() []string {
	found := map[string]bool{}
	for _, f := range sum.Faults {
		if f.Rule != "" {
			found[f.Rule] = true
		}
	}
	return slices.Sorted(maps.Keys(found))
}

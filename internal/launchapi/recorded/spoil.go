package recorded

import (
	"encoding/json"
	"slices"
	"time"
)

// pageSize is the API's largest page, which a pass asks for.
const pageSize = 100

// served is a record on its way out, with the time that it is ordered by.
type served struct {
	raw json.RawMessage
	at  time.Time
}

// spoil adds to state 2 what a bad day brings: outdated versions before the newest one, a launch again with the counts
// of state 1 after it, one twice across a page boundary, and the faults. The order stays that of last_updated; what
// has none that can be read comes last.
func (s *state) spoil(c *catalog, first *state) error {
	rows := make([]served, len(s.raw))
	for i, raw := range s.raw {
		rows[i] = served{raw, s.launches[i].updated}
	}
	rows, err := s.addOutdated(rows, c.outdated)
	if err != nil {
		return err
	}
	if rows, err = s.addRenumbered(rows, first); err != nil {
		return err
	}
	rows = s.addRepeated(rows, first.launches[len(first.launches)-1].updated)
	s.raw = nil
	for _, row := range rows {
		s.raw = append(s.raw, row.raw)
	}
	faults, raw, err := s.faults()
	if err != nil {
		return err
	}
	s.oddities.faults = faults
	s.raw = append(s.raw, raw...)
	return nil
}

func (s *state) addOutdated(rows []served, versions []launch) ([]served, error) {
	for i := range versions {
		raw, err := encode(s.tally.detailed(&versions[i]))
		if err != nil {
			return nil, err
		}
		rows = insert(rows, served{raw, versions[i].updated})
		s.oddities.outdated++
	}
	return rows, nil
}

// addRenumbered serves the last launch whose counts are others than in state 1 once more as it was counted then: LL2
// counts again when some earlier launch slips, and leaves last_updated alone.
func (s *state) addRenumbered(rows []served, first *state) ([]served, error) {
	for i := len(s.launches) - 1; i >= 0; i-- {
		l := &s.launches[i]
		before, known := first.tally.attempts[l.id]
		if !known || before == s.tally.attempts[l.id] {
			continue
		}
		old := *s.tally
		old.attempts = first.tally.attempts
		raw, err := encode(old.detailed(l))
		if err != nil {
			return nil, err
		}
		s.oddities.renumbered++
		return insert(rows, served{raw, l.updated}), nil
	}
	return rows, nil
}

// addRepeated serves the last record of the first page of a pass once more as the first of the second page, as happens when
// a change moves the pages between two requests. The pass is the one that asks for what changed since the end of state 1.
func (s *state) addRepeated(rows []served, since time.Time) []served {
	start := slices.IndexFunc(rows, func(r served) bool { return !r.at.Before(since) })
	last := start + pageSize - 1
	if last >= len(rows) {
		return rows
	}
	s.oddities.repeated++
	return slices.Insert(rows, last+1, rows[last])
}

// insert keeps the order of time; what has the same time stays before.
func insert(rows []served, row served) []served {
	at := slices.IndexFunc(rows, func(r served) bool { return r.at.After(row.at) })
	if at < 0 {
		at = len(rows)
	}
	return slices.Insert(rows, at, row)
}

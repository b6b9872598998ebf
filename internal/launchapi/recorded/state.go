package recorded

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

// States is the number of moments that were recorded.
const States = 2

// taken is when the states were recorded, by the clock of the API.
var taken = [States]time.Time{
	time.Date(2026, 7, 11, 11, 29, 13, 0, time.UTC),
	time.Date(2026, 8, 13, 12, 8, 36, 0, time.UTC),
}

// AsOf is the moment of a state. A server that has its clock there gives the answers the dates that they would have had.
func AsOf(n int) time.Time {
	mustExist(n)
	return taken[n-1]
}

// State is all that the API serves at moment n, from 1 to [States], in the order of last_updated. The bytes are the
// same in every build of a version. Callers must not change them.
func State(n int) ([]json.RawMessage, error) {
	if n < 1 || n > States {
		return nil, fmt.Errorf("recorded state %d: there are states 1 to %d", n, States)
	}
	both, err := states()
	if err != nil {
		return nil, err
	}
	return slices.Clone(both[n-1].raw), nil
}

func mustExist(n int) {
	if n < 1 || n > States {
		panic(fmt.Sprintf("recorded: no state %d", n))
	}
}

// state is what is served at a moment and what it was made of.
type state struct {
	launches []launch
	tally    *tally
	raw      []json.RawMessage
	oddities oddities
}

// oddities are what only a bad day brings.
type oddities struct {
	repeated, outdated, renumbered int
	faults                         []Fault
}

var states = sync.OnceValues(func() ([]state, error) {
	c, err := load()
	if err != nil {
		return nil, err
	}
	first := newState(c.first)
	if err := first.write(); err != nil {
		return nil, err
	}
	second := newState(c.second())
	if err := second.write(); err != nil {
		return nil, err
	}
	if err := second.spoil(c, first); err != nil {
		return nil, err
	}
	return []state{*first, *second}, nil
})

func newState(launches []launch) *state {
	s := &state{launches: slices.Clone(launches), tally: count(launches)}
	slices.SortFunc(s.launches, func(a, b launch) int {
		return cmp.Or(a.updated.Compare(b.updated), strings.Compare(a.id, b.id))
	})
	return s
}

func (s *state) write() error {
	for i := range s.launches {
		raw, err := encode(s.tally.detailed(&s.launches[i]))
		if err != nil {
			return err
		}
		s.raw = append(s.raw, raw)
	}
	return nil
}

// second is the collection at the second moment: changed launches in place of their first version, and an editor's
// mass edit, which touches many launches and changes nothing in them.
func (c *catalog) second() []launch {
	newer := map[string]launch{}
	for _, l := range c.changed {
		newer[l.id] = l
	}
	var out []launch
	edited := 0
	for _, l := range c.first {
		if n, ok := newer[l.id]; ok {
			l = n
			delete(newer, l.id)
		} else if l.touched() {
			l.updated = editStart.Add(time.Duration(edited) * editPace)
			edited++
		}
		out = append(out, l)
	}
	for _, l := range c.changed {
		if _, fresh := newer[l.id]; fresh {
			out = append(out, l)
		}
	}
	return out
}

var editStart = time.Date(2026, 7, 25, 14, 0, 11, 0, time.UTC)

const editPace = 37 * time.Second

// touched are the launches of the mass edit: those of the Space Shuttle and of the Saturns.
func (l *launch) touched() bool {
	return slices.Contains(l.vehicle.families, "Space Shuttle") || slices.Contains(l.vehicle.families, "Saturn")
}

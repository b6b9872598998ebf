package launchapitest

import (
	"cmp"
	"encoding/json"
	"maps"
	"net/url"
	"slices"
	"sort"
	"strconv"
	"strings"
	"sync"
	"time"

	"launchlake/internal/rawjson"
)

// record is a launch's bytes and what LL2 finds and orders it by.
type record struct {
	raw                                  json.RawMessage
	id, name, slug, designator           string
	status                               string
	net, windowStart, windowEnd, updated instant
}

// instant is a time that a database may hold, or NULL.
type instant struct {
	at    time.Time
	known bool
}

// read takes the keys out of a launch. What is missing or of another type is NULL, and so is all of a value that is
// no object.
func read(raw json.RawMessage) record {
	r := record{raw: raw}
	for name, value := range rawjson.Members(raw) {
		switch string(name) {
		case "id":
			r.id = scalar(value)
		case "name":
			r.name = scalar(value)
		case "slug":
			r.slug = scalar(value)
		case "launch_designator":
			r.designator = scalar(value)
		case "status":
			r.status = statusID(value)
		case "net":
			r.net = readInstant(value)
		case "window_start":
			r.windowStart = readInstant(value)
		case "window_end":
			r.windowEnd = readInstant(value)
		case "last_updated":
			r.updated = readInstant(value)
		}
	}
	return r
}

func statusID(value []byte) string {
	for name, id := range rawjson.Members(value) {
		if string(name) == "id" {
			return scalar(id)
		}
	}
	return ""
}

// scalar is the text of a string or a number, empty for other values.
func scalar(value []byte) string {
	switch kind := rawjson.Kind(value); {
	case kind == '"':
		text, _ := rawjson.Text(value)
		return text
	case kind == '-' || ('0' <= kind && kind <= '9'):
		return string(value)
	default:
		return ""
	}
}

func readInstant(value []byte) instant {
	text, ok := rawjson.Text(value)
	if !ok {
		return instant{}
	}
	at, err := parseTime(text)
	return instant{at: at, known: err == nil}
}

// parseTime reads the forms that Django accepts for a time; without an offset it is UTC.
func parseTime(text string) (time.Time, error) {
	text = strings.Replace(text, " ", "T", 1)
	var at time.Time
	var err error
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05", "2006-01-02T15:04Z07:00", "2006-01-02T15:04", time.DateOnly} {
		if at, err = time.Parse(layout, text); err == nil {
			return at, nil
		}
	}
	return time.Time{}, err
}

// state is a collection at one moment. Records do not change; the rest is found out when first asked for.
type state struct {
	undated bool // see Options.Undated
	raw     []json.RawMessage
	extract sync.Once
	records []record

	mu    sync.Mutex
	found map[string][]int32 // by query without paging: records that match, in order
}

func newState(records []json.RawMessage, undated bool) *state {
	return &state{raw: records, undated: undated, found: map[string][]int32{}}
}

func (s *state) all() []record {
	s.extract.Do(func() {
		s.records = make([]record, len(s.raw))
		for i, raw := range s.raw {
			s.records[i] = read(raw)
		}
	})
	return s.records
}

// revised is a state with records replaced by id, or added.
func (s *state) revised(records []json.RawMessage) *state {
	raw := slices.Clone(s.raw)
	for _, revision := range records {
		id := read(revision).id
		at := slices.IndexFunc(s.all(), func(r record) bool { return r.id == id && id != "" })
		if at < 0 {
			raw = append(raw, revision)
			continue
		}
		raw[at] = revision
	}
	return newState(raw, s.undated)
}

// maxFound bounds the remembered queries of a state.
const maxFound = 32

// find returns the records that q asks for, in its order. It remembers them: the pages of a pass share one search.
func (s *state) find(q url.Values) ([]int32, error) {
	unpaged := url.Values{}
	for name, values := range q {
		if name != "limit" && name != "offset" {
			unpaged[name] = values
		}
	}
	name := unpaged.Encode()
	s.mu.Lock()
	defer s.mu.Unlock()
	if found, ok := s.found[name]; ok {
		return found, nil
	}
	found, indexed := s.since(unpaged)
	if !indexed {
		var err error
		if found, err = s.search(q); err != nil {
			return nil, err
		}
	}
	if len(s.found) >= maxFound {
		clear(s.found)
	}
	s.found[name] = found
	return found, nil
}

// since cuts what is asked for out of the order of all records, as a database does that has an index; false when that order is not known
// yet, or the query asks for more than what was updated since a time.
func (s *state) since(unpaged url.Values) ([]int32, bool) {
	const bound = "last_updated__gte"
	if !unpaged.Has(bound) || unpaged.Get("ordering") != "last_updated" {
		return nil, false
	}
	at, err := parseTime(unpaged.Get(bound))
	rest := maps.Clone(unpaged)
	delete(rest, bound)
	all, ok := s.found[rest.Encode()]
	if err != nil || !ok || len(unpaged[bound]) > 1 {
		return nil, false
	}
	for name := range rest {
		if name != "ordering" && name != "mode" && name != "format" {
			return nil, false
		}
	}
	records := s.all()
	first := sort.Search(len(all), func(i int) bool { return compareInstants(records[all[i]].updated, instant{at, true}) >= 0 })
	end := len(all)
	if !s.undated {
		end = sort.Search(len(all), func(i int) bool { return !records[all[i]].updated.known })
	}
	return all[min(first, end):end], true
}

// search looks at all records.
func (s *state) search(q url.Values) ([]int32, error) {
	matches, err := filter(q, s.undated)
	if err != nil {
		return nil, err
	}
	records := s.all()
	var found []int32
	for i := range records {
		if matches(&records[i]) {
			found = append(found, int32(i))
		}
	}
	compare := order(q.Get("ordering"))
	slices.SortStableFunc(found, func(a, b int32) int { return compare(&records[a], &records[b]) })
	return found, nil
}

// order compares by the fields of an ordering parameter; fields that LL2 does not order launches by are ignored, and
// without any the order is that of net.
func order(parameter string) func(a, b *record) int {
	var fields []func(a, b *record) int
	for field := range strings.SplitSeq(parameter, ",") {
		name, descending := strings.CutPrefix(strings.TrimSpace(field), "-")
		compare, ok := orders[name]
		if !ok {
			continue
		}
		if descending {
			compare = reverse(compare)
		}
		fields = append(fields, compare)
	}
	if len(fields) == 0 {
		fields = append(fields, orders["net"])
	}
	return func(a, b *record) int {
		for _, compare := range fields {
			if c := compare(a, b); c != 0 {
				return c
			}
		}
		return 0
	}
}

var orders = map[string]func(a, b *record) int{
	"id":           func(a, b *record) int { return cmp.Compare(a.id, b.id) },
	"name":         func(a, b *record) int { return cmp.Compare(a.name, b.name) },
	"net":          func(a, b *record) int { return compareInstants(a.net, b.net) },
	"last_updated": func(a, b *record) int { return compareInstants(a.updated, b.updated) },
}

// compareInstants orders as PostgreSQL does: NULL is greater than any time.
func compareInstants(a, b instant) int {
	switch {
	case a.known && b.known:
		return a.at.Compare(b.at)
	case a.known:
		return -1
	case b.known:
		return 1
	default:
		return 0
	}
}

func reverse(compare func(a, b *record) int) func(a, b *record) int {
	return func(a, b *record) int { return compare(b, a) }
}

func contains(list, text string) bool {
	for item := range strings.SplitSeq(list, ",") {
		if strings.TrimSpace(item) == text {
			return true
		}
	}
	return false
}

func positive(text string) (int, bool) {
	n, err := strconv.Atoi(strings.TrimSpace(text))
	return n, err == nil && n >= 0
}

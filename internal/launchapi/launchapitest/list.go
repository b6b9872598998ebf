package launchapitest

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

const (
	defaultLimit = 10
	maxLimit     = 100
)

// serveList writes one page of the collection. Records go out as they are, never re-encoded.
func (s *state) serveList(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	found, err := s.find(q)
	if bad, ok := errors.AsType[badValue](err); ok {
		body, _ := json.Marshal(map[string][]string{bad.name: {bad.text}})
		answer(w, http.StatusBadRequest, "application/json", string(body))
		return
	}
	limit, offset := paging(q)
	end := min(offset+limit, len(found))
	start := min(offset, end)
	head := fmt.Sprintf(`{"count":%d,"next":%s,"previous":%s,"results":[`, len(found),
		nextLink(r, limit, offset, len(found)), previousLink(r, limit, offset))
	s.writePage(w, head, found[start:end], "]}")
}

const writeBuffer = 64 << 10

// writePage announces the length, so that neither side has to grow or chunk.
func (s *state) writePage(w http.ResponseWriter, head string, page []int32, tail string) {
	length := len(head) + len(tail) + max(len(page)-1, 0)
	for _, at := range page {
		length += len(s.raw[at])
	}
	w.Header().Set("Content-Length", strconv.Itoa(length))
	w.WriteHeader(http.StatusOK)
	// A client that went away is no business of the server's: errors are dropped.
	out := bufio.NewWriterSize(w, writeBuffer)
	_, _ = out.WriteString(head)
	for i, at := range page {
		if i > 0 {
			_ = out.WriteByte(',')
		}
		_, _ = out.Write(s.raw[at])
	}
	_, _ = out.WriteString(tail)
	_ = out.Flush()
}

func (s *state) serveOne(w http.ResponseWriter, id string) {
	for _, r := range s.all() {
		if r.id == id {
			w.WriteHeader(http.StatusOK)
			_, _ = w.Write(r.raw)
			return
		}
	}
	w.WriteHeader(http.StatusNotFound)
	_, _ = io.WriteString(w, `{"detail":"No Launch matches the given query."}`)
}

// paging reads limit and offset as Django REST framework does: what is no number, or a limit of 0, is the default.
func paging(q url.Values) (limit, offset int) {
	limit, ok := positive(q.Get("limit"))
	if !ok || limit == 0 {
		limit = defaultLimit
	}
	offset, ok = positive(q.Get("offset"))
	if !ok {
		offset = 0
	}
	return min(limit, maxLimit), offset
}

// nextLink repeats the request's parameters, sorted, with the limit that held.
func nextLink(r *http.Request, limit, offset, count int) string {
	if offset+limit >= count {
		return "null"
	}
	q := r.URL.Query()
	q.Set("limit", strconv.Itoa(limit))
	q.Set("offset", strconv.Itoa(offset+limit))
	return link(r, q)
}

func previousLink(r *http.Request, limit, offset int) string {
	if offset <= 0 {
		return "null"
	}
	q := r.URL.Query()
	q.Set("limit", strconv.Itoa(limit))
	q.Del("offset")
	if offset > limit {
		q.Set("offset", strconv.Itoa(offset-limit))
	}
	return link(r, q)
}

func link(r *http.Request, q url.Values) string {
	return strconv.Quote("http://" + r.Host + r.URL.EscapedPath() + "?" + q.Encode())
}

// badValue is a filter's value that LL2 refuses with a 400.
type badValue struct{ name, text string }

func (b badValue) Error() string { return b.name + ": " + b.text }

// filter builds the condition of a query. A record without the field is in no range of it, as in SQL, unless it is
// last_updated and undated is true.
func filter(q url.Values, undated bool) (func(*record) bool, error) {
	var conditions []func(*record) bool
	for name, values := range q {
		value := values[len(values)-1]
		if value == "" {
			continue
		}
		condition, err := condition(name, value, undated)
		if err != nil {
			return nil, err
		}
		if condition != nil {
			conditions = append(conditions, condition)
		}
	}
	return func(r *record) bool {
		for _, holds := range conditions {
			if !holds(r) {
				return false
			}
		}
		return true
	}, nil
}

// condition of one parameter; nil when it is no filter.
func condition(name, value string, undated bool) (func(*record) bool, error) {
	switch name {
	case "id":
		return func(r *record) bool { return r.id == value }, nil
	case "name":
		return func(r *record) bool { return r.name == value }, nil
	case "slug":
		return func(r *record) bool { return r.slug == value }, nil
	case "launch_designator":
		return func(r *record) bool { return contains(value, r.designator) }, nil
	case "status", "status__ids":
		return func(r *record) bool { return r.status != "" && contains(value, r.status) }, nil
	case "search":
		return search(value), nil
	}
	if name == "last_updated__gt" || name == "last_updated__lt" {
		return nil, nil // LL2 has only gte and lte of it
	}
	field, lookup, _ := strings.Cut(name, "__")
	get, isTime := times[field]
	holds, isRange := lookups[lookup]
	if !isTime || !isRange {
		return nil, nil
	}
	bound, err := parseTime(value)
	if err != nil {
		return nil, badValue{name, "Enter a valid date/time."}
	}
	return func(r *record) bool {
		have := get(r)
		if !have.known {
			return undated && field == "last_updated"
		}
		return holds(have.at.Compare(bound))
	}, nil
}

var times = map[string]func(*record) instant{
	"net":          func(r *record) instant { return r.net },
	"window_start": func(r *record) instant { return r.windowStart },
	"window_end":   func(r *record) instant { return r.windowEnd },
	"last_updated": func(r *record) instant { return r.updated },
}

var lookups = map[string]func(compared int) bool{
	"gt":  func(c int) bool { return c > 0 },
	"gte": func(c int) bool { return c >= 0 },
	"lt":  func(c int) bool { return c < 0 },
	"lte": func(c int) bool { return c <= 0 },
}

// search finds all of the words, in any case, in the fields that LL2 searches.
func search(words string) func(*record) bool {
	terms := strings.Fields(strings.ToLower(strings.ReplaceAll(words, ",", " ")))
	return func(r *record) bool {
		type named struct {
			Name string `json:"name"`
		}
		var launch struct {
			Provider named `json:"launch_service_provider"`
			Mission  named `json:"mission"`
			Pad      struct {
				Name     string `json:"name"`
				Location named  `json:"location"`
			} `json:"pad"`
			Rocket struct {
				Configuration struct {
					Name     string `json:"name"`
					FullName string `json:"full_name"`
				} `json:"configuration"`
			} `json:"rocket"`
		}
		_ = json.Unmarshal(r.raw, &launch) // an odd record is searched as far as it decodes
		text := strings.ToLower(strings.Join([]string{
			r.name, r.designator, launch.Provider.Name, launch.Mission.Name, launch.Pad.Name, launch.Pad.Location.Name,
			launch.Rocket.Configuration.Name, launch.Rocket.Configuration.FullName,
		}, "\n"))
		for _, term := range terms {
			if !strings.Contains(text, term) {
				return false
			}
		}
		return true
	}
}

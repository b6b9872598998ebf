// Package launchapitest is a server that behaves like Launch Library 2, for the launches it is given: over HTTP on
// loopback, with LL2's paging, links, filters, orders, errors and throttle. Tests run the client against it, and the
// recorded sample is served by it.
//
// A [Server] has states, each a list of records as raw JSON, and serves one of them at a time; the bytes of a record
// are served as they were given, be they a launch or not. A [Fault] replaces the answer to a chosen request.
//
// It answers, below /2.3.0/ and /2.2.0/ alike, launches/ and launch/, one launch by id, and api-throttle/. Filters
// are id, name, slug, launch_designator, status, status__ids, search, last_updated__gte and __lte, and __gt, __gte,
// __lt and __lte of net, window_start and window_end; others are ignored, as LL2 does with those that it does not know. The
// mode does not change a record. There is no upcoming/ or previous/, and no other collection.
package launchapitest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"
)

// Options of [New]. The zero value serves an empty collection without a throttle.
type Options struct {
	States   [][]json.RawMessage // the first is served until [Server.SetState]; the server does not copy the records
	Throttle Throttle
	Token    string           // the only one accepted; callers without one are anonymous; empty: every token is
	Undated  bool             // a record without a readable last_updated is in every range of it; LL2 leaves it out, as SQL does
	Gzip     bool             // compress for clients that accept it
	Now      func() time.Time // the clock of Date headers, throttle and log; nil: [time.Now]
}

// Throttle grants each caller a number of requests in any window of time.
type Throttle struct {
	Limit  int // 0: no throttle
	Window time.Duration
}

// Request is one line of a server's log.
type Request struct {
	Number int // among those for launches, from 1; 0 for api-throttle and what is nothing
	At     time.Time
	Method string
	URL    string // path and query as received
	Header http.Header
	Status int // 0 while it is answered, and for a connection cut before an answer
}

// Server is a running fake. Its methods may be called at any time, concurrently with requests.
type Server struct {
	opts     Options
	listener net.Listener
	http     *http.Server

	mu       sync.Mutex
	states   []*state
	current  *state
	log      []*Request
	requests int // for launches
	hook     func(number int)
	queue    []Fault
	faults   map[int]Fault
	always   Fault
	throttle http.Handler
	uses     map[string][]time.Time
}

// New starts a server on a free port of loopback. Close it after use.
func New(o Options) (*Server, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if len(o.States) == 0 {
		o.States = [][]json.RawMessage{nil}
	}
	s := &Server{opts: o, faults: map[int]Fault{}, uses: map[string][]time.Time{}}
	for _, records := range o.States {
		s.states = append(s.states, newState(records, o.Undated))
	}
	s.current = s.states[0]
	var err error
	if s.listener, err = listen(); err != nil {
		return nil, fmt.Errorf("start the fake launch API: %w", err)
	}
	s.http = &http.Server{
		Handler: s, ReadHeaderTimeout: 10 * time.Second,
		ErrorLog: log.New(io.Discard, "", 0),
	}
	go func() { _ = s.http.Serve(s.listener) }()
	return s, nil
}

// TB is what [Start] needs of a test.
type TB interface {
	Helper()
	Cleanup(func())
	Fatal(args ...any)
}

// Start is [New] for a test, which closes the server at its end.
func Start(t TB, o Options) *Server {
	t.Helper()
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

func listen() (net.Listener, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err == nil {
		return l, nil
	}
	if l6, err6 := net.Listen("tcp6", "[::1]:0"); err6 == nil {
		return l6, nil
	}
	return nil, err
}

// URL is the API's base of version 2.3.0, as a client is given it.
func (s *Server) URL() string { return s.VersionURL("2.3.0") }

// VersionURL is the API's base of a version: "2.3.0" or "2.2.0".
func (s *Server) VersionURL(version string) string {
	return "http://" + s.listener.Addr().String() + "/" + version
}

// Close ends the server and its connections.
func (s *Server) Close() { _ = s.http.Close() }

// SetState serves the i-th of the states from the next request on. It panics when there is none.
func (s *Server) SetState(i int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.current = s.states[i]
}

// Index lets the server find and order the records of its state now, and not at the first request for them: who measures with it calls
// this before, for the API's database has its indexes.
func (s *Server) Index() error {
	response, err := http.Get(s.URL() + "/launches/?format=json&limit=1&mode=detailed&ordering=last_updated")
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("the API answers %s", response.Status)
	}
	_, err = io.Copy(io.Discard, response.Body)
	return err
}

// SetRecords serves these records from the next request on.
func (s *Server) SetRecords(records []json.RawMessage) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.current = newState(records, s.opts.Undated)
}

// Revise replaces the records that have the ids of the given ones, and appends those with a new id. Since they are
// served in order of their last_updated, one call between two pages moves launches as a revision by LL2's editors does.
func (s *Server) Revise(records ...json.RawMessage) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.current = s.current.revised(records)
}

// BeforeEach calls hook before each request for launches is answered, with its number, from 1. The hook may change
// the state; it sees requests one at a time only if the client sends them so.
func (s *Server) BeforeEach(hook func(number int)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hook = hook
}

// Requests returns the log so far.
func (s *Server) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	requests := make([]Request, len(s.log))
	for i, r := range s.log {
		requests[i] = *r
	}
	return requests
}

// ServeHTTP answers a request as the server does, for use without a network.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	entry := s.record(r)
	answer := &recorder{ResponseWriter: w, status: func(code int) { s.setStatus(entry, code) }}
	answer.Header().Set("Date", s.opts.Now().UTC().Format(http.TimeFormat))
	s.route(answer, r, entry)
}

func (s *Server) record(r *http.Request) *Request {
	entry := &Request{At: s.opts.Now(), Method: r.Method, URL: r.URL.RequestURI(), Header: r.Header.Clone()}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.log = append(s.log, entry)
	return entry
}

func (s *Server) setStatus(entry *Request, code int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	entry.Status = code
}

// recorder notes the status that is sent.
type recorder struct {
	http.ResponseWriter
	status func(int)
	sent   bool
}

func (r *recorder) WriteHeader(code int) {
	if !r.sent {
		r.sent = true
		r.status(code)
	}
	r.ResponseWriter.WriteHeader(code)
}

func (r *recorder) Write(b []byte) (int, error) {
	if !r.sent {
		r.WriteHeader(http.StatusOK)
	}
	return r.ResponseWriter.Write(b)
}

// Unwrap lets [http.ResponseController] reach the connection.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

// held keeps an answer back, for faults that spoil it.
type held struct {
	header http.Header
	code   int
	body   bytes.Buffer
}

func (h *held) Header() http.Header         { return h.header }
func (h *held) WriteHeader(code int)        { h.code = code }
func (h *held) Write(b []byte) (int, error) { return h.body.Write(b) }

// takeFault returns the fault of this request for launches, nil when it has none.
func (s *Server) takeFault(number int) Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	if f, ok := s.faults[number]; ok {
		return f
	}
	if len(s.queue) > 0 {
		f := s.queue[0]
		s.queue = slices.Delete(s.queue, 0, 1)
		return f
	}
	return s.always
}

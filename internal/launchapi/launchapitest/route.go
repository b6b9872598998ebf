package launchapitest

import (
	"compress/gzip"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// route answers in the order of LL2's stack: address, method, credentials, throttle, then the view.
func (s *Server) route(w http.ResponseWriter, r *http.Request, entry *Request) {
	version, rest, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	if version != "2.3.0" && version != "2.2.0" {
		page(w, http.StatusNotFound, notFoundPage)
		return
	}
	collection, id, _ := strings.Cut(rest, "/")
	switch {
	case collection != "launches" && collection != "launch" && collection != "api-throttle":
		page(w, http.StatusNotFound, notFoundPage)
	case !strings.HasSuffix(rest, "/"):
		to := url.URL{Path: r.URL.Path + "/", RawQuery: r.URL.RawQuery}
		http.Redirect(w, r, to.String(), http.StatusMovedPermanently)
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		detail(w, http.StatusMethodNotAllowed, fmt.Sprintf("Method %q not allowed.", r.Method))
	case !s.authorized(r):
		w.Header().Set("WWW-Authenticate", "Token")
		detail(w, http.StatusUnauthorized, "Invalid token.")
	case collection == "api-throttle":
		s.serveThrottle(w, r)
	default:
		s.serveLaunches(w, r, entry, strings.TrimSuffix(id, "/"))
	}
}

func (s *Server) authorized(r *http.Request) bool {
	header := r.Header.Get("Authorization")
	return header == "" || s.opts.Token == "" || header == "Token "+s.opts.Token
}

func (s *Server) serveLaunches(w http.ResponseWriter, r *http.Request, entry *Request, id string) {
	s.mu.Lock()
	s.requests++
	number, hook := s.requests, s.hook
	entry.Number = number
	s.mu.Unlock()
	if hook != nil {
		hook(number)
	}
	if wait, ok := s.use(r); !ok {
		throttled(w, wait)
		return
	}
	serve := func(w http.ResponseWriter, r *http.Request) { s.serveState(w, r, id) }
	if fault := s.takeFault(number); fault != nil {
		fault(w, r, serve)
		return
	}
	serve(w, r)
}

func (s *Server) serveState(w http.ResponseWriter, r *http.Request, id string) {
	s.mu.Lock()
	current := s.current
	s.mu.Unlock()
	if strings.Contains(r.Header.Get("Accept"), "text/html") && r.URL.Query().Get("format") != "json" {
		page(w, http.StatusOK, browsablePage)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Allow", "GET, HEAD, OPTIONS")
	w.Header().Set("Vary", "Accept, Cookie")
	if s.opts.Gzip && strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		w.Header().Set("Content-Encoding", "gzip")
		z := gzip.NewWriter(w)
		defer func() { _ = z.Close() }()
		w = compressed{ResponseWriter: w, to: z}
	}
	if id == "" {
		current.serveList(w, r)
		return
	}
	current.serveOne(w, id)
}

// compressed is a response whose body goes through gzip.
type compressed struct {
	http.ResponseWriter
	to *gzip.Writer
}

func (c compressed) WriteHeader(code int) {
	c.Header().Del("Content-Length") // it is that of the plain body
	c.ResponseWriter.WriteHeader(code)
}

func (c compressed) Write(b []byte) (int, error) { return c.to.Write(b) }

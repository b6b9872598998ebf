package main

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"sync"
	"time"
)

// watcher stands before the store and the source and notes the requests.
type watcher struct {
	store, source *httptest.Server

	mu       sync.Mutex
	firstAt  time.Time
	requests int
	lists    int
}

func newWatcher(store, source string) (*watcher, error) {
	w := new(watcher)
	for address, server := range map[string]**httptest.Server{store: &w.store, source: &w.source} {
		target, err := url.Parse(address)
		if err != nil {
			return nil, err
		}
		*server = httptest.NewServer(w.noting(&httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
			r.Out.URL.Scheme, r.Out.URL.Host = target.Scheme, target.Host
			r.Out.Host = r.In.Host // which the signature covers
		}}))
	}
	// The source's address has a path.
	target, err := url.Parse(source)
	if err != nil {
		return nil, err
	}
	w.source.URL += target.Path
	return w, nil
}

func (w *watcher) noting(next http.Handler) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		at := time.Now()
		w.mu.Lock()
		if w.requests++; w.requests == 1 {
			w.firstAt = at
		}
		if r.URL.Query().Get("list-type") != "" {
			w.lists++
		}
		w.mu.Unlock()
		next.ServeHTTP(rw, r)
	})
}

// during gives what a run took, with the requests that came meanwhile.
func (w *watcher) during(run func() (figure, error)) (figure, error) {
	w.mu.Lock()
	w.firstAt, w.requests, w.lists = time.Time{}, 0, 0
	w.mu.Unlock()
	start := time.Now()
	f, err := run()
	w.mu.Lock()
	defer w.mu.Unlock()
	f.first, f.requests, f.lists = w.firstAt.Sub(start), w.requests, w.lists
	return f, err
}

func (w *watcher) close() {
	w.store.Close()
	w.source.Close()
}

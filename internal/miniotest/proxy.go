package miniotest

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"
)

// Proxy is a server that stands before MinIO and spoils what passes, by a plan. It may be used concurrently.
type Proxy struct {
	server *httptest.Server
	minio  *httputil.ReverseProxy
	plan   Plan

	mu       sync.Mutex
	requests []string
}

// Plan chooses what happens to a request. It is called for one request at a time, in the order in which they come.
type Plan func(*http.Request) Fault

// NewProxy starts a proxy before a MinIO, or anything else that speaks HTTP. It ends with the test.
func NewProxy(t testing.TB, endpoint string, plan Plan) *Proxy {
	t.Helper()
	target, err := url.Parse(endpoint)
	if err != nil {
		t.Fatal(err)
	}
	p := &Proxy{plan: plan, minio: &httputil.ReverseProxy{
		// The signature covers the host that the client has named.
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target)
			r.Out.Host = r.In.Host
		},
		ErrorHandler: func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) },
	}}
	p.server = httptest.NewServer(p)
	t.Cleanup(func() {
		p.server.CloseClientConnections()
		p.server.Close()
	})
	return p
}

// URL is the endpoint to give to clients.
func (p *Proxy) URL() string { return p.server.URL }

// ServeHTTP implements [http.Handler].
func (p *Proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.choose(r)(w, r, p.minio)
}

func (p *Proxy) choose(r *http.Request) Fault {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.requests = append(p.requests, requestLine(r))
	return p.plan(r)
}

func requestLine(r *http.Request) string { return r.Method + " " + r.URL.RequestURI() }

// Count returns how many requests there were so far whose line, such as "PUT /bucket/key", contains a text.
func (p *Proxy) Count(text string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := 0
	for _, line := range p.requests {
		if strings.Contains(line, text) {
			n++
		}
	}
	return n
}

// InTurn spoils the requests whose line contains a text, by one fault after the other; the last stays.
func InTurn(text string, faults ...Fault) Plan {
	return func(r *http.Request) Fault {
		if !strings.Contains(requestLine(r), text) || len(faults) == 0 {
			return Pass
		}
		chosen := faults[0]
		if len(faults) > 1 {
			faults = faults[1:]
		}
		return chosen
	}
}

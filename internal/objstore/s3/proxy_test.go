package s3_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"launchlake/internal/objstore/s3"
)

// proxy stands before MinIO and spoils what passes.
type proxy struct {
	server *httptest.Server
	minio  *httputil.ReverseProxy

	mu       sync.Mutex
	faults   []fault // for the requests of "spoils" in their order; the last stays
	spoils   string
	requests []string
}

// fault serves a request in its own way; next passes it to MinIO.
type fault func(w http.ResponseWriter, r *http.Request, next http.Handler)

// newProxy spoils the requests whose line, such as "PUT /bucket/key", contains a text.
func newProxy(t *testing.T, endpoint, spoils string, faults ...fault) *proxy {
	t.Helper()
	target, err := url.Parse(endpoint)
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{faults: faults, spoils: spoils, minio: &httputil.ReverseProxy{
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

func (p *proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.next(r.Method+" "+r.URL.RequestURI())(w, r, p.minio)
}

func (p *proxy) next(line string) fault {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.requests = append(p.requests, line)
	if !strings.Contains(line, p.spoils) || len(p.faults) == 0 {
		return pass
	}
	chosen := p.faults[0]
	if len(p.faults) > 1 {
		p.faults = p.faults[1:]
	}
	return chosen
}

// count returns how many requests there were whose line contains a text.
func (p *proxy) count(text string) int {
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

func (p *proxy) options() s3.Options {
	return s3.Options{Endpoint: p.server.URL, PathStyle: true, ReplyTimeout: replyTimeout}
}

// replyTimeout is what the tests with a slow store allow it.
const replyTimeout = 700 * time.Millisecond

func pass(w http.ResponseWriter, r *http.Request, next http.Handler) { next.ServeHTTP(w, r) }

// dropReply lets MinIO do what is asked and cuts the connection before its answer.
func dropReply(_ http.ResponseWriter, r *http.Request, next http.Handler) {
	next.ServeHTTP(httptest.NewRecorder(), r)
	panic(http.ErrAbortHandler)
}

// dropRequest cuts the connection before MinIO hears of the request.
func dropRequest(http.ResponseWriter, *http.Request, http.Handler) { panic(http.ErrAbortHandler) }

// answer refuses with an error of S3.
func answer(status int, code string) fault {
	return func(w http.ResponseWriter, r *http.Request, _ http.Handler) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/xml")
		w.WriteHeader(status)
		_, _ = fmt.Fprintf(w, `<?xml version="1.0"?><Error><Code>%s</Code><Message>the store says %s</Message></Error>`, code, code)
	}
}

// slowReply lets MinIO do what is asked and answers too late.
func slowReply(w http.ResponseWriter, r *http.Request, next http.Handler) {
	recorded := httptest.NewRecorder()
	next.ServeHTTP(recorded, r)
	select {
	case <-time.After(5 * replyTimeout):
	case <-r.Context().Done():
	}
	w.WriteHeader(recorded.Code)
}

// cutBody sends the head, and of the body only some bytes.
func cutBody(bytes int) fault {
	return func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		sendPart(w, r, next, bytes)
		panic(http.ErrAbortHandler)
	}
}

// stallBody sends some bytes of the body and then nothing, the connection staying open.
func stallBody(bytes int) fault {
	return func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		sendPart(w, r, next, bytes)
		<-r.Context().Done()
	}
}

func sendPart(w http.ResponseWriter, r *http.Request, next http.Handler, bytes int) {
	recorded := httptest.NewRecorder()
	next.ServeHTTP(recorded, r)
	for name, values := range recorded.Header() {
		w.Header()[name] = values
	}
	w.WriteHeader(recorded.Code)
	body := recorded.Body.Bytes()
	_, _ = w.Write(body[:min(bytes, len(body))])
	if err := http.NewResponseController(w).Flush(); err != nil {
		panic(errors.Join(http.ErrAbortHandler, err))
	}
}

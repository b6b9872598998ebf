package launchapitest

import (
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"time"
)

// Fault answers a request for launches in place of the server, whose own answer it may have by calling serve. The
// request counts against the throttle as any other.
type Fault func(w http.ResponseWriter, r *http.Request, serve http.HandlerFunc)

// FailAt answers the number-th request for launches, counted from 1 since the server's start, with f.
func (s *Server) FailAt(number int, f Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults[number] = f
}

// FailNext answers the coming requests for launches with these faults, one each, after those that are still waiting.
func (s *Server) FailNext(faults ...Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.queue = append(s.queue, faults...)
}

// FailAlways answers every request for launches that has no other fault with f; nil ends that.
func (s *Server) FailAlways(f Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.always = f
}

// Answer is a fault that sends these bytes.
func Answer(code int, contentType, body string) Fault {
	return func(w http.ResponseWriter, _ *http.Request, _ http.HandlerFunc) { answer(w, code, contentType, body) }
}

// ErrorPage is an error as Django or the network in front of it serves it: HTML.
func ErrorPage(code int) Fault {
	return func(w http.ResponseWriter, _ *http.Request, _ http.HandlerFunc) {
		text := strconv.Itoa(code) + " " + http.StatusText(code)
		page(w, code, "<title>"+text+"</title><h1>"+text+"</h1>")
	}
}

// Challenge is the firewall's page for suspected robots.
func Challenge(code int) Fault {
	return func(w http.ResponseWriter, _ *http.Request, _ http.HandlerFunc) {
		w.Header().Set("Cf-Mitigated", "challenge")
		page(w, code, "<title>Just a moment...</title>")
	}
}

// HTML is a success whose body is a web page.
func HTML() Fault { return Answer(http.StatusOK, "text/html; charset=utf-8", browsablePage) }

// NotFound is the API's own 404.
func NotFound() Fault {
	return func(w http.ResponseWriter, _ *http.Request, _ http.HandlerFunc) {
		detail(w, http.StatusNotFound, "Not found.")
	}
}

// NoResults is a page without results.
func NoResults() Fault {
	return Answer(http.StatusOK, "application/json", `{"count":0,"next":null,"previous":null}`)
}

// Throttled is a 429 that asks to wait.
func Throttled(wait time.Duration) Fault {
	return func(w http.ResponseWriter, _ *http.Request, _ http.HandlerFunc) { throttled(w, wait) }
}

// Slow answers rightly, after a time.
func Slow(d time.Duration) Fault {
	return func(w http.ResponseWriter, r *http.Request, serve http.HandlerFunc) {
		select {
		case <-time.After(d):
			serve(w, r)
		case <-r.Context().Done():
		}
	}
}

// Truncated sends the first half of the right body as if it were all.
func Truncated() Fault {
	return func(w http.ResponseWriter, r *http.Request, serve http.HandlerFunc) {
		whole := hold(r, serve)
		answer(w, whole.code, whole.header.Get("Content-Type"), string(whole.body.Bytes()[:whole.body.Len()/2]))
	}
}

// Cut announces the right body and drops the connection in the middle of it.
func Cut() Fault {
	return func(w http.ResponseWriter, r *http.Request, serve http.HandlerFunc) {
		whole := hold(r, serve)
		w.Header().Set("Content-Length", strconv.Itoa(whole.body.Len()))
		answer(w, whole.code, whole.header.Get("Content-Type"), string(whole.body.Bytes()[:whole.body.Len()/2]))
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}
}

// Drop closes the connection without an answer.
func Drop() Fault {
	return func(http.ResponseWriter, *http.Request, http.HandlerFunc) { panic(http.ErrAbortHandler) }
}

// hold has the server's own answer, uncompressed.
func hold(r *http.Request, serve http.HandlerFunc) *held {
	plain := r.Clone(r.Context())
	plain.Header.Del("Accept-Encoding")
	h := &held{header: http.Header{}, code: http.StatusOK}
	serve(h, plain)
	return h
}

const (
	notFoundPage  = "<!doctype html><title>Not Found</title><h1>Not Found</h1><p>The requested resource was not found on this server.</p>"
	browsablePage = "<!DOCTYPE html><title>Launch List – The Space Devs</title><h1>Launch List</h1>"
)

func page(w http.ResponseWriter, code int, html string) {
	answer(w, code, "text/html; charset=utf-8", html)
}

// detail is how Django REST framework words an error.
func detail(w http.ResponseWriter, code int, text string) {
	body, err := json.Marshal(map[string]string{"detail": text})
	if err != nil {
		panic(err) // a string always marshals
	}
	answer(w, code, "application/json", string(body))
}

func answer(w http.ResponseWriter, code int, contentType, body string) {
	w.Header().Set("Content-Type", contentType)
	w.WriteHeader(code)
	_, _ = io.WriteString(w, body)
}

package miniotest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"time"
)

// Fault serves a request in its own way; next passes it to MinIO.
type Fault func(w http.ResponseWriter, r *http.Request, next http.Handler)

// Pass spoils nothing.
func Pass(w http.ResponseWriter, r *http.Request, next http.Handler) { next.ServeHTTP(w, r) }

// DropReply lets MinIO do what is asked and cuts the connection before its answer.
func DropReply(_ http.ResponseWriter, r *http.Request, next http.Handler) {
	next.ServeHTTP(httptest.NewRecorder(), r)
	panic(http.ErrAbortHandler)
}

// DropRequest cuts the connection before MinIO hears of the request.
func DropRequest(http.ResponseWriter, *http.Request, http.Handler) { panic(http.ErrAbortHandler) }

// CutRequest lets MinIO have the first half of a request's body and then cuts both connections.
func CutRequest(w http.ResponseWriter, r *http.Request, next http.Handler) {
	r.Body = struct {
		io.Reader
		io.Closer
	}{io.MultiReader(io.LimitReader(r.Body, max(r.ContentLength, 0)/2), brokenReader{}), r.Body}
	next.ServeHTTP(httptest.NewRecorder(), r)
	panic(http.ErrAbortHandler)
}

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// Answer refuses with an error of S3, and MinIO hears nothing.
func Answer(status int, code string) Fault {
	return func(w http.ResponseWriter, r *http.Request, _ http.Handler) { refuse(w, r, status, code, time.Now()) }
}

// AnswerSkewed refuses as a store does whose clock is far from the client's: what the client signs by that clock the real
// store refuses in turn, until the client goes by the real store's.
func AnswerSkewed(ahead time.Duration) Fault {
	return func(w http.ResponseWriter, r *http.Request, _ http.Handler) {
		refuse(w, r, http.StatusForbidden, "RequestTimeTooSkewed", time.Now().Add(ahead))
	}
}

func refuse(w http.ResponseWriter, r *http.Request, status int, code string, now time.Time) {
	_, _ = io.Copy(io.Discard, r.Body)
	w.Header().Set("Content-Type", "application/xml")
	w.Header().Set("Date", now.UTC().Format(http.TimeFormat))
	w.WriteHeader(status)
	_, _ = fmt.Fprintf(w, `<?xml version="1.0"?><Error><Code>%s</Code><Message>the store says %s</Message></Error>`, code, code)
}

// AskTwice lets MinIO do what is asked twice, as a gateway does that hears nothing the first time, and gives the second answer.
func AskTwice(w http.ResponseWriter, r *http.Request, next http.Handler) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	for _, reply := range []http.ResponseWriter{httptest.NewRecorder(), w} {
		r.Body = io.NopCloser(bytes.NewReader(body))
		next.ServeHTTP(reply, r)
	}
}

// TooLate lets MinIO do what is asked and answers nothing until the client has given up.
func TooLate(_ http.ResponseWriter, r *http.Request, next http.Handler) {
	next.ServeHTTP(httptest.NewRecorder(), r)
	<-r.Context().Done()
	panic(http.ErrAbortHandler)
}

// Slow passes a request on after a while, and the answer after the same while again.
func Slow(while time.Duration) Fault {
	return func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		time.Sleep(while)
		recorded := httptest.NewRecorder()
		next.ServeHTTP(recorded, r)
		time.Sleep(while)
		send(w, recorded, recorded.Body.Len())
	}
}

// CutBody sends the head, and of the body only some bytes.
func CutBody(bytes int) Fault {
	return func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		recorded := httptest.NewRecorder()
		next.ServeHTTP(recorded, r)
		send(w, recorded, bytes)
		panic(http.ErrAbortHandler)
	}
}

// HalveBody sends the head and half of the body. A request whose answer has none loses its reply.
func HalveBody(w http.ResponseWriter, r *http.Request, next http.Handler) {
	recorded := httptest.NewRecorder()
	next.ServeHTTP(recorded, r)
	if recorded.Body.Len() > 0 {
		send(w, recorded, recorded.Body.Len()/2)
	}
	panic(http.ErrAbortHandler)
}

// StallBody sends some bytes of the body and then nothing, the connection staying open until the client gives up.
func StallBody(bytes int) Fault {
	return func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		recorded := httptest.NewRecorder()
		next.ServeHTTP(recorded, r)
		send(w, recorded, bytes)
		<-r.Context().Done()
	}
}

// send sends an answer with the first bytes of its body.
func send(w http.ResponseWriter, recorded *httptest.ResponseRecorder, bytes int) {
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

package connect

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"
)

// serve runs a server that answers every call alike, and a client of it.
func serve(t *testing.T, answer http.HandlerFunc) *Client {
	t.Helper()
	server := httptest.NewUnstartedServer(answer)
	server.Config.Protocols = new(http.Protocols)
	server.Config.Protocols.SetUnencryptedHTTP2(true)
	server.Start()
	t.Cleanup(server.Close)
	remote, err := ParseRemote("sc://" + server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return New(remote, Options{})
}

func write(w io.Writer, body message) {
	prefix := make([]byte, prefixSize)
	binary.BigEndian.PutUint32(prefix[1:], uint32(len(body)))
	_, _ = w.Write(append(prefix, body...))
}

func TestErrorsTellTheFirstCause(t *testing.T) {
	info := message{}.text(1, "org.apache.spark.SparkException").pairs(3, map[string]string{"errorId": "e1", "errorClass": "STAGE_FAILED"})
	details := message{}.nested(3, message{}.text(1, "type.googleapis.com/google.rpc.ErrorInfo").nested(2, info))
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/grpc")
		if strings.HasSuffix(r.URL.Path, "/FetchErrorDetails") {
			deepest := message{}.text(1, "org.apache.spark.SparkArithmeticException").text(2, "[DIVIDE_BY_ZERO] Division by zero.\n\tat a.B.c").nested(5, message{}.text(1, "DIVIDE_BY_ZERO").text(4, "22012"))
			write(w, message{}.number(1, 0).nested(2, message{}.text(2, "Job aborted").number(4, 1)).nested(2, deepest))
			w.Header().Set(http.TrailerPrefix+"Grpc-Status", "0")
			return
		}
		w.Header().Set("Grpc-Status", "13")
		w.Header().Set("Grpc-Message", url.PathEscape("Job aborted due to stage failure"))
		w.Header().Set("Grpc-Status-Details-Bin", base64.RawStdEncoding.EncodeToString(details))
	})
	err := c.Run(t.Context(), "select 1/0")
	var spark *Error
	if !errors.As(err, &spark) || spark.Class != "DIVIDE_BY_ZERO" || spark.SQLState != "22012" || spark.Message != "[DIVIDE_BY_ZERO] Division by zero." {
		t.Errorf("got %#v", err)
	}
}

func TestWhatIsLostOrRefusedHasANameOfItsOwn(t *testing.T) {
	for name, tt := range map[string]struct {
		answer http.HandlerFunc
		want   error
	}{
		"status unavailable":     {func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Grpc-Status", "14") }, ErrUnavailable},
		"status unauthenticated": {func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Grpc-Status", "16") }, ErrDenied},
		"a proxy that refuses":   {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) }, ErrDenied},
		"a proxy that is alone":  {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) }, ErrUnavailable},
		"no status at the end":   {func(http.ResponseWriter, *http.Request) {}, ErrUnavailable},
		"a line that breaks": {func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte{0, 0, 0, 0, 9, 1})
			w.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		}, ErrUnavailable},
	} {
		if err := serve(t, tt.answer).Run(t.Context(), "select 1"); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A server that tells of progress, and then no more, hangs, or the line to it is dead.
func TestASilentServerIsGivenUp(t *testing.T) {
	hangs := make(chan struct{})
	interrupted := make(chan struct{}, 1)
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		switch {
		case strings.HasSuffix(r.URL.Path, "/Interrupt"):
			interrupted <- struct{}{}
		case strings.Contains(string(body), "tells"):
			write(w, message{}.nested(18, message{}))
			w.(http.Flusher).Flush()
			<-hangs
		case strings.Contains(string(body), "takes long"):
			time.Sleep(300 * time.Millisecond)
		}
		w.Header().Set(http.TrailerPrefix+"Grpc-Status", "0")
	})
	t.Cleanup(func() { close(hangs) }) // before the server is closed, which waits for its answers
	c.silence = 100 * time.Millisecond
	if err := c.Run(t.Context(), "takes long"); err != nil {
		t.Errorf("a server that has not told of progress: %v", err)
	}
	err := c.Run(t.Context(), "tells")
	if !errors.Is(err, ErrUnavailable) || !strings.Contains(err.Error(), "has said nothing for 100ms") {
		t.Errorf("got %v", err)
	}
	select {
	case <-interrupted:
	default:
		t.Error("the statement was not interrupted")
	}
}

func TestAnEndedContextInterruptsTheStatement(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	interrupted := make(chan string, 1)
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/Interrupt") {
			body, _ := io.ReadAll(r.Body)
			interrupted <- string(body)
			w.Header().Set("Grpc-Status", "0")
			return
		}
		cancel()
		<-r.Context().Done()
	})
	if err := c.Run(ctx, "select 1"); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if request := <-interrupted; !strings.Contains(request, c.session) {
		t.Errorf("interrupted with %q", request)
	}
}

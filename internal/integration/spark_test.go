package integration_test

import (
	"bytes"
	"encoding/pem"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"launchlake/internal/sparktest"
	"launchlake/internal/task"
)

// sparkProxy stands between a task and Spark. At the call of ExecutePlan whose number is at, from 1, it does meet, once; before and after it
// passes on what comes.
type sparkProxy struct {
	at    int64
	meet  func(p *sparkProxy, w http.ResponseWriter, r *http.Request)
	token string // that calls must have, over TLS; "": any
	gone  atomic.Bool

	plans       atomic.Int64
	interrupted chan string // operations
	remote      string
	authority   string // file of the certificate by which it is known over TLS
	onward      http.Handler
}

func (p *sparkProxy) start(t *testing.T) {
	t.Helper()
	protocols := new(http.Protocols)
	protocols.SetUnencryptedHTTP2(true)
	target := &url.URL{Scheme: "http", Host: strings.TrimPrefix(sparktest.Remote(t), "sc://")}
	p.onward = &httputil.ReverseProxy{
		Rewrite:       func(r *httputil.ProxyRequest) { r.SetURL(target) },
		Transport:     &http.Transport{Protocols: protocols},
		FlushInterval: -1,
		ErrorHandler:  func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) },
	}
	p.interrupted = make(chan string, 16)
	server := httptest.NewUnstartedServer(p)
	t.Cleanup(server.Close)
	if p.token != "" {
		server.EnableHTTP2 = true
		server.StartTLS()
		p.authority = filepath.Join(t.TempDir(), "authority.pem")
		block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
		if err := os.WriteFile(p.authority, block, 0o600); err != nil {
			t.Fatal(err)
		}
	} else {
		server.Config.Protocols = protocols
		server.Start()
	}
	p.remote = "sc://" + server.Listener.Addr().String()
}

func (p *sparkProxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if p.gone.Load() {
		panic(http.ErrAbortHandler)
	}
	if p.token != "" && r.Header.Get("Authorization") != "Bearer "+p.token {
		const unauthenticated = "16"
		w.Header().Set("Content-Type", "application/grpc")
		w.Header().Set("Grpc-Status", unauthenticated)
		w.Header().Set("Grpc-Message", "Invalid authentication token")
		return
	}
	switch method := r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:]; {
	case method == "ExecutePlan" && p.plans.Add(1) == p.at:
		p.meet(p, w, r)
		return
	case method == "Interrupt":
		body, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(body))
		select {
		case p.interrupted <- string(body):
		default:
		}
	}
	p.onward.ServeHTTP(w, r)
}

// refining is a lake whose Bronze has the recorded launches, for refine on Spark.
func refining(t *testing.T) environment {
	t.Helper()
	env := environment{"LAKE_URL": "file://" + t.TempDir(), "WORK_FOLDER": t.TempDir()}
	runTask(t, env, "ingest", task.Done)
	return env
}

// wantRefined runs refine on Spark once more, undisturbed, and holds the lake against one that DuckDB made of the same.
func wantRefined(t *testing.T, env environment) {
	t.Helper()
	runTask(t, env.with("SPARK_REMOTE", sparktest.Remote(t)), "refine", task.Done)
	quiet := environment{"LAKE_URL": "file://" + t.TempDir(), "WORK_FOLDER": t.TempDir()}
	runPipeline(t, quiet, task.Done)
	env = env.with("ENGINE", "duckdb")
	runTask(t, env, "aggregate", task.Done)
	compareLakes(t, quiet, env)
	if e := run(t, env, "lake", "fsck"); e.code != 0 {
		t.Errorf("lake fsck: %s", e)
	}
}

// midway is a call of refine's that is neither the first nor the last.
const midway = 6

// terminationBound is several times the 8 seconds that a task has to end in, for machines that are busy.
const terminationBound = time.Minute

// A task that is asked to end while Spark works for it, whose answer does not come, has Spark end the work and ends itself.
func TestTerminatedTaskInterruptsItsWorkOnSpark(t *testing.T) {
	reached := make(chan bool, 1)
	p := &sparkProxy{at: midway, meet: func(p *sparkProxy, _ http.ResponseWriter, r *http.Request) {
		go func() { // Spark works, and is not heard of
			defer func() { _ = recover() }() // http.ErrAbortHandler, when the call is given up
			p.onward.ServeHTTP(httptest.NewRecorder(), r.Clone(r.Context()))
		}()
		reached <- true
		<-r.Context().Done()
	}}
	p.start(t)
	env := refining(t).with("ENGINE", "spark")
	c := command(t.Context(), env.with("SPARK_REMOTE", p.remote), "refine")
	var log bytes.Buffer
	c.Stderr = &log
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- c.Wait() }()
	select {
	case <-reached:
	case <-ended:
		t.Fatalf("refine ended after %d calls\n%s", p.plans.Load(), log.String())
	}
	if err := c.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	select {
	case <-ended:
	case <-time.After(terminationBound):
		t.Fatalf("refine is still there %v after SIGTERM\n%s", terminationBound, log.String())
	}
	if code := c.ProcessState.ExitCode(); code != int(task.Terminated) {
		t.Errorf("exit code %d, want %d\n%s", code, task.Terminated, log.String())
	}
	select {
	case <-p.interrupted:
	default:
		t.Errorf("Spark was not told to end the work\n%s", log.String())
	}
	wantRefined(t, env)
}

// A server that is lost while it works ends the task with a reason to try again; the next try goes on.
func TestLostSparkEndsTheTaskAndTheNextRunConverges(t *testing.T) {
	p := &sparkProxy{at: midway, meet: func(p *sparkProxy, _ http.ResponseWriter, _ *http.Request) {
		p.gone.Store(true)
		panic(http.ErrAbortHandler)
	}}
	p.start(t)
	env := refining(t).with("ENGINE", "spark")
	e := run(t, env.with("SPARK_REMOTE", p.remote), "refine")
	if code := task.ExitCode(e.code); code != task.Unavailable && code != task.Failed {
		t.Errorf("exit code %d\n%s", code, e)
	}
	if !strings.Contains(e.stderr, strings.TrimPrefix(p.remote, "sc://")) {
		t.Errorf("the error does not name the server\n%s", e)
	}
	wantRefined(t, env)
}

func TestSparkThatRefusesOrIsNotThereIsSaidSo(t *testing.T) {
	p := &sparkProxy{token: "right"}
	p.start(t)
	env := refining(t).with("ENGINE", "spark", "SSL_CERT_FILE", p.authority)
	denied := run(t, env.with("SPARK_REMOTE", p.remote+"/;token=wrong-one"), "refine")
	if denied.code != int(task.NoPermission) || strings.Contains(denied.String(), "wrong-one") {
		t.Errorf("a wrong token: %s", denied)
	}
	absent := run(t, env.with("SPARK_REMOTE", "sc://127.0.0.1:1"), "refine")
	if absent.code != int(task.Unavailable) || !strings.Contains(absent.stderr, "127.0.0.1:1") {
		t.Errorf("no server: %s", absent)
	}
	runTask(t, env.with("SPARK_REMOTE", p.remote+"/;token=right"), "refine", task.Done)
}

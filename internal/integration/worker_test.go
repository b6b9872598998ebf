package integration_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"sync"
	"testing"
)

// worker is another implementation of Delta Lake in a process of its own, which serves calls until the test program ends:
// starting a JVM takes longer than most tests. What it can do are the functions of its script.
type worker struct {
	name string

	mu     sync.Mutex // a worker does one thing at a time
	calls  *json.Encoder
	answer *json.Decoder
	stderr *tail
}

// workers by the script, started at their first use.
var workers = struct {
	mu      sync.Mutex
	started map[string]*worker
}{started: map[string]*worker{}}

// spark is Spark with Delta Lake: spark_worker.py.
func spark(t *testing.T) *worker {
	t.Helper()
	return startedWorker(t, "spark", pythonWithSpark(t), "spark_worker.py")
}

// deltars is delta-rs, and DuckDB's Delta extension for reading: deltars_worker.py.
func deltars(t *testing.T) *worker {
	t.Helper()
	return startedWorker(t, "delta-rs", python(t), "deltars_worker.py")
}

func startedWorker(t *testing.T, name, interpreter, script string) *worker {
	t.Helper()
	workers.mu.Lock()
	defer workers.mu.Unlock()
	if w := workers.started[script]; w != nil {
		return w
	}
	c := exec.Command(interpreter, script) // no context: it outlives the test, and ends with its standard input
	w := &worker{name: name, stderr: &tail{}}
	c.Stderr = w.stderr
	stdin, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatalf("start the worker of %s: %v", name, err)
	}
	w.calls, w.answer = json.NewEncoder(stdin), json.NewDecoder(stdout)
	w.answer.UseNumber()
	workers.started[script] = w
	return w
}

// arguments of a call by their names.
type arguments map[string]any

// do calls a function and requires that it succeeds. What it returns goes into result, unless that is nil.
func (w *worker) do(t *testing.T, function string, with arguments, result any) {
	t.Helper()
	if err := w.try(function, with, result); err != nil {
		t.Fatalf("%s: %s %v: %v", w.name, function, with, err)
	}
}

// rows calls a function that returns rows.
func (w *worker) rows(t *testing.T, function string, with arguments) (rows []map[string]any) {
	t.Helper()
	w.do(t, function, with, &rows)
	return rows
}

// errRefused is the error of a call that the worker could not do. It goes on to serve.
var errRefused = errors.New("refused")

// try calls a function. The error matches errRefused when the function failed and the worker lives on.
func (w *worker) try(function string, with arguments, result any) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if with == nil {
		with = arguments{}
	}
	if err := w.calls.Encode(map[string]any{"do": function, "with": with}); err != nil {
		return fmt.Errorf("%w\n%s", err, w.stderr)
	}
	var answer struct {
		OK    json.RawMessage
		Error string
	}
	if err := w.answer.Decode(&answer); err != nil {
		return fmt.Errorf("no answer: %w\n%s", err, w.stderr)
	}
	if answer.Error != "" {
		return fmt.Errorf("%w: %s", errRefused, answer.Error)
	}
	if result == nil {
		return nil
	}
	decoder := json.NewDecoder(bytes.NewReader(answer.OK))
	decoder.UseNumber()
	return decoder.Decode(result)
}

// tail keeps the end of what is written to it.
type tail struct {
	mu   sync.Mutex
	text []byte
}

var _ io.Writer = (*tail)(nil)

func (l *tail) Write(p []byte) (int, error) {
	const most = 8 << 10
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text = append(l.text, p...)
	l.text = l.text[max(0, len(l.text)-most):]
	return len(p), nil
}

func (l *tail) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return string(l.text)
}

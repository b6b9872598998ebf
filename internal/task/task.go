// Package task is the boundary between a job and the process that it runs in.
//
// A [Job] is a name, a configuration read from the environment and a function. [Main] runs it as a process: it answers
// --help and --version, reads the configuration with envconfig, sets up the log, ends the job on SIGTERM and SIGINT,
// turns its error into an [ExitCode] and prints its [Result] as one line of JSON, last on stdout. Everything else goes
// to stderr. [Summary] shows results to a person. Where the environment names an OpenTelemetry collector, it is told of
// the run.
//
// The package knows neither layers nor tables: what a job does is its own business.
package task

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
	"time"
)

// Job is the work of one process.
type Job struct {
	Name    string // of the task, as in logs, results and help
	Summary string // one line of help
	// Config points to the job's configuration: a struct with envconfig's tags (envconfig, default, required, desc) that
	// embeds [Common]. It is filled before Run is called. If it has a method Validate() error, that is called too.
	Config any
	// Run does the work. It ends soon after ctx does, with all tables valid, and returns what it did so far also when it
	// fails. A nil error goes with the statuses done (also when left empty), nothing_new, budget_spent, contract_broken.
	Run func(ctx context.Context) (Result, error)
}

// process is what Main gets from the operating system.
type process struct {
	args    []string // without the program's name
	stdout  io.Writer
	stderr  io.Writer
	signals <-chan os.Signal
	grace   time.Duration
	now     func() time.Time
}

// Main runs the job as this process and ends it.
func Main(job Job) {
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	// A reader of the log that went away must not kill a task within a commit.
	signal.Ignore(syscall.SIGPIPE)
	code := run(job, process{
		args:    os.Args[1:],
		stdout:  os.Stdout,
		stderr:  os.Stderr,
		signals: signals,
		grace:   shutdownLimit,
		now:     time.Now,
	})
	os.Exit(int(code))
}

func run(job Job, p process) ExitCode {
	if code, done := information(job, p); done {
		return code
	}
	start := p.now()
	common, err := configure(job, p.args)
	exporter, exporterErr := newExporter()
	if err == nil {
		err = exporterErr
	}
	log := newLogger(p.stderr, job.Name, common, secretsOf(job.Config))
	if err != nil {
		return report(log, p, finish(job, common, Result{}, err), secretsOf(job.Config))
	}
	slog.SetDefault(log)
	log.Info("start", "version", Build().String())
	outcome := supervise(log, p.signals, p.grace, func(ctx context.Context) (Result, error) {
		return protect(ctx, log, job)
	})
	result := finish(job, common, outcome.result, outcome.err)
	result.Seconds = p.now().Sub(start).Seconds()
	result.Error = redact(result.Error, secretsOf(job.Config))
	tell(log, exporter, result, start)
	return report(log, p, result, secretsOf(job.Config))
}

// information answers --help and --version, which are no runs and print no result.
func information(job Job, p process) (ExitCode, bool) {
	if len(p.args) != 1 {
		return Done, false
	}
	switch p.args[0] {
	case "--help", "-h", "-help", "help":
		if err := writeHelp(p.stdout, job); err != nil {
			fmt.Fprintln(p.stderr, err)
			return Failed, true
		}
		return Done, true
	case "--version", "-version", "version":
		fmt.Fprintln(p.stdout, job.Name, Build())
		return Done, true
	}
	return Done, false
}

// configure refuses arguments and fills the job's configuration.
func configure(job Job, args []string) (*Common, error) {
	common := commonOf(job.Config)
	err := Load(job.Config)
	if len(args) > 0 {
		err = Fail(BadConfig, fmt.Errorf("unknown argument %q: %s takes none besides --help and --version; "+
			"it is configured by the environment", args[0], job.Name))
	}
	return common, err
}

// protect runs the job and makes a panic of it an error.
func protect(ctx context.Context, log *slog.Logger, job Job) (result Result, err error) {
	defer func() {
		if fault := recover(); fault != nil {
			log.Error("panic", "value", fmt.Sprint(fault), "stack", string(debug.Stack()))
			err = Fail(Failed, fmt.Errorf("panic: %v (a bug: the log has the stack)", fault))
		}
	}()
	return job.Run(ctx)
}

// finish completes a result with what the process knows.
func finish(job Job, common *Common, result Result, err error) Result {
	result.Schema = resultSchema
	result.Task = job.Name
	if result.RunID == "" {
		result.RunID = common.RunID
	}
	if err != nil {
		result.Status = statusOf(CodeOf(err))
		result.Error = err.Error()
		result.code = CodeOf(err)
		return result
	}
	if result.Status == "" {
		result.Status = StatusDone
	}
	result.code = codeOfStatus(result.Status)
	return result
}

// report writes the last line of the log and then the result, which nothing may follow.
func report(log *slog.Logger, p process, result Result, secrets []string) ExitCode {
	result.Error = redact(result.Error, secrets)
	level := slog.LevelInfo
	if result.Status == StatusFailed || result.Status == StatusContractBroken {
		level = slog.LevelError
	}
	attrs := []any{"status", result.Status, "exit_code", int(result.code), "seconds", result.Seconds}
	if result.Error != "" {
		attrs = append(attrs, "error", result.Error)
	}
	log.Log(context.Background(), level, "end", attrs...)
	if err := result.write(p.stdout); err != nil {
		log.Error("the result could not be written", "error", err)
		return max(result.code, Failed)
	}
	return result.code
}

// outcome is how a job ended.
type outcome struct {
	result Result
	err    error
}

// shutdownLimit is how long a job may take after a signal: Docker kills after 10 s, and we promise 8.
const shutdownLimit = 7500 * time.Millisecond

// supervise runs work until it ends, or until it has had its time after a signal, or at the second signal.
func supervise(log *slog.Logger, signals <-chan os.Signal, grace time.Duration,
	work func(context.Context) (Result, error),
) outcome {
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	done := make(chan outcome, 1)
	go func() {
		result, err := work(ctx)
		done <- outcome{result, err}
	}()
	var received os.Signal
	var deadline <-chan time.Time
	for {
		select {
		case out := <-done:
			if received != nil && out.err != nil {
				out.err = interrupted(received, out.err)
			}
			return out
		case s := <-signals:
			if received != nil {
				return outcome{err: interrupted(s, errors.New("stopped at once by the second signal"))}
			}
			received = s
			log.Info("stopping", "signal", s.String(), "limit", grace.String())
			cancel(fmt.Errorf("stopped by signal: %v", s))
			deadline = time.After(grace)
		case <-deadline:
			return outcome{err: interrupted(received, fmt.Errorf("the job did not end within %s and was stopped", grace))}
		}
	}
}

// interrupted makes err the error of a job that a signal ended.
func interrupted(s os.Signal, err error) error {
	code := Terminated
	if s == os.Interrupt {
		code = Interrupted
	}
	return Fail(code, fmt.Errorf("%v: %w", s, err))
}

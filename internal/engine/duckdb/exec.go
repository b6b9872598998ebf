package duckdb

import (
	"context"
	"errors"
	"iter"
	"sync"
	"time"

	driver "github.com/duckdb/duckdb-go/v2"
	"github.com/duckdb/duckdb-go/v2/mapping"
)

// exec runs statements for what they do.
func (e *Engine) exec(ctx context.Context, statements string) error {
	return e.run(ctx, statements, func(mapping.Result) {})
}

// run runs statements, and has what the last of them gives read. The driver would prepare each before it runs it, and DuckDB plans a prepared
// statement that reads data files once more, for it keeps no plan over files.
func (e *Engine) run(ctx context.Context, statements string, read func(mapping.Result)) error {
	err := e.onConnection(ctx, func(c mapping.Connection) error { return runOn(ctx, c, statements, read) })
	return queryError(ctx, err)
}

// onConnection calls a function with a connection that nobody else uses meanwhile.
func (e *Engine) onConnection(ctx context.Context, call func(mapping.Connection) error) error {
	conn, err := e.db.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	return conn.Raw(func(c any) error {
		connection, err := connectionOf(c.(*driver.Conn))
		if err != nil {
			return err
		}
		return call(connection)
	})
}

func runOn(ctx context.Context, connection mapping.Connection, statements string, read func(mapping.Result)) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	var interrupter sync.WaitGroup
	ended := make(chan struct{})
	interrupter.Go(func() { interrupt(ctx, connection, ended) })
	var result mapping.Result
	state := mapping.Query(connection, statements, &result)
	close(ended)
	interrupter.Wait() // what runs next on the connection is not to be interrupted
	defer mapping.DestroyResult(&result)
	if state == mapping.StateError {
		return errors.New(mapping.ResultError(&result))
	}
	read(result)
	return nil
}

// chunks are those of a result. Each is there until the next is asked for.
func chunks(result mapping.Result) iter.Seq[mapping.DataChunk] {
	return func(yield func(mapping.DataChunk) bool) {
		for {
			chunk := mapping.FetchChunk(result)
			if chunk.Ptr == nil {
				return
			}
			more := yield(chunk)
			mapping.DestroyDataChunk(&chunk)
			if !more {
				return
			}
		}
	}
}

// interruptEvery is how often a statement is interrupted until it ends: DuckDB forgets what comes before it has begun.
const interruptEvery = 100 * time.Millisecond

// interrupt ends what runs on a connection when the context does.
func interrupt(ctx context.Context, connection mapping.Connection, ended <-chan struct{}) {
	select {
	case <-ended:
		return
	case <-ctx.Done():
	}
	again := time.NewTicker(interruptEvery)
	defer again.Stop()
	for {
		mapping.Interrupt(connection)
		select {
		case <-ended:
			return
		case <-again.C:
		}
	}
}

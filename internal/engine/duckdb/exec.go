package duckdb

import (
	"context"
	"errors"
	"sync"
	"time"

	driver "github.com/duckdb/duckdb-go/v2"
	"github.com/duckdb/duckdb-go/v2/mapping"
)

// exec runs statements for what they do. The driver would prepare each before it runs it, and DuckDB plans a prepared statement that reads
// data files once more, for it keeps no plan over files.
func (e *Engine) exec(ctx context.Context, statements string) error {
	err := e.onConnection(ctx, func(c mapping.Connection) error { return execOn(ctx, c, statements) })
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

func execOn(ctx context.Context, connection mapping.Connection, statements string) error {
	return queryOn(ctx, connection, statements, func(mapping.DataChunk) {})
}

// queryOn runs statements, and shows what the last of them gives, chunk by chunk.
func queryOn(ctx context.Context, connection mapping.Connection, statements string, show func(mapping.DataChunk)) error {
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
	for {
		chunk := mapping.FetchChunk(result)
		if chunk.Ptr == nil {
			return nil
		}
		show(chunk)
		mapping.DestroyDataChunk(&chunk)
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

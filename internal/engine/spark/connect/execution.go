package connect

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/google/uuid"
)

// Execution is a running statement.
type Execution struct {
	client    *Client
	stream    *stream
	operation string
	ended     bool
}

// Query starts a query. The caller reads its batches and closes it.
func (c *Client) Query(ctx context.Context, r Relation) (*Execution, error) {
	return c.start(ctx, message{}.nested(1, r.m))
}

func (c *Client) start(ctx context.Context, plan message) (*Execution, error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	operation := uuid.NewString()
	request := c.request().nested(3, plan).text(4, clientType).text(6, operation)
	s, err := c.call(ctx, "ExecutePlan", request)
	if err != nil {
		if ctx.Err() != nil || errors.As(err, new(*silence)) {
			c.interrupt(operation)
		}
		return nil, c.explain(ctx, err)
	}
	return &Execution{client: c, stream: s, operation: operation}, nil
}

// Close ends the statement, also when it has not come to its end.
func (e *Execution) Close() error {
	if !e.ended {
		e.ended = true
		e.client.interrupt(e.operation)
	}
	e.stream.close()
	return nil
}

// next gives the fields of the next answer, and tells of progress. The error is io.EOF after the last one.
func (e *Execution) next() ([]field, error) {
	ctx := e.stream.ctx
	answer, err := e.client.next(e.stream)
	if err != nil {
		if ctx.Err() == nil {
			e.ended = true
		}
		if errors.Is(err, io.EOF) {
			return nil, err
		}
		return nil, e.client.explain(ctx, err)
	}
	found, err := fields(answer)
	if err != nil {
		return nil, err
	}
	for _, f := range found {
		if f.number != 18 {
			continue
		}
		e.client.talks.Store(true)
		if e.client.options.Progress != nil {
			p, err := progressOf(f.bytes)
			if err != nil {
				return nil, err
			}
			e.client.options.Progress(p)
		}
	}
	return found, nil
}

func progressOf(m []byte) (Progress, error) {
	var p Progress
	err := each(m, 1, func(stage field) error {
		found, err := fields(stage.bytes)
		p.Stages++
		for _, f := range found {
			switch f.number {
			case 2:
				p.Tasks += int64(f.value)
			case 3:
				p.TasksDone += int64(f.value)
			case 4:
				p.InputBytes += int64(f.value)
			case 5:
				p.StagesDone += int64(f.value)
			}
		}
		return err
	})
	return p, err
}

// Batch gives the next rows. The error is io.EOF after the last one. The first batch comes also when there are no rows, and
// tells the columns.
func (e *Execution) Batch() (*arrow.Schema, []arrow.RecordBatch, error) {
	for {
		found, err := e.next()
		if err != nil {
			return nil, nil, err
		}
		for _, f := range found {
			if f.number != 2 {
				continue
			}
			return decodeBatch(f.bytes)
		}
	}
}

// decodeBatch reads an ArrowBatch, whose data is an Arrow stream.
func decodeBatch(m []byte) (schema *arrow.Schema, batches []arrow.RecordBatch, err error) {
	err = each(m, 2, func(f field) error {
		r, err := ipc.NewReader(bytes.NewReader(f.bytes))
		if err != nil {
			return err
		}
		defer r.Release()
		schema = r.Schema()
		for r.Next() {
			batch := r.RecordBatch()
			batch.Retain()
			batches = append(batches, batch)
		}
		if err := r.Err(); err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		return nil
	})
	if err == nil && schema == nil {
		err = errors.New("no data")
	}
	if err != nil {
		return nil, nil, fmt.Errorf("read Spark's Arrow batch: %w", err)
	}
	return schema, batches, nil
}

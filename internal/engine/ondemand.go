package engine

import (
	"context"
	"sync"
)

// OnDemand is an engine whose session is opened at its first use, or by [Begin], with open. An error of open is that of every use.
func OnDemand(open func(context.Context) (Engine, error)) Engine { return &onDemand{open: open} }

type onDemand struct {
	open   func(context.Context) (Engine, error)
	once   sync.Once
	engine Engine
	err    error
}

func (d *onDemand) session(ctx context.Context) (Engine, error) {
	d.once.Do(func() { d.engine, d.err = d.open(ctx) })
	return d.engine, d.err
}

// Begin says that an engine will be used: a session that is opened on demand is opened while the caller goes on.
func Begin(ctx context.Context, e Engine) {
	if d, ok := e.(*onDemand); ok {
		go func() { _, _ = d.session(ctx) }() // its first use tells what went wrong
	}
}

// Bind implements [Engine].
func (d *onDemand) Bind(ctx context.Context, name string, in Input) error {
	e, err := d.session(ctx)
	if err != nil {
		return err
	}
	return e.Bind(ctx, name, in)
}

// Parse implements [Engine].
func (d *onDemand) Parse(ctx context.Context, name string, docs Documents) error {
	e, err := d.session(ctx)
	if err != nil {
		return err
	}
	return e.Parse(ctx, name, docs)
}

// Define implements [Engine].
func (d *onDemand) Define(ctx context.Context, name, query string, when Evaluation) error {
	e, err := d.session(ctx)
	if err != nil {
		return err
	}
	return e.Define(ctx, name, query, when)
}

// Query implements [Engine].
func (d *onDemand) Query(ctx context.Context, query string) (*Rows, error) {
	e, err := d.session(ctx)
	if err != nil {
		return nil, err
	}
	return e.Query(ctx, query)
}

// Publish implements [Engine].
func (d *onDemand) Publish(ctx context.Context, query string, out Output) (Published, error) {
	e, err := d.session(ctx)
	if err != nil {
		return Published{}, err
	}
	return e.Publish(ctx, query, out)
}

// Close implements [Engine]. A session that was not opened need not be closed, and is not opened any more.
func (d *onDemand) Close() error {
	d.once.Do(func() { d.err = errClosed })
	if d.engine == nil {
		return nil
	}
	return d.engine.Close()
}

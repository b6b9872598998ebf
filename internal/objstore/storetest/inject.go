package storetest

import (
	"bytes"
	"context"
	"io"
	"iter"
	"strings"
	"testing/iotest"
	"time"

	"launchlake/internal/objstore"
)

// meet records a call and finds its fault, or returns the error of a call that must not reach the store.
func (f *Faulty) meet(ctx context.Context, op Op, key string) (*Fault, error) {
	fault, call, killed := f.choose(op, key)
	if killed != nil {
		return nil, notStored(op, key, killed)
	}
	if fault == nil {
		return nil, nil
	}
	if err := pause(ctx, fault.Delay); err != nil {
		return nil, notStored(op, key, err)
	}
	if fault.Hook != nil {
		fault.Hook(call)
	}
	if fault.stops(op) {
		return nil, notStored(op, key, fault.cause())
	}
	return fault, nil
}

func (f *Faulty) choose(op Op, key string) (*Fault, Call, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	call := Call{Number: len(f.calls) + 1, Op: op, Key: key}
	f.calls = append(f.calls, call)
	if f.killed != nil {
		return nil, call, f.killed
	}
	var chosen *Fault
	for i, fault := range f.faults {
		if !fault.Op.matches(op) || !strings.Contains(key, fault.Key) {
			continue
		}
		f.matched[i]++
		if fault.Nth > 0 && fault.Nth != f.matched[i] || fault.Call > 0 && fault.Call != call.Number {
			continue
		}
		if chosen == nil {
			chosen = &fault
		}
	}
	if chosen != nil {
		f.fired++
		if chosen.Kill {
			f.killed = chosen.cause()
		}
	}
	return chosen, call, nil
}

// stops reports whether the call of this fault does not reach the store.
func (f *Fault) stops(op Op) bool {
	switch f.How {
	case After, Not:
		return false
	case Halfway:
		return op == PutIfAbsent || op == Delete
	}
	return true
}

func (f *Fault) cause() error {
	if f.Err != nil {
		return f.Err
	}
	return ErrInjected
}

// fail is an error that leaves open what the call did.
func (f *Fault) fail(op Op, key string) error {
	return &objstore.Error{Op: string(op), At: key, Err: f.cause()}
}

// after turns the outcome of a call into what the caller sees of it.
func (f *Fault) after(op Op, key string, outcome error) error {
	if f == nil || f.How == Not || outcome != nil {
		return outcome
	}
	return f.fail(op, key)
}

func notStored(op Op, key string, cause error) error {
	err := &objstore.Error{Op: string(op), At: key, Err: cause}
	if Write.matches(op) {
		err.Classes = []error{objstore.ErrNotStored}
	}
	return err
}

func pause(ctx context.Context, delay time.Duration) error {
	if delay <= 0 {
		return nil
	}
	timer := time.NewTimer(delay)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// halfOf is a reader of the first half of a body, and then of an error.
func halfOf(body io.Reader, broken error) (io.Reader, error) {
	data, err := io.ReadAll(body)
	if err != nil {
		return nil, err
	}
	return io.MultiReader(bytes.NewReader(data[:len(data)/2]), iotest.ErrReader(broken)), nil
}

func breakBody(body io.ReadCloser, broken error) (io.ReadCloser, error) {
	half, err := halfOf(body, broken)
	if err != nil {
		_ = body.Close()
		return nil, err
	}
	return struct {
		io.Reader
		io.Closer
	}{half, body}, nil
}

// breakList is the first half of a listing, and then an error.
func breakList(listing iter.Seq2[objstore.Info, error], broken error) iter.Seq2[objstore.Info, error] {
	return func(yield func(objstore.Info, error) bool) {
		var infos []objstore.Info
		for info, err := range listing {
			if err != nil {
				broken = err
				break
			}
			infos = append(infos, info)
		}
		for _, info := range infos[:len(infos)/2] {
			if !yield(info, nil) {
				return
			}
		}
		yield(objstore.Info{}, broken)
	}
}

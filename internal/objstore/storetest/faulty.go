package storetest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"
	"sync"
	"time"

	"launchlake/internal/objstore"
)

// ErrInjected is the cause of the errors that a [Faulty] makes.
var ErrInjected = errors.New("injected fault")

// Op is a method of a store.
type Op string

// The methods, and names for several of them in a [Fault].
const (
	Get         Op = "get"
	Put         Op = "put"
	PutIfAbsent Op = "put if absent"
	List        Op = "list"
	Delete      Op = "delete"

	Any   Op = ""      // all of them
	Write Op = "write" // Put, PutIfAbsent and Delete
)

func (o Op) matches(other Op) bool {
	writes := other == Put || other == PutIfAbsent || other == Delete
	return o == Any || o == other || o == Write && writes
}

// Call is a call of a store.
type Call struct {
	Number int // from 1, among all calls
	Op     Op
	Key    string // for a List its prefix
}

// How is the way in which a call fails.
type How string

const (
	// Before fails a call that then has no effect. The error of a write matches [objstore.ErrNotStored].
	Before How = "before it takes effect"
	// After lets the call take effect and then loses the answer. The caller cannot know.
	After How = "after it took effect"
	// Halfway breaks what is transferred: a Get gives half of the object and then an error, a List half of its keys, a
	// Put gets half of its body and then an error, and stores nothing. Other calls fail as with Before.
	Halfway How = "halfway"
	// Not at all: the call goes through. For a Delay or a Hook alone.
	Not How = "not"
)

// Fault chooses calls and what happens to them. The zero value fails every call before it takes effect.
type Fault struct {
	Op   Op     // the method, or [Any] or [Write]
	Key  string // a part of the key or prefix; "": any
	Nth  int    // only the n-th call, from 1, of those that Op and Key choose; 0: each
	Call int    // only the call of this number among all; 0: any

	How   How           // "": [Before]
	Err   error         // the cause; nil: [ErrInjected]
	Kill  bool          // from then on every call fails, as if the process were gone
	Delay time.Duration // before anything else
	Hook  func(Call)    // called before the store is, to do what another process may do at this moment
}

// String names a fault for a subtest.
func (f Fault) String() string {
	var text strings.Builder
	fmt.Fprintf(&text, "%s %s", cmp.Or(string(f.Op), "any call"), f.Key)
	if f.Call > 0 {
		fmt.Fprintf(&text, " (call %d)", f.Call)
	}
	if f.Nth > 0 {
		fmt.Fprintf(&text, " (the %d.)", f.Nth)
	}
	fmt.Fprintf(&text, " fails %s", cmp.Or(string(f.How), string(Before)))
	if f.Kill {
		text.WriteString(" and all after it")
	}
	return text.String()
}

// Faulty is a store that fails the calls that its faults choose, and counts all calls. It may be used concurrently,
// but numbers of calls mean something only to a job that makes them in a fixed order.
//
// A job that must survive the failure of any call is tested so:
//
//	clean := storetest.NewFaulty(objstore.NewMemory())
//	job(t, clean)
//	for fault := range storetest.Each(clean.Calls(), storetest.Write) {
//		t.Run(fault.String(), func(t *testing.T) {
//			store := objstore.NewMemory()
//			_ = job(t, storetest.NewFaulty(store, fault)) // may fail, may recover
//			if err := job(t, store); err != nil { ... }   // the rerun converges
//			check(t, store)
//		})
//	}
//
// A commit whose reply is lost, a writer that is overtaken, and a process that dies at its first data file:
//
//	storetest.Fault{Op: storetest.PutIfAbsent, Key: "_delta_log/", Nth: 1, How: storetest.After}
//	storetest.Fault{Op: storetest.PutIfAbsent, Nth: 1, How: storetest.Not, Hook: func(storetest.Call) { otherWriter.commit() }}
//	storetest.Fault{Op: storetest.Put, Key: ".parquet", Nth: 1, How: storetest.After, Kill: true}
type Faulty struct {
	store objstore.Store

	mu      sync.Mutex
	calls   []Call
	faults  []Fault
	matched []int // by fault: calls that its Op and Key chose
	fired   int
	killed  error
}

// NewFaulty wraps a store. The first fault that chooses a call is the one that happens.
func NewFaulty(store objstore.Store, faults ...Fault) *Faulty {
	return &Faulty{store: store, faults: faults, matched: make([]int, len(faults))}
}

// Each yields, for each call that op chooses, the faults that it can have: before and after for a write, before and
// halfway for a read, all three for a Put.
func Each(calls []Call, op Op) iter.Seq[Fault] {
	return func(yield func(Fault) bool) {
		for _, call := range calls {
			if !op.matches(call.Op) {
				continue
			}
			for _, how := range waysToFail(call.Op) {
				if !yield(Fault{Op: call.Op, Key: call.Key, Call: call.Number, How: how}) {
					return
				}
			}
		}
	}
}

func waysToFail(op Op) []How {
	switch op {
	case Get, List:
		return []How{Before, Halfway}
	case Put:
		return []How{Before, Halfway, After}
	}
	return []How{Before, After}
}

// Calls returns the calls so far, in their order.
func (f *Faulty) Calls() []Call {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.calls)
}

// Count returns how many calls there were so far that op and a part of the key choose.
func (f *Faulty) Count(op Op, key string) int {
	count := 0
	for _, call := range f.Calls() {
		if op.matches(call.Op) && strings.Contains(call.Key, key) {
			count++
		}
	}
	return count
}

// Fired returns how many calls met a fault. A test that counts on one asks.
func (f *Faulty) Fired() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.fired
}

// Get implements [objstore.Store].
func (f *Faulty) Get(ctx context.Context, key string, offset, length int64) (io.ReadCloser, error) {
	fault, err := f.meet(ctx, Get, key)
	if err != nil {
		return nil, err
	}
	body, err := f.store.Get(ctx, key, offset, length)
	if err != nil || fault == nil || fault.How == Not {
		return body, err
	}
	if fault.How == Halfway {
		return breakBody(body, fault.fail(Get, key))
	}
	_ = body.Close()
	return nil, fault.fail(Get, key)
}

// Put implements [objstore.Store].
func (f *Faulty) Put(ctx context.Context, key string, body io.Reader) error {
	fault, err := f.meet(ctx, Put, key)
	if err != nil {
		return err
	}
	if fault != nil && fault.How == Halfway {
		if body, err = halfOf(body, fault.fail(Put, key)); err != nil {
			return err
		}
		return f.store.Put(ctx, key, body)
	}
	return fault.after(Put, key, f.store.Put(ctx, key, body))
}

// PutIfAbsent implements [objstore.Store].
func (f *Faulty) PutIfAbsent(ctx context.Context, key string, body []byte) error {
	fault, err := f.meet(ctx, PutIfAbsent, key)
	if err != nil {
		return err
	}
	return fault.after(PutIfAbsent, key, f.store.PutIfAbsent(ctx, key, body))
}

// List implements [objstore.Store]. A list is one call, however long.
func (f *Faulty) List(ctx context.Context, prefix, after string) iter.Seq2[objstore.Info, error] {
	return func(yield func(objstore.Info, error) bool) {
		fault, err := f.meet(ctx, List, prefix)
		if err != nil {
			yield(objstore.Info{}, err)
			return
		}
		listing := f.store.List(ctx, prefix, after)
		if fault != nil && fault.How != Not {
			listing = breakList(listing, fault.fail(List, prefix))
		}
		listing(yield)
	}
}

// Delete implements [objstore.Store].
func (f *Faulty) Delete(ctx context.Context, key string) error {
	fault, err := f.meet(ctx, Delete, key)
	if err != nil {
		return err
	}
	return fault.after(Delete, key, f.store.Delete(ctx, key))
}

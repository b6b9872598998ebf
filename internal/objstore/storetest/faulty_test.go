package storetest_test

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"launchlake/internal/objstore"
	"launchlake/internal/objstore/storetest"
)

func TestAFaultyStoreWithoutFaultsKeepsTheContract(t *testing.T) {
	storetest.Run(t, func(*testing.T) objstore.Store { return storetest.NewFaulty(objstore.NewMemory()) })
}

func TestAWriteFailsBeforeOrAfterItTookEffect(t *testing.T) {
	writes := map[storetest.Op]func(context.Context, objstore.Store) error{
		storetest.Put: func(ctx context.Context, s objstore.Store) error {
			return s.Put(ctx, "a/new", strings.NewReader("body"))
		},
		storetest.PutIfAbsent: func(ctx context.Context, s objstore.Store) error {
			return s.PutIfAbsent(ctx, "a/new", []byte("body"))
		},
		storetest.Delete: func(ctx context.Context, s objstore.Store) error { return s.Delete(ctx, "a/old") },
	}
	for op, write := range writes {
		for _, c := range []struct {
			how            storetest.How
			effect, denied bool
		}{
			{"", false, true},
			{storetest.Before, false, true},
			{storetest.Halfway, false, true},
			{storetest.After, true, false},
		} {
			t.Run(string(op)+" "+string(c.how), func(t *testing.T) {
				store := objstore.NewMemory()
				if err := store.Put(t.Context(), "a/old", strings.NewReader("old")); err != nil {
					t.Fatal(err)
				}
				untouched := contents(t, store)
				err := write(t.Context(), storetest.NewFaulty(store, storetest.Fault{How: c.how}))
				if !errors.Is(err, storetest.ErrInjected) {
					t.Errorf("got error %v, want the injected one", err)
				}
				if errors.Is(err, objstore.ErrNotStored) != c.denied {
					t.Errorf("error %v: matches ErrNotStored: %v, want %v", err, !c.denied, c.denied)
				}
				if changed := !cmp.Equal(untouched, contents(t, store)); changed != c.effect {
					t.Errorf("the store changed: %v, want %v", changed, c.effect)
				}
			})
		}
	}
}

func TestAReadBreaksHalfway(t *testing.T) {
	store := objstore.NewMemory()
	for _, key := range []string{"a", "b", "c", "d"} {
		if err := store.Put(t.Context(), key, strings.NewReader("0123456789")); err != nil {
			t.Fatal(err)
		}
	}
	faulty := storetest.NewFaulty(store, storetest.Fault{How: storetest.Halfway})
	body, err := faulty.Get(t.Context(), "a", 0, -1)
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(body)
	if string(data) != "01234" || !errors.Is(err, storetest.ErrInjected) {
		t.Errorf("read %q, %v; want half and the injected error", data, err)
	}
	var keys []string
	for info, listErr := range faulty.List(t.Context(), "", "") {
		if err = listErr; err == nil {
			keys = append(keys, info.Key)
		}
	}
	if diff := cmp.Diff([]string{"a", "b"}, keys); diff != "" || !errors.Is(err, storetest.ErrInjected) {
		t.Errorf("listed, with error %v (-want +got):\n%s", err, diff)
	}
}

func TestFaultsChooseTheirCalls(t *testing.T) {
	for name, c := range map[string]struct {
		fault storetest.Fault
		want  string // x: a call of the job that failed
	}{
		"every call":                 {storetest.Fault{}, "xxxxx"},
		"one method":                 {storetest.Fault{Op: storetest.Put}, ".x.x."},
		"the writes":                 {storetest.Fault{Op: storetest.Write}, ".x.xx"},
		"a part of the key":          {storetest.Fault{Key: "log/"}, "..xxx"},
		"the n-th of those":          {storetest.Fault{Key: "log/", Nth: 2}, "...x."},
		"a call by number":           {storetest.Fault{Call: 3}, "..x.."},
		"another method by number":   {storetest.Fault{Op: storetest.Put, Call: 3}, "....."},
		"a call and all after it":    {storetest.Fault{Op: storetest.Put, Nth: 1, Kill: true}, ".xxxx"},
		"after, and all after it":    {storetest.Fault{Call: 2, How: storetest.After, Kill: true}, ".xxxx"},
		"none, for a delay":          {storetest.Fault{How: storetest.Not, Delay: time.Millisecond}, "....."},
		"an error of the test's own": {storetest.Fault{Call: 4, How: storetest.After, Err: fs.ErrExist}, "...x."},
	} {
		t.Run(name, func(t *testing.T) {
			faulty := storetest.NewFaulty(objstore.NewMemory(), c.fault)
			if got := job(t.Context(), faulty); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

// job makes five calls and returns a letter for each.
func job(ctx context.Context, s objstore.Store) string {
	var outcome strings.Builder
	note := func(err error) {
		if err == nil || errors.Is(err, fs.ErrNotExist) {
			outcome.WriteByte('.')
		} else {
			outcome.WriteByte('x')
		}
	}
	var listErr error
	for _, err := range s.List(ctx, "data/", "") {
		listErr = err
	}
	note(listErr)
	note(s.Put(ctx, "data/1", strings.NewReader("one")))
	_, err := s.Get(ctx, "log/0", 0, -1)
	note(err)
	note(s.Put(ctx, "log/0", strings.NewReader("zero")))
	note(s.Delete(ctx, "log/0"))
	return outcome.String()
}

func TestEachCallFailsInEachWay(t *testing.T) {
	clean := storetest.NewFaulty(objstore.NewMemory())
	job(t.Context(), clean)
	var names []string
	for fault := range storetest.Each(clean.Calls(), storetest.Any) {
		faulty := storetest.NewFaulty(objstore.NewMemory(), fault)
		job(t.Context(), faulty)
		if faulty.Fired() != 1 {
			t.Errorf("%v: fired %d times", fault, faulty.Fired())
		}
		names = append(names, fault.String())
	}
	want := []string{
		"list data/ (call 1) fails before it takes effect", "list data/ (call 1) fails halfway",
		"put data/1 (call 2) fails before it takes effect", "put data/1 (call 2) fails halfway",
		"put data/1 (call 2) fails after it took effect",
		"get log/0 (call 3) fails before it takes effect", "get log/0 (call 3) fails halfway",
		"put log/0 (call 4) fails before it takes effect", "put log/0 (call 4) fails halfway",
		"put log/0 (call 4) fails after it took effect",
		"delete log/0 (call 5) fails before it takes effect", "delete log/0 (call 5) fails after it took effect",
	}
	// The get of a missing object has no half; the fault is met all the same.
	if diff := cmp.Diff(want, names); diff != "" {
		t.Errorf("faults (-want +got):\n%s", diff)
	}
	if clean.Count(storetest.Write, "") != 3 || clean.Count(storetest.Any, "log/") != 3 || clean.Fired() != 0 {
		t.Errorf("calls %v, fired %d", clean.Calls(), clean.Fired())
	}
}

func TestAHookOvertakesTheCaller(t *testing.T) {
	store := objstore.NewMemory()
	faulty := storetest.NewFaulty(store, storetest.Fault{Op: storetest.PutIfAbsent, How: storetest.Not, Hook: func(c storetest.Call) {
		if err := store.PutIfAbsent(t.Context(), c.Key, []byte("the other")); err != nil {
			t.Error(err)
		}
	}})
	if err := faulty.PutIfAbsent(t.Context(), "log/0", []byte("ours")); !errors.Is(err, fs.ErrExist) {
		t.Errorf("got error %v, want that it exists", err)
	}
}

func TestADelayEndsWithItsContext(t *testing.T) {
	faulty := storetest.NewFaulty(objstore.NewMemory(), storetest.Fault{Delay: time.Hour})
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if err := faulty.Delete(ctx, "a"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got error %v, want that of the context", err)
	}
}

func contents(t *testing.T, s objstore.Store) map[string]string {
	t.Helper()
	found := map[string]string{}
	for info, err := range s.List(t.Context(), "", "") {
		if err != nil {
			t.Fatal(err)
		}
		body, err := objstore.ReadAll(t.Context(), s, info.Key)
		if err != nil {
			t.Fatal(err)
		}
		found[info.Key] = string(body)
	}
	return found
}

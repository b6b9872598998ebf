package storetest

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"launchlake/internal/objstore"
)

func absentKeepsFirst(t *testing.T, s objstore.Store) {
	if err := create(t.Context(), s, "log/0", "first"); err != nil {
		t.Fatal(err)
	}
	wantBody(t, s, "log/0", 0, -1, "first")
	err := create(t.Context(), s, "log/0", "second")
	wantError(t, "second put if absent", err, fs.ErrExist)
	wantNoError(t, "second put if absent", err, objstore.ErrNotStored)
	wantBody(t, s, "log/0", 0, -1, "first")

	put(t, s, "log/1", "by put")
	wantError(t, "put if absent over put", create(t.Context(), s, "log/1", ""), fs.ErrExist)
	wantBody(t, s, "log/1", 0, -1, "by put")

	if err := s.Delete(t.Context(), "log/0"); err != nil {
		t.Fatal(err)
	}
	if err := create(t.Context(), s, "log/0", ""); err != nil {
		t.Errorf("put if absent after delete: %v", err)
	}
	wantBody(t, s, "log/0", 0, -1, "")
}

const (
	racers    = 16
	racedKeys = 50
)

func oneWinner(t *testing.T, s objstore.Store) {
	for k := range racedKeys {
		key := fmt.Sprintf("_delta_log/%020d.json", k)
		var wins atomic.Int64
		var winner atomic.Value
		var group sync.WaitGroup
		start := make(chan struct{})
		for r := range racers {
			body := strings.Repeat(fmt.Sprintf("writer %d;", r), 100)
			group.Go(func() {
				<-start
				err := create(t.Context(), s, key, body)
				switch {
				case err == nil:
					wins.Add(1)
					winner.Store(body)
				case !errors.Is(err, fs.ErrExist):
					t.Errorf("racing writer: %v", err)
				}
			})
		}
		close(start)
		group.Wait()
		if wins.Load() != 1 {
			t.Fatalf("%s: %d winners of %d", key, wins.Load(), racers)
		}
		wantBody(t, s, key, 0, -1, winner.Load().(string))
	}
}

// createAttempts bounds how often create asks a store that fails.
const createAttempts = 20

// create does what the contract asks of a caller: after an error that leaves the outcome open it reads back, and asks
// again when there is nothing. A store that is away for a moment is asked again too.
func create(ctx context.Context, s objstore.Store, key, body string) (err error) {
	for range createAttempts {
		err = s.PutIfAbsent(ctx, key, []byte(body))
		switch {
		case err == nil, errors.Is(err, fs.ErrExist):
			return err
		case errors.Is(err, objstore.ErrNotStored) && errors.Is(err, objstore.ErrUnavailable):
			continue
		case errors.Is(err, objstore.ErrNotStored):
			return err
		}
		switch got, readErr := get(ctx, s, key, 0, -1); {
		case errors.Is(readErr, fs.ErrNotExist):
			continue
		case readErr != nil:
			return errors.Join(err, readErr)
		case got != body:
			return fs.ErrExist
		}
		return nil
	}
	return err
}

func loserReads(t *testing.T, s objstore.Store) {
	var group sync.WaitGroup
	for range racers {
		group.Go(func() {
			if err := create(t.Context(), s, "shared", "same body"); err != nil && !errors.Is(err, fs.ErrExist) {
				t.Error(err)
				return
			}
			wantBody(t, s, "shared", 0, -1, "same body")
			wantKeys(t, s, "", "", "shared")
		})
	}
	group.Wait()
}

func cancelled(t *testing.T, s objstore.Store) {
	put(t, s, "there", "x")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := s.Get(ctx, "there", 0, -1)
	wantError(t, "get", err, context.Canceled)
	wantError(t, "put", s.Put(ctx, "new", strings.NewReader("x")), context.Canceled)
	wantError(t, "put if absent", s.PutIfAbsent(ctx, "new", []byte("x")), context.Canceled)
	wantError(t, "delete", s.Delete(ctx, "there"), context.Canceled)
	err = nil
	for _, listErr := range s.List(ctx, "", "") {
		err = listErr
	}
	wantError(t, "list", err, context.Canceled)
	wantKeys(t, s, "", "", "there")
}

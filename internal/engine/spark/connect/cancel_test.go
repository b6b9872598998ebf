package connect

import (
	"context"
	"errors"
	"io"
	"testing"

	"launchlake/internal/sparktest"
)

// Work that is cancelled ends on the server: it held all of its threads, without which later work does not come to its end.
func TestCancelledWorkEndsOnTheServer(t *testing.T) {
	at, err := ParseRemote(sparktest.Remote(t))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	endless := New(at, Options{Progress: func(p Progress) {
		if p.Tasks > p.TasksDone {
			cancel()
		}
	}})
	defer endless.Close()
	if err := consume(ctx, endless, "SELECT count(*) FROM range(0, 1000000000000000, 1, 64) WHERE id % 7 = rand()"); !errors.Is(err, context.Canceled) {
		t.Fatalf("the work ended with %v", err)
	}
	other := New(at, Options{})
	defer other.Close()
	if err := consume(t.Context(), other, "SELECT count(*) FROM range(0, 1000, 1, 64)"); err != nil {
		t.Errorf("later work: %v", err)
	}
}

func consume(ctx context.Context, c *Client, query string) error {
	running, err := c.Query(ctx, SQL(query))
	if err != nil {
		return err
	}
	defer running.Close()
	for {
		_, batches, err := running.Batch()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		for _, b := range batches {
			b.Release()
		}
	}
}

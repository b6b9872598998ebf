package lake

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"launchlake/internal/objstore"
)

const (
	probeDir     = ".lake-probe/"
	probeWriters = 8
	// probeCleanup bounds the deletion of the probe's object when the caller's context has ended.
	probeCleanup = 3 * time.Second
)

// Probe tries whether the store keeps the promises that commits rely on: of concurrent writers of one new key exactly
// one wins, and reading and listing see what was written at once. It leaves nothing behind. An error that matches
// [ErrUnsafeStore] says that tables must not be kept there.
func (l *Lake) Probe(ctx context.Context) (err error) {
	key := probeDir + rand.Text()
	defer func() {
		cleanup, cancel := context.WithTimeout(context.WithoutCancel(ctx), probeCleanup)
		defer cancel()
		if deleteErr := l.store.Delete(cleanup, key); err == nil && deleteErr != nil {
			err = fmt.Errorf("probe %s: remove the probe %s: %w", l, key, deleteErr)
		}
		if l.folder != "" {
			// Fails, as it shall, while another probe uses it.
			_ = os.Remove(filepath.Join(l.folder, probeDir))
		}
	}()
	winner, err := l.race(ctx, key)
	if err != nil {
		return fmt.Errorf("probe %s: %w", l, err)
	}
	if err := l.readBack(ctx, key, winner); err != nil {
		return fmt.Errorf("probe %s: %w", l, err)
	}
	return nil
}

// race lets writers create one key at the same time and returns what the winner wrote.
func (l *Lake) race(ctx context.Context, key string) (string, error) {
	bodies := make([]string, probeWriters)
	results := make([]error, probeWriters)
	start := make(chan struct{})
	var writers sync.WaitGroup
	for i := range probeWriters {
		bodies[i] = fmt.Sprintf("launchlake probe: writer %d, %s\n", i, rand.Text())
		writers.Go(func() {
			<-start
			results[i] = l.store.PutIfAbsent(ctx, key, []byte(bodies[i]))
		})
	}
	close(start)
	writers.Wait()
	var winners []string
	for i, err := range results {
		switch {
		case err == nil:
			winners = append(winners, bodies[i])
		case !errors.Is(err, fs.ErrExist):
			return "", err
		}
	}
	if len(winners) != 1 {
		return "", notSafe("%d of %d concurrent conditional writes of one new object succeeded, not one", len(winners), probeWriters)
	}
	return winners[0], nil
}

func (l *Lake) readBack(ctx context.Context, key, want string) error {
	got, err := objstore.ReadAll(ctx, l.store, key)
	if errors.Is(err, fs.ErrNotExist) {
		return notSafe("an object cannot be read right after it was written")
	}
	if err != nil {
		return err
	}
	if string(got) != want {
		return notSafe("the object that the one winner of a race wrote was replaced by a loser")
	}
	var listed []string
	for info, err := range l.store.List(ctx, probeDir, "") {
		if err != nil {
			return err
		}
		listed = append(listed, info.Key)
	}
	if !slices.Contains(listed, key) {
		return notSafe("an object is not listed right after it was written")
	}
	return nil
}

func notSafe(format string, args ...any) error {
	return fmt.Errorf("%w: %s; use a store with conditional writes and strong consistency: a local disk, AWS S3, "+
		"MinIO of 2024 or later", ErrUnsafeStore, fmt.Sprintf(format, args...))
}

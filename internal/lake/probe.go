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
	"strings"
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

// Skew is how far the store's clock is ahead of this machine's, give or take the time of a request. Versions are dated by
// the store's clock and retention is counted by this machine's. It writes an object, and removes it.
func (l *Lake) Skew(ctx context.Context) (ahead time.Duration, err error) {
	key := probeDir + rand.Text()
	before := time.Now()
	if err := l.store.Put(ctx, key, strings.NewReader("launchlake probe: clock\n")); err != nil {
		return 0, fmt.Errorf("read the clock of %s: %w", l, err)
	}
	now := before.Add(time.Since(before) / 2)
	defer func() {
		if deleteErr := l.store.Delete(context.WithoutCancel(ctx), key); err == nil && deleteErr != nil {
			err = fmt.Errorf("read the clock of %s: remove the probe %s: %w", l, key, deleteErr)
		}
	}()
	for info, err := range l.store.List(ctx, key, "") {
		if err != nil {
			return 0, fmt.Errorf("read the clock of %s: %w", l, err)
		}
		return info.ModTime.Sub(now), nil
	}
	return 0, fmt.Errorf("read the clock of %s: the probe %s is not listed: %w", l, key, ErrUnsafeStore)
}

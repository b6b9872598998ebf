package delta_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"launchlake/internal/delta"
	"launchlake/internal/objstore"
)

// watched tells what was asked of a store, as "get commit", "get checkpoint", "list", and how many names listings gave.
type watched struct {
	objstore.Store
	mu     sync.Mutex
	asked  map[string]int
	listed int
}

func (w *watched) count(what string, listed int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.asked == nil {
		w.asked = map[string]int{}
	}
	w.asked[what]++
	w.listed += listed
}

// since gives what was asked since the last call.
func (w *watched) since() (map[string]int, int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	asked, listed := w.asked, w.listed
	w.asked, w.listed = nil, 0
	return asked, listed
}

func (w *watched) Get(ctx context.Context, key string, offset, length int64) (io.ReadCloser, error) {
	switch {
	case strings.Contains(key, ".checkpoint."):
		w.count("get checkpoint", 0)
	case strings.HasSuffix(key, ".json"):
		w.count("get commit", 0)
	case strings.HasSuffix(key, ".crc"):
		w.count("get checksum", 0)
	default:
		w.count("get hint", 0)
	}
	return w.Store.Get(ctx, key, offset, length)
}

func (w *watched) List(ctx context.Context, prefix, after string) iter.Seq2[objstore.Info, error] {
	return func(yield func(objstore.Info, error) bool) {
		n := 0
		defer func() { w.count("list", n) }()
		for info, err := range w.Store.List(ctx, prefix, after) {
			n++
			if !yield(info, err) {
				return
			}
		}
	}
}

// grow appends files by one commit each.
func grow(t *testing.T, store objstore.Store, commits int) {
	t.Helper()
	s, err := delta.Open(store).Snapshot(t.Context())
	if errors.Is(err, delta.ErrNotATable) {
		s, err = delta.Open(store).Create(t.Context(), delta.Metadata{Schema: plainTable.Schema})
	}
	for n := range commits {
		if err != nil {
			t.Fatal(err)
		}
		tx := s.Begin(delta.Operation{Name: "WRITE"})
		tx.Add(delta.Add{Path: fmt.Sprintf("part-%d-%d", s.Version(), n), Stats: &delta.Stats{NumRecords: 1}})
		s, err = tx.Commit(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
}

// namesOfVersion is how many objects the log has for a version: its commit and its checksum.
const namesOfVersion = 2

func TestALatestSnapshotThatIsAskedForAgainReadsOnlyWhatCameSince(t *testing.T) {
	memory := objstore.NewMemory()
	grow(t, memory, 27)
	store := &watched{Store: memory}
	anHourAndMore := func() time.Time { return time.Now().Add(2 * time.Hour) }
	table := delta.OpenWith(store, delta.Options{Now: anHourAndMore})
	open := func(version delta.Version, want map[string]int, most int) {
		t.Helper()
		s, err := table.Snapshot(t.Context())
		if err != nil || s.Version() != version || s.NumFiles() != int(version) {
			t.Fatalf("%v, %v; want version %d", s, err, version)
		}
		asked, listed := store.since()
		if diff := cmp.Diff(want, asked); diff != "" || listed > most {
			t.Errorf("version %d is opened by listing %d names and (-want +got):\n%s", version, listed, diff)
		}
	}
	// The versions from the one that is known on, a checkpoint, and the hint, which comes last.
	open(27, map[string]int{"get hint": 1, "list": 1, "get checkpoint": 1, "get commit": 7}, 8*namesOfVersion+2)
	open(27, map[string]int{"list": 1}, namesOfVersion+1)
	grow(t, memory, 5)
	open(32, map[string]int{"list": 1, "get commit": 5}, 6*namesOfVersion+2)
	open(32, map[string]int{"list": 1}, namesOfVersion+1)
}

func TestATableMadeAnewIsNotTheOldOne(t *testing.T) {
	for name, remake := range map[string]func(*objstore.Memory){
		"gone": func(*objstore.Memory) {}, "shorter": func(m *objstore.Memory) { grow(t, m, 3) },
		"as long": func(m *objstore.Memory) { grow(t, m, 12) }, "longer": func(m *objstore.Memory) { grow(t, m, 40) },
	} {
		t.Run(name, func(t *testing.T) {
			store := objstore.NewMemory()
			at := frozen{store}
			grow(t, at, 12)
			table := delta.Open(at)
			old, err := table.Snapshot(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for info := range store.List(t.Context(), "", "") {
				if err := store.Delete(t.Context(), info.Key); err != nil {
					t.Fatal(err)
				}
			}
			remake(store)
			want, wantErr := delta.Open(at).Snapshot(t.Context())
			got, err := table.Snapshot(t.Context())
			if wantErr != nil {
				if !errors.Is(err, delta.ErrNotATable) {
					t.Fatalf("got %v, %v; want %v", got, err, wantErr)
				}
				return
			}
			if err != nil || got.Metadata().ID != want.Metadata().ID || got.Version() != want.Version() || got.Metadata().ID == old.Metadata().ID {
				t.Errorf("got %v, %v: not the table that is there", got, err)
			}
		})
	}
}

// frozen is a store all of whose objects have the same time, as on a store with a coarse clock.
type frozen struct{ objstore.Store }

func (f frozen) List(ctx context.Context, prefix, after string) iter.Seq2[objstore.Info, error] {
	return func(yield func(objstore.Info, error) bool) {
		for info, err := range f.Store.List(ctx, prefix, after) {
			info.ModTime = time.Now().Truncate(24 * time.Hour).Add(24 * time.Hour)
			if !yield(info, err) {
				return
			}
		}
	}
}

func TestASnapshotBroughtUpToDateIsTheOneThatIsReadAnew(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	store := objstore.NewMemory()
	grow(t, store, 3)
	kept := delta.Open(store)
	for step := range 60 {
		other := delta.Open(store)
		s, err := other.Snapshot(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		switch tx := s.Begin(delta.Operation{Name: "WRITE"}); r.IntN(6) {
		case 0:
			grow(t, store, 1+r.IntN(80))
		case 1:
			_, err = other.Restore(t.Context(), s.Version()/2, delta.RestoreOptions{WithoutGoneFiles: true})
		case 2:
			tx.SetConfiguration("some.property", fmt.Sprint(step))
			_, err = tx.Commit(t.Context())
		case 3:
			for file := range s.Files() {
				if r.IntN(2) == 0 {
					tx.Remove(file)
				}
			}
			_, err = tx.Commit(t.Context())
		case 4:
			err = other.Checkpoint(t.Context(), s)
		}
		if err != nil {
			t.Fatal(err)
		}
		want, err := delta.Open(store).Snapshot(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		got, err := kept.Snapshot(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(asText(t, want), asText(t, got)); diff != "" {
			t.Fatalf("step %d (-anew +kept):\n%s", step, diff)
		}
	}
}

func asText(t *testing.T, s *delta.Snapshot) map[string]any {
	return map[string]any{"version": s.Version(), "time": s.Timestamp(), "paths": paths(t, s), "configuration": s.Metadata().Configuration,
		"size": s.SizeInBytes(), "protocol": s.Protocol()}
}

func TestHistoryReadsAsFarAsItIsAsked(t *testing.T) {
	memory := objstore.NewMemory()
	grow(t, memory, 900)
	store := &watched{Store: memory}
	for _, n := range []int{1, 5, 901} {
		read := 0
		for c, err := range delta.Open(store).History(t.Context()) {
			if err != nil || c.Version != delta.Version(900-read) {
				t.Fatalf("commit %d from the end is %d, %v", read, c.Version, err)
			}
			if read++; read == n {
				break
			}
		}
		asked, listed := store.since()
		// Some commits are read ahead.
		if read != n || asked["get commit"] > n+20 || n < 100 && listed > 500*namesOfVersion {
			t.Errorf("%d of %d commits: %v, %d names listed", read, n, asked, listed)
		}
	}
}

func TestAnOldVersionIsFoundWithoutListingTheWholeLog(t *testing.T) {
	memory := objstore.NewMemory()
	grow(t, memory, 600)
	store := &watched{Store: memory}
	for _, v := range []delta.Version{3, 57, 101, 350, 599} {
		s, err := delta.Open(store).SnapshotAt(t.Context(), v)
		if err != nil || s.Version() != v || s.NumFiles() != int(v) {
			t.Fatalf("version %d: %v, %v", v, s, err)
		}
		if asked, listed := store.since(); asked["get commit"] > 10 || v > 101 && listed > 150*namesOfVersion {
			t.Errorf("version %d: %v, %d names listed", v, asked, listed)
		}
	}
}

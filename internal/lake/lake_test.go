package lake_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"launchlake/internal/lake"
	"launchlake/internal/objstore"
)

func TestURLOfAFolderLake(t *testing.T) {
	here, err := filepath.Abs(".")
	if err != nil {
		t.Fatal(err)
	}
	for url, want := range map[string]string{
		"file:///data/lake":          "/data/lake",
		"file:///data/lake/":         "/data/lake",
		"file://localhost/data":      "/data",
		"file:///a%20b%3F":           "/a b?",
		"FILE:///data":               "/data",
		"/data/lake":                 "/data/lake",
		"/with?odd#signs and spaces": "/with?odd#signs and spaces",
		"./lake":                     filepath.Join(here, "lake"),
		"../lake":                    filepath.Join(filepath.Dir(here), "lake"),
		".":                          here,
	} {
		l, err := lake.Open(t.Context(), lake.Config{URL: url})
		if err != nil {
			t.Errorf("%q: %v", url, err)
			continue
		}
		if got, ok := l.LocalPath(); !ok || got != want {
			t.Errorf("%q is the folder %q, want %q", url, got, want)
		}
	}
}

func TestURLThatCannotBeMeantIsRefusedWithTheWayOut(t *testing.T) {
	for url, want := range map[string]string{
		"":                             "the lake's URL is empty: write file:///folder",
		"lake":                         `"lake" has no scheme such as s3:// or file://`,
		"bucket/prefix":                "has no scheme",
		"s3:bucket":                    "has no scheme",
		"~/lake":                       "~ is the shell's",
		"s3://":                        "names no bucket",
		"s3:///prefix":                 "names no bucket",
		"s3://My_Bucket/x":             "is no bucket name",
		"s3://bucket/a//b":             "empty, . or .. part",
		"s3://bucket/../b":             "empty, . or .. part",
		"s3://bucket?endpoint=x":       "no ? and no #",
		"s3://key:se-cret@bucket":      "holds credentials",
		"s3a://bucket":                 "write s3:// instead of s3a://",
		"gs://bucket":                  "the scheme gs:// is not supported",
		"https://key:se-cret@host/b":   "the scheme https:// is not supported",
		"file://lake/x":                `names a host, "lake": write three slashes`,
		"file://":                      "names no folder",
		"file:///a?b":                  "no ? and no #",
		"file:///a%zz":                 "is no URL",
		"s3://bucket/a\nb":             "control characters",
		"s3://key:se-cret@%zz/bucket":  "is no URL",
		"file://key:se-cret@host/path": "names a host",
	} {
		_, err := lake.Open(t.Context(), lake.Config{URL: url})
		if !errors.Is(err, lake.ErrBadURL) || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want %q", url, err, want)
		}
		if err != nil && strings.Contains(err.Error(), "se-cret") {
			t.Errorf("%q: the error shows the password: %v", url, err)
		}
	}
}

func TestEndpointThatCannotBeMeantIsRefused(t *testing.T) {
	for endpoint, want := range map[string]string{
		"localhost:9000":         "does not begin with http:// or https://",
		"http://":                "names no host",
		"http://a:b@host":        "holds credentials",
		"http://host/minio":      "has more than a host",
		"http://host:9000/":      "",
		"https://s3.example.org": "",
	} {
		err := lake.Config{URL: "s3://bucket", S3Endpoint: endpoint}.Validate()
		switch {
		case want == "" && err != nil:
			t.Errorf("%q: %v", endpoint, err)
		case want != "" && (!errors.Is(err, lake.ErrBadEndpoint) || !strings.Contains(err.Error(), want)):
			t.Errorf("%q: error %v, want %q", endpoint, err, want)
		}
	}
}

func put(t *testing.T, store objstore.Store, keys ...string) {
	t.Helper()
	for _, key := range keys {
		if err := store.Put(t.Context(), key, strings.NewReader("x")); err != nil {
			t.Fatal(err)
		}
	}
}

// counting counts the objects that listings gave.
type counting struct {
	objstore.Store
	listed atomic.Int64
}

func (c *counting) List(ctx context.Context, prefix, after string) iter.Seq2[objstore.Info, error] {
	return func(yield func(objstore.Info, error) bool) {
		for info, err := range c.Store.List(ctx, prefix, after) {
			c.listed.Add(1)
			if !yield(info, err) {
				return
			}
		}
	}
}

func TestTablesAreFoundWithoutListingTheirFiles(t *testing.T) {
	store := &counting{Store: objstore.NewMemory()}
	put(t, store, "README.md", ".lake-probe/x/_delta_log/0.json", "ops/runs/_delta_log/00000000000000000000.json",
		"top/_delta_log/00000000000000000000.json", "a/b/c/_delta_log/00000000000000000000.json",
		"a/b/c/d/_delta_log/00000000000000000000.json", "silver/launches_quarantine/_delta_log/00000000000000000007.json",
		"silver/notes.txt", "_delta_log/00000000000000000000.json", "gold/no_table/x.parquet")
	for i := range 300 {
		put(t, store, fmt.Sprintf("silver/launches/_delta_log/%020d.json", i),
			fmt.Sprintf("silver/launches/part-%d.parquet", i),
			fmt.Sprintf("bronze/launches/A=%d/part.parquet", i),
			"bronze/launches/_delta_log/00000000000000000000.json",
			fmt.Sprintf("bronze/launches/ingest_date=2026-01-01/part-%d.parquet", i))
	}
	got, err := lake.On(store).Tables(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"a/b/c", "bronze/launches", "ops/runs", "silver/launches", "silver/launches_quarantine", "top"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("tables (-want +got):\n%s", diff)
	}
	if n := store.listed.Load(); n > 350 {
		t.Errorf("%d objects were listed to find %d tables", n, len(want))
	}
}

func TestTablesOfAnEmptyOrMissingLake(t *testing.T) {
	l, err := lake.Open(t.Context(), lake.Config{URL: filepath.Join(t.TempDir(), "not-yet")})
	if err != nil {
		t.Fatal(err)
	}
	if names, err := l.Tables(t.Context()); err != nil || len(names) != 0 {
		t.Errorf("tables %q, error %v", names, err)
	}
	l, err = lake.Open(t.Context(), lake.Config{URL: filepath.Join(t.TempDir(), "no", "such", "folder")})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.Tables(t.Context()); !errors.Is(err, objstore.ErrUnavailable) {
		t.Errorf("error %v, want ErrUnavailable", err)
	}
}

func TestProbeAcceptsRealStoresAndLeavesNothingBehind(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "lake")
	inFolder, err := lake.Open(t.Context(), lake.Config{URL: folder})
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range []*lake.Lake{inFolder, lake.On(objstore.NewMemory())} {
		if err := l.Probe(t.Context()); err != nil {
			t.Errorf("%s: %v", l, err)
		}
		for info, err := range l.Store().List(t.Context(), "", "") {
			t.Errorf("%s: left behind: %v %v", l, info.Key, err)
		}
	}
	if left, err := os.ReadDir(folder); err != nil || len(left) > 0 {
		t.Errorf("in the folder: %v %v", left, err)
	}
}

// The following stores break one promise each.

type everyoneWins struct{ objstore.Store }

func (s everyoneWins) PutIfAbsent(ctx context.Context, key string, body []byte) error {
	return s.Put(ctx, key, strings.NewReader(string(body)))
}

type loserReplaces struct {
	objstore.Store
	mu   sync.Mutex
	wins int
}

func (s *loserReplaces) PutIfAbsent(ctx context.Context, key string, body []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.Put(ctx, key, strings.NewReader(string(body))); err != nil {
		return err
	}
	if s.wins++; s.wins > 1 {
		return fmt.Errorf("put: %w", fs.ErrExist)
	}
	return nil
}

type nobodyWins struct{ objstore.Store }

func (s nobodyWins) PutIfAbsent(context.Context, string, []byte) error { return fs.ErrExist }

type listsLate struct{ objstore.Store }

func (s listsLate) List(context.Context, string, string) iter.Seq2[objstore.Info, error] {
	return func(func(objstore.Info, error) bool) {}
}

type readsLate struct{ objstore.Store }

func (s readsLate) Get(context.Context, string, int64, int64) (io.ReadCloser, error) {
	return nil, fmt.Errorf("get: %w", fs.ErrNotExist)
}

func TestProbeRefusesStoresThatBreakAPromise(t *testing.T) {
	tests := []struct {
		name  string
		store func(objstore.Store) objstore.Store
		want  string
	}{
		{"no condition", func(s objstore.Store) objstore.Store { return everyoneWins{s} }, "8 of 8 concurrent conditional writes"},
		{"no winner", func(s objstore.Store) objstore.Store { return nobodyWins{s} }, "0 of 8"},
		{"loser replaces", func(s objstore.Store) objstore.Store { return &loserReplaces{Store: s} }, "replaced by a loser"},
		{"listing lags", func(s objstore.Store) objstore.Store { return listsLate{s} }, "not listed right after"},
		{"reading lags", func(s objstore.Store) objstore.Store { return readsLate{s} }, "cannot be read right after"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			memory := objstore.NewMemory()
			err := lake.On(test.store(memory)).Probe(t.Context())
			if !errors.Is(err, lake.ErrUnsafeStore) || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want %q", err, test.want)
			}
			for info := range memory.List(t.Context(), "", "") {
				t.Errorf("left behind: %s", info.Key)
			}
		})
	}
}

func TestProbeTellsAFolderThatCannotBeALake(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, folder := range []string{file, filepath.Join(file, "lake"), filepath.Join(t.TempDir(), "no", "lake")} {
		l, err := lake.Open(t.Context(), lake.Config{URL: folder})
		if err != nil {
			t.Fatal(err)
		}
		if err := l.Probe(t.Context()); !errors.Is(err, objstore.ErrUnavailable) {
			t.Errorf("%s: error %v, want ErrUnavailable", folder, err)
		}
	}
}

// fastClock is a store whose clock is ahead.
type fastClock struct {
	objstore.Store
	ahead time.Duration
}

func (s fastClock) List(ctx context.Context, prefix, after string) iter.Seq2[objstore.Info, error] {
	return func(yield func(objstore.Info, error) bool) {
		for info, err := range s.Store.List(ctx, prefix, after) {
			info.ModTime = info.ModTime.Add(s.ahead)
			if !yield(info, err) {
				return
			}
		}
	}
}

func TestSkewIsTheDifferenceOfTheClocks(t *testing.T) {
	for _, ahead := range []time.Duration{0, time.Hour, -time.Hour} {
		store := objstore.NewMemory()
		got, err := lake.On(fastClock{store, ahead}).Skew(t.Context())
		if err != nil || (got-ahead).Abs() > time.Minute {
			t.Errorf("clock %s ahead: %s, %v", ahead, got, err)
		}
		for info := range store.List(t.Context(), "", "") {
			t.Errorf("the probe left %s", info.Key)
		}
	}
}

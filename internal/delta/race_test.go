package delta_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"launchlake/internal/delta"
	"launchlake/internal/miniotest"
	"launchlake/internal/objstore"
	"launchlake/internal/objstore/s3"
)

// A race is writers that append to one table at once, each with a Table of its own, spread over processes.
type race struct {
	Processes int // 0: all are goroutines of the test's own process
	Writers   int // in each process
	Commits   int // of each writer
	First     int // number of the first writer of a process

	Folder string // where the table lies, for processes
	Bucket string
	S3     s3.Options
}

// soak says that the long form of a test is wanted.
func soak() bool { return os.Getenv("LAKE_TEST_SOAK") == "1" }

// raced gives the sizes of the races: what is run always, and what takes minutes.
func raced(short, long int) int {
	if soak() {
		return long
	}
	return short
}

func TestWritersThatRaceLoseNothingAndDoubleNothing(t *testing.T) {
	for name, open := range stores {
		t.Run(name, func(t *testing.T) {
			r := race{Writers: 16, Commits: raced(50, 1000)}
			r.run(t, open(t))
		})
	}
	t.Run("dir, processes", func(t *testing.T) {
		r := race{Processes: 4, Writers: 4, Commits: raced(20, 1000), Folder: t.TempDir()}
		r.run(t, r.open(t))
	})
	t.Run("minio", func(t *testing.T) {
		r := race{Writers: 16, Commits: raced(20, 1000)}
		r.Bucket, r.S3 = bucket(t)
		r.run(t, r.open(t))
	})
	t.Run("minio, processes", func(t *testing.T) {
		r := race{Processes: 4, Writers: 4, Commits: raced(10, 1000)}
		r.Bucket, r.S3 = bucket(t)
		r.run(t, r.open(t))
	})
}

// bucket makes a bucket on MinIO, and sets its credentials for the test and its processes.
func bucket(t testing.TB) (string, s3.Options) {
	t.Helper()
	env, url := miniotest.Bucket(t)
	for name, value := range env {
		if strings.HasPrefix(name, "AWS_") {
			t.Setenv(name, value)
		}
	}
	return strings.TrimPrefix(url, "s3://"), s3.Options{Endpoint: env["S3_ENDPOINT"], PathStyle: true}
}

func (r race) open(t *testing.T) objstore.Store {
	t.Helper()
	store, err := r.store(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return store
}

func (r race) store(ctx context.Context) (objstore.Store, error) {
	if r.Bucket != "" {
		return s3.Open(ctx, r.Bucket, "table", r.S3)
	}
	return objstore.NewDir(r.Folder)
}

// run lets the writers race and compares what they were told with what is in the log, and that each checkpoint was written that
// was due.
func (r race) run(t *testing.T, store objstore.Store) {
	t.Helper()
	if due, got := r.commits(t, store), checkpoints(t, store); got != due {
		t.Errorf("%d checkpoints, want %d", got, due)
	}
	total := max(r.Processes, 1) * r.Writers * r.Commits
	if got := names(t, store, ".crc"); got != total+1 {
		t.Errorf("%d checksums, want one for each of %d commits and the first", got, total)
	}
	isCleanLog(t, store, delta.Version(total))
}

// commits returns how many checkpoints were due.
func (r race) commits(t *testing.T, store objstore.Store) int {
	t.Helper()
	interval := raced(10, 100) // each checkpoint holds all files: the long form would measure nothing else
	m := delta.Metadata{Schema: plainTable.Schema, Configuration: map[string]string{"delta.checkpointInterval": fmt.Sprint(interval)}}
	if _, err := delta.Open(store).Create(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	begin := time.Now()
	acknowledged, err := r.race(t.Context(), store)
	if err != nil {
		t.Fatal(err)
	}
	took := time.Since(begin)
	total := max(r.Processes, 1) * r.Writers * r.Commits
	t.Logf("%d commits in %v: %.0f a second", total, took.Round(time.Millisecond), float64(total)/took.Seconds())
	if len(acknowledged) != total {
		t.Errorf("%d commits were acknowledged, want %d", len(acknowledged), total)
	}
	checkLog(t, store, acknowledged)
	return total / interval
}

// An acknowledgement is what a writer was told of one of its commits.
type acknowledgement struct {
	Path    string // of the one file that it added
	Version delta.Version
}

func (r race) race(ctx context.Context, store objstore.Store) (all []acknowledgement, err error) {
	var mu sync.Mutex
	note := func(a acknowledgement) error {
		mu.Lock()
		defer mu.Unlock()
		all = append(all, a)
		return nil
	}
	if r.Processes == 0 {
		err = r.write(ctx, store, note)
		return all, err
	}
	group, ctx := errgroup.WithContext(ctx)
	for p := range r.Processes {
		group.Go(func() error {
			part := r
			part.First = p * r.Writers
			return part.process(ctx, note)
		})
	}
	err = group.Wait()
	return all, err
}

// write is what the writers of one process do.
func (r race) write(ctx context.Context, store objstore.Store, note func(acknowledgement) error) error {
	group, ctx := errgroup.WithContext(ctx)
	for w := range r.Writers {
		group.Go(func() error {
			s, err := delta.Open(store).Snapshot(ctx)
			if err != nil {
				return err
			}
			for c := range r.Commits {
				path := fmt.Sprintf("writer %d/%d", r.First+w, c)
				tx := s.Begin(delta.Operation{Name: "WRITE"})
				tx.Add(delta.Add{Path: path, Stats: &delta.Stats{NumRecords: 1}})
				tx.SetTransaction(fmt.Sprint("writer ", r.First+w), int64(c))
				if s, err = tx.Commit(ctx); err != nil {
					return fmt.Errorf("%s: %w", path, err)
				}
				if err := note(acknowledgement{path, s.Version()}); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return group.Wait()
}

// racerVariable makes a process of this test's program a racer; it holds the race as JSON.
const racerVariable = "DELTA_TEST_RACER"

func TestMain(m *testing.M) {
	if text := os.Getenv(racerVariable); text != "" {
		if err := runRacer(text); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// runRacer is the process: it prints each commit that was acknowledged.
func runRacer(text string) error {
	var r race
	if err := json.Unmarshal([]byte(text), &r); err != nil {
		return err
	}
	store, err := r.store(context.Background())
	if err != nil {
		return err
	}
	var mu sync.Mutex
	out := json.NewEncoder(os.Stdout)
	return r.write(context.Background(), store, func(a acknowledgement) error {
		mu.Lock()
		defer mu.Unlock()
		return out.Encode(a)
	})
}

func (r race) process(ctx context.Context, note func(acknowledgement) error) error {
	text, err := json.Marshal(r)
	if err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	c := exec.CommandContext(ctx, self)
	c.Env = append(os.Environ(), racerVariable+"="+string(text))
	c.Stderr = os.Stderr
	stdout, err := c.StdoutPipe()
	if err != nil {
		return err
	}
	if err := c.Start(); err != nil {
		return err
	}
	return errors.Join(readAcknowledgements(stdout, note), c.Wait())
}

func readAcknowledgements(from io.Reader, note func(acknowledgement) error) error {
	lines := bufio.NewScanner(from)
	for lines.Scan() {
		var a acknowledgement
		if err := json.Unmarshal(lines.Bytes(), &a); err != nil {
			return fmt.Errorf("a racer printed %q: %w", lines.Text(), err)
		}
		if err := note(a); err != nil {
			return err
		}
	}
	return lines.Err()
}

// checkLog wants each acknowledged commit in the log once, as the version that its writer was told, and no other.
func checkLog(t *testing.T, store objstore.Store, acknowledged []acknowledgement) {
	t.Helper()
	in := map[string][]delta.Version{}
	latest := delta.Version(len(acknowledged))
	for c, err := range delta.Open(store).Commits(t.Context(), 1, latest) {
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range c.Add {
			in[a.Path] = append(in[a.Path], c.Version)
		}
	}
	for _, a := range acknowledged {
		if got := in[a.Path]; len(got) != 1 || got[0] != a.Version {
			t.Errorf("%s was acknowledged as version %d and is in the log as %d", a.Path, a.Version, got)
		}
	}
	s, err := delta.Open(store).Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if s.Version() != latest || s.NumFiles() != len(acknowledged) {
		t.Errorf("version %d with %d files, want %d of both", s.Version(), s.NumFiles(), latest)
	}
}

func checkpoints(t *testing.T, store objstore.Store) int {
	return names(t, store, ".checkpoint.parquet")
}

// names counts the objects of the log whose names end so.
func names(t *testing.T, store objstore.Store, end string) (n int) {
	t.Helper()
	for info, err := range store.List(t.Context(), "_delta_log/", "") {
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(info.Key, end) {
			n++
		}
	}
	return n
}

// A gateway that asks twice denies writers their own commits; the weather does the rest.
func TestWritersThatRaceThroughBadWeatherLoseNothingAndDoubleNothing(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	r := race{Writers: 8, Commits: raced(10, 200)}
	r.Bucket, r.S3 = bucket(t)
	weather := miniotest.Weather{Seed: seed, OneIn: 10, AskTwice: "_delta_log/"}
	r.S3.Endpoint = miniotest.NewProxy(t, r.S3.Endpoint, weather.Plan()).URL()
	store := r.open(t)
	// A checkpoint is not tried again: a commit stands without it, and the next one makes up for it.
	if due, got := r.commits(t, store), checkpoints(t, store); got == 0 || got > due {
		t.Errorf("%d checkpoints, want some of the %d that were due", got, due)
	}
}

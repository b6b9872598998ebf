package delta_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"launchlake/internal/delta"
	"launchlake/internal/objstore"
	"launchlake/internal/objstore/storetest"
)

const day = 24 * time.Hour

// yard is a table with what vacuums must tell apart. Its files are named by what they are.
type yard struct {
	*objstore.Memory
	now time.Time
}

func (y *yard) table() *delta.Table { return y.on(y.Memory) }

func (y *yard) on(store objstore.Store) *delta.Table {
	return delta.OpenWith(store, delta.Options{Now: func() time.Time { return y.now }})
}

func (y *yard) put(t *testing.T, key string, age time.Duration) delta.Add {
	t.Helper()
	overwrite(t, y.Memory, key, key)
	y.SetModTime(key, y.now.Add(-age))
	return delta.Add{Path: key, Size: int64(len(key)), Stats: &delta.Stats{NumRecords: 1},
		PartitionValues: map[string]*string{"_p": nil}}
}

// commit commits at an age, as far as the log and its object's time can tell.
func (y *yard) commit(t *testing.T, age time.Duration, add []delta.Add, remove ...delta.Add) *delta.Snapshot {
	t.Helper()
	now := y.now
	y.now = now.Add(-age)
	defer func() { y.now = now }()
	s, err := y.table().Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	tx := s.Begin(delta.Operation{Name: "WRITE"})
	tx.Add(add...)
	tx.Remove(remove...)
	if s, err = tx.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	y.SetModTime(fmt.Sprintf("_delta_log/%020d.json", s.Version()), y.now)
	return s
}

func newYard(t *testing.T) *yard {
	t.Helper()
	y := &yard{Memory: objstore.NewMemory(), now: time.Now().UTC().Truncate(time.Millisecond)}
	schema := &delta.Schema{Fields: []delta.Field{{Name: "id", Type: delta.Long, Nullable: true}, {Name: "_p", Type: delta.String, Nullable: true}}}
	if _, err := y.table().Create(t.Context(), delta.Metadata{Schema: schema, PartitionColumns: []string{"_p"}}); err != nil {
		t.Fatal(err)
	}
	y.SetModTime("_delta_log/00000000000000000000.json", y.now.Add(-41*day))
	long := y.put(t, "removed 20 days ago", 40*day)
	week := y.put(t, "removed 8 days ago", 40*day)
	lately := y.put(t, "removed 6 days ago", 40*day)
	y.commit(t, 39*day, []delta.Add{long, week, lately, y.put(t, "live", 40*day), y.put(t, "_p=1/live in a partition", 40*day),
		y.put(t, "deep/in/a/live 100% file", 40*day)})
	y.commit(t, 20*day, nil, long)
	y.commit(t, 8*day, nil, week)
	y.commit(t, 6*day, nil, lately)
	y.put(t, "orphan", 30*day)
	y.put(t, "_p=1/orphan in a partition", 30*day)
	y.put(t, "young orphan", 1*day)
	y.put(t, "_hidden/file", 30*day)
	y.put(t, ".hidden", 30*day)
	y.put(t, "_delta_index/file", 30*day)
	y.put(t, "_change_data/orphan", 30*day)
	y.put(t, "another table/_delta_log/00000000000000000000.json", 30*day)
	y.put(t, "another table/A partition=1/file", 30*day)
	y.put(t, "another table/file", 30*day)
	return y
}

func keys(t *testing.T, store objstore.Store) []string {
	t.Helper()
	var out []string
	for info, err := range store.List(t.Context(), "", "") {
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(info.Key, "_delta_log/") {
			out = append(out, info.Key)
		}
	}
	return out
}

var vacuumedInAWeek = []string{"_change_data/orphan", "_p=1/orphan in a partition", "orphan", "removed 20 days ago", "removed 8 days ago"}

func TestVacuumDeletesWhatNoVersionOfTheRetentionNames(t *testing.T) {
	for _, tt := range []struct {
		name    string
		options delta.VacuumOptions
		want    []string
	}{
		{"the table's own retention", delta.VacuumOptions{}, vacuumedInAWeek},
		{"a longer one", delta.VacuumOptions{Retention: 10 * day},
			[]string{"_change_data/orphan", "_p=1/orphan in a partition", "orphan", "removed 20 days ago"}},
		{"one longer than tombstones are kept", delta.VacuumOptions{Retention: 25 * day},
			[]string{"_change_data/orphan", "_p=1/orphan in a partition", "orphan"}},
		{"none", delta.VacuumOptions{Retention: 1, ShortRetention: true},
			[]string{"_change_data/orphan", "_p=1/orphan in a partition", "orphan", "removed 20 days ago", "removed 6 days ago", "removed 8 days ago", "young orphan"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			y := newYard(t)
			s, err := y.table().Snapshot(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if err := y.table().Checkpoint(t.Context(), s); err != nil { // it forgets tombstones older than a week
				t.Fatal(err)
			}
			before := keys(t, y)
			for _, tt.options.DryRun = range []bool{true, false} {
				var told []string
				tt.options.File = func(f objstore.Info) { told = append(told, f.Key) }
				done, err := y.table().Vacuum(t.Context(), tt.options)
				if err != nil {
					t.Fatal(err)
				}
				slices.Sort(told)
				if diff := cmp.Diff(tt.want, told); diff != "" || done.Files != len(told) {
					t.Errorf("dry run %t tells of %d files (-want +got):\n%s", tt.options.DryRun, done.Files, diff)
				}
				gone := slices.DeleteFunc(slices.Clone(before), func(k string) bool { return slices.Contains(keys(t, y), k) })
				if want := tt.want; tt.options.DryRun && gone != nil && len(gone) > 0 || !tt.options.DryRun && !cmp.Equal(want, gone) {
					t.Errorf("dry run %t deleted %q", tt.options.DryRun, gone)
				}
			}
			isWhole(t, y)
		})
	}
}

// isWhole fails the test when a file of the table's latest version is missing.
func isWhole(t *testing.T, store objstore.Store) {
	t.Helper()
	isClean(t, store)
}

func TestAShortRetentionMustBeMeant(t *testing.T) {
	y := newYard(t)
	before := keys(t, y)
	if _, err := y.table().Vacuum(t.Context(), delta.VacuumOptions{Retention: 167 * time.Hour}); !errors.Is(err, delta.ErrShortRetention) {
		t.Errorf("got %v, want ErrShortRetention", err)
	}
	if _, err := y.table().Vacuum(t.Context(), delta.VacuumOptions{Retention: -1, ShortRetention: true}); err == nil {
		t.Error("a negative retention is accepted")
	}
	s, err := y.table().Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	tx := s.Begin(delta.Operation{Name: "SET TBLPROPERTIES"})
	tx.SetConfiguration("delta.deletedFileRetentionDuration", "interval 1 hour")
	if _, err := tx.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := y.table().Vacuum(t.Context(), delta.VacuumOptions{}); !errors.Is(err, delta.ErrShortRetention) {
		t.Errorf("the table's own short retention: got %v, want ErrShortRetention", err)
	}
	if diff := cmp.Diff(before, keys(t, y)); diff != "" {
		t.Errorf("files were deleted:\n%s", diff)
	}
}

func TestVacuumKeepsWhatCommitsOfOtherWritersName(t *testing.T) {
	y := newYard(t)
	// Change data, and the same file by its absolute URI, in a commit of the retention.
	y.put(t, "_change_data/cdc-1.parquet", 30*day)
	y.put(t, "folder/cloned.parquet", 30*day)
	y.put(t, "ab/deletion_vector_d2c639aa-8816-431a-aaf6-d3fe2512ff61.bin", 30*day)
	y.put(t, "deletion_vector_d2c639aa-8816-431a-aaf6-d3fe2512ff61.bin", 30*day)
	vector := `{"storageType":"u","pathOrInlineDv":"ab^-aqEH.-t@S}K{vb[*k^","offset":4,"sizeInBytes":40,"cardinality":6}`
	lines := []string{
		`{"commitInfo":{"operation":"MERGE"}}`,
		`{"cdc":{"path":"_change_data/cdc-1.parquet","partitionValues":{},"size":1,"dataChange":false}}`,
		`{"add":{"path":"s3a://bucket/lake/table/folder/cloned.parquet","partitionValues":{"_p":null},"size":21,"modificationTime":0,"dataChange":true}}`,
		`{"remove":{"path":"some%20file","deletionTimestamp":0,"dataChange":true,"deletionVector":` + vector + `}}`,
	}
	overwrite(t, y, "_delta_log/00000000000000000005.json", strings.Join(lines, "\n"))
	y.SetModTime("_delta_log/00000000000000000005.json", y.now.Add(-3*day))
	var told []string
	_, err := y.table().Vacuum(t.Context(), delta.VacuumOptions{DryRun: true, File: func(f objstore.Info) { told = append(told, f.Key) }})
	if err != nil {
		t.Fatal(err)
	}
	want := append([]string{"deletion_vector_d2c639aa-8816-431a-aaf6-d3fe2512ff61.bin"}, vacuumedInAWeek...)
	slices.Sort(want)
	slices.Sort(told)
	if diff := cmp.Diff(want, told); diff != "" {
		t.Errorf("files to be deleted (-want +got):\n%s", diff)
	}
}

func TestVacuumRefusesTablesWhoseFilesItCannotKnow(t *testing.T) {
	for _, name := range []string{"icebergCompatV2", "somethingNew"} {
		y := newYard(t)
		overwrite(t, y, "_delta_log/00000000000000000005.json",
			`{"protocol":{"minReaderVersion":1,"minWriterVersion":7,"writerFeatures":["`+name+`"]}}`)
		_, err := y.table().Vacuum(t.Context(), delta.VacuumOptions{})
		var unsupported *delta.UnsupportedError
		if !errors.As(err, &unsupported) || !cmp.Equal(unsupported.Features, []string{name}) {
			t.Errorf("got %v, want a refusal for %s", err, name)
		}
	}
}

func TestWhateverCallOfAVacuumFailsTheTableStaysWholeAndARerunConverges(t *testing.T) {
	vacuum := func(y *yard, store objstore.Store) error {
		_, err := y.on(store).Vacuum(t.Context(), delta.VacuumOptions{Parallel: 1})
		return err
	}
	y := newYard(t)
	clean := storetest.NewFaulty(y)
	if err := vacuum(y, clean); err != nil {
		t.Fatal(err)
	}
	want := keys(t, y)
	for fault := range storetest.Each(clean.Calls(), storetest.Any) {
		for _, fault.Kill = range []bool{false, true} {
			fault.Call, fault.Nth = 0, 1
			t.Run(fault.String(), func(t *testing.T) {
				y := newYard(t)
				_ = vacuum(y, storetest.NewFaulty(y, fault))
				isWhole(t, y)
				if err := vacuum(y, y); err != nil {
					t.Errorf("the rerun fails: %v", err)
				}
				if diff := cmp.Diff(want, keys(t, y)); diff != "" {
					t.Errorf("files after the rerun (-want +got):\n%s", diff)
				}
				isWhole(t, y)
			})
		}
	}
}

func TestAWriterThatCommitsDuringAVacuumLosesNothing(t *testing.T) {
	y := newYard(t)
	counting := storetest.NewFaulty(y)
	if _, err := y.on(counting).Vacuum(t.Context(), delta.VacuumOptions{}); err != nil {
		t.Fatal(err)
	}
	for _, call := range counting.Calls() {
		t.Run(fmt.Sprintf("at call %d, a %s", call.Number, call.Op), func(t *testing.T) {
			y := newYard(t)
			fault := storetest.Fault{Call: call.Number, How: storetest.Not, Hook: func(storetest.Call) {
				y.commit(t, 0, []delta.Add{y.put(t, "fresh", 0)})
				if call.Op != storetest.Delete {
					// A file that was stored long ago is safe as long as no delete has begun.
					y.commit(t, 0, []delta.Add{{Path: "orphan", Size: 6, PartitionValues: map[string]*string{"_p": nil}}})
				}
			}}
			if _, err := y.on(storetest.NewFaulty(y, fault)).Vacuum(t.Context(), delta.VacuumOptions{}); err != nil {
				t.Fatal(err)
			}
			isWhole(t, y)
		})
	}
}

func TestVacuumsBesideManyWritersLoseNothing(t *testing.T) {
	store, err := objstore.NewDir(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := delta.Open(store).Create(t.Context(), plainTable); err != nil {
		t.Fatal(err)
	}
	const writers, commits = 8, 10
	ctx, stop := context.WithCancel(t.Context())
	var vacuums, working sync.WaitGroup
	vacuums.Go(func() {
		for ctx.Err() == nil {
			// Far below the guard, far above what a writer needs from storing to committing.
			_, err := delta.Open(store).Vacuum(ctx, delta.VacuumOptions{Retention: 20 * time.Second, ShortRetention: true})
			if err != nil && ctx.Err() == nil {
				t.Error(err)
			}
		}
	})
	for w := range writers {
		working.Go(func() {
			for i := range commits {
				if err := changeAs(t.Context(), store, fmt.Sprintf("writer %d", w), int64(i)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	working.Wait()
	stop()
	vacuums.Wait()
	if got := rows(t, store); len(got) != writers*commits {
		t.Errorf("%d files, want %d", len(got), writers*commits)
	}
}

func changeAs(ctx context.Context, store objstore.Store, app string, version int64) error {
	s, err := delta.Open(store).Snapshot(ctx)
	if err != nil {
		return err
	}
	f, err := put(ctx, store, fmt.Sprintf("%s %d", app, version))
	if err != nil {
		return err
	}
	tx := s.Begin(delta.Operation{Name: "WRITE"})
	tx.SetTransaction(app, version)
	tx.Add(f)
	_, err = tx.Commit(ctx)
	return err
}

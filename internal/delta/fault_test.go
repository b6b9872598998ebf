package delta_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"launchlake/internal/delta"
	"launchlake/internal/objstore"
	"launchlake/internal/objstore/storetest"
)

// A job is a piece of work that is run again until it succeeds, as the pipeline's tasks are.
type job struct {
	name  string
	table *delta.Metadata // that it finds; nil: none
	run   func(ctx context.Context, store objstore.Store) error
	want  []string // what the table holds when it is done, given that it held "old"
}

// rows names the content of the live files: a file of these tests carries it as a tag.
func rows(t *testing.T, store objstore.Store) []string {
	t.Helper()
	s, err := delta.Open(store).Snapshot(t.Context())
	if errors.Is(err, delta.ErrNotATable) {
		return []string{"no table"}
	}
	if err != nil {
		t.Fatalf("the table cannot be read any more: %v", err)
	}
	out := []string{}
	for f, err := range s.Files() {
		if err != nil {
			t.Fatal(err)
		}
		if _, err := objstore.ReadAll(t.Context(), store, f.Path); err != nil {
			t.Errorf("the table names a file that is not there: %v", err)
		}
		deleted, err := s.Table().DeletedRows(t.Context(), f)
		if err != nil {
			t.Errorf("rows of the file %q: %v", f.Tags["rows"], err)
			continue
		}
		text := f.Tags["rows"]
		for row := range deleted.All() {
			text += fmt.Sprintf(" less row %d", row)
		}
		out = append(out, text)
	}
	slices.Sort(out)
	return out
}

func put(ctx context.Context, store objstore.Store, content string) (delta.Add, error) {
	path := delta.NewDataFileName("zstd.parquet")
	err := store.Put(ctx, path, strings.NewReader(content))
	return delta.Add{Path: path, Size: int64(len(content)), Tags: map[string]string{"rows": content},
		Stats: &delta.Stats{NumRecords: 3}}, err
}

// sidecarActions is so few that a checkpoint has several sidecars.
const sidecarActions = 1

// change commits new content with the progress of an application, in place of all old content or beside it.
func change(ctx context.Context, store objstore.Store, content string, version int64, overwrite bool) error {
	s, err := delta.OpenWith(store, delta.Options{SidecarActions: sidecarActions}).Snapshot(ctx)
	if err != nil {
		return err
	}
	if done, ok := s.AppVersion("job"); ok && done >= version {
		return nil
	}
	f, err := put(ctx, store, content)
	if err != nil {
		return err
	}
	tx := s.Begin(delta.Operation{Name: "WRITE"})
	tx.SetTransaction("job", version)
	tx.Add(f)
	if overwrite {
		tx.Read()
		for old, err := range s.Files() {
			if err != nil {
				return err
			}
			tx.Remove(old)
		}
	}
	if _, err = tx.Commit(ctx); errors.Is(err, delta.ErrAlreadyApplied) {
		return nil
	}
	return err
}

// deleteRow deletes a row of the table's one file, and tells readers of changes.
func deleteRow(ctx context.Context, store objstore.Store, row, version int64) error {
	s, err := delta.Open(store).Snapshot(ctx)
	if err != nil {
		return err
	}
	if done, ok := s.AppVersion("job"); ok && done >= version {
		return nil
	}
	told := delta.ChangeDataFolder + "/" + delta.NewDataFileName("parquet")
	if err := store.Put(ctx, told, strings.NewReader("change")); err != nil {
		return err
	}
	tx := s.Begin(delta.Operation{Name: "DELETE"})
	tx.SetTransaction("job", version)
	tx.Read()
	tx.AddChangeData(delta.Add{Path: told, Size: 6})
	for f, err := range s.Files() {
		if err != nil {
			return err
		}
		tx.DeleteRows(f, rowSet(row))
	}
	_, err = tx.Commit(ctx)
	return err
}

func rowSet(rows ...int64) *delta.RowSet {
	set := &delta.RowSet{}
	for _, row := range rows {
		set.Add(row)
	}
	return set
}

var plainTable = delta.Metadata{
	Schema:        &delta.Schema{Fields: []delta.Field{{Name: "id", Type: delta.Long, Nullable: true}}},
	Configuration: map[string]string{"delta.checkpointInterval": "2"},
}

var tableOfRows = delta.Metadata{
	Schema: plainTable.Schema,
	Configuration: map[string]string{"delta.checkpointInterval": "2", "delta.enableDeletionVectors": "true",
		"delta.enableChangeDataFeed": "true"},
}

// tableWithSidecars has checkpoints in several files: the actions on files lie in others than the rest.
var tableWithSidecars = delta.Metadata{
	Schema:        plainTable.Schema,
	Configuration: map[string]string{"delta.checkpointInterval": "2", "delta.checkpointPolicy": "v2", "delta.enableInCommitTimestamps": "true"},
}

func threeAppends(ctx context.Context, store objstore.Store) error {
	for i := range int64(3) {
		if err := change(ctx, store, fmt.Sprintf("new %d", i), i+1, false); err != nil {
			return err
		}
	}
	return nil
}

var jobs = []job{
	{"create", nil, func(ctx context.Context, store objstore.Store) error {
		_, err := delta.Open(store).Create(ctx, plainTable)
		return err
	}, []string{}},
	{"append", &plainTable, func(ctx context.Context, store objstore.Store) error {
		return change(ctx, store, "new", 1, false)
	}, []string{"new", "old"}},
	{"overwrite", &plainTable, func(ctx context.Context, store objstore.Store) error {
		return change(ctx, store, "new", 1, true)
	}, []string{"new"}},
	{"appends up to a checkpoint and behind it", &plainTable, threeAppends, []string{"new 0", "new 1", "new 2", "old"}},
	{"appends up to a V2 checkpoint and behind it", &tableWithSidecars, threeAppends, []string{"new 0", "new 1", "new 2", "old"}},
	{"delete a row", &tableOfRows, func(ctx context.Context, store objstore.Store) error {
		return deleteRow(ctx, store, 2, 1)
	}, []string{"old less row 0 less row 2"}},
}

// prepareJob makes the table that a job finds.
func prepareJob(t *testing.T, j job) *objstore.Memory {
	t.Helper()
	store := objstore.NewMemory()
	if j.table == nil {
		return store
	}
	s, err := delta.Open(store).Create(t.Context(), *j.table)
	if err != nil {
		t.Fatal(err)
	}
	f, err := put(t.Context(), store, "old")
	if err != nil {
		t.Fatal(err)
	}
	appendFile(t, s, f)
	if j.table == &tableOfRows {
		if err := deleteRow(t.Context(), store, 0, 0); err != nil {
			t.Fatal(err)
		}
	}
	return store
}

func TestWhateverCallOfTheStoreFailsTheTableStaysWholeAndARerunConverges(t *testing.T) {
	for _, j := range jobs {
		t.Run(j.name, func(t *testing.T) {
			clean := storetest.NewFaulty(prepareJob(t, j))
			if err := j.run(t.Context(), clean); err != nil {
				t.Fatal(err)
			}
			for fault := range storetest.Each(clean.Calls(), storetest.Any) {
				fault.Op, fault.Key = storetest.Any, "" // the number alone: names of data files differ from run to run
				for _, fault.Kill = range []bool{false, true} {
					t.Run(fault.String(), func(t *testing.T) {
						synctest.Test(t, func(t *testing.T) { j.survives(t, fault) })
					})
				}
			}
		})
	}
}

func (j job) survives(t *testing.T, fault storetest.Fault) {
	store := prepareJob(t, j)
	before := rows(t, store)
	faulty := storetest.NewFaulty(store, fault)
	err := j.run(t.Context(), faulty)
	if faulty.Fired() == 0 {
		t.Fatal("the fault did not happen")
	}
	after := rows(t, store)
	whole := cmp.Equal(after, before) || cmp.Equal(after, j.want) || isStepBetween(before, after, j.want)
	switch {
	case err == nil && !cmp.Equal(after, j.want):
		t.Errorf("the job reports success, the table holds %q and not %q", after, j.want)
	case !whole:
		t.Errorf("the table holds %q, which is neither what it held nor what the job makes of it", after)
	case err != nil && !fault.Kill && cmp.Equal(after, j.want) && !errors.Is(err, storetest.ErrInjected):
		t.Errorf("the job did its work and reports %v", err)
	}
	if err := j.run(t.Context(), store); err != nil {
		t.Errorf("the rerun fails: %v", err)
	}
	if diff := cmp.Diff(j.want, rows(t, store)); diff != "" {
		t.Errorf("after the rerun the table holds (-want +got):\n%s", diff)
	}
	isClean(t, store)
}

// isStepBetween says that a job of several commits did some of them, in order.
func isStepBetween(before, now, want []string) bool {
	if len(want)-len(before) < 2 {
		return false
	}
	done := slices.DeleteFunc(slices.Clone(now), func(s string) bool { return s == "old" })
	for i, s := range done {
		if s != fmt.Sprintf("new %d", i) {
			return false
		}
	}
	return len(now) == len(done)+1
}

func TestACommitWhoseReplyIsLostIsFoundAndNotRepeated(t *testing.T) {
	lost := storetest.Fault{Op: storetest.PutIfAbsent, Key: "_delta_log/", Nth: 1, How: storetest.After}
	for _, j := range jobs[:3] {
		t.Run(j.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				store := prepareJob(t, j)
				faulty := storetest.NewFaulty(store, lost)
				if err := j.run(t.Context(), faulty); err != nil {
					t.Errorf("the commit is there, the writer is told: %v", err)
				}
				if diff := cmp.Diff(j.want, rows(t, store)); diff != "" {
					t.Errorf("the table holds (-want +got):\n%s", diff)
				}
				if n := faulty.Count(storetest.PutIfAbsent, ".json"); n != 1 {
					t.Errorf("%d attempts, want the one", n)
				}
			})
		})
	}
}

// Without the progress of an application nothing but the id in the commit tells a writer that the commit is its own.
func TestAWriterKnowsItsOwnCommitByItsID(t *testing.T) {
	for _, how := range []struct {
		name string
		do   func(tx *delta.Transaction, old, fresh delta.Add)
		want []string
	}{
		{"append", func(tx *delta.Transaction, old, fresh delta.Add) { tx.Add(fresh) }, []string{"new", "old"}},
		{"overwrite", func(tx *delta.Transaction, old, fresh delta.Add) {
			tx.Read()
			tx.Remove(old)
			tx.Add(fresh)
		}, []string{"new"}},
		{"set a property", func(tx *delta.Transaction, old, fresh delta.Add) {
			tx.SetConfiguration("delta.checkpointInterval", "9")
		}, []string{"old"}},
	} {
		t.Run(how.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				store := prepareJob(t, jobs[1])
				faulty := storetest.NewFaulty(store, storetest.Fault{Op: storetest.PutIfAbsent, Nth: 1, How: storetest.After})
				s, err := delta.Open(faulty).Snapshot(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				fresh, err := put(t.Context(), faulty, "new")
				if err != nil {
					t.Fatal(err)
				}
				var old delta.Add
				for old = range s.Files() {
				}
				tx := s.Begin(delta.Operation{Name: "WRITE"})
				how.do(tx, old, fresh)
				after, err := tx.Commit(t.Context())
				if err != nil || after.Version() != s.Version()+1 || faulty.Fired() != 1 {
					t.Fatalf("got version %v, %v; want the one behind %d", after, err, s.Version())
				}
				if diff := cmp.Diff(how.want, rows(t, store)); diff != "" {
					t.Errorf("the table holds (-want +got):\n%s", diff)
				}
				if latest, err := delta.Open(store).Snapshot(t.Context()); err != nil || latest.Version() != after.Version() {
					t.Errorf("the log goes to version %v, %v; want %d", latest, err, after.Version())
				}
			})
		})
	}
}

func TestAWriterThatLosesTheReplyWhileAnotherWinsGoesBehindIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := prepareJob(t, jobs[1])
		fault := storetest.Fault{Op: storetest.PutIfAbsent, Key: "_delta_log/", Nth: 1, How: storetest.Before, Err: errors.New("connection reset"),
			Hook: func(storetest.Call) {
				s, err := delta.Open(store).Snapshot(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				f, err := put(t.Context(), store, "theirs")
				if err != nil {
					t.Fatal(err)
				}
				appendFile(t, s, f)
			}}
		if err := jobs[1].run(t.Context(), storetest.NewFaulty(store, fault)); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{"new", "old", "theirs"}, rows(t, store)); diff != "" {
			t.Errorf("the table holds (-want +got):\n%s", diff)
		}
	})
}

func TestAStoreThatDeniesTheCommitIsNotAskedAgain(t *testing.T) {
	store := prepareJob(t, jobs[1])
	faulty := storetest.NewFaulty(store, storetest.Fault{Op: storetest.PutIfAbsent, Err: objstore.ErrDenied})
	if err := jobs[1].run(t.Context(), faulty); !errors.Is(err, objstore.ErrDenied) {
		t.Errorf("got %v, want ErrDenied", err)
	}
	if n := faulty.Count(storetest.PutIfAbsent, ""); n != 1 {
		t.Errorf("%d attempts, want 1", n)
	}
}

func TestACommitOfWhichNothingCanBeLearnedSaysSo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := prepareJob(t, jobs[1])
		faulty := storetest.NewFaulty(store, storetest.Fault{Op: storetest.PutIfAbsent, How: storetest.After, Kill: true})
		if err := jobs[1].run(t.Context(), faulty); !errors.Is(err, delta.ErrUnknownOutcome) {
			t.Errorf("got %v, want ErrUnknownOutcome", err)
		}
	})
}

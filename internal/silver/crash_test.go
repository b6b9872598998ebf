package silver_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"launchlake/internal/delta"
	"launchlake/internal/objstore"
	"launchlake/internal/objstore/storetest"
)

// clone copies a lake into memory, where a test can fail it.
func clone(t *testing.T, from objstore.Store) objstore.Store {
	t.Helper()
	to := objstore.NewMemory()
	for info, err := range from.List(t.Context(), "", "") {
		if err != nil {
			t.Fatal(err)
		}
		body, err := from.Get(t.Context(), info.Key, 0, -1)
		if err != nil {
			t.Fatal(err)
		}
		err = to.Put(t.Context(), info.Key, body)
		_ = body.Close()
		if err != nil {
			t.Fatal(err)
		}
	}
	return to
}

// outcome is what readers see of both tables.
func (l *lab) outcome() map[string][]string {
	return map[string][]string{
		"target":     l.rows(tables(l.store).Target, "id, name, bronze_version, bronze_sha256"),
		"quarantine": l.rows(tables(l.store).Quarantine, "id, array_join(rules, ' '), sha256, bronze_version"),
	}
}

// halfway gives a lake of which a first version is refined and a second one waits: new, updated, unchanged and broken
// records.
func halfway(t *testing.T) *lab {
	t.Helper()
	l := newLab(t)
	l.ingest(launch(1, nil), launch(2, nil), launch(3, map[string]any{"net": nil}))
	l.refine()
	l.ingest(launch(1, map[string]any{"last_updated": "2026-07-02T00:00:00Z", "name": "renamed"}), launch(2, nil), launch(4, nil),
		launch(5, map[string]any{"pad": nil}), launch(3, map[string]any{"net": nil}))
	return l
}

// Every call of the store that writes fails once, before it takes effect, after it did, or with the process killed then. A
// rerun brings both tables to where they would be without the fault.
func TestARefinementThatFailsAnywhereIsDoneByARerun(t *testing.T) {
	l := halfway(t)
	waiting := l.store
	clean := storetest.NewFaulty(clone(t, waiting))
	if _, err := l.tryRefine(t.Context(), clean); err != nil {
		t.Fatal(err)
	}
	l.store = clean
	want := l.outcome()
	if len(want["target"]) != 3 || len(want["quarantine"]) != 2 {
		t.Fatalf("without a fault: %v", want)
	}
	calls := slices.Collect(storetest.Each(clean.Calls(), storetest.Write))
	if len(calls) == 0 {
		t.Fatal("nothing is written")
	}
	for _, fault := range calls {
		for _, kill := range []bool{false, true} {
			fault.Key, fault.Kill = "", kill // names of data files differ from run to run
			t.Run(fault.String(), func(t *testing.T) {
				t.Parallel()
				l := &lab{t: t, store: clone(t, waiting), contract: l.contract}
				_, failure := l.tryRefine(t.Context(), storetest.NewFaulty(l.store, fault))
				l.refine()
				if diff := cmp.Diff(want, l.outcome()); diff != "" {
					t.Errorf("after %v and a rerun (-want +got):\n%s", failure, diff)
				}
				if last := l.refine(); !last.NothingNew {
					t.Errorf("a third run found something: %+v", last)
				}
			})
		}
	}
}

// The quarantine is committed, the target is not: what Bronze brings meanwhile is not lost to either.
func TestProgressOfTheTwoTablesMayDiffer(t *testing.T) {
	l := halfway(t)
	fault := storetest.Fault{Op: storetest.PutIfAbsent, Key: "silver/launches/_delta_log/", How: storetest.Before, Kill: true}
	if _, err := l.tryRefine(t.Context(), storetest.NewFaulty(l.store, fault)); err == nil {
		t.Fatal("the fault did not happen")
	}
	before := versions(t, l)
	l.ingest(launch(6, nil), launch(7, map[string]any{"id": "x"}))
	result := l.refine()
	if result.Quarantine.Inserted != 1 || result.Target.Inserted != 2 || result.Target.Updated != 1 {
		t.Errorf("quarantine %+v, target %+v; versions before: %v", result.Quarantine, result.Target, before)
	}
}

// Files of Bronze may be rearranged, as a compaction does, between two refinements.
func TestRearrangedFilesOfBronzeLoseNothing(t *testing.T) {
	l := halfway(t)
	bronze := tables(l.store).Bronze
	s, err := bronze.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var files []delta.Add
	for add, err := range s.Files() {
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, add)
	}
	last := files[0]
	for _, add := range files {
		if add.ModificationTime.After(last.ModificationTime) {
			last = add
		}
	}
	moved := last
	moved.Path = delta.PartitionPath(s.Metadata().PartitionColumns, last.PartitionValues) + "/" + delta.NewDataFileName("parquet")
	body, err := bronze.Store().Get(t.Context(), last.Path, 0, -1)
	if err != nil {
		t.Fatal(err)
	}
	defer body.Close()
	if err := bronze.Store().Put(t.Context(), moved.Path, body); err != nil {
		t.Fatal(err)
	}
	tx := s.Begin(delta.Operation{Name: "OPTIMIZE", Rearrange: true})
	tx.Read()
	tx.Remove(last)
	tx.Add(moved)
	if _, err := tx.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	result := l.refine()
	if result.Target.Inserted != 1 || result.Target.Updated != 1 || result.Quarantine.Inserted != 1 {
		t.Errorf("target %+v, quarantine %+v", result.Target, result.Quarantine)
	}
	if got := l.rows(tables(l.store).Target, "distinct bronze_version"); len(got) != 2 {
		t.Errorf("versions of origin: %v", got)
	}
}

// Commits of Bronze that were cleaned away cannot tell which files are new: all are read, and the rows that are known stay
// as they are.
func TestCommitsThatWereCleanedAwayLoseNothing(t *testing.T) {
	l := halfway(t)
	l.ingest(launch(6, nil))
	bronze := tables(l.store).Bronze
	s, err := bronze.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := bronze.Checkpoint(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	for _, version := range []string{"0", "1", "2"} {
		if err := bronze.Store().Delete(t.Context(), "_delta_log/0000000000000000000"+version+".json"); err != nil {
			t.Fatal(err)
		}
	}
	result := l.refine()
	if result.Counts.Read != 9 || result.Target.Inserted != 2 || result.Target.Updated != 1 || result.Quarantine.Inserted != 1 {
		t.Errorf("%+v", result)
	}
	want := []string{id(1) + "|null", id(2) + "|1", id(4) + "|null", id(6) + "|3"}
	if diff := cmp.Diff(want, l.rows(tables(l.store).Target, "id, bronze_version")); diff != "" {
		t.Errorf("versions of origin (-want +got):\n%s", diff)
	}
}

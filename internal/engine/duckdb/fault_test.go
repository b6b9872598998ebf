package duckdb_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"launchlake/internal/delta"
	"launchlake/internal/engine"
	"launchlake/internal/engine/duckdb"
	"launchlake/internal/objstore"
	"launchlake/internal/objstore/storetest"
)

// faultKind is a table that work is done on.
type faultKind struct {
	properties map[string]string
	partitions []string
	works      []string // that differ there; nil: all but those on partitions
}

var faultKinds = map[string]faultKind{
	"plain":            {},
	"deletion vectors": {properties: map[string]string{"delta.enableDeletionVectors": "true", "delta.enableChangeDataFeed": "true"}},
	"column mapping":   {properties: map[string]string{"delta.columnMapping.mode": "name"}},
	"V2 checkpoints": {properties: map[string]string{"delta.checkpointPolicy": "v2", "delta.enableInCommitTimestamps": "true"},
		works: []string{"append", "checkpoint", "clean-log", "restore"}},
	"partitioned": {partitions: []string{"text"}, works: []string{"append", "overwrite", "merge", "replace", overwritePartitions}},
}

func (kind faultKind) worksOn() []string {
	if kind.works != nil {
		return kind.works
	}
	return slices.DeleteFunc(slices.Sorted(maps.Keys(works)), func(work string) bool { return work == overwritePartitions })
}

// TestWhateverCallOfTheStoreFailsTheTableIsAsBeforeOrAsAfterAndARerunConverges fails every call of the store that a piece of work makes, in
// every way that the call can fail: before, after and halfway, alone, with the process dying of it, and with the caller giving up.
func TestWhateverCallOfTheStoreFailsTheTableIsAsBeforeOrAsAfterAndARerunConverges(t *testing.T) {
	for name, kind := range faultKinds {
		for _, work := range kind.worksOn() {
			t.Run(work+" on "+name, func(t *testing.T) {
				t.Parallel() // most of the time is pauses before another attempt
				lab := newFaultLab(t, kind, work)
				defer lab.engine.Close()
				clean := storetest.NewFaulty(lab.copyOf())
				if err := lab.run(t.Context(), clean); err != nil {
					t.Fatal(err)
				}
				for fault := range faults(clean.Calls()) {
					if name == "plain" || !fault.Kill || soak() {
						lab.survives(t, fault)
					}
				}
			})
		}
	}
}

// faultLab is a piece of work on a table that is the same each time.
type faultLab struct {
	t      *testing.T
	engine *duckdb.Engine
	table  *objstore.Memory
	order  order
	rows   contentsByID
	names  int
}

func newFaultLab(t *testing.T, kind faultKind, work string) *faultLab {
	t.Helper()
	lab := &faultLab{t: t, engine: open(t), table: objstore.NewMemory(), rows: contentsByID{}}
	table := delta.Open(lab.table)
	m := delta.Metadata{Schema: victimSchema, PartitionColumns: kind.partitions, Configuration: map[string]string{"delta.checkpointInterval": "2"}}
	maps.Copy(m.Configuration, kind.properties)
	if _, err := table.Create(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	past := lab.rows
	for i := range int64(4) {
		o := order{Number: i + 1, Kind: "append", Rows: contentsByID{3*i + 1: "one", 3*i + 2: "two", 3*i + 3: "three"}}
		if i == 3 {
			o.Kind, o.Rows[1] = "merge", "one again"
		}
		if err := works[o.Kind].do(t.Context(), lab.engine, table, o); err != nil {
			t.Fatal(err)
		}
		lab.rows = o.after(lab.rows)
		if i == 1 {
			past = lab.rows
		}
	}
	lab.order = order{Number: 9, Kind: work, Digit: 1, Rows: contentsByID{2: "two again", 100: "new"}}
	switch work {
	case "append":
		delete(lab.order.Rows, 2)
	case "replace":
		lab.order.Rows = contentsByID{1: "one once more", 101: "new"}
	case overwritePartitions:
		lab.order.Rows = contentsByID{100: "two", 101: "new"}
	case "restore":
		lab.order.Version, lab.order.Rows = 2, past
	}
	return lab
}

func (lab *faultLab) run(ctx context.Context, store objstore.Store) error {
	return works[lab.order.Kind].do(ctx, lab.engine, delta.Open(store), lab.order)
}

// copyOf is a store with the same objects.
func (lab *faultLab) copyOf() *objstore.Memory {
	lab.t.Helper()
	ctx, store := lab.t.Context(), objstore.NewMemory()
	for info, err := range lab.table.List(ctx, "", "") {
		if err != nil {
			lab.t.Fatal(err)
		}
		body, err := lab.table.Get(ctx, info.Key, 0, -1)
		if err != nil {
			lab.t.Fatal(err)
		}
		if err := store.Put(ctx, info.Key, body); err != nil {
			lab.t.Fatal(err)
		}
	}
	return store
}

// givesUp marks faults at which the caller gives up instead of the store failing.
const givesUp = storetest.Not

// faults are those of every call. They go by the number of the call alone: names of data files differ from run to run.
func faults(calls []storetest.Call) func(yield func(storetest.Fault) bool) {
	return func(yield func(storetest.Fault) bool) {
		for fault := range storetest.Each(calls, storetest.Any) {
			fault.Op, fault.Key = storetest.Any, ""
			for _, fault.Kill = range []bool{false, true} {
				if !yield(fault) {
					return
				}
			}
		}
		for _, call := range calls {
			if !yield(storetest.Fault{Call: call.Number, How: givesUp}) {
				return
			}
		}
	}
}

func (lab *faultLab) survives(t *testing.T, fault storetest.Fault) {
	t.Helper()
	store := lab.copyOf()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	if fault.How == givesUp {
		fault.Hook = func(storetest.Call) { cancel() }
	}
	err := lab.run(ctx, storetest.NewFaulty(store, fault))
	what := fmt.Sprintf("%v (%v)", fault, err)
	before, after := lab.rows.lines(), lab.order.after(lab.rows).lines()
	found := lab.read(t, store, what)
	switch {
	case err == nil && !slices.Equal(found, after):
		t.Errorf("%s: success, and the rows are others (-want +got):\n%s", what, cmp.Diff(after, found))
	case !slices.Equal(found, before) && !slices.Equal(found, after):
		t.Errorf("%s: rows as neither before (-before +got):\n%s\nnor after (-after +got):\n%s", what, cmp.Diff(before, found), cmp.Diff(after, found))
	}
	if err := lab.run(t.Context(), store); err != nil {
		t.Errorf("%s: the rerun fails: %v", what, err)
	}
	if diff := cmp.Diff(after, lab.read(t, store, what)); diff != "" {
		t.Errorf("%s: rows after the rerun (-want +got):\n%s", what, diff)
	}
	for finding, err := range delta.Open(store).Check(t.Context(), delta.CheckOptions{}) {
		t.Errorf("%s: the check finds %v, %v", what, finding, err)
	}
}

func (lab *faultLab) read(t *testing.T, store objstore.Store, when string) []string {
	t.Helper()
	s, err := delta.Open(store).Snapshot(t.Context())
	if err != nil {
		t.Fatalf("%s: the table cannot be read any more: %v", when, err)
	}
	lab.names++
	name := fmt.Sprint("found_", lab.names)
	if err := lab.engine.Bind(t.Context(), name, engine.Input{Snapshot: s}); err != nil {
		t.Fatalf("%s: the table cannot be read any more: %v", when, err)
	}
	return rowLines(t, lab.engine, name)
}

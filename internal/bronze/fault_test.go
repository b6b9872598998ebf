package bronze_test

import (
	"errors"
	"testing"

	"launchlake/internal/bronze"
	"launchlake/internal/delta"
	"launchlake/internal/objstore"
	"launchlake/internal/objstore/storetest"
)

// The records of a lake's life: a first pass in several batches, then a pass over what changed.
func faultyLife(t *testing.T, before, after *api, store objstore.Store) error {
	t.Helper()
	table := delta.Open(store)
	options := bronze.Options{BatchPages: 2}
	if _, err := bronze.Ingest(t.Context(), before, table, options); err != nil {
		return err
	}
	_, err := bronze.Ingest(t.Context(), after, table, options)
	return err
}

func TestStorageThatFailsAtAnyCallLosesAndDoublesNothing(t *testing.T) {
	before := startAPI(t, apiOptions{limit: 10}, launches(0, 60)...)
	after := startAPI(t, apiOptions{limit: 10}, launches(0, 75)...)
	clean := storetest.NewFaulty(objstore.NewMemory())
	if err := faultyLife(t, before, after, clean); err != nil {
		t.Fatal(err)
	}
	if n := clean.Count(storetest.Write, ""); n < 10 {
		t.Fatalf("only %d writes: nothing to fail", n)
	}
	for fault := range storetest.Each(clean.Calls(), storetest.Any) {
		t.Run(fault.String(), func(t *testing.T) { testLifeWithFault(t, before, after, fault) })
		// A process that is gone makes no further calls. That it is refused them saves waiting for its retries.
		fault.Kill, fault.Err = true, objstore.ErrDenied
		t.Run(fault.String(), func(t *testing.T) { testLifeWithFault(t, before, after, fault) })
	}
}

func testLifeWithFault(t *testing.T, before, after *api, fault storetest.Fault) {
	t.Parallel()
	fault.Key = "" // data files have other names in each run; the call's number is enough
	store := objstore.NewMemory()
	faulty := storetest.NewFaulty(store, fault)
	err := faultyLife(t, before, after, faulty)
	if err != nil && !errors.Is(err, storetest.ErrInjected) && !errors.Is(err, objstore.ErrDenied) {
		t.Errorf("the error does not tell the cause: %v", err)
	}
	if faulty.Fired() == 0 {
		t.Error("the fault did not happen")
	}
	checkNothingTwice(t, delta.Open(store))
	if err := faultyLife(t, before, after, store); err != nil {
		t.Fatal(err)
	}
	checkRecords(t, delta.Open(store), launches(0, 75))
}

func checkNothingTwice(t *testing.T, table *delta.Table) {
	t.Helper()
	seen := map[string]bool{}
	for _, row := range rowsOf(t, table) {
		if seen[row.SHA256] {
			t.Errorf("twice: %s", row.Raw)
		}
		seen[row.SHA256] = true
	}
}

func TestCommitWhoseReplyIsLostIsNotRepeated(t *testing.T) {
	api := startAPI(t, apiOptions{}, launches(0, 250)...)
	store := objstore.NewMemory()
	lost := storetest.Fault{Op: storetest.PutIfAbsent, Key: "00000000000000000001.json", How: storetest.After}
	faulty := storetest.NewFaulty(store, lost)
	got := mustIngest(t, api, delta.Open(faulty), bronze.Options{})
	if got.Commits != 1 || got.RowsNew != 250 || faulty.Fired() == 0 {
		t.Errorf("result %+v, %d faults", got, faulty.Fired())
	}
	checkRecords(t, delta.Open(store), launches(0, 250))
}

func TestStoreThatDeniesWritingFailsBeforeAnythingIsThere(t *testing.T) {
	api := startAPI(t, apiOptions{}, launches(0, 250)...)
	store := objstore.NewMemory()
	denied := storetest.Fault{Op: storetest.Write, Err: objstore.ErrDenied}
	_, err := bronze.Ingest(t.Context(), api, delta.Open(storetest.NewFaulty(store, denied)), bronze.Options{})
	if !errors.Is(err, objstore.ErrDenied) {
		t.Errorf("error %v", err)
	}
	for info := range store.List(t.Context(), "", "") {
		t.Errorf("left behind: %s", info.Key)
	}
}

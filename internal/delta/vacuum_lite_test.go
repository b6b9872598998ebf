package delta_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"launchlake/internal/delta"
	"launchlake/internal/objstore"
	"launchlake/internal/objstore/storetest"
)

// lite vacuums and gives the files that are gone.
func (y *yard) lite(t *testing.T, store objstore.Store, o delta.VacuumOptions) ([]string, error) {
	t.Helper()
	before := keys(t, y)
	o.Lite, o.Parallel = true, 1
	done, err := y.on(store).Vacuum(t.Context(), o)
	left := keys(t, y)
	gone := slices.DeleteFunc(before, func(k string) bool { return slices.Contains(left, k) })
	if err == nil && !o.DryRun && done.Files != len(gone) {
		t.Errorf("%d files are told and %q are gone", done.Files, gone)
	}
	return gone, err
}

func TestALiteVacuumDeletesWhatCommitsRemovedAndGoesOnFromThere(t *testing.T) {
	y := newYard(t)
	store := storetest.NewFaulty(y)
	check := func(o delta.VacuumOptions, want ...string) {
		t.Helper()
		got, err := y.lite(t, store, o)
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%q are gone, %v; want %q", got, err, want)
		}
		isWhole(t, y)
	}
	check(delta.VacuumOptions{DryRun: true})
	check(delta.VacuumOptions{}, "removed 20 days ago", "removed 8 days ago")
	check(delta.VacuumOptions{})
	y.now = y.now.Add(2 * day)
	check(delta.VacuumOptions{}, "removed 6 days ago")
	if n := store.Count(storetest.List, ""); n == 0 {
		t.Fatal("no listing was counted")
	}
	for _, call := range store.Calls() {
		if call.Op == storetest.List && call.Key == "" {
			t.Error("the table was listed")
		}
	}
	got, err := y.lite(t, y, delta.VacuumOptions{Retention: time.Hour})
	if !errors.Is(err, delta.ErrShortRetention) || len(got) > 0 {
		t.Errorf("a short retention deletes %q, %v", got, err)
	}
}

func TestALiteVacuumNeedsTheCommitsSinceTheLast(t *testing.T) {
	y := newYard(t)
	s, err := y.table().Snapshot(t.Context())
	if err == nil {
		err = y.table().Checkpoint(t.Context(), s)
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"_delta_log/00000000000000000000.json", "_delta_log/00000000000000000001.json"} {
		if err := y.Delete(t.Context(), key); err != nil {
			t.Fatal(err)
		}
	}
	if gone, err := y.lite(t, y, delta.VacuumOptions{}); !errors.Is(err, delta.ErrLogTooShort) || len(gone) > 0 {
		t.Errorf("%q are gone, %v", gone, err)
	}
}

func TestWhateverCallOfALiteVacuumFailsTheTableStaysWholeAndARerunConverges(t *testing.T) {
	y := newYard(t)
	clean := storetest.NewFaulty(y)
	if _, err := y.lite(t, clean, delta.VacuumOptions{}); err != nil {
		t.Fatal(err)
	}
	want := keys(t, y)
	for fault := range storetest.Each(clean.Calls(), storetest.Any) {
		for _, fault.Kill = range []bool{false, true} {
			fault.Call, fault.Nth = 0, 1
			t.Run(fault.String(), func(t *testing.T) {
				y := newYard(t)
				_, _ = y.on(storetest.NewFaulty(y, fault)).Vacuum(t.Context(), delta.VacuumOptions{Lite: true, Parallel: 1})
				isWhole(t, y)
				if _, err := y.on(y).Vacuum(t.Context(), delta.VacuumOptions{Lite: true}); err != nil {
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

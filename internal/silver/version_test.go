package silver_test

import (
	"testing"

	"launchlake/internal/delta"
	"launchlake/internal/silver"
)

func TestBronzeIsReadUpToTheVersionThatIsAskedFor(t *testing.T) {
	l := newLab(t)
	for n := range 3 {
		l.ingest(launch(n, nil))
	}
	latest, err := tables(l.store).Bronze.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	refineAt := func(v delta.Version) silver.Result {
		t.Helper()
		result, err := silver.Refine(t.Context(), open(t), l.contract, tables(l.store), silver.Options{BronzeVersion: &v})
		if err != nil {
			t.Fatal(err)
		}
		return result
	}
	if result := refineAt(latest.Version() - 1); result.Counts.Good != 2 || result.Bronze != latest.Version()-1 {
		t.Errorf("before the last version: %+v, want 2 records", result)
	}
	if result := refineAt(latest.Version() - 2); !result.NothingNew {
		t.Errorf("before what is in: %+v, want nothing new", result)
	}
	if result := l.refine(); result.Counts.Good != 1 {
		t.Errorf("then the latest: %+v, want the record that is left", result)
	}
	missing := latest.Version() + 1
	if _, err := silver.Refine(t.Context(), open(t), l.contract, tables(l.store), silver.Options{BronzeVersion: &missing}); err == nil {
		t.Error("a version that does not exist: no error")
	}
}

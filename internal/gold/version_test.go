package gold_test

import (
	"testing"

	"launchlake/internal/delta"
	"launchlake/internal/gold"
)

func TestSilverIsReadAtTheVersionThatIsAskedFor(t *testing.T) {
	l := newLab(t)
	l.fill(launch("a", 3, "2020-01-01 00:00:00", nil))
	first, err := l.silver("launches").Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	l.fill(launch("b", 3, "2020-01-02 00:00:00", nil))
	m := model(t, "provider_scorecard")
	result, err := gold.Aggregate(t.Context(), open(t), l.silver, l.gold, gold.Options{
		Models:         []gold.Model{m},
		SilverVersions: map[string]delta.Version{"launches": first.Version()},
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := result.Models[0].Inputs["launches"]; got != first.Version() {
		t.Errorf("made from version %d of Silver, want %d", got, first.Version())
	}
	if later := l.aggregate(m); later.NothingNew || later.Models[0].Inputs["launches"] <= first.Version() {
		t.Errorf("then the latest: %+v, want the table made anew", later)
	}
}

package silver_test

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"launchlake/internal/bronze"
	"launchlake/internal/launchapi/recorded"
)

// source serves records in pages of a hundred, as the API does.
type source []json.RawMessage

func (s source) Pages(context.Context, time.Time) iter.Seq2[bronze.Page, error] {
	return func(yield func(bronze.Page, error) bool) {
		first := 0
		for results := range slices.Chunk(s, 100) {
			page := bronze.Page{URL: "https://api/launches/", Status: 200, APIVersion: "2.3.0", FetchedAt: noon, ServerTime: noon, First: first, Results: results}
			if !yield(page, nil) {
				return
			}
			first += len(results)
		}
	}
}

// take ingests what a source serves.
func (l *lab) take(records []json.RawMessage) bronze.Result {
	l.t.Helper()
	result, err := bronze.Ingest(l.t.Context(), source(records), tables(l.store).Bronze, bronze.Options{Now: func() time.Time { return noon }})
	if err != nil {
		l.t.Fatal(err)
	}
	return result
}

func TestTheRecordedStatesComeInWithTheirFaultsKeptAside(t *testing.T) {
	l := newLab(t)
	for n := 1; n <= recorded.States; n++ {
		records, err := recorded.State(n)
		if err != nil {
			t.Fatal(err)
		}
		summary, err := recorded.Summarize(n)
		if err != nil {
			t.Fatal(err)
		}
		l.take(records)
		result := l.refine()
		if got := len(l.rows(tables(l.store).Target, "id")); got != summary.Launches {
			t.Errorf("state %d: %d launches, want %d", n, got, summary.Launches)
		}
		aside := l.rows(tables(l.store).Quarantine, "array_join(rules, ' ')")
		for _, fault := range summary.Faults {
			found := slices.IndexFunc(aside, func(rules string) bool { return slices.Contains(strings.Fields(rules), defectRule(fault.Rule)) })
			if found < 0 {
				t.Errorf("state %d: no record is left that breaks %s, for %q", n, defectRule(fault.Rule), fault.Name)
				continue
			}
			aside = slices.Delete(aside, found, found+1)
		}
		if len(aside) > 0 {
			t.Errorf("state %d: kept aside without a fault: %v", n, aside)
		}
		if n > 1 && result.Target.Inserted != int64(summary.New) {
			t.Errorf("state %d: %d launches are new, want %d", n, result.Target.Inserted, summary.New)
		}
		t.Logf("state %d: %+v, target %+v; broken: %s", n, result.Counts, result.Target, strings.Join(broken(result), ", "))
		if again := l.refine(); !again.NothingNew {
			t.Errorf("state %d again: %+v", n, again)
		}
	}
}

// defectRule is the rule that finds a fault, which may be named by its defect in Bronze or not at all.
func defectRule(rule string) string {
	switch rule {
	case "":
		return "well_typed"
	case string(bronze.NotJSON):
		return "is_json"
	case string(bronze.NotUTF8):
		return "is_utf8"
	case string(bronze.NotAnObject):
		return "is_object"
	}
	return rule
}

func TestGeneratedLaunchesComeInAsCounted(t *testing.T) {
	const n, changes, seed = 20_000, 2_000, 7
	l := newLab(t)
	l.take(slices.Collect(recorded.Generate(n, seed)))
	result := l.refine()
	launches, bad := recorded.GeneratedCounts(n)
	if result.Target.Inserted != int64(launches) || result.Counts.Quarantined != int64(bad) {
		t.Errorf("%d launches, want %d; %d kept aside, want %d", result.Target.Inserted, launches, result.Counts.Quarantined, bad)
	}
	l.take(slices.Collect(recorded.GenerateChanges(n, changes, seed)))
	next := l.refine()
	if next.Target.Inserted != changes/5 || next.Target.Updated == 0 || next.Target.Unchanged != 0 {
		t.Errorf("changes: %+v", next.Target)
	}
}

// shared finds reference data beside the checkout.
func shared(t testing.TB, path ...string) string {
	t.Helper()
	root, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(root, "go.mod")); err == nil {
			break
		}
		if filepath.Dir(root) == root {
			t.Fatal("no go.mod above the test")
		}
		root = filepath.Dir(root)
	}
	found := filepath.Join(append([]string{root, "..", "shared"}, path...)...)
	if _, err := os.Stat(found); err != nil {
		t.Skipf("the reference data %s is not there", filepath.Join(append([]string{"../shared"}, path...)...))
	}
	return found
}

// snapshots are the recorded answers of the API's version 2.2.0, oldest first.
func snapshots(t *testing.T) [][]json.RawMessage {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(shared(t, "data", "ll2", "snapshots_v220"), "*.json.gz"))
	if err != nil {
		t.Fatal(err)
	}
	var all [][]json.RawMessage
	for _, name := range names {
		file, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		unzipped, err := gzip.NewReader(file)
		if err != nil {
			t.Fatal(err)
		}
		var answer struct{ Launches []json.RawMessage }
		if err := json.NewDecoder(unzipped).Decode(&answer); err != nil {
			t.Fatal(err)
		}
		_ = file.Close()
		all = append(all, answer.Launches)
	}
	return all
}

func TestRealAnswersOfTheAPIEndInTheNewestStateOfEachLaunch(t *testing.T) {
	l := newLab(t)
	newest := map[string]string{} // last_updated and name by id
	all := snapshots(t)
	for _, name := range []string{"v230_launches_normal_limit2_oldest.json", "v220_upcoming_detailed_limit10_20260720.json"} {
		text, err := os.ReadFile(shared(t, "data", "ll2", name))
		if err != nil {
			t.Fatal(err)
		}
		var answer struct{ Results []json.RawMessage }
		if err := json.Unmarshal(text, &answer); err != nil {
			t.Fatal(err)
		}
		all = append(all, answer.Results)
	}
	detail, err := os.ReadFile(shared(t, "data", "ll2", "v230_launch_detail.json"))
	if err != nil {
		t.Fatal(err)
	}
	all = append(all, []json.RawMessage{detail})

	var records, aside int64
	rules := map[string]int64{}
	for _, answer := range all {
		for _, raw := range answer {
			var launch struct {
				ID          string
				LastUpdated string `json:"last_updated"`
				Net         string
				Status      struct{ ID int }
			}
			if err := json.Unmarshal(raw, &launch); err != nil {
				t.Fatal(err)
			}
			if state := fmt.Sprintf("%s|%s|%d", launch.LastUpdated, launch.Net, launch.Status.ID); state > newest[launch.ID] {
				newest[launch.ID] = state
			}
		}
		records += int64(len(answer))
		l.take(answer)
		result := l.refine()
		aside += result.Counts.Quarantined
		for _, rule := range result.Rules {
			rules[rule.Rule] += rule.Broken
		}
	}
	var want []string
	for id, state := range newest {
		want = append(want, id+"|"+state)
	}
	slices.Sort(want)
	if diff := cmp.Diff(want, l.rows(tables(l.store).Target, "id, last_updated, net, status_id")); diff != "" {
		t.Errorf("launches (-want +got):\n%s", diff)
	}
	if aside > 0 {
		t.Errorf("%d real records are kept aside: %v", aside, l.rows(tables(l.store).Quarantine, "id, rules, messages"))
	}
	if again := l.refine(); !again.NothingNew {
		t.Errorf("again: %+v", again)
	}
	t.Logf("%d answers with %d records, %d launches, kept aside: %d, rules broken: %v", len(all), records, len(newest), aside, rules)
}

// BenchmarkRefine measures the first refinement of many launches, and then one of a tenth as many changes.
func BenchmarkRefine(b *testing.B) {
	const n, seed = 100_000, 1
	records := slices.Collect(recorded.Generate(n, seed))
	changes := slices.Collect(recorded.GenerateChanges(n, n/10, seed))
	for b.Loop() {
		l := newLab(b)
		for name, part := range map[string][]json.RawMessage{"first": records, "changes": changes} {
			if name == "changes" {
				l.take(records)
				l.refine()
			}
			l.take(part)
			var bytes int
			for _, raw := range part {
				bytes += len(raw)
			}
			start := time.Now()
			l.refine()
			seconds := time.Since(start).Seconds()
			b.ReportMetric(seconds, name+"-s")
			b.ReportMetric(float64(bytes)/1e6/seconds, name+"-MB/s")
			l = newLab(b)
		}
	}
}

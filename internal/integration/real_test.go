package integration_test

import (
	"compress/gzip"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"launchlake/internal/launchapi/launchapitest"
	"launchlake/internal/task"
)

// realData is where recorded answers of the real API lie when this checkout has them beside it.
const realData = "../../../shared/data/ll2"

func realFile(t *testing.T, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(realData, name))
	if errors.Is(err, fs.ErrNotExist) {
		t.Skipf("needs the recorded answers of the real API, %s", name)
	}
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// launchOf is what these tests look at in a launch as the API gives it.
type launchOf struct {
	ID          string
	LastUpdated string `json:"last_updated"`
}

// TestRealStatesLeaveTheNewestOfEveryLaunch serves real states of the API, of version 2.2.0 and taken over seven months,
// one after the other.
func TestRealStatesLeaveTheNewestOfEveryLaunch(t *testing.T) {
	states := realStates(t)
	server := launchapitest.Start(t, launchapitest.Options{States: states})
	env := environment{"LAKE_URL": "file://" + t.TempDir(), "SOURCE_URL": server.VersionURL("2.2.0"), "SWEEP": "true"}

	newest := map[string]string{}
	var served int
	for i, state := range states {
		server.SetState(i)
		served += len(state)
		for _, raw := range state {
			var l launchOf
			if err := json.Unmarshal(raw, &l); err != nil {
				t.Fatal(err)
			}
			newest[l.ID] = max(newest[l.ID], l.LastUpdated)
		}
		for _, name := range []string{"ingest", "refine"} {
			if e := run(t, env, name); e.code != int(task.Done) && e.code != int(task.NothingNew) {
				t.Fatalf("state %d: %s: %s", i, name, e)
			}
		}
	}
	runTask(t, env, "aggregate", task.Done)

	got := map[string]string{}
	for _, row := range cat(t, env, "silver/launches", "--columns", "id,last_updated") {
		got[row["id"].(string)] = strings.Replace(row["last_updated"].(string), ".000000Z", "Z", 1)
	}
	for id, want := range newest {
		if got[id] != want {
			t.Errorf("launch %s: Silver has %q, the newest that was served is %q", id, got[id], want)
		}
	}
	if len(got) != len(newest) {
		t.Errorf("Silver has %d launches, %d were served", len(got), len(newest))
	}
	for _, row := range cat(t, env, "silver/launches_quarantine", "--columns", "id,rules,messages") {
		t.Errorf("a real launch is in quarantine: %v", row)
	}
	t.Logf("%d states, %d records, %d launches", len(states), served, len(newest))
	checkNothingNew(t, env)
}

// realStates are the recorded states in the order of time.
func realStates(t *testing.T) (states [][]json.RawMessage) {
	t.Helper()
	realFile(t, "snapshots_v220/INDEX.tsv")
	files, err := filepath.Glob(filepath.Join(realData, "snapshots_v220", "*.json.gz"))
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(files) // their names hold the time
	for _, file := range files {
		f, err := os.Open(file)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		unzipped, err := gzip.NewReader(f)
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		var state struct{ Launches []json.RawMessage }
		if err := json.NewDecoder(unzipped).Decode(&state); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		states = append(states, state.Launches)
	}
	return states
}

// TestRealLaunchesOfVersion230AreRefined refines real answers of version 2.3.0: a page in normal mode
// and one launch in detail.
func TestRealLaunchesOfVersion230AreRefined(t *testing.T) {
	var page struct{ Results []json.RawMessage }
	if err := json.Unmarshal(realFile(t, "v230_launches_normal_limit2_oldest.json"), &page); err != nil {
		t.Fatal(err)
	}
	var detail json.RawMessage = realFile(t, "v230_launch_detail.json")
	server := launchapitest.Start(t, launchapitest.Options{States: [][]json.RawMessage{page.Results, {page.Results[1], detail}}})
	env := environment{"LAKE_URL": "file://" + t.TempDir(), "SOURCE_URL": server.URL()}
	runPipeline(t, env, task.Done)
	checkSputnik(t, env)
	server.SetState(1)
	runTask(t, env, "ingest", task.Done)
	runTask(t, env, "refine", task.Done)
	checkSputnik(t, env)
}

func checkSputnik(t *testing.T, env environment) {
	t.Helper()
	rows := cat(t, env, "silver/launches", "--where", "launch_designator = '1957-001'")
	if len(rows) != 1 {
		t.Fatalf("%d rows for 1957-001", len(rows))
	}
	for column, want := range map[string]any{
		"net":              "1957-10-04T19:28:34.000000Z",
		"status_abbrev":    "Success",
		"provider_name":    "Soviet Space Program",
		"rocket_name":      "Sputnik 8K74PS",
		"orbit_abbrev":     "LEO",
		"pad_name":         "1/5",
		"pad_country_code": "KAZ",
		"net_period_start": "1957-10-04T19:28:34.000000Z",
		"provider_type":    "Government",
		"is_suborbital":    false,
	} {
		if got := rows[0][column]; got != want {
			t.Errorf("%s = %v, want %v", column, got, want)
		}
	}
	if rows := cat(t, env, "silver/launches_quarantine"); len(rows) != 0 {
		t.Errorf("real launches are in quarantine: %v", rows)
	}
}

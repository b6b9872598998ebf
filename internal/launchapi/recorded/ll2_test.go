package recorded

import (
	"compress/gzip"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// parts of a launch whose fields are compared with those of a real answer; payloads, images and videos are left out.
var parts = []string{
	"", "status", "launch_service_provider", "launch_service_provider.type", "launch_service_provider.country.0", "rocket",
	"rocket.configuration", "rocket.configuration.families.0", "rocket.configuration.manufacturer", "mission", "mission.orbit",
	"mission.orbit.celestial_body", "pad", "pad.country", "pad.location", "pad.location.celestial_body",
	"pad.location.celestial_body.type", "pad.location.country",
}

func TestFieldsAndTypesAreThoseOfTheRealAPI(t *testing.T) {
	var real, own any
	if err := json.NewDecoder(reference(t, "ll2/v230_launch_detail.json")).Decode(&real); err != nil {
		t.Fatal(err)
	}
	const sputnik = "e3df2ecd-c239-472f-95e4-2b89b4f75800"
	for _, raw := range mustState(t, 1) {
		if strings.HasPrefix(string(raw), `{"id":"`+sputnik) {
			if err := json.Unmarshal(raw, &own); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, part := range parts {
		want, got := typesOf(dig(real, part)), typesOf(dig(own, part))
		for field, kind := range got {
			if kind == "null" || want[field] == "null" {
				got[field], want[field] = kind, kind // either may be absent today
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("fields of %q (-real +recorded):\n%s", part, diff)
		}
	}
	for _, field := range []string{
		"id", "url", "name", "response_mode", "slug", "launch_designator", "status", "last_updated", "net", "net_precision", "window_start",
		"window_end", "webcast_live", "program", "orbital_launch_attempt_count", "pad_turnaround",
	} {
		if diff := cmp.Diff(dig(real, field), dig(own, field)); diff != "" {
			t.Errorf("%s of Sputnik 1 (-real +recorded):\n%s", field, diff)
		}
	}
}

func dig(v any, path string) any {
	if path == "" {
		return v
	}
	name, rest, _ := strings.Cut(path, ".")
	switch v := v.(type) {
	case map[string]any:
		return dig(v[name], rest)
	case []any:
		if len(v) > 0 {
			return dig(v[0], rest)
		}
	}
	return nil
}

func typesOf(v any) map[string]string {
	out := map[string]string{}
	object, _ := v.(map[string]any)
	for name, value := range object {
		switch value.(type) {
		case nil:
			out[name] = "null"
		case map[string]any:
			out[name] = "object"
		case []any:
			out[name] = "array"
		default:
			out[name] = fmt.Sprintf("%T", value)
		}
	}
	return out
}

// manifest is a launch of a stored snapshot of the real API (2.2.0).
type manifest struct {
	ID          string    `json:"id"`
	Name        string    `json:"name"`
	LastUpdated time.Time `json:"last_updated"`
	Net         time.Time `json:"net"`
	WindowStart time.Time `json:"window_start"`
	WindowEnd   time.Time `json:"window_end"`
	Status      struct {
		Abbrev string `json:"abbrev"`
	} `json:"status"`
	Precision struct {
		Abbrev string `json:"abbrev"`
	} `json:"net_precision"`
	Pad struct {
		ID int `json:"id"`
	} `json:"pad"`
	Provider struct {
		ID int `json:"id"`
	} `json:"launch_service_provider"`
	Rocket struct {
		Configuration struct {
			ID int `json:"id"`
		} `json:"configuration"`
	} `json:"rocket"`
}

func snapshot(t *testing.T, name string) map[string]manifest {
	t.Helper()
	unzipped, err := gzip.NewReader(reference(t, "ll2/snapshots_v220/"+name))
	if err != nil {
		t.Fatal(err)
	}
	var page struct {
		Launches []manifest `json:"launches"`
	}
	if err := json.NewDecoder(unzipped).Decode(&page); err != nil {
		t.Fatal(err)
	}
	out := map[string]manifest{}
	for _, m := range page.Launches {
		out[m.ID] = m
	}
	return out
}

func TestManifestsAreThoseOfTheRealAPI(t *testing.T) {
	both, err := states()
	if err != nil {
		t.Fatal(err)
	}
	for i, name := range []string{"upcoming_20260711T112913Z.json.gz", "upcoming_20260813T120836Z.json.gz"} {
		real := snapshot(t, name)
		want, got := map[string]manifest{}, map[string]manifest{}
		for _, l := range both[i].launches {
			if m, ok := real[l.id]; ok {
				want[l.id], got[l.id] = m, l.manifest()
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("launches of %s (-real +recorded):\n%s", name, diff)
		}
		t.Logf("%s: %d of %d launches are recorded", name, len(got), len(real))
		if len(got) < 60 {
			t.Errorf("only %d launches of %s are recorded", len(got), name)
		}
	}
}

func (l *launch) manifest() manifest {
	m := manifest{ID: l.id, Name: l.name(), LastUpdated: l.updated, Net: l.net, WindowStart: l.opens, WindowEnd: l.closes}
	m.Status.Abbrev, m.Precision.Abbrev = l.status, l.precision
	m.Pad.ID, m.Provider.ID, m.Rocket.Configuration.ID = l.pad.id, l.provider.id, l.vehicle.id
	return m
}

func TestLaunchesSince2025AreInStoredAnswersOfTheRealAPI(t *testing.T) {
	last := map[string][]string{} // id: net, status
	for _, cells := range tsv(t, "ll2/derived/net_status_changes_6h.tsv") {
		for _, seen := range [][]string{{cells[3], cells[5]}, {cells[6], cells[8]}} {
			last[cells[0]] = append(last[cells[0]], seen[0]+" "+seen[1])
		}
	}
	manifests := snapshot(t, "upcoming_20260711T112913Z.json.gz")
	maps.Copy(manifests, snapshot(t, "upcoming_20260813T120836Z.json.gz"))
	maps.Copy(manifests, snapshot(t, "upcoming_20260730T112805Z.json.gz"))
	both, err := states()
	if err != nil {
		t.Fatal(err)
	}
	flown := 0
	for _, l := range both[1].launches {
		if l.net.Year() < 2025 {
			continue
		}
		if l.flown() {
			flown++
			if !slices.Contains(last[l.id], stamp(l.net)+" "+l.status) {
				t.Errorf("%s (%s, %v) is in no stored answer", l.name(), l.status, l.net)
			}
		} else if _, ok := manifests[l.id]; !ok {
			t.Errorf("%s (%s, %v) is in no stored manifest", l.name(), l.status, l.net)
		}
	}
	t.Logf("%d launches flew", flown)
}

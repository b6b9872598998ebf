package silver_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"launchlake/internal/contract"
	"launchlake/internal/delta"
	"launchlake/internal/silver"
)

func TestARecordBecomesARow(t *testing.T) {
	l := newLab(t)
	l.ingest(`{"id":"E3DF2ECD-c239-472f-95e4-2b89b4f75800","name":"Sputnik 8K74PS | Sputnik 1","slug":"sputnik","launch_designator":"1957-001",
		"status":{"id":3,"abbrev":"Success"},"last_updated":"2024-03-17T19:17:35Z","net":"1957-10-04T19:28:34Z","net_precision":null,
		"window_start":"1957-10-04T19:28:34Z","window_end":"1957-10-04T19:28:34Z","probability":95,"weather_concerns":" Wind ","failreason":"",
		"launch_service_provider":{"id":66,"name":"Soviet Space Program","abbrev":"CCCP","type":{"id":1,"name":"Government"},"country":[{"alpha_3_code":"RUS"},{"alpha_3_code":"KAZ"}]},
		"rocket":{"configuration":{"id":468,"name":"Sputnik","full_name":"Sputnik 8K74PS","variant":"8K74PS","families":[{"name":"Sputnik 8K","parent":{"name":"Sputnik"}}]}},
		"mission":{"id":1430,"name":"Sputnik 1","type":"Test Flight","orbit":{"id":15,"abbrev":"Sub"}},
		"pad":{"id":32,"name":"1/5","latitude":45.92,"longitude":63.342,"country":{"alpha_3_code":"KAZ"},"location":{"id":15,"name":"Baikonur","celestial_body":{"id":1}}},
		"program":[{"name":"Sputnik"},{"name":"IGY"}],"webcast_live":false,"agency_launch_attempt_count":1}`,
		`{"id":"e1079d3a-c0a6-4b42-bc1d-92e48a5a78fc","name":"2.2.0","status":{"id":1},"last_updated":"2026-07-20T14:19:43Z","net":"2026-12-31T00:00:00Z","net_precision":{"id":14,"name":"Year"},
		"window_start":"2026-12-31T00:00:00Z","window_end":"2026-12-31T00:00:00Z","failreason":null,"mission":null,
		"launch_service_provider":{"id":121,"name":"SpaceX","type":"Commercial","country_code":"USA","abbrev":"SpX"},
		"rocket":{"configuration":{"id":164,"name":"Falcon 9","family":"Falcon","full_name":"Falcon 9 Block 5","variant":""}},
		"pad":{"id":16,"latitude":"34.632","longitude":"-120.611","country_code":"USA"},"program":[]}`)
	result := l.refine()
	if result.Counts != (silver.Counts{Read: 2, Good: 2}) || result.Target.Inserted != 2 || len(broken(result)) > 0 {
		t.Errorf("%+v, broken: %v", result, broken(result))
	}
	want := []string{
		"e1079d3a-c0a6-4b42-bc1d-92e48a5a78fc|2.2.0|null|null|1|2026-12-31T00:00:00Z|14|2026-01-01T00:00:00Z|2026-12-31T23:59:59Z|null|null|null|false" +
			"|121|SpaceX|SpX|Commercial|USA|164|Falcon 9|Falcon 9 Block 5|null|Falcon|null|null|null|null|null|16|null|34.632|-120.611|USA|null|null|null|[]|null|1|64",
		"e3df2ecd-c239-472f-95e4-2b89b4f75800|Sputnik 8K74PS | Sputnik 1|sputnik|1957-001|3|1957-10-04T19:28:34Z|null|1957-10-04T19:28:34Z|1957-10-04T19:28:34Z|95|Wind|null|true" +
			"|66|Soviet Space Program|CCCP|Government|RUS,KAZ|468|Sputnik|Sputnik 8K74PS|8K74PS|Sputnik|1430|Sputnik 1|Test Flight|15|Sub|32|1/5|45.92|63.342|KAZ|15|Baikonur|1|[Sputnik IGY]|false|1|64",
	}
	got := l.rows(tables(l.store).Target, `id, name, slug, launch_designator, status_id, net, net_precision_id, net_period_start, net_period_end, probability, weather_concerns, failreason, is_suborbital,
		provider_id, provider_name, provider_abbrev, provider_type, provider_country_code, rocket_id, rocket_name, rocket_full_name, rocket_variant, rocket_family,
		mission_id, mission_name, mission_type, orbit_id, orbit_abbrev, pad_id, pad_name, pad_latitude, pad_longitude, pad_country_code, location_id, location_name, celestial_body_id, program_names, webcast_live, bronze_version, length(bronze_sha256)`)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
	s, err := tables(l.store).Target.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(l.contract.Schema(), s.Schema()); diff != "" {
		t.Errorf("schema of the table (-contract +table):\n%s", diff)
	}
}

func TestThePeriodOfNetFollowsFromThePrecisionAndTheYear(t *testing.T) {
	tests := []struct {
		precision  any
		name       string
		net        string
		start, end string
	}{
		{0, "Second", "2026-07-20T14:49:32Z", "2026-07-20T14:49:32Z", "2026-07-20T14:49:32Z"},
		{2, "Hour", "2026-07-20T14:00:00Z", "2026-07-20T14:00:00Z", "2026-07-20T14:00:00Z"},
		{5, "Day", "2026-07-20T14:00:00Z", "2026-07-20T00:00:00Z", "2026-07-20T23:59:59Z"},
		{6, "Week", "2026-07-05T00:00:00Z", "2026-06-29T00:00:00Z", "2026-07-05T23:59:59Z"},
		{7, "Month", "2028-02-29T00:00:00Z", "2028-02-01T00:00:00Z", "2028-02-29T23:59:59Z"},
		{8, "Quarter 1", "2026-03-31T00:00:00Z", "2026-01-01T00:00:00Z", "2026-03-31T23:59:59Z"},
		{9, "Quarter 2", "2026-05-31T00:00:00Z", "2026-04-01T00:00:00Z", "2026-06-30T23:59:59Z"},
		{10, "Quarter 3", "2026-06-30T00:00:00Z", "2026-07-01T00:00:00Z", "2026-09-30T23:59:59Z"},
		{11, "Quarter 4", "2026-12-31T00:00:00Z", "2026-10-01T00:00:00Z", "2026-12-31T23:59:59Z"},
		{12, "Year Half 1", "2026-03-31T00:00:00Z", "2026-01-01T00:00:00Z", "2026-06-30T23:59:59Z"},
		{13, "Year Half 2", "2026-12-31T00:00:00Z", "2026-07-01T00:00:00Z", "2026-12-31T23:59:59Z"},
		{14, "Year", "2038-12-31T00:00:00Z", "2038-01-01T00:00:00Z", "2038-12-31T23:59:59Z"},
		{15, "Fiscal Year", "2027-09-30T00:00:00Z", "2026-10-01T00:00:00Z", "2027-09-30T23:59:59Z"},
		{15, "Fiscal Year", "2027-12-31T00:00:00Z", "2027-10-01T00:00:00Z", "2028-09-30T23:59:59Z"},
		{16, "Decade", "2039-12-31T00:00:00Z", "2030-01-01T00:00:00Z", "2039-12-31T23:59:59Z"},
		{99, "unheard of", "2039-12-31T00:00:00Z", "2039-12-31T00:00:00Z", "2039-12-31T00:00:00Z"},
		{nil, "", "1957-10-04T19:28:34Z", "1957-10-04T19:28:34Z", "1957-10-04T19:28:34Z"},
	}
	l := newLab(t)
	var records, want []string
	for n, tt := range tests {
		changes := map[string]any{"net": tt.net, "window_start": tt.net, "window_end": tt.net, "net_precision": object("id", tt.precision, "name", tt.name)}
		records = append(records, launch(n, changes))
		want = append(want, fmt.Sprintf("%s|%s|%s", id(n), tt.start, tt.end))
	}
	l.ingest(records...)
	result := l.refine()
	if diff := cmp.Diff(want, l.rows(tables(l.store).Target, "id, net_period_start, net_period_end")); diff != "" {
		t.Errorf("periods (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"net_in_period warn 1"}, broken(result)); diff != "" { // the third quarter with a net in June
		t.Errorf("rules broken (-want +got):\n%s", diff)
	}
}

func TestARecordThatBreaksARuleIsKeptAsideWithTheReason(t *testing.T) {
	tests := []struct {
		name     string
		record   record
		rules    string
		messages string
	}{
		{"no id", record{raw: launch(1, map[string]any{"id": nil})}, "id_present", "id is missing"},
		{"an id that is no UUID", record{raw: launch(1, map[string]any{"id": "1957-001"})}, "id_is_uuid", "id is not a UUID"},
		{"no net", record{raw: launch(1, map[string]any{"net": nil})}, "net_present", "net is missing"},
		{"no last_updated", record{raw: launch(1, map[string]any{"last_updated": nil})}, "last_updated_present", "last_updated is missing"},
		{"status 10", record{raw: launch(1, map[string]any{"status.id": 10})}, "status_known", "status_id is not one of 1 to 9"},
		{"no status", record{raw: launch(1, map[string]any{"status": nil})}, "status_known", "status_id is not one of 1 to 9"},
		{"latitude 91", record{raw: launch(1, map[string]any{"pad.latitude": 91})}, "latitude_in_range", "pad_latitude is not between -90 and 90"},
		{"longitude -181", record{raw: launch(1, map[string]any{"pad.longitude": "-181.5"})}, "longitude_in_range", "pad_longitude is not between -180 and 180"},
		{"net before the window", record{raw: launch(1, map[string]any{"window_start": "2026-07-20T15:00:00Z"})}, "net_in_window", "net lies outside window_start to window_end"},
		{"net after the window", record{raw: launch(1, map[string]any{"window_end": "2026-07-20T14:10:00Z"})}, "net_in_window", "net lies outside window_start to window_end"},
		{"no provider", record{raw: launch(1, map[string]any{"launch_service_provider": nil})}, "provider_id_present", "provider_id is missing"},
		{"no pad", record{raw: launch(1, map[string]any{"pad": nil})}, "pad_id_present", "pad_id is missing"},
		{"values of wrong types", record{raw: launch(1, map[string]any{"probability": "high", "mission.orbit.id": 8.5})}, "well_typed", "wrong type: probability, orbit_id"},
		{"several at once", record{raw: launch(1, map[string]any{"net": "soon", "status.id": 0})},
			"well_typed net_present status_known", "wrong type: net; net is missing; status_id is not one of 1 to 9"},
		{"a warning too", record{raw: launch(1, map[string]any{"status.id": 0, "net_precision.id": 10, "net": "2026-06-30T00:00:00Z", "window_start": nil})},
			"status_known net_in_period", "status_id is not one of 1 to 9; net lies outside the period that its precision names (a stale month)"},
		{"not UTF-8", record{"{\"id\":\"\xff\"}", "not_utf8"}, "is_utf8", "the record is not UTF-8"},
		{"not JSON", record{`{"id":`, "not_json"}, "is_json", "the record is not JSON that can be parsed"},
		{"no object", record{`[1]`, "not_an_object"}, "is_object", "the record is JSON but no object"},
		{"JSON that the engine cannot parse", record{raw: `{"id":"\ud800"}`}, "is_json", "the record is not JSON that can be parsed"},
		{"an object by name only", record{raw: `"text"`}, "is_json", "the record is not JSON that can be parsed"},
	}
	l := newLab(t)
	var records []record
	want := map[string]string{}
	for _, tt := range tests {
		records = append(records, tt.record)
		want[tt.record.raw] = tt.rules + "|" + tt.messages
	}
	records = append(records, record{raw: launch(2, nil)})
	l.ingestRecords(records...)
	result := l.refine()
	if want := (silver.Counts{Read: int64(len(tests)) + 1, Good: 1, Quarantined: int64(len(tests))}); result.Counts != want {
		t.Errorf("counts %+v, want %+v", result.Counts, want)
	}
	got := map[string]string{}
	for _, row := range l.rows(tables(l.store).Quarantine, "raw, array_join(rules, ' '), array_join(messages, '; ')") {
		raw, reason, _ := strings.Cut(row, "|"+"")
		if i := strings.LastIndex(row[:strings.LastIndex(row, "|")], "|"); i >= 0 {
			raw, reason = row[:i], row[i+1:]
		}
		got[raw] = reason
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("quarantine by record (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{id(2)}, l.rows(tables(l.store).Target, "id")); diff != "" {
		t.Errorf("target (-want +got):\n%s", diff)
	}
	for _, origin := range l.rows(tables(l.store).Quarantine, "distinct bronze_version, request_url, fetched_at, run_id, quarantined_at, length(sha256)") {
		if origin != "1|https://api/launches/?page=0|2026-11-23T10:00:00Z|run-1's|2026-11-23T12:00:00Z|64" {
			t.Errorf("origin %s", origin)
		}
	}
	if again := l.refine(); !again.NothingNew || again.Target.After != result.Target.After || again.Quarantine.Before != result.Quarantine.After {
		t.Errorf("again: %+v", again)
	}
}

func TestTheNewestRecordOfALaunchWins(t *testing.T) {
	l := newLab(t)
	at := func(n int, updated, name string) string {
		return launch(n, map[string]any{"last_updated": updated, "name": name})
	}
	l.ingest(at(1, "2026-07-02T00:00:00Z", "second"), at(1, "2026-07-01T00:00:00Z", "first"), at(2, "2026-07-05T00:00:00Z", "fifth"))
	first := l.refine()
	if first.Counts != (silver.Counts{Read: 3, Good: 3, Superseded: 1}) || first.Target.Inserted != 2 {
		t.Errorf("first: %+v", first)
	}
	l.ingest(at(1, "2026-07-03T00:00:00Z", "third"), at(2, "2026-07-04T00:00:00Z", "fourth"), at(3, "2026-07-01T00:00:00Z", "new"))
	second := l.refine()
	if second.Counts.Read != 3 || second.Target.Inserted != 1 || second.Target.Updated != 1 || second.Target.Unchanged != 1 {
		t.Errorf("second: %+v", second)
	}
	want := []string{id(1) + "|third|2", id(2) + "|fifth|1", id(3) + "|new|2"}
	if diff := cmp.Diff(want, l.rows(tables(l.store).Target, "id, name, bronze_version")); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
	l.ingest(at(3, "2026-07-01T00:00:00Z", "new"), at(3, "2026-07-01T00:00:00Z", "new"))
	same := l.refine()
	if same.Target.Unchanged != 1 || same.Target.FilesAdded != 0 || same.Counts.Superseded != 1 {
		t.Errorf("the same bytes again: %+v", same)
	}
}

// More records than are all ranked.
func TestTheNewestOfManyRecordsWins(t *testing.T) {
	l := newLab(t)
	const n = 1001
	want := make([]string, n)
	var records []string
	for i := range n {
		records = append(records, launch(i, map[string]any{"name": "only"}))
		want[i] = id(i) + "|only"
	}
	for i, name := range map[int]string{7: "newer", 500: "newer", 1000: "newer"} {
		records = append(records, launch(i, map[string]any{"name": "older", "last_updated": "2026-06-01T00:00:00Z"}),
			launch(i, map[string]any{"name": name, "last_updated": "2026-08-01T00:00:00Z"}))
		want[i] = id(i) + "|" + name
	}
	l.ingest(records...)
	done := l.refine()
	if done.Counts != (silver.Counts{Read: n + 6, Good: n + 6, Superseded: 6}) || done.Target.Inserted != n {
		t.Errorf("%+v", done)
	}
	if diff := cmp.Diff(want, l.rows(tables(l.store).Target, "id, name")); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
}

func TestWithDeletionVectorsAChangeIsWrittenBesideTheRowsThatStay(t *testing.T) {
	l := newLab(t)
	l.ingest(launch(1, nil), launch(2, nil), launch(3, nil))
	l.refine()
	if _, err := tables(l.store).Target.SetProperties(t.Context(), map[string]string{"delta.enableDeletionVectors": "true"}); err != nil {
		t.Fatal(err)
	}
	l.ingest(launch(2, map[string]any{"name": "changed", "last_updated": "2027-01-01T00:00:00Z"}), launch(4, nil))
	done := l.refine().Target
	if done.Updated != 1 || done.Inserted != 1 || done.FilesAdded != 1 || done.FilesRemoved != 0 || done.VectorsAdded != 1 {
		t.Errorf("%+v", done)
	}
	if got := l.rows(tables(l.store).Target, "id, name = 'changed'"); len(got) != 4 || got[1] != id(2)+"|true" {
		t.Errorf("rows: %v", got)
	}
}

// Two states of one moment: the one with the greater hash wins, in whatever order they come.
func TestTiesAreBrokenByTheHash(t *testing.T) {
	names := []string{"a", "b", "c"}
	var winners []string
	for shift := range names {
		l := newLab(t)
		for i := range names {
			l.ingest(launch(1, map[string]any{"name": names[(i+shift)%len(names)]}))
			if i == 0 || i == 2 { // the last two come in one refinement
				l.refine()
			}
		}
		winners = append(winners, l.rows(tables(l.store).Target, "name")...)
	}
	if len(winners) != 3 || winners[0] != winners[1] || winners[1] != winners[2] {
		t.Errorf("winners by order: %v", winners)
	}
}

func TestARecordIsQuarantinedOnceHoweverOftenItComes(t *testing.T) {
	l := newLab(t)
	bad := launch(1, map[string]any{"net": nil})
	l.ingest(bad, bad)
	first := l.refine()
	l.ingest(bad, launch(2, map[string]any{"net": nil}))
	second := l.refine()
	if first.Quarantine.Inserted != 1 || second.Quarantine.Inserted != 1 || second.Quarantine.Unchanged != 1 {
		t.Errorf("first %+v, second %+v", first.Quarantine, second.Quarantine)
	}
	if got := l.rows(tables(l.store).Quarantine, "id, bronze_version"); len(got) != 2 || got[0] != id(1)+"|1" || got[1] != id(2)+"|2" {
		t.Errorf("quarantine: %v", got)
	}
}

func (l *lab) withRules(rules string) {
	l.t.Helper()
	const head = `{apiVersion: v3.1.0, kind: DataContract, id: t, version: 1.0.0, status: draft, schema: [{name: launches, physicalName: silver/launches, properties: [
		{name: id, logicalType: string, physicalType: string, primaryKey: true, description: key, transformSourceObjects: [$.id]},
		{name: name, logicalType: string, physicalType: string, description: name, transformSourceObjects: [$.name]},
		{name: last_updated, logicalType: timestamp, physicalType: timestamp, required: true, description: order, transformSourceObjects: [$.last_updated]},
		{name: hash, logicalType: string, physicalType: string, required: true, description: hash, transformSourceObjects: [bronze.sha256]}], quality: [`
	c, err := contract.Parse("rules.yaml", []byte(head+rules+"]}]}"))
	if err != nil {
		l.t.Fatal(err)
	}
	l.contract = c
}

func rule(name, expect, action string) string {
	return fmt.Sprintf("{name: %s, type: custom, engine: launchlake, implementation: {expect: %q, action: %s, message: \"%[1]s isn't kept\"}}", name, expect, action)
}

func TestRulesWarnDropAndQuarantine(t *testing.T) {
	l := newLab(t)
	l.withRules(strings.Join([]string{
		rule("warned", "name not like '%w%'", "warn"), rule("dropped", "name not like '%d%'", "drop"), rule("kept_aside", "name not like '%q%'", "quarantine"),
	}, ","))
	var records []string
	for n, name := range []string{"none", "w", "xd", "q", "xdq", "wxd"} {
		records = append(records, launch(n, map[string]any{"name": name}))
	}
	l.ingest(records...)
	result := l.refine()
	if result.Counts != (silver.Counts{Read: 6, Good: 2, Quarantined: 2, Dropped: 2}) {
		t.Errorf("counts %+v", result.Counts)
	}
	if diff := cmp.Diff([]string{"dropped drop 3", "kept_aside quarantine 2", "warned warn 2"}, broken(result)); diff != "" {
		t.Errorf("rules broken (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"none", "w"}, l.rows(tables(l.store).Target, "name")); diff != "" {
		t.Errorf("target (-want +got):\n%s", diff)
	}
	want := []string{"[dropped kept_aside]|[dropped isn't kept kept_aside isn't kept]", "[kept_aside]|[kept_aside isn't kept]"}
	if diff := cmp.Diff(want, l.rows(tables(l.store).Quarantine, "rules, messages")); diff != "" {
		t.Errorf("quarantine (-want +got):\n%s", diff)
	}
}

func TestABrokenContractPublishesNothing(t *testing.T) {
	l := newLab(t)
	l.withRules(rule("never", "name <> 'x'", "fail"))
	l.ingest(launch(1, nil))
	l.refine()
	before := versions(t, l)
	l.ingest(launch(2, nil), launch(3, map[string]any{"name": "x"}), launch(4, map[string]any{"id": nil}))
	_, err := l.tryRefine(t.Context(), l.store)
	broken, ok := errors.AsType[*silver.ContractError](err)
	if !ok || !errors.Is(err, silver.ErrContractBroken) || broken.Rule != "never" || broken.Broken != 1 || len(broken.Example) != 64 {
		t.Fatalf("got %v", err)
	}
	if diff := cmp.Diff(before, versions(t, l)); diff != "" {
		t.Errorf("versions (-before +after):\n%s", diff)
	}
}

func TestABrokenLimitPublishesNothingUnlessItIsAccepted(t *testing.T) {
	l := newLab(t)
	batch := func(first, sound, broken int) (raw []string) {
		for i := range sound + broken {
			change := map[string]any{}
			if i >= sound {
				change["net"] = nil
			}
			raw = append(raw, launch(first+i, change))
		}
		return raw
	}
	l.ingest(batch(100, 21, 21)...) // half of them
	l.refine()
	l.ingest(batch(200, 0, 20)...) // so few may be chance
	if result := l.refine(); result.Counts.Quarantined != 20 {
		t.Errorf("counts %+v", result.Counts)
	}
	before := versions(t, l)
	l.ingest(batch(300, 20, 21)...)
	_, err := l.tryRefine(t.Context(), l.store)
	broken, ok := errors.AsType[*silver.ContractError](err)
	if !ok || !errors.Is(err, silver.ErrContractBroken) || broken.Rule != "mostly_sound" || broken.Broken != 21 || len(broken.Example) != 64 {
		t.Fatalf("got %v", err)
	}
	if diff := cmp.Diff(before, versions(t, l)); diff != "" {
		t.Errorf("versions (-before +after):\n%s", diff)
	}
	l.options.AcceptBroken = true
	if result := l.refine(); result.Counts.Quarantined != 21 || result.Counts.Good != 20 {
		t.Errorf("counts %+v", result.Counts)
	}
}

func versions(t *testing.T, l *lab) map[string]delta.Version {
	t.Helper()
	got := map[string]delta.Version{}
	for name, table := range map[string]*delta.Table{"target": tables(l.store).Target, "quarantine": tables(l.store).Quarantine} {
		s, err := table.Snapshot(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		got[name] = s.Version()
	}
	return got
}

func TestWithoutBronzeThereIsAnError(t *testing.T) {
	l := newLab(t)
	if _, err := l.tryRefine(t.Context(), l.store); !errors.Is(err, delta.ErrNotATable) {
		t.Errorf("got %v", err)
	}
}

func TestABronzeTableMadeAnewIsNotTakenForTheOld(t *testing.T) {
	l := newLab(t)
	l.ingest(launch(1, nil))
	l.ingest(launch(2, nil))
	l.refine()
	old := l.store
	l.store = newLab(t).store
	l.ingest(launch(3, nil))
	mixed := tables(old)
	mixed.Bronze = tables(l.store).Bronze
	_, err := silver.Refine(t.Context(), open(t), l.contract, mixed, silver.Options{})
	if err == nil || !strings.Contains(err.Error(), "made anew") {
		t.Errorf("got %v", err)
	}
}

package gold_test

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
)

// The launches by which all models are checked. As of 2025-03-01.
func history() []row {
	suborbital := func(more row) row {
		r := row{"provider_id": "20", "provider_name": text("Beta"), "rocket_id": "2", "rocket_full_name": text("Rocket 2"), "pad_id": "200", "pad_name": text("Pad B"),
			"is_suborbital": "true", "orbit_id": "15"}
		for column, value := range more {
			r[column] = value
		}
		return r
	}
	return []row{
		launch("a1", 3, "2024-01-10 00:00:00", row{"provider_name": text("Old name"), "last_updated": moment("2024-01-11 00:00:00")}),
		launch("a2", 3, "2024-01-20 12:00:00", nil),
		launch("a3", 4, "2024-02-10 00:00:00", nil),
		launch("a4", 3, "2024-04-01 00:00:00", nil),
		launch("a5", 3, "2024-04-02 00:00:00", nil),
		launch("a6", 3, "2024-04-03 00:00:00", nil),
		launch("a7", 7, "2025-01-01 00:00:00", nil),
		launch("a8", 3, "2025-01-01 00:00:00", row{"last_updated": moment("2025-02-02 00:00:00")}), // the moment of a7, which counts behind it
		launch("s1", 3, "2024-03-01 00:00:00", suborbital(nil)),
		launch("s2", 4, "2024-03-11 00:00:00", suborbital(nil)),
		launch("n1", 3, "2024-05-01 00:00:00", suborbital(row{"is_suborbital": "false", "orbit_id": "null", "celestial_body_id": "null"})),
		launch("m1", 3, "2024-06-01 00:00:00", row{"celestial_body_id": "2", "rocket_id": "9", "pad_id": "900", "provider_id": "90"}), // from the Moon
		launch("f1", 6, "2025-02-28 00:00:00", nil),
		launch("p1", 1, "2025-03-10 06:00:00", row{"last_updated": moment("2025-03-01 00:00:00"), "program_names": "split('X,Y', ',')", "probability": "90"}),
		launch("p2", 2, "2025-03-31 00:00:00", row{"net_period_start": moment("2025-03-01 00:00:00"), "net_period_end": moment("2025-03-31 23:59:59"), "provider_id": "30", "provider_name": text("Gamma"), "pad_id": "300"}),
		launch("p3", 5, "2024-12-31 09:00:00", row{"net_period_start": moment("2024-12-31 00:00:00"), "net_period_end": moment("2024-12-31 23:59:59"), "program_names": "split('', 'x')"}),
		launch("p4", 8, "2025-03-31 23:59:59", nil),
	}
}

func TestModelsGiveTheNumbersCountedByHand(t *testing.T) {
	l := newLab(t)
	l.fill(history()...)
	l.aggregate()
	tests := []struct {
		table, columns string
		want           []string
	}{
		{"launches_by_period", "period_type, period, period_start, attempts, successes, failures, partial_failures, success_rate, attempts_to_date, suborbital_attempts, suborbital_successes", []string{
			"month|2024-01|2024-01-01|2|2|0|0|1|2|0|0",
			"month|2024-02|2024-02-01|1|0|1|0|0|3|0|0",
			"month|2024-03|2024-03-01|0|0|0|0|null|3|2|1",
			"month|2024-04|2024-04-01|3|3|0|0|1|6|0|0",
			"month|2024-05|2024-05-01|1|1|0|0|1|7|0|0",
			"month|2025-01|2025-01-01|2|1|0|1|0.5|9|0|0",
			"quarter|2024-Q1|2024-01-01|3|2|1|0|0.6666666666666666|3|2|1",
			"quarter|2024-Q2|2024-04-01|4|4|0|0|1|7|0|0",
			"quarter|2025-Q1|2025-01-01|2|1|0|1|0.5|9|0|0",
			"year|2024|2024-01-01|7|6|1|0|0.8571428571428571|7|2|1",
			"year|2025|2025-01-01|2|1|0|1|0.5|9|0|0",
		}},
		{"provider_scorecard", "provider_id, provider_name, attempts, successes, failures, partial_failures, success_rate, share_of_attempts, attempts_last_365_days, active_years, first_attempt, last_attempt, suborbital_attempts, suborbital_successes, planned", []string{
			"10|Alpha|8|6|1|1|0.75|0.8888888888888888|5|2|2024-01-10|2025-01-01|0|0|3",
			"20|Beta|1|1|0|0|1|0.1111111111111111|1|1|2024-05-01|2024-05-01|2|1|0",
			"30|Gamma|0|0|0|0|null|0|0|0|null|null|0|0|1",
		}},
		{"rocket_reliability", "rocket_id, is_suborbital, attempts, successes, failures, partial_failures, success_rate, current_streak, longest_streak, first_attempt, last_attempt, last_failure, days_since_last_failure, as_of", []string{
			"1|false|8|6|1|1|0.75|0|4|2024-01-10|2025-01-01|2025-01-01|59|2025-03-01",
			"2|true|2|1|1|0|0.5|0|1|2024-03-01|2024-03-11|2024-03-11|355|2025-03-01",
			"2|false|1|1|0|0|1|1|1|2024-05-01|2024-05-01|null|null|2025-03-01",
		}},
		// Turnarounds of pad 100: 10.5, 20.5, 51, 1, 1, 273 days. a7 and a8 are of one second.
		{"pad_activity", "pad_id, pad_name, attempts, successes, suborbital_attempts, first_attempt, last_attempt, median_turnaround_days, fastest_turnaround_days, planned", []string{
			"100|Pad A|8|6|0|2024-01-10|2025-01-01|15.5|1|3",
			"200|Pad B|1|1|2|2024-03-01|2024-05-01|30.5|10|0",
		}},
		{"upcoming_manifest", "position, id, status_id, net, days_until, is_overdue, probability, program_names, as_of", []string{
			"1|p3|5|2024-12-31 09:00:00|-60|true|null|null|2025-03-01",
			"2|p1|1|2025-03-10 06:00:00|9|false|90|X,Y|2025-03-01",
			"3|p2|2|2025-03-31|0|false|null|null|2025-03-01",
			"4|p4|8|2025-03-31 23:59:59|30|false|null|null|2025-03-01",
		}},
	}
	if len(tests) != len(models(t)) {
		t.Errorf("%d models are checked of %d", len(tests), len(models(t)))
	}
	for _, tt := range tests {
		t.Run(tt.table, func(t *testing.T) {
			if diff := gocmp.Diff(tt.want, l.rows(tt.table, tt.columns)); diff != "" {
				t.Errorf("rows in the file's order (-want +got):\n%s", diff)
			}
		})
	}
}

func TestModelsTakeATableWithoutRows(t *testing.T) {
	l := newLab(t)
	l.fill()
	l.aggregate()
	for _, m := range models(t) {
		if got := l.rows(m.Name, "*"); len(got) != 0 {
			t.Errorf("%s: %v", m.Name, got)
		}
	}
}

func TestModelsTakeATableWithoutAttemptsAndPlans(t *testing.T) {
	l := newLab(t)
	l.fill(history()...)
	l.aggregate()
	l.fill(launch("x", 6, "2025-01-01 00:00:00", row{"rocket_id": "null", "orbit_id": "null"}))
	l.aggregate()
	for _, m := range models(t) {
		if got := l.rows(m.Name, "*"); len(got) != 0 {
			t.Errorf("%s: %v", m.Name, got)
		}
	}
}

func TestLossesCountBehindTheSuccessesOfTheirMoment(t *testing.T) {
	const moment1, moment2, moment3 = "2024-01-01 00:00:00", "2024-02-01 00:00:00.5", "2024-03-01 00:00:00"
	rocket := func(id string) row { return row{"rocket_id": id} }
	l := newLab(t)
	l.fill(
		// Of rocket 1: 3, then 3, 3, 3, 4, 7 at once, then 3.
		launch("a7", 3, moment3, nil),
		launch("a6", 3, moment2, nil),
		launch("a4", 3, moment2, nil),
		launch("a5", 7, moment2, nil),
		launch("a3", 4, moment2, nil),
		launch("a2", 3, moment2, nil),
		launch("a1", 3, moment1, nil),
		// What is none of its flights of the kind.
		launch("a21", 4, moment2, row{"is_suborbital": "true"}),
		launch("a22", 6, moment2, nil),
		launch("a23", 1, moment2, nil),
		launch("a24", 4, moment2, row{"celestial_body_id": "2"}),
		launch("a25", 4, moment2, rocket("null")),
		// Two losses at once, and a loss with a success, whichever comes first by id.
		launch("b1", 3, moment1, rocket("2")), launch("b3", 4, moment2, rocket("2")), launch("b2", 7, moment2, rocket("2")), launch("b4", 3, moment3, rocket("2")),
		launch("c2", 3, moment2, rocket("3")), launch("c1", 4, moment2, rocket("3")),
		launch("d1", 3, moment2, rocket("4")), launch("d2", 4, moment2, rocket("4")),
	)
	l.aggregate()
	want := []string{
		"1|false|7|5|1|4",
		"2|false|4|2|1|1",
		"3|false|2|1|0|1",
		"4|false|2|1|0|1",
		"1|true|1|0|0|0",
	}
	if diff := gocmp.Diff(want, l.rows("rocket_reliability", "rocket_id, is_suborbital, attempts, successes, current_streak, longest_streak")); diff != "" {
		t.Errorf("rows in the file's order (-want +got):\n%s", diff)
	}
}

// TestStreaksAreWhatCountingGives holds the streaks of many flights at few moments against those that are counted flight by flight.
func TestStreaksAreWhatCountingGives(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	type flight struct{ moment, status int }
	const rockets = 12
	flights := make([][]flight, rockets)
	var rows []row
	for i := range 600 {
		f, rocket := flight{random.IntN(40), []int{3, 3, 3, 4, 7}[random.IntN(5)]}, random.IntN(rockets)
		if rocket == 0 {
			f.status = 3
		}
		flights[rocket] = append(flights[rocket], f)
		rows = append(rows, launch(fmt.Sprintf("f%d", i), f.status, fmt.Sprintf("2024-01-01 10:%02d:00", f.moment), row{"rocket_id": strconv.Itoa(rocket + 1)}))
	}
	l := newLab(t)
	l.fill(rows...)
	l.aggregate()
	var want []string
	for rocket, flown := range flights {
		slices.SortFunc(flown, func(a, b flight) int { return cmp.Or(cmp.Compare(a.moment, b.moment), cmp.Compare(a.status, b.status)) })
		current, longest := 0, 0
		for _, f := range flown {
			current++
			if f.status != 3 {
				current = 0
			}
			longest = max(longest, current)
		}
		want = append(want, fmt.Sprintf("%d|%d|%d|%d", rocket+1, len(flown), current, longest))
	}
	got := l.rows("rocket_reliability", "rocket_id, attempts, current_streak, longest_streak")
	slices.Sort(want)
	slices.Sort(got)
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

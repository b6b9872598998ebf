package main

import (
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestRangesOfChangesAreVersionsOrTimes(t *testing.T) {
	day := func(d, h, m, s int) time.Time { return time.Date(2026, 1, d, h, m, s, 0, time.UTC) }
	for _, tt := range []struct {
		text string
		want changeRange
		bad  bool
	}{
		{text: "3:7", want: changeRange{from: 3, to: 7}},
		{text: "0:0", want: changeRange{}},
		{text: "3:", want: changeRange{from: 3, to: math.MaxInt64}},
		{text: "2026-01-02:2026-01-03", want: changeRange{byTime: true, since: day(2, 0, 0, 0), til: day(3, 0, 0, 0)}},
		{text: "2026-01-02T03:04:2026-01-03", want: changeRange{byTime: true, since: day(2, 3, 4, 0), til: day(3, 0, 0, 0)}},
		{text: "2026-01-02T03:04:05Z:2026-01-03T01:02:03Z", want: changeRange{byTime: true, since: day(2, 3, 4, 5), til: day(3, 1, 2, 3)}},
		{text: "2026-01-02 03:04:05:2026-01-03T01:02:03+01:00", want: changeRange{byTime: true, since: day(2, 3, 4, 5), til: day(3, 0, 2, 3)}},
		{text: "2026-01-02:", want: changeRange{byTime: true, since: day(2, 0, 0, 0), til: afterAllCommits}},
		{text: "3", bad: true},
		{text: ":3", bad: true},
		{text: "3:2026-01-02", bad: true},
		{text: "yesterday:today", bad: true},
	} {
		got, err := parseRange(tt.text)
		if (err != nil) != tt.bad {
			t.Errorf("%s: %v", tt.text, err)
			continue
		}
		got.since, got.til = got.since.UTC(), got.til.UTC()
		if diff := cmp.Diff(tt.want, got, cmp.AllowUnexported(changeRange{})); diff != "" && !tt.bad {
			t.Errorf("%s (-want +got):\n%s", tt.text, diff)
		}
	}
}

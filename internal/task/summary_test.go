package task

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSummaryIsATableForPeople(t *testing.T) {
	results := []Result{
		{Task: "ingest", Status: StatusDone, Seconds: 0.3123, Tables: []Table{
			{Name: "bronze/launches", VersionBefore: NoVersion, Version: 12, RowsIn: 1412, RowsOut: 1400},
		}},
		{Task: "refine", Status: StatusDone, Seconds: 1.5, Tables: []Table{
			{Name: "silver/launches", VersionBefore: 4, Version: 5, RowsIn: 1400, RowsOut: 12, RowsUpdated: 1234567, Quarantined: 7},
			{Name: "silver/launches_quarantine", VersionBefore: 2, Version: 2},
		}},
		{Task: "aggregate", Status: StatusNothingNew, Seconds: 0.01},
		{Task: "report", Status: StatusFailed, Seconds: 0.01, Error: "write report.html: no space left"},
	}
	want := `
TASK       TABLE                        READ  WRITTEN    UPDATED  REJECTED      VERSION   TIME
ingest     bronze/launches             1,412    1,400          -         -    new -> 12  312ms
refine     silver/launches             1,400       12  1,234,567         7       4 -> 5   1.5s
           silver/launches_quarantine      -        -          -         -  2 unchanged
aggregate  nothing new                                                                    10ms
report     failed                                                                         10ms

report: failed: write report.html: no space left
`
	var got strings.Builder
	if err := Summary(&got, results); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.TrimPrefix(want, "\n"), got.String()); diff != "" {
		t.Errorf("summary (-want +got):\n%s\n%s", diff, got.String())
	}
}

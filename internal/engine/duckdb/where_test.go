package duckdb_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"launchlake/internal/delta"
	"launchlake/internal/engine"
	"launchlake/internal/objstore"
	"launchlake/internal/objstore/storetest"
)

// launchTable has a file for each of two years and for null, and two batches of them; some values are null or NaN.
func launchTable(t *testing.T, store objstore.Store) *delta.Table {
	t.Helper()
	table := delta.Open(store)
	if _, err := table.Create(t.Context(), delta.Metadata{PartitionColumns: []string{"year"}, Schema: &delta.Schema{Fields: []delta.Field{
		{Name: "id", Type: delta.Long, Nullable: true}, {Name: "name", Type: delta.String, Nullable: true}, {Name: "net", Type: delta.Timestamp, Nullable: true},
		{Name: "mass", Type: delta.Double, Nullable: true}, {Name: "cost", Type: delta.Decimal{Precision: 10, Scale: 2}, Nullable: true},
		{Name: "year", Type: delta.Integer, Nullable: true},
	}}}); err != nil {
		t.Fatal(err)
	}
	e := open(t)
	for batch := range 2 {
		publish(t, e, fmt.Sprintf(`select i as id, case when i %% 7 = 0 then null else 'Ariane ' || i end as name,
			timestamptz '2024-01-01 00:00:00Z' + to_days(i::int) + to_milliseconds(%d) as net,
			case when i %% 11 = 0 then 'NaN'::double when i %% 5 = 0 then null else i / 4 end as mass,
			(i / 3)::decimal(10, 2) as cost, case when i < %d then 2024 when i < %d then 2025 end::int as year from range(%d, %d) as r(i)`,
			batch, 30+100*batch, 60+100*batch, 100*batch, 90+100*batch), engine.Output{Table: table, Mode: engine.Append})
	}
	return table
}

func TestRowsOfAConditionAreTheSameWhetherFilesAreLeftOutOrNot(t *testing.T) {
	store := storetest.NewFaulty(objstore.NewMemory())
	table := launchTable(t, store)
	s, err := table.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	files := 6
	if n := s.NumFiles(); n != files {
		t.Fatalf("%d files", n)
	}
	for where, most := range map[string]int{
		"id < 10": 1, "id = 131": 1, "id >= 0": files, "id > 1000": 0, "-5 < id and id <= 29": 1, "id in (3, 140)": 2, "not (id < 160)": 1,
		"name = 'Ariane 31'": files, "name > 'B'": 0, "name is null": files, "year = 2024": 2, "year is null": 2, "year <> 2024": 2,
		"net >= '2024-05-01'": 3, "net < timestamp '2024-01-03 00:00:00'": 1, "net between '2024-01-05' and '2024-01-07'": 1,
		"mass > 1e9": files, "mass = 3.5": files, "cost <= 1.99": files, "cost = 20": files, "id % 2 = 0": files, "id < 10 or year = 2025": 3,
		"length(name) = 8 and year = 2025": 2, `"id" < 10`: files, "id < 10 -- the first": files, "true": files, "id = null": files,
	} {
		t.Run(where, func(t *testing.T) {
			e := open(t)
			before := store.Count(storetest.Get, ".parquet")
			if err := e.Bind(t.Context(), "selected", engine.Input{Snapshot: s, Where: where}); err != nil {
				t.Fatal(err)
			}
			read := store.Count(storetest.Get, ".parquet") - before
			got, err := query(t, e, "select * from selected order by id")
			if err != nil {
				t.Fatal(err)
			}
			if err := e.Bind(t.Context(), "whole", engine.Input{Snapshot: s}); err != nil {
				t.Fatal(err)
			}
			want, err := query(t, e, "select * from whole where ("+where+"\n) order by id")
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(fmt.Sprint(want), fmt.Sprint(got)); diff != "" {
				t.Errorf("rows (-read whole +read in part):\n%s", diff)
			}
			if read > most || len(got) > 0 && read == 0 {
				t.Errorf("%d of %d files were read, want at most %d", read, files, most)
			}
		})
	}
}

func TestAConditionThatIsNoneIsRefused(t *testing.T) {
	s, err := launchTable(t, objstore.NewMemory()).Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, where := range []string{"id <", "nothing = 1", "id; drop table x"} {
		e := open(t)
		err := e.Bind(t.Context(), "selected", engine.Input{Snapshot: s, Where: where})
		if err == nil {
			_, err = query(t, e, "select * from selected")
		}
		if err == nil || !strings.Contains(err.Error(), "selected") {
			t.Errorf("%q: %v", where, err)
		}
	}
}

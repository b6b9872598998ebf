package duckdb_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"launchlake/internal/delta"
	"launchlake/internal/engine"
	"launchlake/internal/engine/duckdb"
	"launchlake/internal/objstore"
	"launchlake/internal/objstore/storetest"
)

func TestOnlyFilesThatCanHoldChangedRowsAreFetched(t *testing.T) {
	for _, vectors := range []string{"false", "true"} {
		memory := objstore.NewMemory()
		e := open(t)
		for n := range 5 {
			publish(t, e, fmt.Sprintf(`select n, 'key ' || chr(65 + %d) || n as s, timestamptz '2026-01-0%d 00:00:00+00' as "at", n / 4.0 as d from range(%d, %d) as r(n)`, n, n+1, n*10, n*10+10),
				engine.Output{Table: delta.Open(memory), Mode: engine.Append, Configuration: map[string]string{"delta.enableDeletionVectors": vectors}})
		}
		_ = e.Close()
		for _, tt := range []struct {
			name  string
			work  func(e *duckdb.Engine, table *delta.Table) (engine.Published, error)
			files int
		}{
			{"merge by a number", mergeRows(t.Context(), "n", "select 12 as n union all select 15 union all select 999"), 1},
			{"merge by far numbers", mergeRows(t.Context(), "n", "select 2 as n union all select 41"), 2},
			{"merge by text", mergeRows(t.Context(), "s", "select 'key C22' as s"), 1},
			{"merge by a time and a number", mergeRows(t.Context(), "at,d", `select timestamptz '2026-01-04 00:00:00+00' as "at", 8.5 as d union all select null, 1`), 1},
			{"merge of new keys", mergeRows(t.Context(), "n", "select 1000 as n"), 0},
			{"merge of nulls", mergeRows(t.Context(), "n", "select cast(null as bigint) as n"), 0},
			{"delete", func(e *duckdb.Engine, table *delta.Table) (engine.Published, error) {
				return e.Delete(t.Context(), engine.Edit{Table: table, Where: "n between 33 and 35"})
			}, 1},
			{"update", func(e *duckdb.Engine, table *delta.Table) (engine.Published, error) {
				return e.Update(t.Context(), engine.Edit{Table: table, Where: "s = 'key B12' or n = 3"}, []engine.Assignment{{Column: "d", Value: "0"}})
			}, 2},
		} {
			counted := storetest.NewFaulty(copied(t, memory))
			e := openWith(t, duckdb.Options{Folder: t.TempDir(), CacheBytes: -1})
			if _, err := tt.work(e, delta.Open(counted)); err != nil {
				t.Errorf("%s: %v", tt.name, err)
			}
			_ = e.Close()
			fetched := slices.DeleteFunc(counted.Calls(), func(c storetest.Call) bool {
				return c.Op != storetest.Get || !strings.HasSuffix(c.Key, ".parquet") || strings.HasPrefix(c.Key, "_delta_log/")
			})
			if len(fetched) != tt.files {
				t.Errorf("%s, vectors %s: %d files were fetched, want %d", tt.name, vectors, len(fetched), tt.files)
			}
		}
	}
}

// mergeRows merges rows that give the keys alone; other columns of the table become null.
func mergeRows(ctx context.Context, keys, query string) func(e *duckdb.Engine, table *delta.Table) (engine.Published, error) {
	return func(e *duckdb.Engine, table *delta.Table) (engine.Published, error) {
		cells := map[string]string{"n": "bigint", "s": "string", "at": "timestamptz", "d": "double"}
		s, err := table.Snapshot(ctx)
		if err != nil {
			return engine.Published{}, err
		}
		var all []string
		for _, f := range s.Schema().Fields {
			if slices.Contains(strings.Split(keys, ","), f.Name) {
				all = append(all, `"`+f.Name+`"`)
			} else {
				all = append(all, fmt.Sprintf(`cast(null as %s) as "%s"`, cells[f.Name], f.Name))
			}
		}
		return e.Publish(ctx, "select "+strings.Join(all, ", ")+" from ("+query+")",
			engine.Output{Table: table, Mode: engine.Merge, Schema: s.Schema(), Keys: strings.Split(keys, ","), Newer: "true"})
	}
}

func copied(t *testing.T, from objstore.Store) *objstore.Memory {
	t.Helper()
	to := objstore.NewMemory()
	for info, err := range from.List(t.Context(), "", "") {
		if err != nil {
			t.Fatal(err)
		}
		body, err := objstore.ReadAll(t.Context(), from, info.Key)
		if err != nil {
			t.Fatal(err)
		}
		if err := to.PutIfAbsent(t.Context(), info.Key, body); err != nil {
			t.Fatal(err)
		}
	}
	return to
}

// TestChangedRowsAreThoseOfAPlainModel changes rows at random, by vectors and by writing files again, and compares with a map.
func TestChangedRowsAreThoseOfAPlainModel(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	for _, vectors := range []string{"false", "true"} {
		random := rand.New(rand.NewPCG(seed, 0))
		e := open(t)
		table := delta.Open(objstore.NewMemory())
		publish(t, e, "select n as id, 'first ' || n as text from range(50) as r(n)", engine.Output{Table: table, Mode: engine.Append,
			Configuration: map[string]string{"delta.enableDeletionVectors": vectors, "delta.checkpointInterval": "5"}})
		model := map[int64]string{}
		for n := range int64(50) {
			model[n] = fmt.Sprint("first ", n)
		}
		for step := range 25 {
			low := random.Int64N(70)
			high := low + random.Int64N(20)
			in := fmt.Sprintf("id between %d and %d", low, high)
			var err error
			switch random.IntN(3) {
			case 0:
				_, err = e.Delete(t.Context(), engine.Edit{Table: table, Where: in})
				for id := low; id <= high; id++ {
					delete(model, id)
				}
			case 1:
				_, err = e.Update(t.Context(), engine.Edit{Table: table, Where: in}, []engine.Assignment{{Column: "text", Value: fmt.Sprintf("'updated %d'", step)}})
				for id := range model {
					if id >= low && id <= high {
						model[id] = fmt.Sprint("updated ", step)
					}
				}
			default:
				_, err = e.Publish(t.Context(), fmt.Sprintf("select n as id, 'merged %d' as text, n %% 3 = 0 as gone from range(%d, %d) as r(n)", step, low, high+1),
					engine.Output{Table: table, Mode: engine.Merge, Keys: []string{"id"}, Newer: "true", Tombstone: "gone"})
				for id := low; id <= high; id++ {
					if model[id] = fmt.Sprint("merged ", step); id%3 == 0 {
						delete(model, id)
					}
				}
			}
			if err != nil {
				t.Fatalf("step %d: %v", step, err)
			}
		}
		got, err := latestRows(t, table)
		if err != nil {
			t.Fatal(err)
		}
		var want []string
		for id, text := range model {
			want = append(want, fmt.Sprint(id, text))
		}
		slices.Sort(want)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("vectors %s (-want +got):\n%s", vectors, diff)
		}
		for finding, err := range table.Check(t.Context(), delta.CheckOptions{Deep: true}) {
			t.Errorf("vectors %s: the check finds %v, %v", vectors, finding, err)
		}
		_ = e.Close()
	}
}

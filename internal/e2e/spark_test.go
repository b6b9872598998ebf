package e2e_test

import (
	"fmt"
	"log/slog"
	"path"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"launchlake/internal/delta"
	"launchlake/internal/engine"
	"launchlake/internal/engine/duckdb"
	"launchlake/internal/lake"
	"launchlake/internal/task"
	"launchlake/internal/task/aggregate"
	"launchlake/internal/task/engines"
	"launchlake/internal/task/refine"
)

// onSpark lets Spark bring new launches into tables that DuckDB made, and holds them against what DuckDB alone makes of the
// same Bronze.
func (p *platformTest) onSpark(t *testing.T) {
	start := time.Now()
	p.stack.mustCompose(t, nil, "up", "--detach", "--build", "--wait", "spark")
	t.Logf("Spark built and healthy after %s", time.Since(start).Round(time.Second))
	defer p.stopSpark(t)
	p.stack.serveLaunches(t, "GENERATED=300", "THROTTLE=0")
	r := p.api.trigger(t, map[string]any{"engine": "spark", "sweep": true})
	// It was seen once that a try on Spark did not come to its end: there is room for one that is stopped, and for the next.
	state, took := r.wait(t, 2*runLimit)
	t.Logf("the run took %s", took.Round(time.Second))
	if diff := cmp.Diff(green, r.states(t)); state != "success" || diff != "" {
		t.Fatalf("the run ended as %s (-want +got):\n%s\n%s", state, diff, r.log(t, "refine", 1))
	}
	for _, task := range []string{"refine", "aggregate"} {
		if log := r.log(t, task, 1); !strings.Contains(log, "spark session opened") {
			t.Errorf("the log of %s does not tell of Spark:\n%s", task, log)
		}
	}
	p.wantEqual(t, p.openLake(t), p.madeByDuckDB(t))
}

// stopSpark makes room. Of a server that the test failed with, the log of the services shows the threads.
func (p *platformTest) stopSpark(t *testing.T) {
	if t.Failed() {
		p.stack.mustCompose(t, nil, "kill", "--signal", "QUIT", "spark")
	}
	p.stack.mustCompose(t, nil, "stop", "spark")
}

// madeByDuckDB is a lake in a folder with a copy of the platform's Bronze, of which DuckDB made the other layers at one go.
func (p *platformTest) madeByDuckDB(t *testing.T) *lake.Lake {
	t.Helper()
	common := task.Common{LakeURL: "file://" + t.TempDir(), RunID: "again"}
	again, err := lake.Open(t.Context(), common.Lake())
	if err != nil {
		t.Fatal(err)
	}
	from := p.openLake(t).Store()
	for object, err := range from.List(t.Context(), "bronze/", "") {
		if err != nil {
			t.Fatalf("list Bronze: %v", err)
		}
		content, err := from.Get(t.Context(), object.Key, 0, -1)
		if err != nil {
			t.Fatal(err)
		}
		if err := again.Store().Put(t.Context(), object.Key, content); err != nil {
			t.Fatal(err)
		}
		content.Close()
	}
	config := engines.Config{Engine: "duckdb", WorkFolder: t.TempDir()}
	silent := slog.New(slog.DiscardHandler)
	// Among the launches are those of the API that changed its shape.
	if _, err := refine.Run(t.Context(), refine.Config{Common: common, Config: config, BronzeVersion: task.NoVersion, AcceptBroken: true}, silent); err != nil {
		t.Fatalf("refine: %v", err)
	}
	if _, err := aggregate.Run(t.Context(), aggregate.Config{Common: common, Config: config, SilverVersion: task.NoVersion}, silent); err != nil {
		t.Fatalf("aggregate: %v", err)
	}
	return again
}

// wantEqual compares the tables of Silver and Gold row for row.
func (p *platformTest) wantEqual(t *testing.T, got, want *lake.Lake) {
	t.Helper()
	e, err := duckdb.Open(t.Context(), duckdb.Options{Folder: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	names, err := want.Tables(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if strings.HasPrefix(name, "bronze/") || name == "silver/launches_quarantine" {
			continue // what is put aside tells of the runs that did it
		}
		table := path.Base(name)
		bind(t, e, "spark."+table, got.Table(name))
		bind(t, e, "duckdb."+table, want.Table(name))
		rows, err := e.Query(t.Context(), fmt.Sprintf(`
			SELECT 'only on the platform' AS what, * FROM (SELECT * FROM spark.%[1]s EXCEPT ALL SELECT * FROM duckdb.%[1]s)
			UNION ALL
			SELECT 'only by DuckDB alone', * FROM (SELECT * FROM duckdb.%[1]s EXCEPT ALL SELECT * FROM spark.%[1]s)`, table))
		if err != nil {
			t.Fatalf("compare %s: %v", name, err)
		}
		for row, err := range rows.All {
			if err != nil {
				t.Fatalf("compare %s: %v", name, err)
			}
			t.Errorf("%s differs: %v", name, row)
		}
	}
}

func bind(t *testing.T, e engine.Engine, name string, table *delta.Table) {
	t.Helper()
	s, err := table.Snapshot(t.Context())
	if err != nil {
		t.Fatalf("read %s: %v", name, err)
	}
	if rows, _ := s.NumRecords(); rows == 0 {
		t.Errorf("%s is empty", name)
	}
	if err := e.Bind(t.Context(), name, engine.Input{Snapshot: s}); err != nil {
		t.Fatalf("bind %s: %v", name, err)
	}
}

package integration_test

import (
	"maps"
	"net/http"
	"testing"

	"launchlake/internal/miniotest"
	"launchlake/internal/task"
)

// TestARunWithNothingNewAsksTheStoreLittle holds the number of requests, of which each costs a run its time on a store that is far away: for a
// table the hint, a listing, the last commit and its checksum; for ingest, which must know what it has, a file's footer and pages.
func TestARunWithNothingNewAsksTheStoreLittle(t *testing.T) {
	variables, url := miniotest.Bucket(t)
	env := environment{"LAKE_URL": url, "WORK_FOLDER": t.TempDir()}
	maps.Copy(env, variables)
	runPipeline(t, env, task.Done)
	for name, want := range map[string]struct{ tables, files int }{"ingest": {1, 1}, "refine": {3, 0}, "aggregate": {6, 0}} {
		proxy := miniotest.NewProxy(t, env["S3_ENDPOINT"], func(*http.Request) miniotest.Fault { return miniotest.Pass })
		runTask(t, env.with("S3_ENDPOINT", proxy.URL()), name, task.NothingNew)
		const hint, listing, commits, checksum, ranges = 1, 1, 1, 1, 3
		if n, most := proxy.Count(""), want.tables*(hint+listing+commits+checksum)+want.files*ranges; n > most {
			t.Errorf("%s with nothing new sends %d requests, at most %d are needed", name, n, most)
		}
		if n := proxy.Count("list-type"); n > want.tables {
			t.Errorf("%s with nothing new lists %d times for %d tables", name, n, want.tables)
		}
	}
}

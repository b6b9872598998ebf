package integration_test

import (
	"maps"
	"testing"
	"time"

	"launchlake/internal/miniotest"
	"launchlake/internal/task"
)

// TestThePipelineConvergesThroughBadWeather runs the tasks against a MinIO behind a proxy that refuses, breaks off, loses
// replies and puts the clock wrong. A task may give up, and is then run again as a scheduler does; the lake must hold
// what one holds that was left alone.
func TestThePipelineConvergesThroughBadWeather(t *testing.T) {
	quiet := environment{"LAKE_URL": "file://" + t.TempDir(), "WORK_FOLDER": t.TempDir()}
	variables, url := miniotest.Bucket(t)
	clear := environment{"LAKE_URL": url, "WORK_FOLDER": t.TempDir()}
	maps.Copy(clear, variables)
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	weather := miniotest.Weather{Seed: seed, OneIn: 8, AskTwice: "_delta_log/"}
	proxy := miniotest.NewProxy(t, clear["S3_ENDPOINT"], weather.Plan())
	stormy := clear.with("S3_ENDPOINT", proxy.URL())
	for _, state := range []string{"1", "2"} {
		runPipeline(t, quiet.with("SAMPLE_STATE", state), task.Done)
		for _, name := range []string{"ingest", "refine", "aggregate"} {
			runStubbornly(t, stormy.with("SAMPLE_STATE", state), name)
		}
	}
	t.Logf("%d requests", proxy.Count(""))
	compareLakes(t, quiet, clear)
	lakeSays(t, clear, task.Done, "ok    silver/launches: ", "fsck", "--deep")
}

// triesOfAScheduler is how often a task is run that says that a retry may help.
const triesOfAScheduler = 5

func runStubbornly(t *testing.T, env environment, name string) {
	t.Helper()
	for range triesOfAScheduler {
		e := run(t, env, name)
		switch task.ExitCode(e.code) {
		case task.Done, task.NothingNew:
			return
		case task.Failed, task.Unavailable:
			t.Logf("%s: exit code %d: %s", name, e.code, e.result.Error)
		default:
			t.Fatalf("%s: %s", name, e)
		}
	}
	t.Fatalf("%s did not get through in %d runs", name, triesOfAScheduler)
}

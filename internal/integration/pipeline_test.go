package integration_test

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"launchlake/internal/launchapi/recorded"
	"launchlake/internal/miniotest"
	"launchlake/internal/task"
)

// forEachStore runs a test on a folder and on a bucket of a real MinIO.
func forEachStore(t *testing.T, test func(t *testing.T, env environment)) {
	t.Run("folder", func(t *testing.T) {
		test(t, environment{"LAKE_URL": "file://" + t.TempDir(), "WORK_FOLDER": t.TempDir()})
	})
	t.Run("minio", func(t *testing.T) {
		variables, url := miniotest.Bucket(t)
		env := environment{"LAKE_URL": url, "WORK_FOLDER": t.TempDir()}
		maps.Copy(env, variables)
		test(t, env)
	})
}

func TestTheRecordedAPIGoesThroughToGold(t *testing.T) {
	forEachStore(t, func(t *testing.T, env environment) {
		first, err := recorded.Summarize(1)
		if err != nil {
			t.Fatal(err)
		}
		results := runPipeline(t, env, task.Done)
		checkTable(t, results[0], task.Table{Name: "bronze/launches", VersionBefore: task.NoVersion, RowsIn: int64(first.Records), RowsOut: int64(first.Records)})
		checkTable(t, results[1], task.Table{Name: "silver/launches", VersionBefore: task.NoVersion, RowsIn: int64(first.Records), RowsOut: int64(first.Launches)})
		if rows := cat(t, env, "silver/launches"); len(rows) != first.Launches {
			t.Errorf("silver/launches holds %d rows, want %d", len(rows), first.Launches)
		}
		if rows := cat(t, env, "silver/launches_quarantine"); len(rows) != 0 {
			t.Errorf("real launches are in quarantine: %v", rows)
		}
		checkNothingNew(t, env)

		second, err := recorded.Summarize(2)
		if err != nil {
			t.Fatal(err)
		}
		env = env.with("SAMPLE_STATE", "2")
		runPipeline(t, env, task.Done)
		checkSecondState(t, env, second)
		checkNothingNew(t, env)
	})
}

// checkTable compares what a result says of a table with what is known before.
func checkTable(t *testing.T, result task.Result, want task.Table) {
	t.Helper()
	for _, got := range result.Tables {
		if got.Name == want.Name {
			want.Version, want.RowsUpdated, want.FilesAdded, want.FilesRemoved = got.Version, got.RowsUpdated, got.FilesAdded, got.FilesRemoved
			if !cmp.Equal(got, want) {
				t.Errorf("%s reports %+v, want %+v", result.Task, got, want)
			}
			return
		}
	}
	t.Errorf("%s reports nothing of %s: %+v", result.Task, want.Name, result.Tables)
}

// checkNothingNew runs the pipeline again: it must say that nothing is new and leave every table's version.
func checkNothingNew(t *testing.T, env environment) {
	t.Helper()
	before := run(t, env, "lake", "tables", "--format", "json").stdout
	runPipeline(t, env, task.NothingNew)
	if after := run(t, env, "lake", "tables", "--format", "json").stdout; after != before {
		t.Errorf("a run with nothing new changed tables\nbefore: %s\nafter: %s", before, after)
	}
}

func checkSecondState(t *testing.T, env environment, want recorded.Summary) {
	t.Helper()
	statuses := map[string]int{}
	for _, row := range cat(t, env, "silver/launches", "--columns", "status_abbrev") {
		statuses[row["status_abbrev"].(string)]++
	}
	if !maps.Equal(statuses, want.Statuses) {
		t.Errorf("launches by status: %v, want %v", statuses, want.Statuses)
	}
	quarantined := cat(t, env, "silver/launches_quarantine")
	if len(quarantined) != len(want.Faults) {
		t.Errorf("%d records are in quarantine, want %d", len(quarantined), len(want.Faults))
	}
	broken := map[string]bool{}
	for _, row := range quarantined {
		for _, rule := range row["rules"].([]any) {
			broken[rule.(string)] = true
		}
	}
	for _, rule := range want.Rules() {
		// Bronze names the defect, Silver the rule that sees it.
		if defect, ok := strings.CutPrefix(rule, "not_"); ok {
			rule = "is_" + strings.TrimPrefix(defect, "an_")
		}
		if !broken[rule] {
			t.Errorf("no record is in quarantine for %s, but for %v", rule, slices.Sorted(maps.Keys(broken)))
		}
	}
}

func TestEveryGoldTableHasRows(t *testing.T) {
	env := environment{"LAKE_URL": "file://" + t.TempDir()}
	runPipeline(t, env, task.Done)
	models, err := filepath.Glob("../gold/*.sql")
	if err != nil || len(models) < 5 {
		t.Fatalf("models: %v, %v", models, err)
	}
	for _, model := range models {
		name := "gold/" + strings.TrimSuffix(filepath.Base(model), ".sql")
		if rows := cat(t, env, name, "--limit", "1"); len(rows) == 0 {
			t.Errorf("%s has no rows", name)
		}
	}
}

func TestRunShowsASummaryAndGold(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "lake")
	env := environment{"LAKE_URL": folder}
	e := run(t, env, "lake", "run")
	if e.code != 0 {
		t.Fatal(e)
	}
	for _, want := range []string{"bronze/launches", "silver/launches", "gold/rocket_reliability", "new -> 1", "Falcon 9"} {
		if !strings.Contains(e.stdout, want) {
			t.Errorf("the summary does not show %q:\n%s", want, e.stdout)
		}
	}
	files := fileNames(t, folder)
	if e = run(t, env, "lake", "run"); e.code != 0 || !strings.Contains(e.stdout, "Nothing new") {
		t.Errorf("the second run: %s", e)
	}
	if again := fileNames(t, folder); !slices.Equal(files, again) {
		t.Errorf("the second run changed the lake's files\nbefore: %v\nafter: %v", files, again)
	}
}

func fileNames(t *testing.T, folder string) (names []string) {
	t.Helper()
	err := filepath.WalkDir(folder, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			names = append(names, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

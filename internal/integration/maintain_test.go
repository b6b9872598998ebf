package integration_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"launchlake/internal/delta"
	"launchlake/internal/task"
)

// lakeSays runs a command of `lake` and requires its exit code and a part of what it prints.
func lakeSays(t *testing.T, env environment, code task.ExitCode, want string, args ...string) ended {
	t.Helper()
	e := run(t, env, "lake", args...)
	if e.code != int(code) || !strings.Contains(e.stdout+e.stderr, want) {
		t.Errorf("lake %s: want exit code %d and %q, got %s", strings.Join(args, " "), code, want, e)
	}
	return e
}

func TestTheLakeIsMaintainedFromTheCommandLine(t *testing.T) {
	folder := t.TempDir()
	env := environment{"LAKE_URL": "file://" + folder, "SOURCE_URL": "sample:"}
	runPipeline(t, env, task.Done)
	runPipeline(t, env.with("SAMPLE_STATE", "2"), task.Done)
	const silver, bronze = "silver/launches", "bronze/launches"
	before := map[string][]string{}
	for _, name := range []string{silver, bronze} {
		before[name] = sorted(t, cat(t, env, name))
	}
	same := func(name string) {
		t.Helper()
		if diff := cmp.Diff(before[name], sorted(t, cat(t, env, name))); diff != "" {
			t.Errorf("rows of %s (-before +after):\n%.2000s", name, diff)
		}
	}
	latest := latestVersion(t, filepath.Join(folder, silver))

	lakeSays(t, env, task.Done, "ok    silver/launches: ", "fsck", "--deep")
	lakeSays(t, env, task.Done, "with the same", "optimize", bronze)
	same(bronze)
	lakeSays(t, env, task.Done, "nothing to improve", "optimize", bronze)
	lakeSays(t, env, task.Done, "with the same", "optimize", silver, "--zorder", "net,pad_id", "--target-size", "64KiB")
	same(silver)
	lakeSays(t, env, task.Done, "files are back", "restore", silver, "--version", "1")
	if diff := cmp.Diff(sorted(t, cat(t, env, silver, "--version", "1")), sorted(t, cat(t, env, silver))); diff != "" {
		t.Errorf("rows (-version 1 +restored):\n%.2000s", diff)
	}
	lakeSays(t, env, task.Done, "files are back", "restore", silver, "--version", fmt.Sprint(latest))
	same(silver)
	lakeSays(t, env, task.BadConfig, "--version N or --as-of TIME", "restore", silver)

	for _, command := range []string{"optimize", "checkpoint", "vacuum", "clean-log"} {
		lakeSays(t, env, task.Done, "gold/pad_activity: ", command, "--all")
		lakeSays(t, env, task.BadConfig, "--all", command)
	}
	same(silver)
	same(bronze)

	lakeSays(t, env, task.BadConfig, "--force-short-retention", "vacuum", silver, "--retention", "1h")
	short := []string{"vacuum", silver, "--retention", "0s", "--force-short-retention"}
	lakeSays(t, env, task.Done, "would delete", append(short, "--dry-run")...)
	lakeSays(t, env, task.Done, "deleted", short...)
	same(silver)
	lakeSays(t, env, task.Failed, "--without-gone-files", "restore", silver, "--version", "1")
	lakeSays(t, env, task.Done, "has a checkpoint", "checkpoint", silver)
	old := time.Now().Add(-40 * 24 * time.Hour)
	logs, err := filepath.Glob(filepath.Join(folder, silver, "_delta_log", "0*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range logs {
		if err := os.Chtimes(path, old, old); err != nil {
			t.Fatal(err)
		}
	}
	lakeSays(t, env, task.Done, "deleted", "clean-log", silver)
	same(silver)
	lakeSays(t, env, task.Done, "refine:launches", "describe", silver)
	lakeSays(t, env, task.Done, `"sizeInBytes"`, "describe", silver, "--format", "json")
	lakeSays(t, env, task.Done, "ok    silver/launches: ", "fsck", "--deep")
	t.Run("and the pipeline goes on", func(t *testing.T) {
		again := env.with("SAMPLE_STATE", "2")
		runTask(t, again, "ingest", task.NothingNew)
		runTask(t, again, "refine", task.NothingNew) // Bronze has a new version, and no new row
		runTask(t, again, "aggregate", task.Done)
	})
	t.Run("and others read it", func(t *testing.T) { readByOthers(t, env, folder, silver, bronze) })

	damage(t, filepath.Join(folder, silver))
	lakeSays(t, env, task.Failed, "FAIL  silver/launches: missing_file: ", "fsck")
	lakeSays(t, env, task.Failed, `{"table":"silver/launches","kind":"missing_file","key":"`, "fsck", silver, "--json")
	lakeSays(t, env, task.BadConfig, "not a Delta table", "fsck", "silver/nothing")
}

// readByOthers compares the latest version as delta-rs and DuckDB's Delta extension read it.
func readByOthers(t *testing.T, env environment, folder string, names ...string) {
	for _, name := range names {
		path := filepath.Join(folder, name)
		latest := latestVersion(t, path)
		for _, f := range readIndependently(t, path, latest) {
			compareFound(t, f, path, latest, cat(t, env, name))
		}
	}
}

// damage takes one live file away.
func damage(t *testing.T, path string) {
	t.Helper()
	s, err := openTable(t, path).Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var live delta.Add
	for live = range s.Files() {
	}
	if err := os.Remove(filepath.Join(path, live.Path)); err != nil {
		t.Fatal(err)
	}
}

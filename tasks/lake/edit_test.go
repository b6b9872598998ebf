package main

import (
	"os"
	"strings"
	"testing"

	"launchlake/internal/engine"
	"launchlake/internal/task"
)

func TestRowsAreDeletedUpdatedAndPurged(t *testing.T) {
	folder := t.TempDir()
	environment := map[string]string{"LAKE_URL": folder, "WORK_FOLDER": t.TempDir()}
	if err := os.MkdirAll(folder+"/gold/t", 0o700); err != nil {
		t.Fatal(err)
	}
	_, s, err := execute(t, environment, "version")
	if err != nil {
		t.Fatal(err)
	}
	table, err := s.table(folder + "/gold/t")
	if err != nil {
		t.Fatal(err)
	}
	sql, err := openEngine(s)
	if err != nil {
		t.Fatal(err)
	}
	defer sql.Close()
	if _, err := sql.Publish(t.Context(), "select n, 'name ' || n as name from range(10) as r(n)", engine.Output{Table: table, Mode: engine.Append,
		Configuration: map[string]string{"delta.enableDeletionVectors": "true", "delta.enableChangeDataFeed": "true"}}); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		args []string
		code task.ExitCode
		want string // of the output, or of the error
	}{
		{[]string{"delete", "gold/t", "--where", "n >= 8"}, task.Done, "gold/t: version 2 has 2 rows deleted: 0 files removed, 0 added (0 B), 1 with deletion vectors"},
		{[]string{"update", "gold/t", "--set", "name=upper(name) || '=x'", "--set", "n = n + 100", "--where", "n < 2"}, task.Done, "version 3 has 2 rows updated: 0 files removed, 1 added"},
		{[]string{"cat", "gold/t", "--where", "n > 99", "--columns", "name"}, task.Done, `{"name":"NAME 0=x"}`},
		{[]string{"cat", "gold/t", "--changes", "3:3", "--columns", "_change_type", "--where", "n = 101"}, task.Done, `{"_change_type":"update_postimage"}`},
		{[]string{"delete", "gold/t", "--where", "n > 1000"}, task.Done, "no row meets the condition at version 3"},
		{[]string{"optimize", "gold/t", "--purge", "--purge-fraction", "0.5"}, task.Done, "2 (" /* small files are put together anyway */},
		{[]string{"delete", "gold/t", "--where", "n = 3"}, task.Done, "1 with deletion vectors"},
		{[]string{"optimize", "gold/t"}, task.Done, "nothing to improve"},
		{[]string{"optimize", "gold/t", "--purge"}, task.Done, "with the same 7 rows"},
		{[]string{"delete", "gold/t"}, task.BadConfig, "which rows? --where SQL says, or --all-rows"},
		{[]string{"delete", "gold/t", "--where", "true", "--all-rows"}, task.BadConfig, "--where and --all-rows cannot be used together"},
		{[]string{"delete", "gold/t", "--where", "nope = 1"}, task.Failed, "nope"},
		{[]string{"delete", "gold/none", "--all-rows"}, task.BadConfig, "not a Delta table"},
		{[]string{"update", "gold/t", "--all-rows"}, task.BadConfig, "--set COLUMN=SQL"},
		{[]string{"update", "gold/t", "--all-rows", "--set", "name"}, task.BadConfig, "must be COLUMN=SQL"},
		{[]string{"optimize", "gold/t", "--purge-fraction", "2"}, task.BadConfig, "at most 1"},
		{[]string{"delete", "gold/t", "--all-rows"}, task.Done, "7 rows deleted: 1 files removed"},
	} {
		out, _, err := execute(t, environment, tt.args...)
		if err != nil {
			out += err.Error()
		}
		if task.CodeOf(err) != tt.code || !strings.Contains(out, tt.want) {
			t.Errorf("lake %s: exit code %d, %q; want %d, %q", strings.Join(tt.args, " "), task.CodeOf(err), out, tt.code, tt.want)
		}
	}
}

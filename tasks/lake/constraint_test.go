package main

import (
	"os"
	"strings"
	"testing"

	"launchlake/internal/delta"
	"launchlake/internal/objstore"
	"launchlake/internal/task"
)

func TestConstraintsAreAddedListedAndDropped(t *testing.T) {
	folder := t.TempDir()
	if err := os.MkdirAll(folder+"/gold/t", 0o700); err != nil {
		t.Fatal(err)
	}
	store, err := objstore.NewDir(folder + "/gold/t")
	if err != nil {
		t.Fatal(err)
	}
	table := delta.Open(store)
	if _, err := table.Create(t.Context(), delta.Metadata{Schema: &delta.Schema{Fields: []delta.Field{{Name: "n", Type: delta.Long, Nullable: true}}}}); err != nil {
		t.Fatal(err)
	}
	run := func(args ...string) (string, error) {
		out, _, err := execute(t, map[string]string{"LAKE_URL": folder, "TMPDIR": t.TempDir()}, append([]string{"constraint"}, args...)...)
		return out, err
	}
	if out, err := run("add", "gold/t", "Positive", "n > 0"); err != nil || !strings.Contains(out, "version 1 has the constraint") {
		t.Errorf("add: %q, %v", out, err)
	}
	if out, err := run("list", "gold/t"); err != nil || out != "checkConstraints\tpositive\tn > 0\n" {
		t.Errorf("list: %q, %v", out, err)
	}
	for _, tt := range [][]string{{"add", "gold/t", "positive", "n > 1"}, {"add", "gold/t", "odd", "soundex(n)"}, {"drop", "gold/t", "odd"}, {"add", "gold/t", "odd"}, {"nope"}, {}} {
		if out, err := run(tt...); err == nil || task.CodeOf(err) == task.Done {
			t.Errorf("%v: %q", tt, out)
		}
	}
	if _, err := run("drop", "gold/t", "POSITIVE"); err != nil {
		t.Error(err)
	}
	if out, err := run("list", "gold/t"); err != nil || out != "" {
		t.Errorf("list: %q, %v", out, err)
	}
}

package main

import (
	"os"
	"strings"
	"testing"

	"launchlake/internal/delta"
	"launchlake/internal/objstore"
	"launchlake/internal/task"
)

func TestColumnsAndPropertiesAreChanged(t *testing.T) {
	folder := t.TempDir()
	if err := os.MkdirAll(folder+"/gold/t", 0o700); err != nil {
		t.Fatal(err)
	}
	store, err := objstore.NewDir(folder + "/gold/t")
	if err != nil {
		t.Fatal(err)
	}
	schema := &delta.Schema{Fields: []delta.Field{{Name: "n", Type: delta.Integer, Nullable: true}}}
	if _, err := delta.Open(store).Create(t.Context(), delta.Metadata{Schema: schema}); err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		line string // fields are parted by |
		want string // part of the output; "": the command is refused
	}{
		{"alter|rename-column|gold/t|n|m", ""}, // columns are not mapped yet
		{"properties|gold/t|delta.columnMapping.mode=name|delta.enableTypeWidening=true", "delta.columnMapping.mode=name\ndelta.enableTypeWidening=true\n"},
		{"alter|rename-column|gold/t|n|m", "version 2 has the columns m\n"},
		{"alter|add-column|gold/t|price|decimal(10,2)", "version 3 has the columns m, price\n"},
		{"alter|add-column|gold/t|tags|{\"type\":\"array\",\"elementType\":\"string\",\"containsNull\":true}", "version 4 has the columns m, price, tags\n"},
		{"alter|widen-column|gold/t|m|long", "version 5"},
		{"alter|widen-column|gold/t|m|short", ""},
		{"alter|comment-column|gold/t|m|How many.", "version 6"},
		{"alter|drop-column|gold/t|price", "version 7 has the columns m, tags\n"},
		{"alter|drop-column|gold/t|price", ""},
		{"alter|add-column|gold/t|x|number", ""},
		{"alter|add-column|gold/t|x", ""},
		{"alter", ""},
		{"properties|gold/t|delta.appendOnly=true|owner=people", "delta.appendOnly=true\n"},
		{"properties|gold/t|--unset|owner,delta.appendOnly", "delta.columnMapping.mode=name\n"},
		{"properties|gold/t|delta.appendonly=true", ""},
		{"properties|gold/t|owner", ""},
		{"properties", ""},
		{"schema|gold/t", "m"},
	} {
		out, _, err := execute(t, map[string]string{"LAKE_URL": folder, "TMPDIR": t.TempDir()}, strings.Split(step.line, "|")...)
		if step.want == "" {
			if err == nil || task.CodeOf(err) == task.Done {
				t.Errorf("%s was not refused: %q", step.line, out)
			}
			continue
		}
		if err != nil || !strings.Contains(out, step.want) {
			t.Errorf("%s: %q, %v", step.line, out, err)
		}
	}
}

package delta_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"launchlake/internal/delta"
	"launchlake/internal/objstore"
	"launchlake/internal/objstore/storetest"
)

// oldTable has a commit every two days for 60 days, the last now, and checkpoints at 10, 20 and 30.
func oldTable(t *testing.T, configuration map[string]string) *yard {
	t.Helper()
	y := &yard{Memory: objstore.NewMemory(), now: time.Now().UTC()}
	schema := &delta.Schema{Fields: []delta.Field{{Name: "id", Type: delta.Long, Nullable: true}, {Name: "_p", Type: delta.String, Nullable: true}}}
	if _, err := y.table().Create(t.Context(), delta.Metadata{Schema: schema, PartitionColumns: []string{"_p"}, Configuration: configuration}); err != nil {
		t.Fatal(err)
	}
	y.SetModTime("_delta_log/00000000000000000000.json", y.now.Add(-60*day))
	for i := 1; i <= 30; i++ {
		age := time.Duration(60-2*i) * day
		y.commit(t, age, []delta.Add{y.put(t, fmt.Sprintf("file %02d", i), age)})
		if i%10 == 0 {
			y.SetModTime(fmt.Sprintf("_delta_log/%020d.checkpoint.parquet", i), y.now.Add(-age))
		}
	}
	return y
}

func logNames(t *testing.T, store objstore.Store) []string {
	t.Helper()
	var out []string
	for info, err := range store.List(t.Context(), "_delta_log/", "") {
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, strings.TrimPrefix(info.Key, "_delta_log/"))
	}
	return out
}

func TestCleaningTheLogKeepsEveryVersionOfTheRetention(t *testing.T) {
	for _, tt := range []struct {
		retention string
		want      delta.Version
	}{
		{"", 10}, // 30 days: version 15 was the latest then
		{"interval 19 days", 20},
		{"interval 21 days", 10},
		{"interval 1 day", 20}, // version 29 was the latest then
		{"interval 100 days", 0},
	} {
		t.Run(tt.retention, func(t *testing.T) {
			configuration := map[string]string{}
			if tt.retention != "" {
				configuration["delta.logRetentionDuration"] = tt.retention
			}
			y := oldTable(t, configuration)
			y.put(t, "_delta_log/notes.txt", 50*day)
			compacted, err := y.table().CompactionOf(t.Context(), 2, 9)
			if err != nil {
				t.Fatal(err)
			}
			overwrite(t, y, compactionKey(2, 9), string(compacted))
			overwrite(t, y, hintKey, `{"version":10,"size":12}`)
			before := logNames(t, y)
			dry, err := y.table().CleanLog(t.Context(), delta.CleanLogOptions{DryRun: true})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(before, logNames(t, y)); diff != "" {
				t.Errorf("a dry run deletes:\n%s", diff)
			}
			done, err := y.table().CleanLog(t.Context(), delta.CleanLogOptions{})
			if err != nil || done.First != tt.want || done.Files != dry.Files || done.Files != count(before)-count(logNames(t, y)) {
				t.Errorf("got %+v, %v after a dry run of %+v; want first version %d", done, err, dry, tt.want)
			}
			for v := delta.Version(0); v <= 30; v++ {
				if _, err := y.table().SnapshotAt(t.Context(), v); (err == nil) != (v >= tt.want) || err != nil && !errors.Is(err, delta.ErrVersionGone) {
					t.Errorf("version %d: %v, want it to be there: %t", v, err, v >= tt.want)
				}
			}
			for _, name := range logNames(t, y) {
				if name < fmt.Sprintf("%020d", tt.want) {
					t.Errorf("%s is left", name)
				}
			}
			isClean(t, y)
			if again, err := y.table().CleanLog(t.Context(), delta.CleanLogOptions{}); err != nil || again.Files != 0 {
				t.Errorf("a second clean-up deletes %d files, %v", again.Files, err)
			}
		})
	}
}

func TestALogIsNotCutAtACheckpointThatIsNotTrue(t *testing.T) {
	for name, damage := range map[string]func(t *testing.T, y *yard){
		"cut": func(t *testing.T, y *yard) {
			y.put(t, "_delta_log/00000000000000000010.checkpoint.parquet", 40*day)
		},
		"of another table": func(t *testing.T, y *yard) {
			text, err := objstore.ReadAll(t.Context(), oldTable(t, nil), "_delta_log/00000000000000000010.checkpoint.parquet")
			if err != nil {
				t.Fatal(err)
			}
			overwrite(t, y, "_delta_log/00000000000000000010.checkpoint.parquet", string(text))
		},
		"a commit before it changed": func(t *testing.T, y *yard) {
			replace(t, y, "_delta_log/00000000000000000005.json", "file%2005", "file%2055")
			y.SetModTime("_delta_log/00000000000000000005.json", y.now.Add(-50*day))
		},
	} {
		t.Run(name, func(t *testing.T) {
			y := oldTable(t, nil)
			damage(t, y)
			before := logNames(t, y)
			var corrupt *delta.CorruptError
			if _, err := y.table().CleanLog(t.Context(), delta.CleanLogOptions{}); !errors.As(err, &corrupt) {
				t.Errorf("got %v, want a CorruptError", err)
			}
			if diff := cmp.Diff(before, logNames(t, y)); diff != "" {
				t.Errorf("files were deleted:\n%s", diff)
			}
		})
	}
}

func TestALogThatMustNotBeCleanedIsLeftAlone(t *testing.T) {
	y := oldTable(t, map[string]string{"delta.enableExpiredLogCleanup": "false"})
	if done, err := y.table().CleanLog(t.Context(), delta.CleanLogOptions{}); err == nil || done.Files != 0 {
		t.Errorf("got %+v, %v; the table forbids it", done, err)
	}
	y = oldTable(t, nil)
	overwrite(t, y, "_delta_log/00000000000000000031.json", `{"protocol":{"minReaderVersion":1,"minWriterVersion":7,"writerFeatures":["checkpointProtection"]}}`)
	var unsupported *delta.UnsupportedError
	if _, err := y.table().CleanLog(t.Context(), delta.CleanLogOptions{}); !errors.As(err, &unsupported) {
		t.Errorf("got %v, want an UnsupportedError", err)
	}
}

func TestWhateverCallOfALogCleanUpFailsTheTableStaysWholeAndARerunConverges(t *testing.T) {
	run := func(y *yard, store objstore.Store) error {
		_, err := y.on(store).CleanLog(t.Context(), delta.CleanLogOptions{})
		return err
	}
	y := oldTable(t, nil)
	clean := storetest.NewFaulty(y)
	if err := run(y, clean); err != nil {
		t.Fatal(err)
	}
	want := logNames(t, y)
	for fault := range storetest.Each(clean.Calls(), storetest.Any) {
		for _, fault.Kill = range []bool{false, true} {
			fault.Call, fault.Nth = 0, 1
			t.Run(fault.String(), func(t *testing.T) {
				y := oldTable(t, nil)
				_ = run(y, storetest.NewFaulty(y, fault))
				isClean(t, y)
				for _, v := range []delta.Version{10, 15, 30} {
					if s, err := y.table().SnapshotAt(t.Context(), v); err != nil || s.NumFiles() != int(v) {
						t.Errorf("version %d: %v, %v", v, s, err)
					}
				}
				for v := range delta.Version(10) {
					if _, err := y.table().SnapshotAt(t.Context(), v); err != nil && !errors.Is(err, delta.ErrVersionGone) {
						t.Errorf("version %d is neither there nor gone: %v", v, err)
					}
				}
				if err := run(y, y); err != nil {
					t.Errorf("the rerun fails: %v", err)
				}
				if diff := cmp.Diff(want, logNames(t, y)); diff != "" {
					t.Errorf("log after the rerun (-want +got):\n%s", diff)
				}
			})
		}
	}
}

// count counts the objects that versions have.
func count(names []string) int {
	return len(slices.DeleteFunc(slices.Clone(names), func(n string) bool { return n == "_last_checkpoint" }))
}

package delta_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"launchlake/internal/delta"
	"launchlake/internal/objstore"
)

// v2Table makes a table of policy v2 with a checkpoint of some files in sidecars of at most two actions.
func v2Table(t *testing.T, store objstore.Store, files int, properties ...string) *delta.Table {
	t.Helper()
	table := delta.OpenWith(store, delta.Options{SidecarActions: 2})
	configuration := map[string]string{"delta.checkpointPolicy": "v2", "delta.checkpointInterval": "1000"}
	for i := 0; i < len(properties); i += 2 {
		configuration[properties[i]] = properties[i+1]
	}
	s, err := table.Create(t.Context(), delta.Metadata{Schema: peopleSchema, Configuration: configuration})
	if err != nil {
		t.Fatal(err)
	}
	for i := range int64(files) {
		tx := s.Begin(delta.Operation{Name: "WRITE"})
		tx.Add(peopleFile(t, store, people(i*10, i*10+9)))
		tx.SetTransaction("app", i)
		if s, err = tx.Commit(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	tx := s.Begin(delta.Operation{Name: "DELETE"})
	for f, err := range s.Files() {
		if err != nil {
			t.Fatal(err)
		}
		tx.Remove(f)
		break
	}
	if s, err = tx.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := table.Checkpoint(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	return table
}

func keysUnder(t *testing.T, store objstore.Store, prefix string) (keys []string) {
	t.Helper()
	for info, err := range store.List(t.Context(), prefix, "") {
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, info.Key)
	}
	return keys
}

func TestV2CheckpointsHaveTheirFilesInSidecars(t *testing.T) {
	for _, properties := range [][]string{
		nil,
		{"delta.checkpoint.writeStatsAsJson", "false"},
		{"delta.checkpoint.writeStatsAsStruct", "false"},
	} {
		t.Run(fmt.Sprint(properties), func(t *testing.T) {
			store := objstore.NewMemory()
			table := v2Table(t, store, 5, properties...)
			before, err := table.Snapshot(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if p := before.Protocol(); p.MinReaderVersion != 3 || p.MinWriterVersion != 7 || p.ReaderFeatures[0] != "v2Checkpoint" {
				t.Errorf("protocol %+v", p)
			}
			if got := keysUnder(t, store, "_delta_log/_sidecars/"); len(got) != 3 { // 4 files and a tombstone
				t.Errorf("sidecars %q", got)
			}
			want := paths(t, before, delta.Col("id").Ge(int64(30)))
			for v := range before.Version() { // only the checkpoint and its commit are left
				if err := store.Delete(t.Context(), fmt.Sprintf("_delta_log/%020d.json", v)); err != nil {
					t.Fatal(err)
				}
			}
			after, err := table.Snapshot(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, paths(t, after, delta.Col("id").Ge(int64(30)))); diff != "" || len(want) == 0 {
				t.Errorf("files (-before +after):\n%s", diff)
			}
			if v, _ := after.AppVersion("app"); v != 4 || after.NumFiles() != 4 {
				t.Errorf("application at %d, %d files", v, after.NumFiles())
			}
			if err := table.Checkpoint(t.Context(), after); err != nil {
				t.Fatal(err)
			}
			if got := keysUnder(t, store, "_delta_log/_sidecars/"); len(got) != 3 {
				t.Errorf("the checkpoint was written twice: %q", got)
			}
			for f, err := range table.Check(t.Context(), delta.CheckOptions{Deep: true}) {
				t.Errorf("the check finds %v, %v", f, err)
			}
		})
	}
}

func TestSidecarsGoWithTheCheckpointsThatNameThem(t *testing.T) {
	now := time.Now().Add(90 * 24 * time.Hour)
	store := objstore.NewMemory()
	v2Table(t, store, 3, "delta.deletedFileRetentionDuration", "interval 0 seconds")
	table := delta.OpenWith(store, delta.Options{SidecarActions: 2, Now: func() time.Time { return now }})
	s, err := table.SetProperties(t.Context(), map[string]string{"x": "y"})
	if err != nil {
		t.Fatal(err)
	}
	old := keysUnder(t, store, "_delta_log/_sidecars/")
	if err := table.Checkpoint(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	if _, err := table.Vacuum(t.Context(), delta.VacuumOptions{ShortRetention: true}); err != nil {
		t.Fatal(err)
	}
	if got := keysUnder(t, store, "_delta_log/_sidecars/"); len(got) != 2*len(old) {
		t.Errorf("a vacuum left %q", got)
	}
	if _, err := table.CleanLog(t.Context(), delta.CleanLogOptions{}); err != nil {
		t.Fatal(err)
	}
	for _, key := range old {
		for _, left := range keysUnder(t, store, "_delta_log/_sidecars/") {
			if key == left {
				t.Errorf("the clean-up left %s", key)
			}
		}
	}
	if again, err := table.Snapshot(t.Context()); err != nil || again.NumFiles() != 2 {
		t.Errorf("%v, %v", again, err)
	}
}

func TestAHintWhoseChecksumIsWrongIsNotFollowed(t *testing.T) {
	store := objstore.NewMemory()
	table := v2Table(t, store, 3)
	const hint = "_delta_log/_last_checkpoint"
	text, err := objstore.ReadAll(t.Context(), store, hint)
	if err != nil || !strings.Contains(string(text), `"checksum":"`) {
		t.Fatalf("%s, %v", text, err)
	}
	if err := store.Put(t.Context(), hint, strings.NewReader(strings.Replace(string(text), `"size":`, `"size":9`, 1))); err != nil {
		t.Fatal(err)
	}
	if s, err := table.Snapshot(t.Context()); err != nil || s.Version() != 4 {
		t.Errorf("%v, %v", s, err)
	}
	var found []delta.FindingKind
	for f, err := range table.Check(t.Context(), delta.CheckOptions{}) {
		if err != nil {
			t.Fatal(err)
		}
		found = append(found, f.Kind)
	}
	if diff := cmp.Diff([]delta.FindingKind{delta.FalseHint}, found); diff != "" {
		t.Error(diff)
	}
}

package delta_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"launchlake/internal/delta"
	"launchlake/internal/objstore"
)

func compactionKey(first, last delta.Version) string {
	return fmt.Sprintf("_delta_log/%020d.%020d.compacted.json", first, last)
}

// eventful is a table of 15 versions with actions of each kind, in which files go and come back. It has neither checkpoints nor checksums,
// so that all is read from commits and compactions.
func eventful(t *testing.T) *objstore.Memory {
	t.Helper()
	store := objstore.NewMemory()
	s, file := tableWithRows(t, store, delta.Metadata{Schema: tableOfRows.Schema, Configuration: map[string]string{
		"delta.enableDeletionVectors": "true", "delta.checkpointInterval": "1000"}})
	for i := range int64(13) {
		tx := s.Begin(delta.Operation{Name: "TEST"})
		tx.SetTransaction(fmt.Sprint("app ", i%2), i)
		tx.Add(delta.Add{Path: fmt.Sprint("part-", i), Size: i, Stats: &delta.Stats{NumRecords: 1}})
		switch i % 5 {
		case 0:
			tx.DeleteRows(file, rowSet(i/5))
		case 1:
			tx.SetDomain("org.example", fmt.Sprint(i))
		case 2:
			tx.Remove(delta.Add{Path: fmt.Sprint("part-", i-1)})
		case 3:
			tx.SetConfiguration("some.property", fmt.Sprint(i))
		case 4:
			if i == 4 {
				tx.RemoveDomain("org.example")
			}
		}
		var err error
		if s, err = tx.Commit(t.Context()); err != nil {
			t.Fatal(err)
		}
		for f := range s.Files() {
			if f.Path == file.Path {
				file = f
			}
		}
	}
	if _, err := s.Table().Restore(t.Context(), 6, delta.RestoreOptions{WithoutGoneFiles: true}); err != nil {
		t.Fatal(err)
	}
	for v := range delta.Version(16) {
		remove(t, store, checksumKey(v))
	}
	return store
}

// everyVersion gives what all versions hold.
func everyVersion(t *testing.T, store objstore.Store, latest delta.Version) (out []map[string]any) {
	t.Helper()
	for v := range latest + 1 {
		s, err := delta.Open(store).SnapshotAt(t.Context(), v)
		if err != nil {
			t.Fatal(err)
		}
		h, err := delta.Open(store).HeadAt(t.Context(), v)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, map[string]any{"snapshot": asText(t, s), "sums": recount(t, s), "head": headText(h), "snapshot's head": headText(&s.Head)})
	}
	return out
}

func TestCompactionsAreReadInPlaceOfTheirCommits(t *testing.T) {
	for _, ranges := range [][][2]delta.Version{{{0, 15}}, {{3, 9}}, {{1, 4}, {5, 12}}, {{2, 8}, {6, 14}, {0, 5}}, {{13, 15}, {2, 12}}} {
		t.Run(fmt.Sprint(ranges), func(t *testing.T) {
			store := eventful(t)
			want := everyVersion(t, store, 15)
			for _, r := range ranges {
				text, err := delta.Open(store).CompactionOf(t.Context(), r[0], r[1])
				if err != nil {
					t.Fatal(err)
				}
				overwrite(t, store, compactionKey(r[0], r[1]), string(text))
			}
			if diff := cmp.Diff(want, everyVersion(t, store, 15)); diff != "" {
				t.Errorf("(-by commits +by compactions):\n%s", diff)
			}
			watch := &watched{Store: store}
			if _, err := delta.Open(watch).Snapshot(t.Context()); err != nil {
				t.Fatal(err)
			}
			if asked, _ := watch.since(); asked["get commit"] >= 16 {
				t.Errorf("the commits are read all the same: %v", asked)
			}
			isCleanLog(t, store, 15)
		})
	}
}

// Compactions that are not what the protocol says are passed over, and what they are is told by a check.
func TestCompactionsThatAreNotSaneArePassedOver(t *testing.T) {
	store := eventful(t)
	want := everyVersion(t, store, 15)
	const first, last = 2, 13
	var together []byte
	for v := delta.Version(first); v <= last; v++ {
		text, err := objstore.ReadAll(t.Context(), store, fmt.Sprintf("_delta_log/%020d.json", v))
		if err != nil {
			t.Fatal(err)
		}
		together = append(together, text...)
	}
	sane, err := delta.Open(store).CompactionOf(t.Context(), first, last)
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string][]byte{
		"one commit behind the other": together, "cut": sane[:len(sane)/2], "empty": {}, "noise": []byte("noise"), "twice": bytes.Repeat(sane, 2),
	} {
		t.Run(name, func(t *testing.T) {
			overwrite(t, store, compactionKey(first, last), string(text))
			if diff := cmp.Diff(want, everyVersion(t, store, 15)); diff != "" {
				t.Errorf("(-by commits +by the compaction):\n%s", diff)
			}
			if got := compactionFindings(t, store); !slices.Equal(got, []string{compactionKey(first, last)}) {
				t.Errorf("the check finds %v", got)
			}
		})
	}
}

func TestACompactionThatIsNotWhatItsCommitsAddUpToIsFound(t *testing.T) {
	for name, change := range map[string]func(lines []string) []string{
		"a line is missing": func(lines []string) []string { return lines[1:] },
		"a line is more":    func(lines []string) []string { return append(lines, `{"txn":{"appId":"other","version":1}}`) },
	} {
		store := eventful(t)
		text, err := delta.Open(store).CompactionOf(t.Context(), 3, 9)
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(strings.TrimSpace(string(text)), "\n")
		overwrite(t, store, compactionKey(3, 9), strings.Join(change(lines), "\n"))
		if got := compactionFindings(t, store); !slices.Equal(got, []string{compactionKey(3, 9)}) {
			t.Errorf("%s: the check finds %v", name, got)
		}
	}
}

func compactionFindings(t *testing.T, store objstore.Store) (keys []string) {
	t.Helper()
	for _, f := range findings(t, store, delta.CheckOptions{Sample: -1}) {
		if f.Kind == delta.FalseCompaction {
			keys = append(keys, f.Key)
		}
	}
	return keys
}

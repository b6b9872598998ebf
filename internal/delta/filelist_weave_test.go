package delta

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestCommitsAndPartsOfACheckpointAddUpToTheSameInAnyOrder reads random checkpoints, whose parts come in order or not, behind random commits.
func TestCommitsAndPartsOfACheckpointAddUpToTheSameInAnyOrder(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 9))
	name := func() string { return fmt.Sprintf("part-%05d", random.IntN(3000)) }
	for round := range 60 {
		want := map[string]string{} // the statistics of each live file
		r := newReconciler(9)
		for v := range random.IntN(4) {
			c := &commitFile{version: Version(9 - v)}
			for range random.IntN(700) {
				path := name()
				if _, newer := want[path]; newer {
					continue
				}
				if random.IntN(4) == 0 {
					want[path] = ""
					c.removes = append(c.removes, &removeAction{Path: path, DeletionTimestamp: int64(v)})
					continue
				}
				want[path] = fmt.Sprint("commit ", v)
				c.adds = append(c.adds, &addAction{Path: path, Stats: want[path]})
			}
			r.commit(c)
		}
		for _, files := range randomParts(random, name) {
			take := r.part()
			for _, path := range files {
				if _, newer := want[path]; !newer {
					want[path] = "checkpoint"
				}
				take(logLine{Add: &addAction{Path: path, Stats: "checkpoint"}})
				take(logLine{Remove: &removeAction{Path: "gone " + path}})
			}
		}
		s := r.finish()
		got := map[string]string{}
		last := ""
		for a := range s.files.all() {
			if a.Path <= last {
				t.Fatalf("round %d: %q comes behind %q", round, a.Path, last)
			}
			got[a.Path], last = a.Stats, a.Path
		}
		maps.DeleteFunc(want, func(_, stats string) bool { return stats == "" })
		if diff := cmp.Diff(want, got); diff != "" || s.files.len() != len(want) {
			t.Fatalf("round %d: %d files (-want +got):\n%.2000s", round, s.files.len(), diff)
		}
	}
}

// randomParts gives the files of a checkpoint: in the order of their names, one part after the other, or in none.
func randomParts(random *rand.Rand, name func() string) [][]string {
	var all []string
	for range random.IntN(3000) {
		all = append(all, name())
	}
	if random.IntN(3) > 0 {
		slices.Sort(all)
	}
	all = slices.Compact(all)
	var parts [][]string
	for len(all) > 0 {
		n := min(len(all), 1+random.IntN(1500))
		parts, all = append(parts, all[:n]), all[n:]
	}
	if random.IntN(2) == 0 {
		random.Shuffle(len(parts), func(i, j int) { parts[i], parts[j] = parts[j], parts[i] })
	}
	return parts
}

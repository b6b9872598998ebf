package delta

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// randomAdd gives an action with or without each of its members.
func randomAdd(r *rand.Rand, path string) *addAction {
	a := &addAction{Path: path, Size: r.Int64() - r.Int64(), ModificationTime: r.Int64N(1 << 41), DataChange: r.IntN(2) == 0}
	if r.IntN(4) > 0 {
		a.Stats = fmt.Sprintf(`{"numRecords":%d,"minValues":{"é":%d}}`, r.IntN(100), r.Int())
	}
	if r.IntN(4) > 0 {
		a.PartitionValues = randomMap(r)
	}
	if r.IntN(8) == 0 {
		a.Tags = randomMap(r)
	}
	if r.IntN(8) == 0 {
		a.DeletionVector = &DeletionVector{StorageType: "u", PathOrInlineDv: fmt.Sprint(r.Int()), SizeInBytes: r.Int32(), Cardinality: r.Int64()}
		if offset := r.Int32(); r.IntN(2) == 0 {
			a.DeletionVector.Offset = &offset
		}
	}
	if n := r.Int64(); r.IntN(8) == 0 {
		a.BaseRowID, a.DefaultRowCommitVersion = &n, &n
	}
	if provider := "liquid"; r.IntN(8) == 0 {
		a.ClusteringProvider = &provider
	}
	return a
}

func randomMap(r *rand.Rand) map[string]*string {
	m := map[string]*string{}
	for range r.IntN(3) {
		m[fmt.Sprint("k", r.IntN(3))] = nil
		value := fmt.Sprint(r.IntN(3))
		m[fmt.Sprint("l", r.IntN(3))] = &value
	}
	return m
}

func TestFileListHoldsWhatWasPutIntoIt(t *testing.T) {
	for seed := range uint64(3) {
		r := rand.New(rand.NewPCG(seed, 1))
		want := map[string]*addAction{}
		var list addList
		for step := range 20 {
			before, hadBefore := list, slices.Collect(list.all())
			changes := 1 + r.IntN([]int{2, 300, 3000}[r.IntN(3)])
			in, out := map[string]*addAction{}, map[string]bool{}
			for range changes {
				a := randomAdd(r, fmt.Sprintf("part-%05d", r.IntN(20000)))
				if r.IntN(3) == 0 {
					out[a.key()] = true
				} else if !out[a.key()] {
					in[a.key()] = a
				}
			}
			for k := range out {
				delete(in, k)
				delete(want, k)
			}
			maps.Copy(want, in)
			var adds []*addAction
			for _, k := range sortedKeys(in) {
				adds = append(adds, in[k])
			}
			list = list.with(adds, sortedKeys(out))
			if step%10 == 9 {
				list.blocks = slices.Clone(list.blocks)
				list.pack()
			}
			checkFileList(t, list, want)
			if !reflect.DeepEqual(hadBefore, slices.Collect(before.all())) {
				t.Fatal("the list that another was made from changed")
			}
		}
	}
}

func checkFileList(t *testing.T, list addList, want map[string]*addAction) {
	t.Helper()
	keys := sortedKeys(want)
	var totals fileTotals
	i := 0
	for a := range list.all() {
		if i >= len(keys) || !reflect.DeepEqual(a, want[keys[i]]) {
			t.Fatalf("action %d of %d is %+v", i, len(keys), a)
		}
		totals.count++
		totals.bytes += a.Size
		if a.DeletionVector != nil {
			totals.vectors++
			totals.deletedRows += a.DeletionVector.Cardinality
		}
		i++
	}
	if i != len(keys) || list.len() != len(keys) || list.fileTotals != totals {
		t.Fatalf("%d actions, %+v; want %d, %+v", i, list.fileTotals, len(keys), totals)
	}
	find := list.finder()
	for _, k := range keys {
		if a := find.find(k); a == nil || a.key() != k {
			t.Fatalf("%q is found as %+v", k, a)
		}
		if a := find.find(k + "!"); a != nil {
			t.Fatalf("%q is found as %+v", k+"!", a)
		}
	}
}

func TestListBuilderTakesActionsInAnyOrder(t *testing.T) {
	for _, count := range []int{0, 1, blockFiles, 3*runFiles + 1} {
		for name, order := range map[string]func(i int) int{
			"ascending":  func(i int) int { return i },
			"descending": func(i int) int { return count - i },
			"shuffled":   func(i int) int { return i * 7919 % (count + 1) },
		} {
			t.Run(fmt.Sprintf("%d %s", count, name), func(t *testing.T) {
				r := rand.New(rand.NewPCG(1, 2))
				want := map[string]*addAction{}
				var parts [3]listBuilder[addAction, *addAction]
				for i := range count {
					a := randomAdd(r, fmt.Sprintf("part-%07d", order(i)))
					if want[a.key()] == nil {
						want[a.key()] = a
					}
					again := *a
					again.Size++
					b := &parts[i*len(parts)/count]
					b.add(a)
					if i%100 == 0 {
						b.add(&again) // the first counts
					}
				}
				for i := range parts[1:] {
					parts[0].take(&parts[1+i])
				}
				checkFileList(t, parts[0].list(), want)
			})
		}
	}
}

func TestTombstonesArePackedWhole(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	var want []*removeAction
	for i := range 1000 {
		d := randomAdd(r, fmt.Sprintf("part-%05d", i)).tombstone(time.UnixMilli(1_700_000_000_000), r.IntN(2) == 0)
		if r.IntN(2) == 0 {
			d.Size, d.ExtendedFileMetadata = nil, false
		}
		want = append(want, d)
	}
	var list removeList
	list.put(want)
	list.pack()
	if diff := cmp.Diff(want, slices.Collect(list.all())); diff != "" {
		t.Errorf("tombstones (-want +got):\n%s", diff)
	}
}

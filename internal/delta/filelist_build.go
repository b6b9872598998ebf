package delta

import (
	"cmp"
	"container/heap"
	"slices"
	"strings"
)

// listBuilder makes a fileList of actions that come in any order. Of several with one key the first is kept. It holds few
// actions unpacked: those that came are sorted and packed by runs, which are merged in the end.
type listBuilder[T any, A fileAction[T]] struct {
	pending []A
	runs    []fileList[T, A]
}

func (b *listBuilder[T, A]) add(a A) {
	b.pending = append(b.pending, a)
	if len(b.pending) == runFiles {
		b.endRun()
		b.runs[len(b.runs)-1].pack()
	}
}

func (b *listBuilder[T, A]) endRun() {
	if len(b.pending) == 0 {
		return
	}
	compare := func(x, y A) int { return strings.Compare(x.key(), y.key()) }
	if !slices.IsSortedFunc(b.pending, compare) {
		slices.SortStableFunc(b.pending, compare)
	}
	sorted := slices.CompactFunc(b.pending, func(x, y A) bool { return x.key() == y.key() })
	var run fileList[T, A]
	run.put(sorted)
	b.runs = append(b.runs, run)
	b.pending = nil
}

// take takes over what another builder has, behind what this one has. The other is not to be used any more.
func (b *listBuilder[T, A]) take(other *listBuilder[T, A]) {
	if len(b.runs) == 0 && len(b.pending)+len(other.pending) < runFiles && len(other.runs) == 0 {
		b.pending = append(b.pending, other.pending...)
		return
	}
	b.endRun()
	other.endRun()
	b.runs = append(b.runs, other.runs...)
}

// list gives what was added.
func (b *listBuilder[T, A]) list() fileList[T, A] {
	b.endRun()
	if len(b.runs) == 1 {
		return b.runs[0]
	}
	var out fileList[T, A]
	if inOrder := slices.Clone(b.runs); areApart(inOrder) {
		for _, run := range inOrder {
			out.share(run.blocks)
		}
	} else {
		out = mergeRuns(b.runs)
	}
	out.pack()
	return out
}

// areApart sorts runs, and tells whether each ends before the next begins.
func areApart[T any, A fileAction[T]](runs []fileList[T, A]) bool {
	slices.SortFunc(runs, func(x, y fileList[T, A]) int { return strings.Compare(x.blocks[0].first, y.blocks[0].first) })
	for i := 1; i < len(runs); i++ {
		if before := runs[i-1].blocks; before[len(before)-1].last >= runs[i].blocks[0].first {
			return false
		}
	}
	return true
}

// mergeRuns merges sorted runs, unpacking one block of each at a time.
func mergeRuns[T any, A fileAction[T]](runs []fileList[T, A]) fileList[T, A] {
	var out fileList[T, A]
	heads := make(runHeap[T, A], 0, len(runs))
	for i := range runs {
		head := &runHead[T, A]{rest: runs[i].blocks, order: i}
		runs[i].blocks = nil // so that what is merged goes as it is merged
		if head.next() {
			heads = append(heads, head)
		}
	}
	heap.Init(&heads)
	var block []A
	end := func() {
		if len(block) > 0 {
			out.share([]*fileBlock[T, A]{newFileBlock[T](block).pack()})
		}
		block = nil
	}
	last, none := "", true
	for len(heads) > 0 {
		head := heads[0]
		if k := head.key; none || k != last {
			block, last, none = append(block, head.action), k, false
		}
		if len(block) == blockFiles {
			end()
		}
		if head.next() {
			heap.Fix(&heads, 0)
		} else {
			heap.Pop(&heads)
		}
	}
	end()
	return out
}

// runHead is the next action of a run.
type runHead[T any, A fileAction[T]] struct {
	action  A
	key     string
	order   int // of the run: earlier ones go first
	actions []A
	rest    []*fileBlock[T, A]
}

func (h *runHead[T, A]) next() bool {
	if len(h.actions) == 0 {
		if len(h.rest) == 0 {
			return false
		}
		h.actions, h.rest[0], h.rest = h.rest[0].actions(), nil, h.rest[1:]
	}
	h.action, h.actions = h.actions[0], h.actions[1:]
	h.key = h.action.key()
	return true
}

type runHeap[T any, A fileAction[T]] []*runHead[T, A]

func (h runHeap[T, A]) Len() int      { return len(h) }
func (h runHeap[T, A]) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h runHeap[T, A]) Less(i, j int) bool {
	return cmp.Or(strings.Compare(h[i].key, h[j].key), cmp.Compare(h[i].order, h[j].order)) < 0
}
func (h *runHeap[T, A]) Push(x any) { *h = append(*h, x.(*runHead[T, A])) }
func (h *runHeap[T, A]) Pop() any {
	last := (*h)[len(*h)-1]
	*h = (*h)[:len(*h)-1]
	return last
}

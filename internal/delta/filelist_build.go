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
	m := runMerge[T, A]{}
	for i, run := range b.runs {
		m.heads = append(m.heads, &runHead[T, A]{key: run.blocks[0].first, blocks: run.blocks, order: i})
	}
	b.runs = nil // so that what is merged goes as it is merged
	return m.list()
}

// runMerge merges sorted runs. It unpacks only the blocks that keys of other runs lie between.
type runMerge[T any, A fileAction[T]] struct {
	heads   runHeap[T, A]
	merged  fileList[T, A]
	block   []A    // the next of merged
	last    string // the key that was taken last
	started bool
}

func (m *runMerge[T, A]) list() fileList[T, A] {
	heap.Init(&m.heads)
	for len(m.heads) > 0 {
		head := m.heads[0]
		switch {
		case m.started && head.key == m.last:
			head.skip()
		case head.actions == nil && m.isAlone(head.blocks[0]):
			m.endBlock()
			m.merged.share(head.blocks[:1])
			m.last = head.blocks[0].last
			head.skipBlock()
		default:
			m.last = head.key
			if m.block = append(m.block, head.take()); len(m.block) == blockFiles {
				m.endBlock()
			}
		}
		m.started = true
		if len(head.blocks) == 0 && len(head.actions) == 0 {
			heap.Pop(&m.heads)
		} else {
			heap.Fix(&m.heads, 0)
		}
	}
	m.endBlock()
	m.merged.pack()
	return m.merged
}

// isAlone tells whether all keys of a block of the first run come before those that the others go on with.
func (m *runMerge[T, A]) isAlone(b *fileBlock[T, A]) bool {
	for _, other := range m.heads[1:min(len(m.heads), 3)] { // of which one is the least
		if other.key <= b.last {
			return false
		}
	}
	return true
}

func (m *runMerge[T, A]) endBlock() {
	if len(m.block) > 0 {
		m.merged.share([]*fileBlock[T, A]{newFileBlock[T](m.block).pack()})
		m.block = nil
	}
}

// runHead is where the merge is in a run.
type runHead[T any, A fileAction[T]] struct {
	key     string // of the next action
	actions []A    // of the block that the run is in; nil at the beginning of one
	blocks  []*fileBlock[T, A]
	order   int // of the run: earlier ones go first
}

// take gives the next action and goes on to the one behind it.
func (h *runHead[T, A]) take() A {
	if h.actions == nil {
		h.actions, h.blocks[0], h.blocks = h.blocks[0].actions(), nil, h.blocks[1:]
	}
	next := h.actions[0]
	if h.actions = h.actions[1:]; len(h.actions) > 0 {
		h.key = h.actions[0].key()
	} else {
		h.atBlock()
	}
	return next
}

func (h *runHead[T, A]) skip() { h.take() }

func (h *runHead[T, A]) skipBlock() {
	h.blocks[0], h.blocks = nil, h.blocks[1:]
	h.atBlock()
}

func (h *runHead[T, A]) atBlock() {
	h.actions = nil
	if len(h.blocks) > 0 {
		h.key = h.blocks[0].first
	}
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

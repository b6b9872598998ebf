package delta

import (
	"iter"
	"slices"
	"strings"
)

// fileAction is an action on one logical file, add or remove.
type fileAction[T any] interface {
	*T
	key() string
	vector() *DeletionVector
	bytes() int64 // of the file; 0 when the action does not say
	pack(text []byte) []byte
	unpack(u *unpacker)
}

// fileList holds actions on files, one for a key, by ascending keys. It never changes; a list made from it by with shares with
// it what is the same in both. Its actions are packed, some ten to a few hundred bytes each, so a table of a million files
// fits into a small machine. The zero value is empty.
type fileList[T any, A fileAction[T]] struct {
	blocks []*fileBlock[T, A]
	fileTotals
	loose int // actions that are not packed
}

// fileTotals are sums over actions on files.
type fileTotals struct {
	count       int
	bytes       int64 // of the files
	vectors     int   // how many have a deletion vector
	deletedRows int64 // by these
}

func (t *fileTotals) add(other fileTotals) {
	t.count += other.count
	t.bytes += other.bytes
	t.vectors += other.vectors
	t.deletedRows += other.deletedRows
}

func (t *fileTotals) subtract(other fileTotals) {
	t.add(fileTotals{-other.count, -other.bytes, -other.vectors, -other.deletedRows})
}

// totalsOf are those of one action.
func totalsOf[T any, A fileAction[T]](a A) fileTotals {
	t := fileTotals{count: 1, bytes: a.bytes()}
	if v := a.vector(); v != nil {
		t.vectors, t.deletedRows = 1, v.Cardinality
	}
	return t
}

type (
	addList    = fileList[addAction, *addAction]
	removeList = fileList[removeAction, *removeAction]
)

const (
	blockFiles = 256             // in a block, give or take
	runFiles   = 64 * blockFiles // that a listBuilder holds unpacked
	maxLoose   = 4 * runFiles    // that a list holds unpacked, for the next commits to change
)

func (l fileList[T, A]) len() int { return l.count }

// all yields the actions in order. They are shared, and not to be changed.
func (l fileList[T, A]) all() iter.Seq[A] {
	return func(yield func(A) bool) {
		for _, b := range l.blocks {
			for _, a := range b.actions() {
				if !yield(a) {
					return
				}
			}
		}
	}
}

// finder looks up actions by their keys. It is quick for keys that come in order.
type finder[T any, A fileAction[T]] struct {
	list    fileList[T, A]
	block   int // that actions are of
	actions []A
}

func (l fileList[T, A]) finder() *finder[T, A] { return &finder[T, A]{list: l, block: -1} }

// find gives the action of a key, nil when there is none.
func (f *finder[T, A]) find(key string) A {
	block := f.list.blockOf(key)
	if block < 0 {
		return nil
	}
	if f.block != block {
		f.block, f.actions = block, f.list.blocks[block].actions()
	}
	if i, ok := slices.BinarySearchFunc(f.actions, key, compareKey[T, A]); ok {
		return f.actions[i]
	}
	return nil
}

func compareKey[T any, A fileAction[T]](a A, key string) int { return strings.Compare(a.key(), key) }

// blockOf gives the block that a key is in, if it is in the list; -1 when it comes before all.
func (l fileList[T, A]) blockOf(key string) int {
	i, found := slices.BinarySearchFunc(l.blocks, key, func(b *fileBlock[T, A], key string) int { return strings.Compare(b.first, key) })
	if found {
		return i
	}
	return i - 1
}

// without gives the actions whose keys another list has not.
func (l fileList[T, A]) without(other fileList[T, A]) []A {
	var out []A
	there := other.finder()
	for a := range l.all() {
		if there.find(a.key()) == nil {
			out = append(out, a)
		}
	}
	return out
}

// with gives the list with the actions of in put into it, replacing those of equal key, and those of the keys out left out. Both are
// sorted, and have no key in common.
func (l fileList[T, A]) with(in []A, out []string) fileList[T, A] {
	if len(in) == 0 && (len(out) == 0 || l.count == 0) {
		return l
	}
	next := fileList[T, A]{blocks: make([]*fileBlock[T, A], 0, len(l.blocks)+1)}
	rest := l.blocks
	for len(rest) > 0 && len(in)+len(out) > 0 {
		at := max(0, fileList[T, A]{blocks: rest}.blockOf(firstKey(in, out)))
		next.share(rest[:at])
		changed := rest[at]
		rest = rest[at+1:]
		nIn, nOut := len(in), len(out)
		if len(rest) > 0 {
			nIn, _ = slices.BinarySearchFunc(in, rest[0].first, compareKey[T, A])
			nOut, _ = slices.BinarySearch(out, rest[0].first)
		}
		next.put(merged(changed.actions(), in[:nIn], out[:nOut]))
		in, out = in[nIn:], out[nOut:]
	}
	next.share(rest)
	next.put(in)
	if next.loose > maxLoose/2 {
		next.pack()
	}
	return next
}

// firstKey is the least key of two sorted lists, of which one is not empty.
func firstKey[T any, A fileAction[T]](in []A, out []string) string {
	switch {
	case len(in) == 0:
		return out[0]
	case len(out) == 0:
		return in[0].key()
	}
	return min(in[0].key(), out[0])
}

// merged gives a sorted list with in put into it and out left out.
func merged[T any, A fileAction[T]](list, in []A, out []string) []A {
	next := make([]A, 0, len(list)+len(in))
	for _, a := range list {
		k := a.key()
		for len(in) > 0 && in[0].key() < k {
			next, in = append(next, in[0]), in[1:]
		}
		for len(out) > 0 && out[0] < k {
			out = out[1:]
		}
		replaced := len(in) > 0 && in[0].key() == k
		removed := len(out) > 0 && out[0] == k
		if !replaced && !removed {
			next = append(next, a)
		}
	}
	return append(next, in...)
}

// share appends blocks as they are. They come behind all that the list has.
func (l *fileList[T, A]) share(blocks []*fileBlock[T, A]) {
	l.blocks = append(l.blocks, blocks...)
	for _, b := range blocks {
		l.fileTotals.add(b.fileTotals)
		l.loose += len(b.loose)
	}
}

// put appends actions as new blocks of about the right size. The list may keep a part of the slice.
func (l *fileList[T, A]) put(actions []A) {
	for len(actions) > 0 {
		size := len(actions)
		if size > 2*blockFiles { // up to that it stays one, so that not every commit makes a new one
			size = blockFiles
		}
		b := newFileBlock(actions[:size:size])
		if l.loose+size > maxLoose {
			b = b.pack()
		}
		l.share([]*fileBlock[T, A]{b})
		actions = actions[size:]
	}
}

// pack packs the blocks that are not.
func (l *fileList[T, A]) pack() {
	for i, b := range l.blocks {
		l.blocks[i] = b.pack()
	}
	l.loose = 0
}

// keysOf gives the keys of actions in their order.
func keysOf[T any, A fileAction[T]](actions []A) []string {
	keys := make([]string, len(actions))
	for i, a := range actions {
		keys[i] = a.key()
	}
	return keys
}

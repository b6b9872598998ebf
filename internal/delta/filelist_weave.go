package delta

import "slices"

// weave puts the actions of commits between those of a part of the checkpoint, as these are read, if they come in order, as those of most
// writers do. Else few commits that add many files would have every block packed twice.
type weave[T any, A fileAction[T]] struct {
	list    fileList[T, A] // of the commits
	blocks  int            // of the list that were looked into
	actions []A            // of the last of them, from the next one on
	key     string         // of the next one
	last    string         // key of the checkpoint's
	from    int            // number of the first action that was put in
	next    int            // number of the next one
	begun   bool
	ended   bool
}

// before adds the commits' actions that come before an action of the checkpoint, and behind the one before it.
func (w *weave[T, A]) before(key string, add func(A)) {
	switch {
	case w.ended:
		return
	case !w.begun:
		w.seek(key)
	case key < w.last:
		w.ended = true
		return
	}
	w.last = key
	for !w.ended && w.key < key {
		add(w.actions[0])
		w.next++
		w.actions = w.actions[1:]
		w.settle()
	}
}

// seek goes to the first action that is not before a key.
func (w *weave[T, A]) seek(key string) {
	w.begun = true
	if block := w.list.blockOf(key); block > 0 {
		w.blocks = block
		for _, b := range w.list.blocks[:block] {
			w.next += b.count
		}
	}
	w.settle()
	for !w.ended && w.key < key {
		w.next++
		w.actions = w.actions[1:]
		w.settle()
	}
	w.from = w.next
}

// settle finds the next action.
func (w *weave[T, A]) settle() {
	if len(w.actions) == 0 {
		if w.blocks == len(w.list.blocks) {
			w.ended = true
			return
		}
		w.actions = w.list.blocks[w.blocks].actions()
		w.blocks++
	}
	w.key = w.actions[0].key()
}

// unwoven gives the commits' actions that no part has.
func unwoven[T any, A fileAction[T]](list fileList[T, A], parts []*weave[T, A]) *listBuilder[T, A] {
	if !slices.ContainsFunc(parts, func(w *weave[T, A]) bool { return w.next > w.from }) {
		return &listBuilder[T, A]{runs: list.asRuns()}
	}
	woven := make([]bool, list.count)
	for _, w := range parts {
		for i := w.from; i < w.next; i++ {
			woven[i] = true
		}
	}
	rest, i := &listBuilder[T, A]{}, 0
	for a := range list.all() {
		if !woven[i] {
			rest.add(a)
		}
		i++
	}
	return rest
}

func (l fileList[T, A]) asRuns() []fileList[T, A] {
	if l.count == 0 {
		return nil
	}
	return []fileList[T, A]{l}
}

package rawjson

import (
	"bytes"
	"encoding/binary"
)

// Texts of one source repeat objects byte by byte: a provider, a rocket, a pad. An object that begins with the bytes of one that was found
// before, from bracket to bracket, is that one again, and so is what was found within; to compare is much cheaper than to scan.
const (
	recalledObjects = 256     // of a node at a time
	longestRecalled = 4 << 10 // bytes
	recallKey       = 48      // bytes by which an object's slot is chosen
	recallTrial     = 256     // so many objects of a node are tried,
	recallGain      = 8       // of which one in so many must be known, or they are not looked for any more
)

// recall is what a finder keeps of the objects of a node.
type recall struct {
	slots       []recalled
	tries, hits int
	useless     bool
}

// recalled is an object that was found before; without text none was.
type recalled struct {
	text   []byte
	within []spot
}

// spot is where the value of a path is, within an object.
type spot struct{ path, start, end int }

// slot is where an object that begins at i is kept; nil when it is not worth it.
func (r *recall) slot(text []byte, i int) *recalled {
	if r.useless || len(text)-i < recallKey {
		return nil
	}
	if r.tries++; r.tries == recallTrial {
		if r.useless = r.hits*recallGain < r.tries; r.useless {
			r.slots = nil
			return nil
		}
		r.tries, r.hits = 0, 0
	}
	if r.slots == nil {
		r.slots = make([]recalled, recalledObjects)
	}
	return &r.slots[beginning(text[i:])%recalledObjects]
}

// beginning tells objects apart by their first bytes.
func beginning(object []byte) (key uint64) {
	for at := 0; at < recallKey; at += 8 {
		key = (key ^ binary.LittleEndian.Uint64(object[at:])) * 0x9E3779B97F4A7C15
		key ^= key >> 29
	}
	return key
}

// known passes an object with members that are looked for, as [Finder.object] does.
func (f *Finder) known(n *node, i int) int {
	r := &f.recalls[n.id]
	slot := r.slot(f.text, i)
	if slot == nil {
		return f.object(n, i)
	}
	if len(slot.text) > 0 && bytes.HasPrefix(f.text[i:], slot.text) {
		r.hits++
		for _, s := range slot.within {
			f.set(s.path, i+s.start, i+s.end)
		}
		return i + len(slot.text)
	}
	end := f.object(n, i)
	if end < 0 || end-i > longestRecalled {
		return end
	}
	slot.text, slot.within = append(slot.text[:0], f.text[i:end]...), slot.within[:0]
	for _, path := range n.under {
		if f.found[path] != nil {
			slot.within = append(slot.within, spot{path, f.starts[path] - i, f.starts[path] + len(f.found[path]) - i})
		}
	}
	return end
}

// set notes the value of a path.
func (f *Finder) set(path, start, end int) {
	f.found[path], f.starts[path] = f.text[start:end:end], start
}

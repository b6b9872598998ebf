package rawjson

import "bytes"

// Walker walks through one text after another as [Walk] does, and recognises objects that it has seen: those whose members are not
// visited it compares, and does not scan. The zero value works. It serves one goroutine.
type Walker struct{ seen []sighting }

// Walk is [Walk].
func (w *Walker) Walk(text []byte, levels int, visit func(level int, name, value []byte)) (at int, ok bool) {
	if w.seen == nil {
		w.seen = make([]sighting, sightings)
	}
	return walk(text, levels, visit, w)
}

const (
	sightings = 1024 // at a time
	trusted   = 3    // so often others want its place in vain when it was just seen again
)

// sighting is an object that was seen: once, then only its beginning is kept, or twice. Most objects that are seen once are never again.
type sighting struct {
	beginning uint64
	text      []byte
	trust     int
}

// find gives the length of the object that a text begins with, when it is known; else the place to keep it in, or nil when it is not to be kept.
func (w *Walker) find(text []byte) (length int, place *sighting) {
	if len(text) < recallKey {
		return 0, nil
	}
	key := beginning(text)
	s := &w.seen[key%sightings]
	switch {
	case s.beginning != key && s.trust > 0:
		s.trust--
	case s.beginning != key:
		s.beginning, s.text = key, s.text[:0]
	case len(s.text) > 0 && bytes.HasPrefix(text, s.text):
		s.trust = trusted
		return len(s.text), nil
	default:
		return 0, s
	}
	return 0, nil
}

// keep keeps an object that was passed, and therefore is valid.
func (s *sighting) keep(object []byte) {
	if len(object) <= longestRecalled {
		s.text = append(s.text[:0], object...)
	}
}

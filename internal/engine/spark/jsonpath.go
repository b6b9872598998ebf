package spark

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// step goes into a value of JSON: by a key into an object, or by a number into an array.
type step struct {
	key   string
	index int // when key is ""
}

var stepText = regexp.MustCompile(`^(?:\.([^.\[\]]+)|\[([0-9]+)\])`)

// parsePath takes a path such as $.families[0].name apart.
func parsePath(path string) ([]step, error) {
	rest, ok := strings.CutPrefix(path, "$")
	var steps []step
	for ok && rest != "" {
		m := stepText.FindStringSubmatch(rest)
		if ok = m != nil; !ok {
			break
		}
		s := step{key: m[1]}
		if s.key == "" {
			var err error
			if s.index, err = strconv.Atoi(m[2]); err != nil {
				return nil, fmt.Errorf("path %s: %w", path, err)
			}
		}
		steps, rest = append(steps, s), rest[len(m[0]):]
	}
	if !ok {
		return nil, fmt.Errorf("path %s is not like $.pad.id, $.families[0].name or $.program[*].name", path)
	}
	return steps, nil
}

// shapes are the schemas by which a document is read. A value that is wanted as text, and of which something within is
// wanted too, takes two.
type shapes []*shape

// shape is a value of JSON as from_json shall give it: an object with some of its members, an array, or as text.
type shape struct {
	names   []string // of members, in the order in which they came
	members map[string]*shape
	element *shape
}

// place gives the SQL of the text at some steps, in the first shape that can have it.
func (all *shapes) place(steps []step) string {
	for i := 0; ; i++ {
		if i == len(*all) {
			*all = append(*all, &shape{})
		}
		if len(steps) > 0 && (*all)[i].admits(steps) {
			(*all)[i].add(steps)
			return spelledSteps(fmt.Sprintf("_object_%d", i), steps)
		}
	}
}

// admits is whether no step goes into a text, or ends where there is something within, or takes an array for an object.
func (s *shape) admits(steps []step) bool {
	at := s
	for i, st := range steps {
		if i > 0 && at.text() {
			return false
		}
		next := at.element
		if st.key != "" {
			next = at.members[st.key]
		}
		if st.key != "" && at.element != nil || st.key == "" && at.members != nil {
			return false
		}
		if next == nil {
			return true
		}
		at = next
	}
	return at.text()
}

// text is whether nothing within is wanted.
func (s *shape) text() bool { return s.element == nil && s.members == nil }

func (s *shape) add(steps []step) {
	for _, st := range steps {
		if st.key == "" {
			if s.element == nil {
				s.element = &shape{}
			}
			s = s.element
			continue
		}
		if s.members == nil {
			s.members = map[string]*shape{}
		}
		if s.members[st.key] == nil {
			s.members[st.key] = &shape{}
			s.names = append(s.names, st.key)
		}
		s = s.members[st.key]
	}
}

// schemas spells the shapes in Spark's DDL; there is at least one.
func (all shapes) schemas() []string {
	if len(all) == 0 {
		return []string{"struct<_: string>"}
	}
	texts := make([]string, len(all))
	for i, s := range all {
		texts[i] = s.String()
	}
	return texts
}

func (s *shape) String() string {
	switch {
	case s.element != nil:
		return "array<" + s.element.String() + ">"
	case s.members != nil:
		members := make([]string, len(s.names))
		for i, name := range s.names {
			members[i] = quoteName(name) + ": " + s.members[name].String()
		}
		return "struct<" + join(members) + ">"
	}
	return "string"
}

func spelledSteps(from string, steps []step) string {
	for _, st := range steps {
		if st.key == "" {
			from = fmt.Sprintf("get(%s, %d)", from, st.index)
		} else {
			from += "." + quoteName(st.key)
		}
	}
	return from
}

// elementsOf gives the array of the texts that are at some steps within each element of an array in JSON. Elements that have
// nothing there are left out; null is something.
func elementsOf(array string, steps []step) string {
	elements := fmt.Sprintf("from_json(%s, 'array<string>', %s)", array, reading)
	for _, st := range steps {
		if st.key == "" {
			lists := fmt.Sprintf("transform(%s, x -> from_json(x, 'array<string>', %s))", elements, reading)
			elements = fmt.Sprintf("transform(filter(%s, x -> size(x) > %d), x -> x[%[2]d])", lists, st.index)
			continue
		}
		objects := fmt.Sprintf("transform(%s, x -> from_json(x, 'map<string,string>', %s))", elements, reading)
		elements = fmt.Sprintf("transform(filter(%s, x -> map_contains_key(x, %s)), x -> x[%[2]s])", objects, quote(st.key))
	}
	return elements
}

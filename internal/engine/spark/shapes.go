package spark

import (
	"fmt"

	"launchlake/internal/rawjson"
)

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
func (all *shapes) place(steps []rawjson.Step) string {
	for i := 0; ; i++ {
		if i == len(*all) {
			*all = append(*all, &shape{})
		}
		if len(steps) > 0 && (*all)[i].admits(steps) {
			(*all)[i].add(steps)
			return spelledSteps(fmt.Sprintf("get(_found_%d, 0)", i), steps)
		}
	}
}

// admits is whether no step goes into a text, or ends where there is something within, or takes an array for an object.
func (s *shape) admits(steps []rawjson.Step) bool {
	at := s
	for i, st := range steps {
		if i > 0 && at.text() {
			return false
		}
		next := at.element
		if st.Key != "" {
			next = at.members[st.Key]
		}
		if st.Key != "" && at.element != nil || st.Key == "" && at.members != nil {
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

func (s *shape) add(steps []rawjson.Step) {
	for _, st := range steps {
		if st.Key == "" {
			if s.element == nil {
				s.element = &shape{}
			}
			s = s.element
			continue
		}
		if s.members == nil {
			s.members = map[string]*shape{}
		}
		if s.members[st.Key] == nil {
			s.members[st.Key] = &shape{}
			s.names = append(s.names, st.Key)
		}
		s = s.members[st.Key]
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

func spelledSteps(from string, steps []rawjson.Step) string {
	for _, st := range steps {
		if st.Key == "" {
			from = fmt.Sprintf("get(%s, %d)", from, st.Index)
		} else {
			from += "." + quoteName(st.Key)
		}
	}
	return from
}

// elementsOf gives the array of the texts that are at some steps within each element of an array in JSON. Elements that have
// nothing there are left out; null is something.
func elementsOf(array string, steps []rawjson.Step) string {
	elements := fmt.Sprintf("from_json(%s, 'array<string>', %s)", array, reading)
	for _, st := range steps {
		if st.Key == "" {
			lists := fmt.Sprintf("transform(%s, x -> from_json(x, 'array<string>', %s))", elements, reading)
			elements = fmt.Sprintf("transform(filter(%s, x -> size(x) > %d), x -> x[%[2]d])", lists, st.Index)
			continue
		}
		objects := fmt.Sprintf("transform(%s, x -> from_json(x, 'map<string,string>', %s))", elements, reading)
		elements = fmt.Sprintf("transform(filter(%s, x -> map_contains_key(x, %s)), x -> x[%[2]s])", objects, quote(st.Key))
	}
	return elements
}

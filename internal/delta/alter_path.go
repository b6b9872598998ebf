package delta

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// commentKey is the entry of a field's metadata with its description.
const commentKey = "comment"

// splitColumn gives the path of a column's name, as [Col] takes it.
func splitColumn(name string) ([]string, error) {
	var path []string
	for rest := name; ; {
		part, after, quoted := rest, "", strings.HasPrefix(rest, "`")
		if quoted {
			end := 1
			for end < len(rest) && (rest[end] != '`' || strings.HasPrefix(rest[end:], "``")) {
				if rest[end] == '`' {
					end++
				}
				end++
			}
			if end >= len(rest) {
				return nil, fmt.Errorf("column %q has a backtick without another", name)
			}
			part, after = strings.ReplaceAll(rest[1:end], "``", "`"), rest[end+1:]
		} else if i := strings.IndexByte(rest, '.'); i >= 0 {
			part, after = rest[:i], rest[i:]
		}
		if part == "" {
			return nil, fmt.Errorf("column %q has an empty name in it", name)
		}
		path = append(path, part)
		if after == "" {
			return path, nil
		}
		if !strings.HasPrefix(after, ".") {
			return nil, fmt.Errorf("column %q lacks a dot behind %q", name, part)
		}
		rest = after[1:]
	}
}

// editType changes the type at a path; the schema itself when the path is empty.
func (m *Metadata) editType(path []string, edit func(Type) (Type, error)) error {
	t, err := editAt(m.Schema, path, edit)
	if err != nil {
		return err
	}
	m.Schema = t.(*Schema)
	return nil
}

var errNoColumn = errors.New("there is no such column")

func editAt(t Type, path []string, edit func(Type) (Type, error)) (Type, error) {
	if len(path) == 0 {
		return edit(t)
	}
	name, rest := path[0], path[1:]
	switch t := t.(type) {
	case *Struct:
		out := &Struct{Fields: append([]Field(nil), t.Fields...)}
		for i, f := range t.Fields {
			if f.Name == name {
				var err error
				out.Fields[i].Type, err = editAt(f.Type, rest, edit)
				return out, err
			}
		}
	case *Array:
		if name == "element" {
			element, err := editAt(t.Element, rest, edit)
			return &Array{Element: element, ContainsNull: t.ContainsNull}, err
		}
	case *Map:
		switch name {
		case "key":
			key, err := editAt(t.Key, rest, edit)
			return &Map{Key: key, Value: t.Value, ValueContainsNull: t.ValueContainsNull}, err
		case "value":
			value, err := editAt(t.Value, rest, edit)
			return &Map{Key: t.Key, Value: value, ValueContainsNull: t.ValueContainsNull}, err
		}
	}
	return nil, errNoColumn
}

// editField changes the field of a name.
func (m *Metadata) editField(column string, edit func(Field) (Field, error)) error {
	path, err := splitColumn(column)
	if err != nil {
		return err
	}
	return m.editFieldAt(path, edit)
}

func (m *Metadata) editFieldAt(path []string, edit func(Field) (Field, error)) error {
	last := len(path) - 1
	return m.editType(path[:last], func(t Type) (Type, error) {
		s, ok := t.(*Struct)
		if !ok {
			return nil, errNoColumn
		}
		out := &Struct{Fields: append([]Field(nil), s.Fields...)}
		for i, f := range s.Fields {
			if f.Name == path[last] {
				var err error
				out.Fields[i], err = edit(f)
				return out, err
			}
		}
		return nil, errNoColumn
	})
}

// unbound gives the path of a column, unless something names the column that a change of its name would leave behind: a constraint,
// an expression of another column, the list of columns with statistics.
func (m *Metadata) unbound(column string) ([]string, error) {
	path, err := splitColumn(column)
	if err != nil {
		return nil, err
	}
	if err := m.editFieldAt(path, func(f Field) (Field, error) { return f, nil }); err != nil {
		return nil, err
	}
	return path, m.checkUnbound(path)
}

func (m *Metadata) checkUnbound(path []string) error {
	// The text is SQL. A word that is the column's name may be something else, which is then a refusal too many.
	word := regexp.MustCompile(`(?i)(^|[^\p{L}\p{N}_])` + regexp.QuoteMeta(path[len(path)-1]) + `($|[^\p{L}\p{N}_])`)
	for _, key := range sortedKeys(m.Configuration) {
		named := strings.HasPrefix(key, constraintPrefix) || key == "delta.dataSkippingStatsColumns"
		if named && word.MatchString(m.Configuration[key]) {
			return fmt.Errorf("the table's property %s names it: unset that first", key)
		}
	}
	for name, f := range m.Schema.fields() {
		for _, key := range []string{generationKey, invariantKey} {
			if word.Match(f.Metadata[key]) {
				return fmt.Errorf("%s of column %s names it", strings.TrimPrefix(key, "delta."), name)
			}
		}
	}
	return nil
}

package publication

import (
	"fmt"
	"strings"

	"launchlake/internal/delta"
)

// Dialect is how an engine's SQL spells parts of values.
type Dialect struct {
	Column func(name string) string
	Member func(x, name string) string               // of a struct
	Any    func(list, item, condition string) string // whether the condition is true for an item of the list
}

// Required is a condition that a schema makes: something is not null.
type Required struct {
	Constraint delta.Constraint
	Condition  string
	Column     string // that holds it
}

// NotNull gives the conditions that a schema makes of a row's values. As in Spark, a required member makes the structs that it lies in
// required.
func NotNull(schema *delta.Schema, d Dialect) []Required {
	var all []Required
	for _, f := range schema.Fields {
		all = d.required(all, f, nil, d.Column(f.Name))
	}
	return all
}

func (d Dialect) required(all []Required, f delta.Field, above []string, x string) []Required {
	path := append(above[:len(above):len(above)], f.Name)
	add := func(condition string) {
		all = append(all, Required{delta.Constraint{Rule: delta.NotNullRule, Name: strings.Join(path, ".")}, condition, path[0]})
	}
	if !f.Nullable {
		add(x + " IS NOT NULL")
	}
	if s, ok := f.Type.(*delta.Struct); ok {
		for _, member := range s.Fields {
			all = d.required(all, member, path, d.Member(x, member.Name))
		}
	} else if broken := d.brokenWithin(f.Type, x, 0); broken != "" {
		add("NOT coalesce(" + broken + ", false)")
	}
	return all
}

// brokenWithin gives the condition that an array or a map holds a null where its type has none; "" when nothing can.
func (d Dialect) brokenWithin(t delta.Type, x string, depth int) string {
	item := fmt.Sprintf("_item%d", depth)
	var parts []string
	add := func(t delta.Type, mayBeNull bool, list string) {
		if !mayBeNull {
			parts = append(parts, d.Any(list, item, item+" IS NULL"))
		}
		if inner := d.brokenWithin(t, item, depth+1); inner != "" {
			parts = append(parts, d.Any(list, item, item+" IS NOT NULL AND ("+inner+")"))
		}
	}
	switch t := t.(type) {
	case *delta.Array:
		add(t.Element, t.ContainsNull, x)
	case *delta.Map:
		add(t.Key, true, "map_keys("+x+")")
		add(t.Value, t.ValueContainsNull, "map_values("+x+")")
	case *delta.Struct:
		for _, f := range t.Fields {
			member := d.Member(x, f.Name)
			if !f.Nullable {
				parts = append(parts, member+" IS NULL")
			}
			if inner := d.brokenWithin(f.Type, member, depth); inner != "" {
				parts = append(parts, inner)
			}
		}
	}
	return strings.Join(parts, " OR ")
}

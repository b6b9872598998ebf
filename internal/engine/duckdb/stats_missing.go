package duckdb

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"launchlake/internal/delta"
)

// boundCharacters is how much of a text its bounds are made of: more than the log keeps, so that a text that was cut is known as such.
const boundCharacters = 100

// addMissing adds to what DuckDB says of a file what it leaves out: the number of nulls in arrays and maps, of which it counts the
// elements, and bounds of long texts.
func (e *Engine) addMissing(ctx context.Context, l layout, file written) error {
	var keys, cells []string
	add := func(key, name, cell string) {
		keys = append(keys, key+"\x00"+name)
		cells = append(cells, cell)
	}
	for key, leaf := range l.leaves(l.Stored(), nil, "") {
		switch leaf.typ.(type) {
		case *delta.Array, *delta.Map:
			add(key, "null_count", fmt.Sprintf("CAST(count(*) - count(%s) AS VARCHAR)", leaf.value))
			continue
		}
		known := file.statistics[key]
		if _, ok := known["min"]; leaf.typ == delta.String && !ok && known["null_count"] != fmt.Sprint(file.rows) {
			add(key, "min", fmt.Sprintf("left(min(%s), %d)", leaf.value, boundCharacters))
			add(key, "max", fmt.Sprintf("left(max(%s), %d)", leaf.value, boundCharacters))
		}
	}
	if len(keys) == 0 {
		return nil
	}
	texts := make([]*string, len(keys))
	into := make([]any, len(keys))
	for i := range texts {
		into[i] = &texts[i]
	}
	err := e.db.QueryRowContext(ctx, fmt.Sprintf("SELECT %s FROM %s", join(cells), readParquet([]string{file.path}))).Scan(into...)
	for i, text := range texts {
		key, name, _ := strings.Cut(keys[i], "\x00")
		if file.statistics[key] == nil {
			file.statistics[key] = map[string]string{}
		}
		if text != nil {
			file.statistics[key][name] = *text
		}
	}
	return queryError(ctx, err)
}

// storedLeaf is a column of a data file without members.
type storedLeaf struct {
	typ   delta.Type
	value string // SQL
}

// leaves are the columns of a data file, and the members of structs, by their names as DuckDB quotes them.
func (l layout) leaves(fields []delta.Field, above []string, of string) map[string]storedLeaf {
	all := map[string]storedLeaf{}
	for _, f := range fields {
		name := l.PhysicalName(f)
		path := append(slices.Clone(above), quoteName(name))
		value := quoteName(name)
		if of != "" {
			value = fmt.Sprintf("struct_extract(%s, %s)", of, quote(name))
		}
		s, ok := f.Type.(*delta.Struct)
		if !ok {
			all[strings.Join(path, ".")] = storedLeaf{f.Type, value}
			continue
		}
		for key, leaf := range l.leaves(s.Fields, path, value) {
			all[key] = leaf
		}
	}
	return all
}

package duckdb

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"launchlake/internal/delta"
	"launchlake/internal/engine"
)

// ParseBySQL parses documents by DuckDB's own functions, for comparison: by one json_extract with the list of all paths, which yields for each
// path the JSON text that is there. Its first character tells the kind of value, so that "5" and 5, or null and nothing, stay apart.
func (e *Engine) ParseBySQL(ctx context.Context, name string, d engine.Documents) error {
	columns, err := e.describe(ctx, "SELECT * FROM "+relation(d.From))
	if err != nil {
		return err
	}
	p, err := newParsing(d, columns)
	if err != nil {
		return err
	}
	return e.Define(ctx, name, p.query(), engine.EachTime)
}

// parsing is the SQL of a Parse in its parts.
type parsing struct {
	documents engine.Documents
	text      string   // the document as text, null when it is none
	kept      string   // the relation's columns besides the document, each with a comma behind
	paths     []string // looked up in each document
	raws      []string // by column: the JSON text of its value, null when there is none
	values    []string // by column: its value, null when there is none or it has another type
	names     []string // by column
	wrong     []string // by column: its name when its value has another type
}

func newParsing(d engine.Documents, columns []resultColumn) (*parsing, error) {
	p := &parsing{documents: d}
	taken := map[string]bool{}
	for _, c := range columns {
		taken[c.name] = true
		if c.name != d.Document {
			p.kept += quoteName(c.name) + ", "
			continue
		}
		switch c.typ {
		case delta.Binary:
			p.text = "TRY(decode(" + quoteName(c.name) + "))"
		case delta.String:
			p.text = quoteName(c.name)
		default:
			return nil, fmt.Errorf("column %s is %s, documents are binary or string", c.name, c.typ)
		}
	}
	if p.text == "" {
		return nil, fmt.Errorf("it has no column %s", d.Document)
	}
	for i, c := range d.Columns {
		if taken[c.Name] {
			return nil, fmt.Errorf("column %s is there already", c.Name)
		}
		taken[c.Name] = true
		if err := p.add(c, fmt.Sprintf("_raw_%d", i)); err != nil {
			return nil, fmt.Errorf("column %s: %w", c.Name, err)
		}
	}
	return p, nil
}

func (p *parsing) add(c engine.Column, raw string) error {
	value, err := typedValue(c.Type, raw)
	if err != nil {
		return err
	}
	var found []string
	for i, path := range c.Paths {
		found = append(found, p.find(c, path, c.Paths[:i]))
	}
	name := quoteName(c.Name)
	p.raws = append(p.raws, "coalesce("+strings.Join(found, ", ")+") AS "+raw)
	p.values = append(p.values, value+" AS "+name)
	p.names = append(p.names, name)
	p.wrong = append(p.wrong, fmt.Sprintf("CASE WHEN %s IS NOT NULL AND %s IS NULL THEN %s END", raw, name, quote(c.Name)))
	return nil
}

// query reads from the inside out: text, values found, the JSON text of each column, the columns.
func (p *parsing) query() string {
	skip := p.documents.Skip
	if skip == "" {
		skip = "false"
	}
	paths := make([]string, len(p.paths))
	for i, path := range p.paths {
		paths[i] = quote(path)
	}
	// TRY makes null of a document that is not UTF-8, or that DuckDB cannot parse though it is JSON, as with half a surrogate.
	texts := fmt.Sprintf("SELECT %s CASE WHEN coalesce((%s), false) THEN NULL ELSE %s END AS _text FROM %s",
		p.kept, skip, p.text, relation(p.documents.From))
	found := fmt.Sprintf("SELECT %s CASE WHEN starts_with(ltrim(_text, chr(32) || chr(9) || chr(10) || chr(13)), '{') "+
		"THEN CAST(TRY(json_extract(_text, [%s])) AS VARCHAR[]) END AS _found FROM (%s)", p.kept, strings.Join(paths, ", "), texts)
	raws := fmt.Sprintf("SELECT %s _found IS NOT NULL AS %s, %s FROM (%s)", p.kept, engine.Parsed, strings.Join(p.raws, ",\n"), found)
	values := fmt.Sprintf("SELECT *, %s FROM (%s)", strings.Join(p.values, ",\n"), raws)
	return fmt.Sprintf("SELECT %s %s, list_filter([%s], lambda name: name IS NOT NULL) AS %s, %s FROM (%s)",
		p.kept, engine.Parsed, strings.Join(p.wrong, ",\n"), engine.WrongTypes, strings.Join(p.names, ", "), values)
}

const everyElement = "[*]"

// find gives the JSON text at a path; earlier are the paths before it.
func (p *parsing) find(c engine.Column, path string, earlier []string) string {
	prefix, suffix, wildcard := strings.Cut(path, everyElement)
	at := slices.Index(p.paths, prefix)
	if at < 0 {
		at = len(p.paths)
		p.paths = append(p.paths, prefix)
	}
	place := fmt.Sprintf("_found[%d]", at+1)
	value := fmt.Sprintf("nullif(%s, 'null')", place)
	if wildcard {
		elements := fmt.Sprintf("json_extract(%s, %s)", place, quote("$"+everyElement+suffix))
		other := value
		if c.Type == delta.String { // an array where a string is wanted: wrong, whatever it is
			other = fmt.Sprintf("CASE WHEN %s IS NOT NULL THEN '[]' END", value)
		}
		return fmt.Sprintf("CASE WHEN starts_with(%s, '[') THEN %s ELSE %s END", place, gather(c.Type, elements), other)
	}
	goesOn := func(other string) bool {
		return strings.HasPrefix(other, path+".") || strings.HasPrefix(other, path+"[")
	}
	if slices.ContainsFunc(earlier, goesOn) {
		return fmt.Sprintf("CASE WHEN NOT starts_with(%s, '{') THEN %s END", place, value)
	}
	return value
}

// gather makes one JSON text of elements: an array, or for string columns their texts joined. Elements that are no text
// stay an array, which is then no string.
func gather(t delta.Type, elements string) string {
	array := fmt.Sprintf("CAST(to_json(%s) AS VARCHAR)", elements)
	if t != delta.String {
		return array
	}
	return fmt.Sprintf("CASE WHEN len(list_filter(%[1]s, lambda x: CAST(x AS VARCHAR)[1] IN ('{', '['))) > 0 THEN %[2]s ELSE "+
		"CAST(to_json(array_to_string(list_transform(list_filter(%[1]s, lambda x: CAST(x AS VARCHAR) <> 'null'), lambda x: x->>'$'), ',')) AS VARCHAR) END",
		elements, array)
}

// How numbers, moments and days are spelled, as RE2 that must match the whole text.
const (
	integerText   = `-?[0-9]+(\.0+)?`
	numberText    = `-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?`
	dateText      = `[0-9]{4}-[0-9]{2}-[0-9]{2}`
	timestampText = dateText + `[T ]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]+)?(Z|[+-](0[0-9]|1[0-8])(:?[0-5][0-9])?)?`
)

// typedValue gives the value of JSON text in a type, or null when it is of another.
func typedValue(t delta.Type, raw string) (string, error) {
	text := fmt.Sprintf("json_extract_string(%s, '$')", raw)
	matching := func(pattern, sqlName string) string {
		return fmt.Sprintf("CASE WHEN regexp_full_match(%s, '%s') THEN TRY_CAST(%s AS %s) END", text, pattern, text, sqlName)
	}
	switch t {
	case delta.String:
		return fmt.Sprintf("CASE WHEN %s[1] NOT IN ('{', '[') THEN %s END", raw, text), nil
	case delta.Long, delta.Integer, delta.Short, delta.Byte:
		return matching(integerText, sqlTypes[t.(delta.Primitive)]), nil
	case delta.Double, delta.Float:
		number := matching(numberText, sqlTypes[t.(delta.Primitive)])
		return fmt.Sprintf("CASE WHEN %[1]s = 0 THEN 0 WHEN isfinite(%[1]s) THEN %[1]s END", number), nil // -0.0 is 0
	case delta.Boolean:
		return fmt.Sprintf("CASE %s WHEN 'true' THEN true WHEN 'false' THEN false END", text), nil
	case delta.Timestamp:
		return matching(timestampText, "TIMESTAMP WITH TIME ZONE"), nil
	case delta.Date:
		return matching(dateText, "DATE"), nil
	}
	if array, ok := t.(*delta.Array); ok && array.Element == delta.String {
		elements := fmt.Sprintf("json_extract(%s, '$[*]')", raw)
		return fmt.Sprintf("CASE WHEN starts_with(%[1]s, '[') AND len(list_filter(%[2]s, lambda x: CAST(x AS VARCHAR)[1] IN ('{', '['))) = 0 "+
			"THEN list_transform(%[2]s, lambda x: x->>'$') END", raw, elements), nil
	}
	return "", fmt.Errorf("documents are not parsed to %s", t)
}

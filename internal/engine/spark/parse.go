package spark

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"launchlake/internal/delta"
	"launchlake/internal/engine"
	"launchlake/internal/engine/document"
	"launchlake/internal/rawjson"
)

// Parse implements [engine.Engine].
//
// Every document is read once by from_json, as text wherever a value is wanted. Spark gives texts without quotes, so "5"
// and 5 are alike, as they shall be; null and nothing are null. A document that is more than one object, or none, would
// go through: it is read as the first element of an array that must have just one more.
func (e *Engine) Parse(ctx context.Context, name string, d engine.Documents) error {
	if err := e.parse(ctx, name, d); err != nil {
		return fmt.Errorf("parse documents of %s: %w", d.From, classified(err))
	}
	return nil
}

func (e *Engine) parse(ctx context.Context, name string, d engine.Documents) error {
	from := quoteName(viewName(d.From))
	columns, err := e.describe(ctx, "SELECT * FROM "+from)
	if err != nil {
		return err
	}
	p, err := newParsing(d, from, columns)
	if err != nil {
		return err
	}
	return e.Define(ctx, name, p.query(), engine.EachTime)
}

// parsing is the SQL of a Parse in its parts.
type parsing struct {
	documents engine.Documents
	from      string
	text      string   // the document as text, null when it is none
	kept      string   // the relation's columns besides the document, each with a comma behind
	shapes    shapes   // what from_json looks for
	raws      []string // by column: the text of its value, null when there is none
	values    []string // by column: its value, null when there is none or it has another type
	names     []string // by column
	wrong     []string // by column: its name when its value has another type
}

func newParsing(d engine.Documents, from string, columns []resultColumn) (*parsing, error) {
	p := &parsing{documents: d, from: from}
	taken := map[string]bool{}
	for _, c := range columns {
		taken[c.name] = true
		if c.name != d.Document {
			p.kept += quoteName(c.name) + ", "
			continue
		}
		switch c.typ {
		case delta.Binary:
			p.text = "try_validate_utf8(CAST(" + quoteName(c.name) + " AS STRING))"
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
		cell, err := p.find(c, path, c.Paths[:i])
		if err != nil {
			return err
		}
		found = append(found, cell)
	}
	name := quoteName(c.Name)
	p.raws = append(p.raws, "CASE WHEN size(_found_0) = 2 THEN coalesce("+join(found)+", CAST(NULL AS STRING)) END AS "+raw)
	p.values = append(p.values, value+" AS "+name)
	p.names = append(p.names, name)
	p.wrong = append(p.wrong, fmt.Sprintf("CASE WHEN %s IS NOT NULL AND %s IS NULL THEN %s END", raw, name, quote(c.Name)))
	return nil
}

// reading are from_json's options. It is as strict as JSON is; nesting is bounded by what Spark can write again.
const reading = "map('allowSingleQuotes', 'false', 'allowNonNumericNumbers', 'false', 'maxNestingDepth', '100000', 'maxStringLen', '1000000000')"

// query reads from the inside out: text, values found, the text of each column, the columns.
func (p *parsing) query() string {
	skip := p.documents.Skip
	if skip == "" {
		skip = "false"
	}
	texts := fmt.Sprintf("SELECT %s CASE WHEN NOT coalesce((%s), false) THEN %s END AS _text FROM %s", p.kept, skip, p.text, p.from)
	var found []string
	for i, shape := range p.shapes.schemas() {
		found = append(found, fmt.Sprintf("CASE WHEN _text RLIKE r'^[ \\t\\r\\n]*[{]' THEN from_json(concat('[', _text, ',{}]'), %s, %s) END AS _found_%d",
			quote("array<"+shape+">"), reading, i))
	}
	read := fmt.Sprintf("SELECT %s _text, %s FROM (%s)", p.kept, strings.Join(found, ",\n"), texts)
	raws := fmt.Sprintf("SELECT %s coalesce(size(_found_0) = 2, false) AS %s, %s FROM (%s)", p.kept, engine.Parsed, strings.Join(p.raws, ",\n"), read)
	values := fmt.Sprintf("SELECT *, %s FROM (%s)", strings.Join(p.values, ",\n"), raws)
	return fmt.Sprintf("SELECT %s %s, array_compact(array(%s)) AS %s, %s FROM (%s)",
		p.kept, engine.Parsed, strings.Join(p.wrong, ",\n"), engine.WrongTypes, strings.Join(p.names, ", "), values)
}

const everyElement = "[*]"

// find gives the text at a path; earlier are the paths before it.
func (p *parsing) find(c engine.Column, path string, earlier []string) (string, error) {
	prefix, suffix, wildcard := strings.Cut(path, everyElement)
	steps, err := document.ParsePath(prefix)
	if err != nil {
		return "", err
	}
	place := p.shapes.place(steps)
	if wildcard {
		rest, err := document.ParsePath("$" + suffix)
		if err != nil {
			return "", err
		}
		other := place
		if c.Type == delta.String { // an array where a string is wanted: wrong, whatever it is
			other = fmt.Sprintf("CASE WHEN %s IS NOT NULL THEN '[]' END", place)
		}
		return fmt.Sprintf("CASE WHEN startswith(%s, '[') THEN %s ELSE %s END", place, gather(c.Type, place, rest), other), nil
	}
	if c.Type == delta.String {
		place = p.marked(place, path)
	}
	goesOn := func(other string) bool {
		return strings.HasPrefix(other, path+".") || strings.HasPrefix(other, path+"[")
	}
	if slices.ContainsFunc(earlier, goesOn) {
		return fmt.Sprintf("CASE WHEN NOT startswith(%[1]s, '{') THEN %[1]s END", place), nil
	}
	return place, nil
}

// marked tells a string that begins like an object or an array from one, by a character before it. It is rarely needed, so that
// the document may be read once more for it: within a lambda, out of which Spark moves nothing to where it would be done for every document.
func (p *parsing) marked(place, path string) string {
	isString := fmt.Sprintf("exists(array(_text), t -> schema_of_variant(try_variant_get(try_parse_json(t), %s, 'variant')) = 'STRING')", quote(path))
	return fmt.Sprintf("CASE WHEN left(%[1]s, 1) IN ('{', '[', chr(0)) THEN CASE WHEN %[2]s THEN concat(chr(0), %[1]s) ELSE %[1]s END ELSE %[1]s END", place, isString)
}

// gather makes one text of the elements of an array in JSON: an array of texts, or for string columns their texts joined.
// Elements that are no text make an array of arrays of it, which is then no string and no array of strings.
func gather(t delta.Type, place string, suffix []rawjson.Step) string {
	elements := elementsOf(place, suffix)
	containers := fmt.Sprintf("exists(%s, x -> coalesce(left(x, 1) IN ('{', '['), false))", elements)
	if t == delta.String {
		return fmt.Sprintf("CASE WHEN %s THEN '[]' ELSE concat(chr(0), array_join(%s, ',')) END", containers, elements)
	}
	return fmt.Sprintf("CASE WHEN %s THEN '[[]]' ELSE to_json(%s) END", containers, elements)
}

// How numbers, moments and days are spelled, as Java's regular expressions that must match the whole text.
const (
	integerText   = `-?[0-9]+(\.0+)?`
	powerText     = `-?[0-9]\.[0-9]+E[0-9]+` // as Spark spells large numbers with a fraction
	numberText    = `-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?`
	dateText      = `[0-9]{4}-[0-9]{2}-[0-9]{2}`
	timestampText = dateText + `[T ]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]+)?(Z|[+-](0[0-9]|1[0-8])(:?[0-5][0-9])?)?`
)

// typedValue gives the value of a text in a type, or null when it is of another.
func typedValue(t delta.Type, raw string) (string, error) {
	matches := func(pattern string) string { return fmt.Sprintf(`%s RLIKE r'^(?:%s)\z'`, raw, pattern) }
	switch t {
	case delta.String:
		return fmt.Sprintf("CASE WHEN left(%[1]s, 1) = chr(0) THEN substr(%[1]s, 2) WHEN coalesce(left(%[1]s, 1) NOT IN ('{', '['), false) THEN %[1]s END", raw), nil
	case delta.Long, delta.Integer, delta.Short, delta.Byte:
		name := sqlTypes[t.(delta.Primitive)]
		return fmt.Sprintf(`CASE WHEN %s THEN try_cast(regexp_replace(%s, r'\.0+\z', '') AS %s) WHEN %s THEN CASE WHEN CAST(%[2]s AS DOUBLE) = floor(CAST(%[2]s AS DOUBLE)) THEN try_cast(CAST(%[2]s AS DOUBLE) AS %[3]s) END END`,
			matches(integerText), raw, name, matches(powerText)), nil
	case delta.Double, delta.Float:
		name := sqlTypes[t.(delta.Primitive)]
		number := fmt.Sprintf("CASE WHEN %s THEN try_cast(%s AS %s) END", matches(numberText), raw, name)
		return fmt.Sprintf("CASE WHEN abs(%[1]s) < double('Infinity') THEN %[1]s + CAST(0 AS %[2]s) END", number, name), nil // -0.0 + 0.0 is 0.0
	case delta.Boolean:
		return fmt.Sprintf("CASE %s WHEN 'true' THEN true WHEN 'false' THEN false END", raw), nil
	case delta.Timestamp:
		return fmt.Sprintf("CASE WHEN %s THEN try_cast(%s AS TIMESTAMP) END", matches(timestampText), raw), nil
	case delta.Date:
		return fmt.Sprintf("CASE WHEN %s THEN try_cast(%s AS DATE) END", matches(dateText), raw), nil
	}
	if array, ok := t.(*delta.Array); ok && array.Element == delta.String {
		elements := elementsOf(raw, nil)
		return fmt.Sprintf("CASE WHEN startswith(%[1]s, '[') AND NOT exists(%[2]s, x -> coalesce(left(x, 1) IN ('{', '['), false)) THEN %[2]s END", raw, elements), nil
	}
	return "", fmt.Errorf("documents are not parsed to %s", t)
}

// Package document takes typed values out of JSON documents, as [engine.Column] says, in one pass over their bytes.
//
// A [Parser] is a list of columns; a [Reader] of it reads one document after another, without allocating. Numbers have the one spelling
// that they have in DuckDB where a column wants them as text, so that 1.50 is "1.5", and 1e2 is "100.0"; integers stay as they are.
package document

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"launchlake/internal/delta"
	"launchlake/internal/engine"
	"launchlake/internal/rawjson"
)

// Parser is the columns to take out of documents. It never changes.
type Parser struct {
	columns    []column
	projection *rawjson.Projection
}

// column is an [engine.Column], prepared.
type column struct {
	kind  kind
	bits  int // of numbers
	paths []place
}

// place is a path of a column.
type place struct {
	path       int  // of the projection
	notObjects bool // an object there does not count, for a path before it goes on from here

	// The path has [*]: suffix is what follows it; nil when nothing does.
	elements bool
	suffix   *rawjson.Projection
}

// kind is how a column's values are read.
type kind int

const (
	textKind kind = iota
	integerKind
	doubleKind
	booleanKind
	timestampKind
	dateKind
	listKind
)

// kinds are those of the types, with the bits of numbers.
var kinds = map[delta.Type]column{
	delta.String: {kind: textKind}, delta.Boolean: {kind: booleanKind}, delta.Timestamp: {kind: timestampKind}, delta.Date: {kind: dateKind},
	delta.Long: {kind: integerKind, bits: 64}, delta.Integer: {kind: integerKind, bits: 32}, delta.Short: {kind: integerKind, bits: 16},
	delta.Byte: {kind: integerKind, bits: 8}, delta.Double: {kind: doubleKind, bits: 64}, delta.Float: {kind: doubleKind, bits: 32},
}

func columnOf(t delta.Type) (column, error) {
	if c, ok := kinds[t]; ok {
		return c, nil
	}
	if array, ok := t.(*delta.Array); ok && array.Element == delta.String {
		return column{kind: listKind}, nil
	}
	return column{}, fmt.Errorf("documents are not parsed to %s", t)
}

const everyElement = "[*]"

// New makes the parser of some columns.
func New(columns []engine.Column) (*Parser, error) {
	p := &Parser{columns: make([]column, len(columns))}
	var paths [][]rawjson.Step
	for i, c := range columns {
		var err error
		if p.columns[i], err = columnOf(c.Type); err != nil {
			return nil, fmt.Errorf("column %s: %w", c.Name, err)
		}
		for n, path := range c.Paths {
			at, steps, err := newPlace(path, c.Paths[:n])
			if err != nil {
				return nil, fmt.Errorf("column %s: %w", c.Name, err)
			}
			at.path, paths = len(paths), append(paths, steps)
			p.columns[i].paths = append(p.columns[i].paths, at)
		}
	}
	p.projection = rawjson.NewProjection(paths)
	return p, nil
}

// newPlace takes a path apart, of which earlier ones may go on from it.
func newPlace(path string, earlier []string) (at place, steps []rawjson.Step, err error) {
	prefix, suffix, wildcard := strings.Cut(path, everyElement)
	if steps, err = ParsePath(prefix); err != nil {
		return at, nil, err
	}
	at.elements, at.notObjects = wildcard, !wildcard && goesOn(path, earlier)
	if suffix != "" {
		within, err := ParsePath("$" + suffix)
		if err != nil {
			return at, nil, err
		}
		at.suffix = rawjson.NewProjection([][]rawjson.Step{within})
	}
	return at, steps, nil
}

// goesOn is whether an earlier path goes on from this one.
func goesOn(path string, earlier []string) bool {
	for _, e := range earlier {
		if strings.HasPrefix(e, path+".") || strings.HasPrefix(e, path+"[") {
			return true
		}
	}
	return false
}

// State is whether a document has a value.
type State uint8

// The states of a value.
const (
	Null    State = iota // nothing, or null
	Present              // a value of the column's type
	Wrong                // a value of none
)

// Value is a value of a column. What it holds is valid until the next document is read.
type Value struct {
	State  State
	Number int64    // of integers; of booleans 1 for true; of timestamps microseconds, of dates days, since 1970
	Double float64  // of double and float
	Text   []byte   // of strings
	List   [][]byte // of arrays; nil for null
}

// Reader reads documents for one goroutine.
type Reader struct {
	parser   *Parser
	finder   *rawjson.Finder
	suffixes map[*rawjson.Projection]*rawjson.Finder
	found    [][]byte
	scratch  []byte // texts with escapes, and those that are joined
	list     [][]byte
	parts    [][]byte
}

// Reader makes a reader.
func (p *Parser) Reader() *Reader {
	r := &Reader{parser: p, finder: p.projection.Finder(), suffixes: map[*rawjson.Projection]*rawjson.Finder{}}
	for _, c := range p.columns {
		for _, at := range c.paths {
			if at.suffix != nil {
				r.suffixes[at.suffix] = at.suffix.Finder()
			}
		}
	}
	return r
}

// Read goes on to a document, and is false unless it is a JSON object in UTF-8. The document must not change until the next call.
func (r *Reader) Read(document []byte) bool {
	r.found, r.scratch, r.list = nil, r.scratch[:0], r.list[:0]
	if rawjson.Kind(document) != '{' || !utf8.Valid(document) {
		return false
	}
	var ok bool
	r.found, ok = r.finder.Find(document)
	return ok
}

// Value sets v, which is the zero value, to that of a column, by its number, in the document that was read.
func (r *Reader) Value(number int, v *Value) {
	c := &r.parser.columns[number]
	for i := range c.paths {
		at := &c.paths[i]
		raw := r.found[at.path]
		if raw == nil || raw[0] == 'n' || at.notObjects && raw[0] == '{' {
			continue
		}
		switch {
		case !at.elements:
			r.typed(c, raw, v)
		case raw[0] == '[':
			*v = r.gathered(c.kind, raw, at.suffix)
		case c.kind == textKind:
			v.State = Wrong
		default:
			r.typed(c, raw, v)
		}
		return
	}
}

// typed reads the JSON text of a value, which is not null.
func (r *Reader) typed(c *column, raw []byte, v *Value) {
	switch {
	case c.kind == listKind && raw[0] == '[':
		*v = r.gathered(c.kind, raw, nil)
	case c.kind == listKind, raw[0] == '{', raw[0] == '[':
		v.State = Wrong
	case !plain(c, raw, v):
		scalar(c, r.text(raw), v)
	}
}

// gathered reads the elements of an array, or what is within each where a suffix says so.
func (r *Reader) gathered(k kind, array []byte, suffix *rawjson.Projection) Value {
	if k != textKind && k != listKind {
		return Value{State: Wrong}
	}
	r.parts = r.parts[:0]
	for element := range rawjson.Elements(array) {
		if suffix != nil {
			found, _ := r.suffixes[suffix].Find(element)
			if element = found[0]; element == nil {
				continue
			}
		}
		switch element[0] {
		case '{', '[':
			return Value{State: Wrong}
		case 'n':
			r.parts = append(r.parts, nil)
		default:
			r.parts = append(r.parts, r.text(element))
		}
	}
	if k == textKind {
		return Value{State: Present, Text: r.joined(r.parts)}
	}
	start := len(r.list)
	r.list = append(r.list, r.parts...)
	return Value{State: Present, List: r.list[start:len(r.list):len(r.list)]}
}

// joined puts commas between the texts that are there.
func (r *Reader) joined(parts [][]byte) []byte {
	start, first := len(r.scratch), true
	for _, part := range parts {
		if part == nil {
			continue
		}
		if !first {
			r.scratch = append(r.scratch, ',')
		}
		r.scratch, first = append(r.scratch, part...), false
	}
	return r.scratch[start:len(r.scratch):len(r.scratch)]
}

// text gives the text of a scalar: what a string holds, or how anything else is spelled.
func (r *Reader) text(raw []byte) []byte {
	start := len(r.scratch)
	switch c := raw[0]; {
	case c == '"':
		inside := raw[1 : len(raw)-1 : len(raw)-1]
		if !hasEscape(inside) {
			return inside
		}
		r.scratch = rawjson.AppendText(r.scratch, raw)
	case c == 't' || c == 'f':
		return raw
	default:
		r.scratch = appendNumber(r.scratch, raw)
	}
	return r.scratch[start:len(r.scratch):len(r.scratch)]
}

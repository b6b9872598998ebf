package duckdb

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"launchlake/internal/delta"
	"launchlake/internal/engine"
	"launchlake/internal/engine/document"
)

// Parse implements [engine.Engine].
//
// Documents are read by package document, as a function of the database that gives a struct of all columns.
func (e *Engine) Parse(ctx context.Context, name string, d engine.Documents) error {
	if err := e.parse(ctx, name, d); err != nil {
		return fmt.Errorf("parse documents of %s: %w", d.From, err)
	}
	return nil
}

func (e *Engine) parse(ctx context.Context, name string, d engine.Documents) error {
	columns, err := e.describe(ctx, "SELECT * FROM "+relation(d.From))
	if err != nil {
		return err
	}
	kept, document, err := checkDocuments(d, columns)
	if err != nil {
		return err
	}
	function, err := e.addParser(ctx, d.Columns)
	if err != nil {
		return err
	}
	skip := cmp.Or(d.Skip, "false")
	return e.Define(ctx, name, parsedQuery(d, kept, fmt.Sprintf("%s(%s, coalesce((%s), false))", function, document, skip)), engine.EachTime)
}

// checkDocuments gives the columns of a relation besides the document, and the document as binary.
func checkDocuments(d engine.Documents, columns []resultColumn) (kept []string, document string, err error) {
	taken := map[string]bool{}
	for _, c := range columns {
		taken[c.name] = true
		switch {
		case c.name != d.Document:
			kept = append(kept, quoteName(c.name))
		case c.typ == delta.Binary:
			document = quoteName(c.name)
		case c.typ == delta.String:
			document = "encode(" + quoteName(c.name) + ")"
		default:
			return nil, "", fmt.Errorf("column %s is %s, documents are binary or string", c.name, c.typ)
		}
	}
	if document == "" {
		return nil, "", fmt.Errorf("it has no column %s", d.Document)
	}
	for _, c := range d.Columns {
		if taken[c.Name] {
			return nil, "", fmt.Errorf("column %s is there already", c.Name)
		}
		taken[c.Name] = true
	}
	return kept, document, nil
}

// Members of the struct that the function gives; those behind are the columns.
const (
	parsedMember = iota
	wrongMember
	firstColumn
)

// memberName names a member of the struct, whatever the column's name is.
func memberName(i int) string { return fmt.Sprintf("m%d", i) }

func parsedQuery(d engine.Documents, kept []string, document string) string {
	member := func(i int, name string) string { return "_document." + memberName(i) + " AS " + quoteName(name) }
	cells := append(kept[:len(kept):len(kept)], member(parsedMember, engine.Parsed), member(wrongMember, engine.WrongTypes))
	for i, c := range d.Columns {
		cells = append(cells, member(firstColumn+i, c.Name))
	}
	return fmt.Sprintf("SELECT %s FROM (SELECT %s AS _document FROM %s)",
		join(cells), strings.Join(append(kept[:len(kept):len(kept)], document), ", "), relation(d.From))
}

// addParser defines the function that reads the columns of a document, and gives its name.
func (e *Engine) addParser(ctx context.Context, columns []engine.Column) (string, error) {
	parser, err := document.New(columns)
	if err != nil {
		return "", err
	}
	members := []delta.Type{parsedMember: delta.Boolean, wrongMember: &delta.Array{Element: delta.String}}
	names := make([]string, len(columns))
	for i, c := range columns {
		members = append(members, c.Type)
		names[i] = c.Name
	}
	f := &documentFunction{name: e.name("parse"), members: members, columns: names}
	f.readers.New = func() any { return f.newReader(parser) }
	return f.name, e.register(ctx, f)
}

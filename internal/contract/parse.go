package contract

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"launchlake/internal/delta"
)

// Parse reads a contract. All that is wrong with the file is reported at once, each with "file:line:" before it.
func Parse(file string, text []byte) (*Contract, error) {
	var root yaml.Node
	if err := yaml.Unmarshal(text, &root); err != nil {
		return nil, yamlErrors(file, err)
	}
	var doc document
	strict := yaml.NewDecoder(bytes.NewReader(text))
	strict.KnownFields(true)
	if err := strict.Decode(&doc); err != nil {
		return nil, yamlErrors(file, err)
	}
	if err := strict.Decode(&document{}); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%s: more than one document", file)
	}
	p := parser{file: file, lines: lines{&root}, names: map[string]int{}}
	c := p.contract(doc)
	if len(p.errs) > 0 {
		return nil, errors.Join(p.errs...)
	}
	return c, nil
}

var yamlLine = regexp.MustCompile(`^(?:yaml: )?line (\d+): (.*)$`)

// yamlErrors gives the errors of the YAML package the form of ours.
func yamlErrors(file string, err error) error {
	texts := []string{err.Error()}
	if typed, ok := errors.AsType[*yaml.TypeError](err); ok {
		texts = typed.Errors
	}
	var errs []error
	for _, text := range texts {
		if m := yamlLine.FindStringSubmatch(text); m != nil {
			what, _, _ := strings.Cut(m[2], " in type contract.")
			errs = append(errs, fmt.Errorf("%s:%s: %s", file, m[1], what))
			continue
		}
		errs = append(errs, fmt.Errorf("%s: %s", file, text))
	}
	return errors.Join(errs...)
}

// builtInLine stands for the place of what no file declares.
const builtInLine = 0

type parser struct {
	file  string
	lines lines
	names map[string]int // what is named so far, to its line
	errs  []error
}

func (p *parser) fail(line int, format string, args ...any) {
	p.errs = append(p.errs, fmt.Errorf("%s:%d: %s", p.file, line, fmt.Sprintf(format, args...)))
}

// unique notes a name; kind and name together must be unique.
func (p *parser) unique(kind, name string, line int) {
	if first, dup := p.names[kind+" "+name]; dup {
		where := fmt.Sprintf("at line %d", first)
		if first == builtInLine {
			where = "by every contract"
		}
		p.fail(line, "%s %q is already defined %s", kind, name, where)
		return
	}
	p.names[kind+" "+name] = line
}

func (p *parser) contract(doc document) *Contract {
	for key, found := range map[string][2]string{
		"apiVersion": {doc.APIVersion, "v3.1.0"},
		"kind":       {doc.Kind, "DataContract"},
	} {
		if found[0] != found[1] {
			p.fail(p.lines.at(key), "%s must be %s", key, found[1])
		}
	}
	if doc.ID == "" || doc.Version == "" || doc.Status == "" {
		p.fail(p.lines.at(), "id, version and status are required")
	}
	if len(doc.Schema) != 1 {
		p.fail(p.lines.at("schema"), "one table is expected under schema, not %d", len(doc.Schema))
		return nil
	}
	t := doc.Schema[0]
	if t.Name == "" || t.PhysicalName == "" || len(t.Properties) == 0 {
		p.fail(p.lines.at("schema", 0), "name, physicalName and properties are required")
	}
	c := &Contract{ID: doc.ID, Name: t.Name, Version: doc.Version, Table: t.PhysicalName, Description: strings.TrimSpace(t.Description)}
	for i, prop := range t.Properties {
		c.Columns = append(c.Columns, p.column(prop, i))
	}
	c.Rules = append(p.requiredRules(c.Columns), p.rules(t)...)
	c.Limits = p.limits(t)
	if len(c.Keys()) == 0 {
		p.fail(p.lines.at("schema", 0, "properties"), "no property is the primaryKey")
	}
	return c
}

var (
	identifier = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)
	jsonPath   = regexp.MustCompile(`^\$(\.[A-Za-z_][A-Za-z0-9_]*|\[[0-9]+\]|\[\*\])+$`)
	origin     = regexp.MustCompile(`^bronze\.([a-z][a-z0-9_]*)$`)
)

func (p *parser) column(prop property, i int) Column {
	at := func(key string) int { return p.lines.at("schema", 0, "properties", i, key) }
	if !identifier.MatchString(prop.Name) {
		p.fail(at("name"), "property name %q must be lower-case letters, digits and _", prop.Name)
	}
	p.unique("property", prop.Name, at("name"))
	c := Column{
		Name:        prop.Name,
		Description: strings.TrimSpace(prop.Description),
		Required:    prop.Required || prop.PrimaryKey,
		Key:         prop.PrimaryKey,
		Logic:       strings.TrimSpace(prop.Logic),
	}
	if c.Description == "" {
		p.fail(at("description"), "property %q has no description", prop.Name)
	}
	var err error
	if c.Type, err = columnType(prop); err != nil {
		p.fail(at("physicalType"), "property %q: %v", prop.Name, err)
	}
	p.portable(c.Logic, at("transformLogic"), "transformLogic of property", prop.Name)
	p.sources(&c, prop.Sources, at("transformSourceObjects"))
	return c
}

func (p *parser) sources(c *Column, sources []string, line int) {
	for _, source := range sources {
		switch m := origin.FindStringSubmatch(source); {
		case m != nil:
			c.Origin = m[1]
		case !jsonPath.MatchString(source):
			p.fail(line, "property %q: source %q is neither a JSON path like $.pad.id or $.program[*].name nor bronze.<column>", c.Name, source)
		case strings.Count(source, "[*]") > 1:
			p.fail(line, "property %q: source %q has more than one [*]", c.Name, source)
		case slices.Contains(c.Paths, source):
			p.fail(line, "property %q: source %q is named twice", c.Name, source)
		default:
			c.Paths = append(c.Paths, source)
		}
	}
	switch {
	case c.Origin != "" && (len(sources) > 1 || c.Logic != ""):
		p.fail(line, "property %q: a Bronze column is the only source and is copied as it is", c.Name)
	case len(sources) == 0 && c.Logic == "":
		p.fail(line, "property %q has neither transformSourceObjects nor transformLogic", c.Name)
	}
	if array, ok := c.Type.(*delta.Array); ok && len(c.Paths) > 0 && array.Element != delta.String {
		p.fail(line, "property %q: only arrays of strings can be read from documents", c.Name)
	}
}

// physicalTypes says which types of Delta stand for a logical type.
var physicalTypes = map[string][]delta.Type{
	"string":    {delta.String},
	"integer":   {delta.Integer, delta.Long, delta.Short, delta.Byte},
	"number":    {delta.Double, delta.Float},
	"boolean":   {delta.Boolean},
	"timestamp": {delta.Timestamp},
	"date":      {delta.Date},
}

func columnType(prop property) (delta.Type, error) {
	if prop.LogicalType == "array" {
		if prop.Items == nil {
			return nil, errors.New("an array needs items")
		}
		element, err := columnType(*prop.Items)
		if err != nil {
			return nil, fmt.Errorf("items: %w", err)
		}
		array := &delta.Array{Element: element, ContainsNull: true}
		if prop.PhysicalType != array.String() {
			return nil, fmt.Errorf("physicalType is %q, by items it is %q", prop.PhysicalType, array)
		}
		return array, nil
	}
	types, ok := physicalTypes[prop.LogicalType]
	if !ok {
		return nil, fmt.Errorf("logicalType %q is not supported", prop.LogicalType)
	}
	for _, t := range types {
		if t.String() == prop.PhysicalType {
			return t, nil
		}
	}
	return nil, fmt.Errorf("physicalType %q does not fit logicalType %q: want one of %v", prop.PhysicalType, prop.LogicalType, types)
}

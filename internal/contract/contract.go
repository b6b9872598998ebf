// Package contract reads the data contracts of the Silver tables.
//
// A [Contract] declares one table in the shape of the Open Data Contract Standard 3.1: its [Column]s, where each comes
// from, the [Rule]s that a row must keep, and the [Limit]s that all rows read at once must keep. The contracts are the YAML files of this folder; [Load] gives one by name.
// A file that a reader could misunderstand (an unknown key, a name used twice, a misspelt action) is an error that
// names the line.
//
// The package evaluates nothing: package silver turns a contract into SQL.
package contract

import (
	"embed"
	"fmt"
	"io/fs"
	"strings"

	"launchlake/internal/delta"
)

// Engine is the engine that quality entries of type custom name when they are rules for this program.
const Engine = "launchlake"

// Contract declares a Silver table.
type Contract struct {
	ID          string
	Name        string // "launches"
	Version     string // of the contract
	Table       string // where the table lies in the lake, "silver/launches"
	Description string
	Columns     []Column // in the table's order
	Rules       []Rule   // in the file's order, after those that required columns imply
	Limits      []Limit  // in the file's order
}

// Column is a column of the table. It has Paths, or Origin, or Logic; Paths and Logic together mean that Logic is
// applied to the values as they were read.
type Column struct {
	Name        string
	Type        delta.Type
	Description string
	Required    bool     // never null in the table
	Key         bool     // part of the primary key
	Paths       []string // into the JSON document, "$.pad.country[*].name"; the first that holds a value counts
	Origin      string   // a column of the Bronze row; "version" is the table version that brought it
	Logic       string   // SQL over the columns as they were read
}

// Action is what happens to a row that breaks a rule.
type Action string

// The actions, from the mildest.
const (
	Warn       Action = "warn"       // counted
	Drop       Action = "drop"       // left out, counted
	Quarantine Action = "quarantine" // kept aside with its reason and its raw record
	Fail       Action = "fail"       // nothing is published at all
)

// Rule is what a row must keep. It holds only where Expect is true: null breaks it.
type Rule struct {
	Name    string
	Expect  string // SQL over the table's columns
	Action  Action
	Message string
}

// Limit is what the records read at once must keep together, or nothing is published. It holds only where Expect is true.
type Limit struct {
	Name    string
	Expect  string // SQL over the numbers of records: read, good, quarantined, dropped
	Message string
}

//go:embed *.yaml
var files embed.FS

// Load reads one of the contracts of this program.
func Load(name string) (*Contract, error) {
	file := name + ".yaml"
	text, err := fs.ReadFile(files, file)
	if err != nil {
		return nil, fmt.Errorf("load contract %q: there is none, only %s", name, strings.Join(Names(), ", "))
	}
	return Parse(file, text)
}

// Names lists the contracts of this program.
func Names() []string {
	found, _ := fs.Glob(files, "*.yaml")
	for i := range found {
		found[i] = strings.TrimSuffix(found[i], ".yaml")
	}
	return found
}

// Keys names the primary key's columns.
func (c *Contract) Keys() []string {
	var keys []string
	for _, column := range c.Columns {
		if column.Key {
			keys = append(keys, column.Name)
		}
	}
	return keys
}

// Schema is the schema of the table, with the descriptions as column comments.
func (c *Contract) Schema() *delta.Schema {
	schema := &delta.Schema{}
	for _, column := range c.Columns {
		schema.Fields = append(schema.Fields, delta.Field{
			Name:     column.Name,
			Type:     column.Type,
			Nullable: !column.Required,
			Metadata: comment(column.Description),
		})
	}
	return schema
}

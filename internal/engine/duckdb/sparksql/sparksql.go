// Package sparksql translates expressions of Spark SQL into DuckDB's.
//
// The constraints, generated columns and defaults of a Delta table are texts in Spark SQL. An [Expression] is such a text, typed
// over the columns of the table, with the SQL by which DuckDB gives the same value for every row. What DuckDB would
// evaluate otherwise, or what this package does not know, is refused by an [UnsupportedError] with its name: a constraint
// that is half understood is none.
//
// Two things that a Spark session settles are settled here: the time zone is UTC, and arithmetic is ANSI's, so that an
// overflow or a cast that loses is an error, not a null.
package sparksql

import (
	"fmt"
	"slices"
	"time"

	"launchlake/internal/delta"
)

// Expression is a translated expression.
type Expression struct {
	SQL     string          // DuckDB's, in which columns go by their names
	Type    delta.Type      // nil for NULL
	Columns []string        // of the schema, that it reads, sorted
	Filter  delta.Predicate // true of every row of which the expression is true; nil when nothing is known
	Exact   bool            // Filter is the same as the expression
}

// UnsupportedError names what of an expression is not evaluated here.
type UnsupportedError struct {
	Expression string
	Reason     string
}

func (e *UnsupportedError) Error() string {
	return fmt.Sprintf("expression %q cannot be evaluated as Spark does: %s", e.Expression, e.Reason)
}

// Translate reads an expression over the columns of a schema. Now is what the functions of the current time give.
// The error is an *[UnsupportedError].
func Translate(text string, schema *delta.Schema, now time.Time) (Expression, error) {
	p := &parser{schema: schema, now: now, columns: map[string]bool{}}
	n, err := p.all(text)
	if err != nil {
		return Expression{}, &UnsupportedError{Expression: text, Reason: err.Error()}
	}
	e := Expression{SQL: n.sql, Type: n.typ, Filter: n.filter, Exact: n.exact}
	for c := range p.columns {
		e.Columns = append(e.Columns, c)
	}
	slices.Sort(e.Columns)
	return e, nil
}

// Condition translates an expression that must be a boolean.
func Condition(text string, schema *delta.Schema, now time.Time) (Expression, error) {
	e, err := Translate(text, schema, now)
	if err == nil && e.Type != nil && e.Type != delta.Boolean {
		err = &UnsupportedError{Expression: text, Reason: fmt.Sprintf("it is a %s, not a condition", e.Type)}
	}
	return e, err
}

// Assignment translates an expression whose value is stored in a column of a type.
func Assignment(text string, to delta.Type, schema *delta.Schema, now time.Time) (Expression, error) {
	p := &parser{schema: schema, now: now, columns: map[string]bool{}}
	n, err := p.all(text)
	if err == nil {
		n, err = n.assigned(to)
	}
	if err != nil {
		return Expression{}, &UnsupportedError{Expression: text, Reason: err.Error()}
	}
	e := Expression{SQL: n.sql, Type: to}
	for c := range p.columns {
		e.Columns = append(e.Columns, c)
	}
	slices.Sort(e.Columns)
	return e, nil
}

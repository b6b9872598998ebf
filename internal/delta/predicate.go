package delta

import (
	"fmt"
	"strings"
	"time"
)

// Predicate is a condition on rows: true, false or null, as in SQL. Build one with [Col], [And], [Or] and [Not].
type Predicate interface {
	// String gives the predicate as SQL, for messages and for the table's history.
	String() string
	isPredicate()
}

// Column is a column in a predicate.
type Column struct{ name string }

// Col names a column; a member of a struct is reached by dots. A name that holds a dot is put in backticks.
//
// Values compared with it are Go values as in [ColumnStats]; any Go integer serves for the integer types. A NaN equals
// NaN and is greater than every other number. nil is null, and comparing with it gives null.
func Col(name string) Column { return Column{name} }

// Eq is column = value.
func (c Column) Eq(value any) Predicate { return comparison{c, equal, value} }

// Lt is column < value.
func (c Column) Lt(value any) Predicate { return comparison{c, less, value} }

// Le is column <= value.
func (c Column) Le(value any) Predicate { return comparison{c, lessOrEqual, value} }

// Gt is column > value.
func (c Column) Gt(value any) Predicate { return comparison{c, greater, value} }

// Ge is column >= value.
func (c Column) Ge(value any) Predicate { return comparison{c, greaterOrEqual, value} }

// In is column in (values).
func (c Column) In(values ...any) Predicate {
	either := make([]Predicate, len(values))
	for i, v := range values {
		either[i] = c.Eq(v)
	}
	return Or(either...)
}

// IsNull is column is null; it is never null itself.
func (c Column) IsNull() Predicate { return nullCheck{c} }

// NotNull is column is not null; it is never null itself.
func (c Column) NotNull() Predicate { return Not(c.IsNull()) }

// And is true when all are true; without any it is true.
func And(p ...Predicate) Predicate { return conjunction(p) }

// Or is true when one is true; without any it is false.
func Or(p ...Predicate) Predicate { return disjunction(p) }

// Not is true when p is false; null stays null.
func Not(p Predicate) Predicate { return negation{p} }

type comparator string

const (
	equal          comparator = "="
	less           comparator = "<"
	lessOrEqual    comparator = "<="
	greater        comparator = ">"
	greaterOrEqual comparator = ">="
)

type (
	comparison struct {
		column Column
		op     comparator
		value  any
	}
	nullCheck   struct{ column Column }
	conjunction []Predicate
	disjunction []Predicate
	negation    struct{ of Predicate }
)

func (comparison) isPredicate()  {}
func (nullCheck) isPredicate()   {}
func (conjunction) isPredicate() {}
func (disjunction) isPredicate() {}
func (negation) isPredicate()    {}

func (c comparison) String() string {
	return fmt.Sprintf("%s %s %s", c.column.name, c.op, sqlLiteral(c.value))
}
func (n nullCheck) String() string   { return n.column.name + " IS NULL" }
func (c conjunction) String() string { return joined(c, " AND ", "true") }
func (d disjunction) String() string { return joined(d, " OR ", "false") }
func (n negation) String() string    { return "NOT (" + n.of.String() + ")" }

func joined(p []Predicate, by, none string) string {
	if len(p) == 0 {
		return none
	}
	parts := make([]string, len(p))
	for i, one := range p {
		parts[i] = "(" + one.String() + ")"
	}
	return strings.Join(parts, by)
}

func sqlLiteral(v any) string {
	switch v := v.(type) {
	case nil:
		return "NULL"
	case string:
		return "'" + strings.ReplaceAll(v, "'", "''") + "'"
	case []byte:
		return fmt.Sprintf("X'%X'", v)
	case time.Time:
		return "TIMESTAMP '" + formatTimestamp(v, " ", "Z") + "'"
	default:
		return fmt.Sprint(v)
	}
}

// columnName gives the path of a column as one name, as Col takes it.
func columnName(path []string) string {
	quoted := make([]string, len(path))
	for i, p := range path {
		if strings.ContainsAny(p, ".`") {
			p = "`" + strings.ReplaceAll(p, "`", "``") + "`"
		}
		quoted[i] = p
	}
	return strings.Join(quoted, ".")
}

// findLeaf gives the leaf column of a name.
func (m *Metadata) findLeaf(name string) (leaf, error) {
	for l := range m.leaves() {
		if columnName(l.path) == name {
			return l, nil
		}
	}
	return leaf{}, fmt.Errorf("no column %s in the schema that a predicate could compare", name)
}

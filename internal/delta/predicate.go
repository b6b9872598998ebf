package delta

// Predicate is a condition on rows, true, false or null as in SQL. Build one with [Col], [And], [Or] and [Not].
type Predicate interface {
	// String gives the predicate as SQL, for messages and for the table's history.
	String() string
	isPredicate()
}

// Column is a column in a predicate.
type Column struct{ name string }

// Col names a column; a member of a struct is reached by dots. A name that holds a dot is put in backticks.
//
// Values compared with it are Go values as in [ColumnStats]; any Go integer serves for the integer types.
func Col(name string) Column { return Column{name} }

func (c Column) Eq(value any) Predicate     { panic("being built") }
func (c Column) Lt(value any) Predicate     { panic("being built") }
func (c Column) Le(value any) Predicate     { panic("being built") }
func (c Column) Gt(value any) Predicate     { panic("being built") }
func (c Column) Ge(value any) Predicate     { panic("being built") }
func (c Column) In(values ...any) Predicate { panic("being built") }
func (c Column) IsNull() Predicate          { panic("being built") }
func (c Column) NotNull() Predicate         { panic("being built") }

// And is true when all are true.
func And(p ...Predicate) Predicate { panic("being built") }

// Or is true when one is true.
func Or(p ...Predicate) Predicate { panic("being built") }

// Not is true when p is false; null stays null.
func Not(p Predicate) Predicate { panic("being built") }

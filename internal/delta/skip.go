package delta

import (
	"bytes"
	"cmp"
	"fmt"
	"math"
	"math/big"
	"strings"
	"time"
)

// outcomes says which values a predicate may have for the rows of a file. It errs on the side of more, so a file of which
// true is not among them holds no row that matches.
type outcomes struct{ isTrue, isFalse, isNull bool }

var anyOutcome = outcomes{true, true, true}

// columnFacts is what is known of a column's values in a file.
type columnFacts struct {
	min, max any  // nil: unknown
	nulls    bool // there may be nulls
	values   bool // there may be other values
}

// bound is a predicate whose columns were found in a schema.
type bound interface {
	eval(facts func(column int) columnFacts) outcomes
}

type (
	boundComparison struct {
		column int
		op     comparator
		value  any // nil: null
	}
	boundNullCheck struct{ column int }
	boundAnd       []bound
	boundOr        []bound
	boundNot       struct{ of bound }
)

// binding is what predicates refer to. It serves one goroutine.
type binding struct {
	metadata *Metadata
	columns  []leaf
	index    map[string]int

	// Of the file that was looked at last.
	stats *statsReader
	known []columnFacts
}

func (b *binding) column(name string) (int, error) {
	if i, ok := b.index[name]; ok {
		return i, nil
	}
	l, err := b.metadata.findLeaf(name)
	if err != nil {
		return 0, err
	}
	b.index[name] = len(b.columns)
	b.columns = append(b.columns, l)
	return b.index[name], nil
}

func (b *binding) bind(p Predicate) (bound, error) {
	switch p := p.(type) {
	case comparison:
		i, err := b.column(p.column.name)
		if err != nil {
			return nil, err
		}
		value, err := predicateValue(b.columns[i].typ, p.value)
		if err != nil {
			return nil, fmt.Errorf("predicate %s: %w", p, err)
		}
		return boundComparison{i, p.op, value}, nil
	case nullCheck:
		i, err := b.column(p.column.name)
		return boundNullCheck{i}, err
	case conjunction:
		all, err := b.bindAll(p)
		return boundAnd(all), err
	case disjunction:
		all, err := b.bindAll(p)
		return boundOr(all), err
	case negation:
		of, err := b.bind(p.of)
		return boundNot{of}, err
	default:
		return nil, fmt.Errorf("predicate %v: unknown kind %T", p, p)
	}
}

func (b *binding) bindAll(p []Predicate) ([]bound, error) {
	out := make([]bound, len(p))
	for i, one := range p {
		var err error
		if out[i], err = b.bind(one); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// predicateValue gives a predicate's value as a value of the column.
func predicateValue(t Type, value any) (any, error) {
	if value == nil {
		return nil, nil
	}
	if at, ok := value.(time.Time); ok && t == Date && !at.Equal(at.UTC().Truncate(24*time.Hour)) {
		return nil, fmt.Errorf("a date is compared with %s, which is no midnight of UTC", at)
	}
	if t == Float {
		t = Double // the column's value is widened to be compared
	}
	switch t.(type) {
	case *Array, *Map, *Struct:
		return nil, fmt.Errorf("values of type %s cannot be compared", t)
	}
	return normalize(t, value)
}

func (c boundComparison) eval(facts func(int) columnFacts) outcomes {
	if c.value == nil {
		return outcomes{isNull: true}
	}
	f := facts(c.column)
	out := outcomes{isNull: f.nulls}
	if !f.values {
		return out
	}
	// Where the bound is unknown, both are possible.
	lowest := func(holds func(int) bool) bool { return f.min == nil || holds(compareValues(f.min, c.value)) }
	highest := func(holds func(int) bool) bool { return f.max == nil || holds(compareValues(f.max, c.value)) }
	below := func(c int) bool { return c < 0 }
	notAbove := func(c int) bool { return c <= 0 }
	above := func(c int) bool { return c > 0 }
	notBelow := func(c int) bool { return c >= 0 }
	switch c.op {
	case less:
		out.isTrue, out.isFalse = lowest(below), highest(notBelow)
	case lessOrEqual:
		out.isTrue, out.isFalse = lowest(notAbove), highest(above)
	case greater:
		out.isTrue, out.isFalse = highest(above), lowest(notAbove)
	case greaterOrEqual:
		out.isTrue, out.isFalse = highest(notBelow), lowest(below)
	default:
		out.isTrue = lowest(notAbove) && highest(notBelow)
		out.isFalse = lowest(below) || highest(above)
	}
	return out
}

func (c boundNullCheck) eval(facts func(int) columnFacts) outcomes {
	f := facts(c.column)
	return outcomes{isTrue: f.nulls, isFalse: f.values}
}

func (a boundAnd) eval(facts func(int) columnFacts) outcomes {
	out := outcomes{isTrue: true}
	for _, one := range a {
		o := one.eval(facts)
		out = outcomes{
			isTrue:  out.isTrue && o.isTrue,
			isFalse: out.isFalse || o.isFalse,
			isNull:  (out.isNull && (o.isTrue || o.isNull)) || (o.isNull && (out.isTrue || out.isNull)),
		}
	}
	return out
}

func (a boundOr) eval(facts func(int) columnFacts) outcomes {
	out := outcomes{isFalse: true}
	for _, one := range a {
		o := one.eval(facts)
		out = outcomes{
			isTrue:  out.isTrue || o.isTrue,
			isFalse: out.isFalse && o.isFalse,
			isNull:  (out.isNull && (o.isFalse || o.isNull)) || (o.isNull && (out.isFalse || out.isNull)),
		}
	}
	return out
}

func (n boundNot) eval(facts func(int) columnFacts) outcomes {
	o := n.of.eval(facts)
	return outcomes{isTrue: o.isFalse, isFalse: o.isTrue, isNull: o.isNull}
}

// compareValues orders two values of one column.
func compareValues(a, b any) int {
	switch a := a.(type) {
	case int64:
		return cmp.Compare(a, b.(int64))
	case float64:
		return compareFloats(a, b.(float64))
	case string:
		return strings.Compare(a, b.(string))
	case bool:
		return cmp.Compare(rank(a), rank(b.(bool)))
	case []byte:
		return bytes.Compare(a, b.([]byte))
	case time.Time:
		return a.Compare(b.(time.Time))
	case DecimalValue:
		return a.compare(b.(DecimalValue))
	default:
		panic(fmt.Sprintf("values of type %T are not compared", a))
	}
}

// compareFloats puts NaN above everything and makes it equal to itself, as Spark does; the two zeros are equal.
func compareFloats(a, b float64) int {
	switch {
	case math.IsNaN(a) && math.IsNaN(b):
		return 0
	case math.IsNaN(a):
		return 1
	case math.IsNaN(b):
		return -1
	}
	return cmp.Compare(a, b)
}

func rank(b bool) int {
	if b {
		return 1
	}
	return 0
}

func (d DecimalValue) compare(other DecimalValue) int {
	a, okA := new(big.Rat).SetString(string(d))
	b, okB := new(big.Rat).SetString(string(other))
	if !okA || !okB {
		return strings.Compare(string(d), string(other))
	}
	return a.Cmp(b)
}

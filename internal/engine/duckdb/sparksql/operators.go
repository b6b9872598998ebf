package sparksql

import (
	"errors"
	"fmt"

	"launchlake/internal/delta"
)

func conditions(all ...node) error {
	for _, n := range all {
		if n.typ != nil && n.typ != delta.Boolean {
			return fmt.Errorf("a %s where a condition is expected", n.typ)
		}
	}
	return nil
}

func and(a, b node) (node, error) {
	out := made(delta.Boolean, "%s AND %s", a.sql, b.sql)
	switch {
	case a.filter != nil && b.filter != nil:
		out.filter, out.exact = delta.And(a.filter, b.filter), a.exact && b.exact
	case a.filter != nil:
		out.filter = a.filter
	default:
		out.filter = b.filter
	}
	return out, conditions(a, b)
}

func or(a, b node) (node, error) {
	out := made(delta.Boolean, "%s OR %s", a.sql, b.sql)
	if a.filter != nil && b.filter != nil {
		out.filter, out.exact = delta.Or(a.filter, b.filter), a.exact && b.exact
	}
	return out, conditions(a, b)
}

func not(n node) (node, error) {
	out := made(delta.Boolean, "NOT %s", n.sql)
	if n.exact {
		out.filter, out.exact = delta.Not(n.filter), true
	}
	return out, conditions(n)
}

func isNull(n node) node {
	out := made(delta.Boolean, "%s IS NULL", n.sql)
	if n.column != "" {
		out.filter, out.exact = delta.Col(n.column).IsNull(), true
	}
	return out
}

// compare brings both sides to their common type.
func compare(op string, a, b node) (node, error) {
	t, err := common(a, b)
	if err != nil {
		return node{}, err
	}
	if t == nil { // NULL and NULL
		return made(delta.Boolean, "CAST(NULL AS INTEGER) %s NULL", comparators[op]), nil
	}
	if isNested(t) {
		return node{}, fmt.Errorf("values of type %s are compared", t)
	}
	if a, err = a.as(t); err != nil {
		return node{}, err
	}
	if b, err = b.as(t); err != nil {
		return node{}, err
	}
	out := made(delta.Boolean, "%s %s %s", a.sql, comparators[op], b.sql)
	if a.column == "" {
		a, b, op = b, a, mirrored[op]
	}
	out.filter = comparison(op, a, b)
	out.exact = out.filter != nil
	return out, nil
}

// mirrored are the comparators with their sides changed.
var mirrored = map[string]string{"=": "=", "==": "==", "<>": "<>", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<=", "<=>": "<=>"}

// comparison gives the predicate of a column and a literal; nil for others.
func comparison(op string, a, b node) delta.Predicate {
	if _, isDecimal := b.value.(delta.DecimalValue); a.column == "" || b.value == nil || isDecimal && a.typ != b.typ {
		return nil
	}
	c := delta.Col(a.column)
	switch op {
	case "=", "==":
		return c.Eq(b.value)
	case "<>", "!=":
		return delta.Not(c.Eq(b.value))
	case "<":
		return c.Lt(b.value)
	case "<=":
		return c.Le(b.value)
	case ">":
		return c.Gt(b.value)
	case ">=":
		return c.Ge(b.value)
	}
	return delta.And(c.NotNull(), c.Eq(b.value)) // <=> with a value
}

func concat(a, b node) (node, error) {
	for _, n := range []node{a, b} {
		if n.typ != delta.String && n.typ != nil {
			return node{}, fmt.Errorf("|| of a %s", n.typ)
		}
	}
	return made(delta.String, "%s || %s", a.sql, b.sql), nil
}

// arithmetic computes in the type that Spark computes in; where DuckDB's is another the expression is refused.
func arithmetic(op string, a, b node) (node, error) {
	if a.typ == nil || b.typ == nil || !isNumber(a.typ) || !isNumber(b.typ) {
		return node{}, fmt.Errorf("%s of a %v and a %v", op, a.typ, b.typ)
	}
	t, err := common(a, b)
	if err != nil {
		return node{}, err
	}
	if _, isDecimal := t.(delta.Decimal); isDecimal {
		return decimalArithmetic(op, a, b)
	}
	if op == "/" {
		if t == delta.Float {
			return node{}, errors.New("/ of floats, which Spark computes as doubles")
		}
		return made(delta.Double, "%s / nullif(%s, 0)", cast(a.sql, delta.Double), cast(b.sql, delta.Double)), nil
	}
	x, y := cast(a.sql, t), cast(b.sql, t)
	if op == "%" {
		y = "nullif(" + y + ", 0)"
	}
	return made(t, "%s", cast(x+" "+op+" "+y, t)), nil
}

// decimalArithmetic is exact or refused: where the digits of the result are too many, Spark begins to round.
func decimalArithmetic(op string, a, b node) (node, error) {
	x, y := a.asDecimal(), b.asDecimal()
	t := delta.Decimal{Scale: max(x.Scale, y.Scale)}
	switch op {
	case "+", "-":
		t.Precision = max(x.Precision-x.Scale, y.Precision-y.Scale) + t.Scale + 1
	case "*":
		t.Scale = x.Scale + y.Scale
		t.Precision = x.Precision + y.Precision + 1
	default:
		return node{}, fmt.Errorf("%s of decimals", op)
	}
	if t.Precision > 37 {
		return node{}, fmt.Errorf("%s of decimals of so many digits", op)
	}
	// DuckDB computes with the digits of the operands, so they get those of the result.
	if op == "*" {
		x.Precision = max(x.Precision, 38-y.Precision)
	} else {
		x, y = t, t
	}
	return made(t, "%s", cast(cast(a.sql, x)+" "+op+" "+cast(b.sql, y), t)), nil
}

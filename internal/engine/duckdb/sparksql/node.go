package sparksql

import (
	"encoding/hex"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"launchlake/internal/delta"
)

// node is a part of an expression.
type node struct {
	sql    string // binds like a primary
	typ    delta.Type
	value  any             // of a literal: as in delta.ColumnStats, []byte; nil for others and for NULL
	column string          // of a plain column, as delta.Col takes it
	filter delta.Predicate // true whenever the node is; nil: not known
	exact  bool            // filter is false and null too whenever the node is
}

var sqlTypes = map[delta.Type]string{
	delta.String: "VARCHAR", delta.Long: "BIGINT", delta.Integer: "INTEGER", delta.Short: "SMALLINT", delta.Byte: "TINYINT",
	delta.Float: "FLOAT", delta.Double: "DOUBLE", delta.Boolean: "BOOLEAN", delta.Binary: "BLOB", delta.Date: "DATE",
	delta.Timestamp: "TIMESTAMP WITH TIME ZONE", delta.TimestampNTZ: "TIMESTAMP",
}

func sqlType(t delta.Type) string {
	if d, ok := t.(delta.Decimal); ok {
		return fmt.Sprintf("DECIMAL(%d,%d)", d.Precision, d.Scale)
	}
	return sqlTypes[t]
}

func quote(text string) string     { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }
func quoteName(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

func cast(sql string, t delta.Type) string { return fmt.Sprintf("CAST(%s AS %s)", sql, sqlType(t)) }

// made gives a node without more known of it than its type.
func made(t delta.Type, format string, args ...any) node {
	return node{sql: "(" + fmt.Sprintf(format, args...) + ")", typ: t}
}

// literal gives the node of a value.
func literal(t delta.Type, value any) node {
	n := node{typ: t, value: value}
	switch v := value.(type) {
	case int64:
		n.sql = cast(quote(strconv.FormatInt(v, 10)), t)
	case float64:
		n.sql = cast(quote(strconv.FormatFloat(v, 'g', -1, 64)), t)
	case delta.DecimalValue:
		n.sql = cast(quote(string(v)), t)
	case string:
		n.sql = quote(v)
	case bool:
		n.sql = strconv.FormatBool(v)
		n.filter, n.exact = delta.And(), true
		if !v {
			n.filter = delta.Or()
		}
	case []byte:
		n.sql = "from_hex('" + hex.EncodeToString(v) + "')"
	case time.Time:
		n.sql = cast(fmt.Sprintf("make_timestamp(%d)", v.UnixMicro()), t)
	}
	return n
}

// integers ranks the whole numbers by size, with the digits that a decimal needs for them.
var integers = map[delta.Type]int{delta.Byte: 3, delta.Short: 5, delta.Integer: 10, delta.Long: 20}

func isInteger(t delta.Type) bool  { return integers[t] > 0 }
func isFraction(t delta.Type) bool { return t == delta.Float || t == delta.Double }
func isMoment(t delta.Type) bool {
	return t == delta.Date || t == delta.Timestamp || t == delta.TimestampNTZ
}

func isNumber(t delta.Type) bool {
	_, isDecimal := t.(delta.Decimal)
	return isDecimal || isInteger(t) || isFraction(t)
}

func isNested(t delta.Type) bool { return t != nil && sqlType(t) == "" }

// asDecimal gives the decimal type that holds every value of a whole or decimal number. A literal needs its own digits only.
func (n node) asDecimal() delta.Decimal {
	if d, ok := n.typ.(delta.Decimal); ok {
		return d
	}
	if v, ok := n.value.(int64); ok {
		return delta.Decimal{Precision: len(strings.TrimPrefix(strconv.FormatInt(v, 10), "-"))}
	}
	return delta.Decimal{Precision: integers[n.typ]}
}

// common gives the type in which Spark compares two values, or chooses between them.
func common(a, b node) (delta.Type, error) {
	switch {
	case a.typ == nil:
		return b.typ, nil
	case b.typ == nil || a.typ == b.typ && !isNested(a.typ):
		return a.typ, nil
	case isInteger(a.typ) && isInteger(b.typ):
		if integers[a.typ] < integers[b.typ] {
			return b.typ, nil
		}
		return a.typ, nil
	case isNumber(a.typ) && isNumber(b.typ):
		return commonNumber(a, b)
	case isMoment(a.typ) && isTextLiteral(b):
		return a.typ, nil
	case isMoment(b.typ) && isTextLiteral(a):
		return b.typ, nil
	case a.typ == delta.Date && isMoment(b.typ):
		return b.typ, nil
	case b.typ == delta.Date && isMoment(a.typ):
		return a.typ, nil
	}
	return nil, fmt.Errorf("a %s and a %s together", a.typ, b.typ)
}

func isTextLiteral(n node) bool {
	_, ok := n.value.(string)
	return ok
}

func commonNumber(a, b node) (delta.Type, error) {
	if isFraction(a.typ) || isFraction(b.typ) {
		// Whether a float and a whole number meet as floats or doubles hangs on Spark's mode: it must not matter.
		for _, pair := range [][2]node{{a, b}, {b, a}} {
			if pair[0].typ == delta.Float && (pair[1].typ == delta.Integer || pair[1].typ == delta.Long) && !exactFloat(pair[1].value) {
				return nil, fmt.Errorf("a float and a %s together, over which Spark's modes differ", pair[1].typ)
			}
		}
		return delta.Double, nil
	}
	x, y := a.asDecimal(), b.asDecimal()
	scale := max(x.Scale, y.Scale)
	precision := max(x.Precision-x.Scale, y.Precision-y.Scale) + scale
	if precision > 38 {
		return nil, fmt.Errorf("a %s and a %s together, for which no decimal is wide enough", a.typ, b.typ)
	}
	return delta.Decimal{Precision: precision, Scale: scale}, nil
}

func exactFloat(value any) bool {
	v, ok := value.(int64)
	return ok && v > -(1<<24) && v < 1<<24
}

// as gives a node in the type that it has in common with another.
func (n node) as(t delta.Type) (node, error) {
	switch {
	case n.typ == t:
		return n, nil
	case n.typ == nil:
		return node{sql: cast("NULL", t), typ: t}, nil
	case n.value == nil:
		out := made(t, "%s", cast(n.sql, t))
		if t == delta.Double && n.typ == delta.Float || isInteger(t) && isInteger(n.typ) {
			out.column = n.column // to statistics these are alike
		}
		return out, nil
	}
	return literalAs(n, t)
}

func literalAs(n node, t delta.Type) (node, error) {
	switch v := n.value.(type) {
	case string:
		at, err := parseMoment(v, t)
		return literal(t, at), err
	case int64:
		switch {
		case isInteger(t):
			return literal(t, v), nil
		case isFraction(t) && int64(float64(v)) == v:
			return literal(t, float64(v)), nil
		}
	case delta.DecimalValue:
		if f, err := strconv.ParseFloat(string(v), 64); err == nil && isFraction(t) {
			return literal(t, f), nil
		}
	case float64:
		if t == delta.Double && !math.IsNaN(v) {
			return literal(t, v), nil
		}
	}
	return made(t, "%s", cast(n.sql, t)), nil
}

// assigned gives a node as a column of a type stores it: wider without loss, else not at all.
func (n node) assigned(t delta.Type) (node, error) {
	if n.typ == nil || n.typ == t {
		return n.as(t)
	}
	if v, ok := n.value.(int64); ok && isInteger(t) { // a literal that does not fit fails when it is cast
		return literal(t, v), nil
	}
	if v, ok := n.value.(string); ok && isMoment(t) {
		return literalAs(literal(delta.String, v), t)
	}
	wider := isNumber(n.typ) && t == delta.Double || n.typ == delta.Date && isMoment(t)
	if isInteger(n.typ) && isInteger(t) {
		wider = integers[n.typ] <= integers[t]
	}
	if d, ok := t.(delta.Decimal); ok && isNumber(n.typ) && !isFraction(n.typ) {
		have := n.asDecimal()
		wider = have.Scale <= d.Scale && have.Precision-have.Scale <= d.Precision-d.Scale
	}
	if !wider {
		return node{}, fmt.Errorf("its %s is not stored in a column of type %s without a cast", n.typ, t)
	}
	return made(t, "%s", cast(n.sql, t)), nil
}

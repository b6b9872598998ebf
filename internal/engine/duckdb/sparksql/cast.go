package sparksql

import (
	"fmt"
	"strings"

	"launchlake/internal/delta"
)

var typeNames = map[string]delta.Type{
	"STRING": delta.String, "BIGINT": delta.Long, "LONG": delta.Long, "INT": delta.Integer, "INTEGER": delta.Integer, "SMALLINT": delta.Short,
	"SHORT": delta.Short, "TINYINT": delta.Byte, "BYTE": delta.Byte, "FLOAT": delta.Float, "REAL": delta.Float, "DOUBLE": delta.Double,
	"BOOLEAN": delta.Boolean, "BINARY": delta.Binary, "DATE": delta.Date, "TIMESTAMP": delta.Timestamp, "TIMESTAMP_LTZ": delta.Timestamp,
	"TIMESTAMP_NTZ": delta.TimestampNTZ,
}

// cast reads CAST behind its first word.
func (p *parser) cast() (node, error) {
	if err := p.expect("("); err != nil {
		return node{}, err
	}
	n, err := p.disjunction()
	if err != nil {
		return n, err
	}
	if err := p.expect("AS"); err != nil {
		return n, err
	}
	t, err := p.typeName()
	if err != nil {
		return n, err
	}
	if err := p.expect(")"); err != nil {
		return n, err
	}
	return castTo(n, t)
}

func (p *parser) typeName() (delta.Type, error) {
	name := p.take()
	if name.is("DECIMAL", "DEC", "NUMERIC") {
		d := delta.Decimal{Precision: 10}
		if !p.next().is("(") {
			return d, nil
		}
		list, err := p.arguments()
		if err != nil {
			return nil, err
		}
		for i, to := range []*int{&d.Precision, &d.Scale} {
			if i < len(list) {
				v, _ := list[i].value.(int64)
				*to = int(v)
			}
		}
		if len(list) > 2 || d.Precision < 1 || d.Precision > 38 || d.Scale < 0 || d.Scale > d.Precision {
			return nil, fmt.Errorf("there is no type %s", d)
		}
		return d, nil
	}
	t, ok := typeNames[strings.ToUpper(name.text)]
	if !ok || name.kind != wordToken {
		return nil, fmt.Errorf("a cast to %s", name)
	}
	return t, nil
}

// castTo casts where both engines give the same value or fail.
func castTo(n node, t delta.Type) (node, error) {
	d, toDecimal := t.(delta.Decimal)
	have, fromDecimal := n.typ.(delta.Decimal)
	x := n.sql
	switch {
	case n.typ == nil, n.typ == t, n.value != nil && isMoment(t) && n.typ == delta.String:
		return n.as(t)
	case isInteger(n.typ) && isNumber(t), fromDecimal && isFraction(t), isFraction(n.typ) && isFraction(t):
	case fromDecimal && toDecimal && have.Scale <= d.Scale:
	case (isFraction(n.typ) || fromDecimal) && isInteger(t):
		x = "trunc(" + x + ")"
	case t == delta.String && (isInteger(n.typ) || n.typ == delta.Boolean):
	case t == delta.String && n.typ == delta.Date:
		return made(t, "%s", withinYears(x, cast(x, t))), nil
	case isMoment(n.typ) && isMoment(t):
	default:
		return n, fmt.Errorf("a cast from %s to %s", n.typ, t)
	}
	return made(t, "%s", cast(x, t)), nil
}

// withinYears fails for days whose text is of a form of its own in each engine.
func withinYears(day, text string) string {
	return fmt.Sprintf("CASE WHEN year(%[1]s) NOT BETWEEN 1 AND 9999 THEN error('a date outside the years 1 to 9999 as text') ELSE %[2]s END", day, text)
}

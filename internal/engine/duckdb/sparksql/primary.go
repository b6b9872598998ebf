package sparksql

import (
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"launchlake/internal/delta"
)

// primary reads a literal, a column, a function, CASE, CAST, or an expression in parentheses.
func (p *parser) primary() (node, error) {
	t := p.take()
	switch t.kind {
	case numberToken:
		return number(t.text)
	case textToken:
		return literal(delta.String, t.text), nil
	case nameToken:
		return p.path(t.text)
	case wordToken:
		return p.word(t)
	}
	if !t.is("(") {
		return node{}, fmt.Errorf("%s stands where a value is expected", t)
	}
	n, err := p.disjunction()
	if err != nil {
		return n, err
	}
	return n, p.expect(")")
}

func (p *parser) word(t token) (node, error) {
	following := p.next()
	switch {
	case t.is("NULL"):
		return node{sql: "NULL"}, nil
	case t.is("TRUE"), t.is("FALSE"):
		return literal(delta.Boolean, t.is("TRUE")), nil
	case t.is("CASE"):
		return p.cases()
	case t.is("CAST") && following.is("("):
		return p.cast()
	case t.is("CURRENT_DATE", "CURRENT_TIMESTAMP") && !following.is("("):
		return p.call(t.text, nil)
	case following.kind == textToken:
		return typedLiteral(t.text, p.take().text)
	case following.is("("):
		arguments, err := p.arguments()
		if err != nil {
			return node{}, err
		}
		return p.call(t.text, arguments)
	}
	return p.path(t.text)
}

func (p *parser) path(first string) (node, error) {
	path := []string{first}
	for {
		if _, ok := p.accept("."); !ok {
			return p.resolve(path)
		}
		t := p.take()
		if t.kind != wordToken && t.kind != nameToken {
			return node{}, fmt.Errorf("%s stands where a member is expected", t)
		}
		path = append(path, t.text)
	}
}

// number reads a literal: whole numbers are int or bigint, those with a point decimal, those with an exponent double, unless a
// suffix says otherwise.
func number(text string) (node, error) {
	digits := strings.TrimRight(strings.ToUpper(text), "LSYDFB")
	suffix := strings.ToUpper(text)[len(digits):]
	plain := !strings.ContainsAny(digits, ".E")
	switch {
	case plain && suffix == "":
		v, err := strconv.ParseInt(digits, 10, 64)
		switch {
		case err != nil:
			return decimal(digits)
		case v < math.MinInt32 || v > math.MaxInt32:
			return literal(delta.Long, v), nil
		}
		return literal(delta.Integer, v), nil
	case plain && strings.Contains("LSY", suffix):
		sized := map[string]struct {
			bits int
			typ  delta.Type
		}{"L": {64, delta.Long}, "S": {16, delta.Short}, "Y": {8, delta.Byte}}[suffix]
		v, err := strconv.ParseInt(digits, 10, sized.bits)
		return literal(sized.typ, v), err
	case suffix == "D", suffix == "" && strings.Contains(digits, "E"):
		v, err := strconv.ParseFloat(digits, 64)
		return literal(delta.Double, v), err
	case suffix == "F":
		v, err := strconv.ParseFloat(digits, 32)
		return literal(delta.Float, v), err
	case (suffix == "BD" || suffix == "") && !strings.Contains(digits, "E"):
		return decimal(digits)
	}
	return node{}, fmt.Errorf("the number %s", text)
}

func decimal(digits string) (node, error) {
	sign := ""
	if rest, ok := strings.CutPrefix(digits, "-"); ok {
		sign, digits = "-", rest
	}
	whole, fraction, _ := strings.Cut(digits, ".")
	whole = strings.TrimLeft(whole, "0")
	t := delta.Decimal{Precision: max(len(whole)+len(fraction), 1), Scale: len(fraction)}
	if t.Precision > 38 {
		return node{}, fmt.Errorf("the number %s has too many digits", digits)
	}
	if whole == "" {
		whole = "0"
	}
	if fraction != "" {
		whole += "." + fraction
	}
	return literal(t, delta.DecimalValue(sign+whole)), nil
}

func typedLiteral(kind, text string) (node, error) {
	types := map[string]delta.Type{"DATE": delta.Date, "TIMESTAMP": delta.Timestamp, "TIMESTAMP_LTZ": delta.Timestamp, "TIMESTAMP_NTZ": delta.TimestampNTZ}
	if strings.EqualFold(kind, "X") {
		value, err := hex.DecodeString(text)
		return literal(delta.Binary, value), err
	}
	t, ok := types[strings.ToUpper(kind)]
	if !ok {
		return node{}, fmt.Errorf("a literal of kind %s", kind)
	}
	at, err := parseMoment(text, t)
	return literal(t, at), err
}

// cases reads CASE behind its first word.
func (p *parser) cases() (node, error) {
	var subject *node
	if !p.next().is("WHEN") {
		n, err := p.disjunction()
		if err != nil {
			return n, err
		}
		subject = &n
	}
	var when, then []node
	for {
		if _, ok := p.accept("WHEN"); !ok {
			break
		}
		condition, err := p.disjunction()
		if err == nil && subject != nil {
			condition, err = compare("=", *subject, condition)
		}
		if err != nil {
			return node{}, err
		}
		if err := p.expect("THEN"); err != nil {
			return node{}, err
		}
		value, err := p.disjunction()
		if err != nil {
			return node{}, err
		}
		when, then = append(when, condition), append(then, value)
	}
	otherwise := node{sql: "NULL"}
	if _, ok := p.accept("ELSE"); ok {
		var err error
		if otherwise, err = p.disjunction(); err != nil {
			return node{}, err
		}
	}
	if err := p.expect("END"); err != nil {
		return node{}, err
	}
	return choose(when, append(then, otherwise))
}

// choose gives the value behind the first condition that is true, else the last value.
func choose(when, then []node) (node, error) {
	if len(when) == 0 {
		return node{}, errors.New("CASE without WHEN")
	}
	if err := conditions(when...); err != nil {
		return node{}, err
	}
	then, t, err := alike(then)
	if err != nil {
		return node{}, err
	}
	var b strings.Builder
	b.WriteString("CASE")
	for i, condition := range when {
		fmt.Fprintf(&b, " WHEN %s THEN %s", condition.sql, then[i].sql)
	}
	return made(t, "%s ELSE %s END", b.String(), then[len(when)].sql), nil
}

// alike brings values to the type that all have in common.
func alike(values []node) ([]node, delta.Type, error) {
	all := values[0]
	for _, v := range values[1:] {
		if isMoment(all.typ) != isMoment(v.typ) && all.typ != nil && v.typ != nil {
			return nil, nil, fmt.Errorf("a %s and a %s as one value", all.typ, v.typ)
		}
		t, err := common(all, v)
		if err != nil {
			return nil, nil, err
		}
		if t != all.typ {
			all = node{typ: t}
		}
	}
	if isNested(all.typ) {
		return nil, nil, fmt.Errorf("a choice of values of type %s", all.typ)
	}
	out := make([]node, len(values))
	for i, v := range values {
		var err error
		if out[i] = v; all.typ == nil {
			continue
		}
		if out[i], err = v.as(all.typ); err != nil {
			return nil, nil, err
		}
	}
	return out, all.typ, nil
}

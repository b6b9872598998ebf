package sparksql

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"launchlake/internal/delta"
)

// deepest bounds the nesting of expressions: they come from logs that anyone wrote.
const deepest = 100

// parser reads one expression by recursive descent, weakest operators first.
type parser struct {
	schema  *delta.Schema
	now     time.Time
	columns map[string]bool // that were met
	rest    []token
	depth   int
}

func (p *parser) all(text string) (node, error) {
	var err error
	if p.rest, err = tokens(text); err != nil {
		return node{}, err
	}
	n, err := p.disjunction()
	if err == nil && p.next().kind != endToken {
		err = fmt.Errorf("%s is not understood where it stands", p.next())
	}
	return n, err
}

func (p *parser) next() token { return p.rest[0] }

func (p *parser) take() token {
	t := p.rest[0]
	if t.kind != endToken {
		p.rest = p.rest[1:]
	}
	return t
}

// accept takes the next token when it is one of these.
func (p *parser) accept(any ...string) (token, bool) {
	if p.next().is(any...) {
		return p.take(), true
	}
	return token{}, false
}

func (p *parser) expect(text string) error {
	if _, ok := p.accept(text); !ok {
		return fmt.Errorf("%s stands where %s is expected", p.next(), text)
	}
	return nil
}

func (p *parser) disjunction() (node, error) {
	if p.depth++; p.depth > deepest {
		return node{}, errors.New("it is nested too deep")
	}
	defer func() { p.depth-- }()
	left, err := p.conjunction()
	for err == nil {
		if _, ok := p.accept("OR"); !ok {
			break
		}
		var right node
		if right, err = p.conjunction(); err == nil {
			left, err = or(left, right)
		}
	}
	return left, err
}

func (p *parser) conjunction() (node, error) {
	left, err := p.negation()
	for err == nil {
		if _, ok := p.accept("AND"); !ok {
			break
		}
		var right node
		if right, err = p.negation(); err == nil {
			left, err = and(left, right)
		}
	}
	return left, err
}

func (p *parser) negation() (node, error) {
	if _, ok := p.accept("NOT", "!"); !ok {
		return p.predicate()
	}
	if p.depth++; p.depth > deepest {
		return node{}, errors.New("it is nested too deep")
	}
	defer func() { p.depth-- }()
	n, err := p.negation()
	if err != nil {
		return n, err
	}
	return not(n)
}

// predicate reads a comparison and what may stand behind it: IS, BETWEEN, IN, LIKE, RLIKE.
func (p *parser) predicate() (node, error) {
	n, err := p.comparison()
	if err != nil {
		return n, err
	}
	if _, ok := p.accept("IS"); ok {
		return p.is(n)
	}
	_, negated := p.accept("NOT")
	switch t := p.next(); {
	case t.is("BETWEEN"):
		n, err = p.between(n)
	case t.is("IN"):
		n, err = p.in(n)
	case t.is("LIKE", "RLIKE", "REGEXP"):
		n, err = p.matching(n)
	case negated:
		return n, fmt.Errorf("%s behind NOT", t)
	default:
		return n, nil
	}
	if err == nil && negated {
		return not(n)
	}
	return n, err
}

func (p *parser) is(n node) (node, error) {
	_, negated := p.accept("NOT")
	var out node
	switch t := p.take(); {
	case t.is("NULL"):
		out = isNull(n)
	case t.is("TRUE"), t.is("FALSE"):
		if n.typ != delta.Boolean {
			return n, fmt.Errorf("IS %s of no condition", t.text)
		}
		out = made(delta.Boolean, "%s IS NOT DISTINCT FROM %s", n.sql, t.text)
		if t.is("TRUE") {
			out.filter = n.filter
		}
	case t.is("DISTINCT"):
		if err := p.expect("FROM"); err != nil {
			return n, err
		}
		right, err := p.additive()
		if err != nil {
			return n, err
		}
		if out, err = compare("<=>", n, right); err != nil {
			return n, err
		}
		negated = !negated
	default:
		return n, fmt.Errorf("%s behind IS", t)
	}
	if negated {
		return not(out)
	}
	return out, nil
}

func (p *parser) between(n node) (node, error) {
	p.take()
	low, err := p.additive()
	if err != nil {
		return n, err
	}
	if err := p.expect("AND"); err != nil {
		return n, err
	}
	high, err := p.additive()
	if err != nil {
		return n, err
	}
	notBelow, err := compare(">=", n, low)
	if err != nil {
		return n, err
	}
	notAbove, err := compare("<=", n, high)
	if err != nil {
		return n, err
	}
	return and(notBelow, notAbove)
}

func (p *parser) in(n node) (node, error) {
	p.take()
	list, err := p.arguments()
	if err != nil {
		return n, err
	}
	if len(list) == 0 {
		return n, errors.New("IN without values")
	}
	// Spark brings all to one type before it compares.
	all := n
	for _, v := range list {
		t, err := common(all, v)
		if err != nil {
			return n, err
		}
		all.typ, all.value = t, nil
	}
	var out node
	for i, v := range list {
		if isNumber(all.typ) {
			if v, err = v.as(all.typ); err != nil {
				return n, err
			}
		}
		one, err := compare("=", n, v)
		if err != nil {
			return n, err
		}
		if i == 0 {
			out = one
		} else if out, err = or(out, one); err != nil {
			return n, err
		}
	}
	return out, nil
}

// comparators are Spark's, with DuckDB's.
var comparators = map[string]string{"=": "=", "==": "=", "<>": "<>", "!=": "<>", "<": "<", "<=": "<=", ">": ">", ">=": ">=", "<=>": "IS NOT DISTINCT FROM"}

func (p *parser) comparison() (node, error) {
	left, err := p.additive()
	for err == nil {
		op, ok := p.accept("=", "==", "<>", "!=", "<", "<=", ">", ">=", "<=>")
		if !ok {
			break
		}
		var right node
		if right, err = p.additive(); err == nil {
			left, err = compare(op.text, left, right)
		}
	}
	return left, err
}

func (p *parser) additive() (node, error) {
	left, err := p.multiplicative()
	for err == nil {
		op, ok := p.accept("+", "-", "||")
		if !ok {
			break
		}
		var right node
		if right, err = p.multiplicative(); err != nil {
			break
		}
		if op.text == "||" {
			left, err = concat(left, right)
		} else {
			left, err = arithmetic(op.text, left, right)
		}
	}
	return left, err
}

func (p *parser) multiplicative() (node, error) {
	left, err := p.unary()
	for err == nil {
		op, ok := p.accept("*", "/", "%")
		if !ok {
			break
		}
		var right node
		if right, err = p.unary(); err == nil {
			left, err = arithmetic(op.text, left, right)
		}
	}
	return left, err
}

func (p *parser) unary() (node, error) {
	if p.depth++; p.depth > deepest {
		return node{}, errors.New("it is nested too deep")
	}
	defer func() { p.depth-- }()
	if _, ok := p.accept("+"); ok {
		n, err := p.unary()
		if err == nil && !isNumber(n.typ) {
			err = errors.New("+ before no number")
		}
		return n, err
	}
	if _, ok := p.accept("-"); ok {
		if p.next().kind == numberToken {
			return number("-" + p.take().text)
		}
		n, err := p.unary()
		if err == nil && !isNumber(n.typ) {
			err = errors.New("- before no number")
		}
		return made(n.typ, "%s", cast("-"+n.sql, n.typ)), err
	}
	return p.primary()
}

// arguments reads a list in parentheses.
func (p *parser) arguments() ([]node, error) {
	if err := p.expect("("); err != nil {
		return nil, err
	}
	var list []node
	if _, ok := p.accept(")"); ok {
		return nil, nil
	}
	for {
		n, err := p.disjunction()
		if err != nil {
			return nil, err
		}
		list = append(list, n)
		if _, ok := p.accept(","); ok {
			continue
		}
		return list, p.expect(")")
	}
}

// resolve finds a column, or a member of a struct, without regard to case, as Spark does.
func (p *parser) resolve(path []string) (node, error) {
	var n node
	var names []string
	within := p.schema
	for i, name := range path {
		if within == nil {
			return n, fmt.Errorf("%s has no members", strings.Join(path[:i], "."))
		}
		f, err := field(within, name)
		if err != nil {
			return n, err
		}
		if i == 0 {
			n.sql = quoteName(f.Name)
			p.columns[f.Name] = true
		} else {
			n.sql = fmt.Sprintf("struct_extract(%s, %s)", n.sql, quote(f.Name))
		}
		names = append(names, f.Name)
		n.typ = f.Type
		within, _ = f.Type.(*delta.Struct)
	}
	if !isNested(n.typ) {
		n.column = columnName(names)
	}
	if n.typ == delta.Boolean {
		n.filter, n.exact = delta.Col(n.column).Eq(true), true
	}
	return n, nil
}

func field(s *delta.Struct, name string) (delta.Field, error) {
	var found []delta.Field
	for _, f := range s.Fields {
		if strings.EqualFold(f.Name, name) {
			found = append(found, f)
		}
	}
	switch len(found) {
	case 0:
		return delta.Field{}, fmt.Errorf("there is no column %s", name)
	case 1:
		return found[0], nil
	}
	return delta.Field{}, fmt.Errorf("there are several columns %s", name)
}

// columnName spells a path as delta.Col takes it.
func columnName(path []string) string {
	out := make([]string, len(path))
	for i, name := range path {
		if strings.ContainsAny(name, ".`") {
			name = "`" + strings.ReplaceAll(name, "`", "``") + "`"
		}
		out[i] = name
	}
	return strings.Join(out, ".")
}

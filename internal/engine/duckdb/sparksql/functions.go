package sparksql

import (
	"errors"
	"fmt"
	"strings"

	"launchlake/internal/delta"
)

// function gives the node of a call; its arguments have been counted.
type function struct {
	least, most int // number of arguments; most < 0: any
	build       func(p *parser, a []node) (node, error)
}

// functions are those that both engines compute alike, or that are spelled in DuckDB such that they do.
var functions map[string]function

func init() { // for coalesce and others refer to it
	text := []delta.Type{delta.String}
	functions = map[string]function{
		"length":       {1, 1, plain(delta.Integer, "length(%s)", text)},
		"octet_length": {1, 1, plain(delta.Integer, "strlen(%s)", text)},
		"trim":         {1, 1, plain(delta.String, "ltrim(rtrim(%s, ' '), ' ')", text)},
		"ltrim":        {1, 1, plain(delta.String, "ltrim(%s, ' ')", text)},
		"rtrim":        {1, 1, plain(delta.String, "rtrim(%s, ' ')", text)},
		"upper":        {1, 1, asciiOnly("upper")},
		"lower":        {1, 1, asciiOnly("lower")},
		"startswith":   {2, 2, plain(delta.Boolean, "starts_with(%s, %s)", text, text)},
		"endswith":     {2, 2, plain(delta.Boolean, "ends_with(%s, %s)", text, text)},
		"contains":     {2, 2, plain(delta.Boolean, "contains(%s, %s)", text, text)},
		"concat":       {1, -1, func(_ *parser, a []node) (node, error) { return fold(concat, a) }},
		"substring":    {3, 3, substring},
		"rlike":        {2, 2, func(_ *parser, a []node) (node, error) { return rlike(a[0], a[1]) }},

		"coalesce":    {1, -1, coalesce},
		"nvl":         {2, 2, coalesce},
		"nullif":      {2, 2, nullIf},
		"if":          {3, 3, func(_ *parser, a []node) (node, error) { return choose(a[:1], a[1:]) }},
		"isnull":      {1, 1, func(_ *parser, a []node) (node, error) { return isNull(a[0]), nil }},
		"isnotnull":   {1, 1, func(_ *parser, a []node) (node, error) { return not(isNull(a[0])) }},
		"isnan":       {1, 1, plain(delta.Boolean, "coalesce(isnan(%s), false)", []delta.Type{delta.Float, delta.Double})},
		"abs":         {1, 1, absolute},
		"year":        {1, 1, part("year")},
		"quarter":     {1, 1, part("quarter")},
		"month":       {1, 1, part("month")},
		"day":         {1, 1, part("day")},
		"hour":        {1, 1, part("hour")},
		"minute":      {1, 1, part("minute")},
		"second":      {1, 1, part("second")},
		"date":        {1, 1, toDate},
		"date_add":    {2, 2, shift("+")},
		"date_sub":    {2, 2, shift("-")},
		"datediff":    {2, 2, plain(delta.Integer, "date_diff('day', %[2]s, %[1]s)", []delta.Type{delta.Date}, []delta.Type{delta.Date})},
		"date_trunc":  {2, 2, truncate},
		"date_format": {2, 2, dateFormat},

		"current_date":      {0, 0, func(p *parser, _ []node) (node, error) { return castTo(literal(delta.Timestamp, p.now), delta.Date) }},
		"current_timestamp": {0, 0, func(p *parser, _ []node) (node, error) { return literal(delta.Timestamp, p.now), nil }},
	}
	for alias, name := range map[string]string{
		"char_length": "length", "character_length": "length", "len": "length", "ucase": "upper", "lcase": "lower", "substr": "substring",
		"regexp_like": "rlike", "regexp": "rlike", "ifnull": "nvl", "dayofmonth": "day", "to_date": "date", "dateadd": "date_add",
		"date_diff": "datediff", "curdate": "current_date", "now": "current_timestamp",
	} {
		functions[alias] = functions[name]
	}
}

func (p *parser) call(name string, a []node) (node, error) {
	f, ok := functions[strings.ToLower(name)]
	switch {
	case !ok:
		return node{}, fmt.Errorf("the function %s", name)
	case len(a) < f.least || f.most >= 0 && len(a) > f.most:
		return node{}, fmt.Errorf("the function %s with %d arguments", name, len(a))
	}
	n, err := f.build(p, a)
	if err != nil {
		err = fmt.Errorf("the function %s: %w", name, err)
	}
	return n, err
}

// plain is a function whose arguments have one of some types each, by a template of DuckDB's SQL.
func plain(result delta.Type, template string, types ...[]delta.Type) func(*parser, []node) (node, error) {
	return func(_ *parser, a []node) (node, error) {
		texts := make([]any, len(a))
		for i, n := range a {
			n, err := n.oneOf(types[i]...)
			if err != nil {
				return n, err
			}
			texts[i] = n.sql
		}
		return made(result, "%s", cast(fmt.Sprintf(template, texts...), result)), nil
	}
}

// oneOf checks the type of an argument; NULL becomes one of the first.
func (n node) oneOf(types ...delta.Type) (node, error) {
	if n.typ == nil {
		return n.as(types[0])
	}
	for _, t := range types {
		if n.typ == t {
			return n, nil
		}
	}
	return n, fmt.Errorf("of a %s", n.typ)
}

// asciiOnly fails for texts in which the engines' tables of letters could differ.
func asciiOnly(name string) func(*parser, []node) (node, error) {
	return func(_ *parser, a []node) (node, error) {
		n, err := a[0].oneOf(delta.String)
		return made(delta.String, "CASE WHEN strlen(%[1]s) = length(%[1]s) THEN %[2]s(%[1]s) WHEN %[1]s IS NULL THEN NULL ELSE error('%[2]s of a text with other letters than ASCII''s') END", n.sql, name), err
	}
}

func fold(f func(a, b node) (node, error), a []node) (node, error) {
	out, err := a[0].oneOf(delta.String)
	for _, n := range a[1:] {
		if err != nil {
			break
		}
		out, err = f(out, n)
	}
	return out, err
}

func substring(_ *parser, a []node) (node, error) {
	n, err := a[0].oneOf(delta.String)
	if err != nil {
		return n, err
	}
	from, okFrom := a[1].value.(int64)
	count, okCount := a[2].value.(int64)
	if !okFrom || !okCount || from < 1 || count < 0 {
		return n, errors.New("with other bounds than literals from 1 and from 0")
	}
	return made(delta.String, "substring(%s, %d, %d)", n.sql, from, count), nil
}

func coalesce(_ *parser, a []node) (node, error) {
	values, t, err := alike(a)
	if err != nil {
		return node{}, err
	}
	if t == nil {
		return node{sql: "NULL"}, nil
	}
	texts := make([]string, len(values))
	for i, v := range values {
		texts[i] = v.sql
	}
	return made(t, "coalesce(%s)", strings.Join(texts, ", ")), nil
}

func nullIf(_ *parser, a []node) (node, error) {
	equal, err := compare("=", a[0], a[1])
	if err != nil || a[0].typ == nil {
		return node{sql: "NULL"}, err
	}
	return made(a[0].typ, "CASE WHEN %s THEN NULL ELSE %s END", equal.sql, a[0].sql), nil
}

func absolute(_ *parser, a []node) (node, error) {
	if !isNumber(a[0].typ) {
		return node{}, fmt.Errorf("of a %v", a[0].typ)
	}
	return made(a[0].typ, "%s", cast("abs("+a[0].sql+")", a[0].typ)), nil
}

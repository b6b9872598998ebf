package sparksql

import (
	"errors"
	"fmt"
	"strings"

	"launchlake/internal/delta"
)

var moments = []delta.Type{delta.Timestamp, delta.Date, delta.TimestampNTZ}

func part(name string) func(*parser, []node) (node, error) {
	return func(_ *parser, a []node) (node, error) {
		n, err := a[0].oneOf(moments...)
		if err == nil && n.typ == delta.Date && strings.Contains("hour minute second", name) {
			err = errors.New("of a date")
		}
		return made(delta.Integer, "%s", cast(name+"("+n.sql+")", delta.Integer)), err
	}
}

func toDate(_ *parser, a []node) (node, error) { return castTo(a[0], delta.Date) }

func shift(sign string) func(*parser, []node) (node, error) {
	return func(_ *parser, a []node) (node, error) {
		day, err := castTo(a[0], delta.Date)
		if err != nil {
			return day, err
		}
		days, err := a[1].oneOf(delta.Integer, delta.Short, delta.Byte)
		return made(delta.Date, "%s %s %s", day.sql, sign, cast(days.sql, delta.Integer)), err
	}
}

var truncations = map[string]string{
	"YEAR": "year", "YYYY": "year", "YY": "year", "QUARTER": "quarter", "MONTH": "month", "MON": "month", "MM": "month", "WEEK": "week", "DAY": "day", "DD": "day",
	"HOUR": "hour", "MINUTE": "minute", "SECOND": "second",
}

// truncate is date_trunc, which gives a timestamp of a date too.
func truncate(_ *parser, a []node) (node, error) {
	name, _ := a[0].value.(string)
	unit, ok := truncations[strings.ToUpper(name)]
	if !ok {
		return node{}, fmt.Errorf("to %q", name)
	}
	n, err := a[1].oneOf(moments...)
	if err != nil {
		return n, err
	}
	t := delta.Type(delta.Timestamp)
	if n.typ == delta.TimestampNTZ {
		t = n.typ
	}
	return made(t, "%s", cast(fmt.Sprintf("date_trunc('%s', %s)", unit, cast(n.sql, t)), t)), nil
}

// dateParts are the letters of Spark's patterns, with DuckDB's.
var dateParts = map[string]string{"yyyy": "%Y", "MM": "%m", "dd": "%d", "HH": "%H", "mm": "%M", "ss": "%S"}

func dateFormat(_ *parser, a []node) (node, error) {
	n, err := a[0].oneOf(moments...)
	if err != nil {
		return n, err
	}
	pattern, ok := a[1].value.(string)
	if !ok {
		return n, errors.New("with a pattern that is no literal")
	}
	var format strings.Builder
	for pattern != "" {
		run := pattern[:len(pattern)-len(strings.TrimLeft(pattern, pattern[:1]))]
		switch letters := strings.ContainsAny(run, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"); {
		case letters && dateParts[run] == "", strings.ContainsAny(run, "'[]{}#%"), run[0] >= 0x80:
			return n, fmt.Errorf("with the pattern %q", a[1].value)
		case letters:
			format.WriteString(dateParts[run])
		default:
			format.WriteString(run)
		}
		pattern = pattern[len(run):]
	}
	return made(delta.String, "%s", withinYears(n.sql, fmt.Sprintf("strftime(%s, %s)", n.sql, quote(format.String())))), nil
}

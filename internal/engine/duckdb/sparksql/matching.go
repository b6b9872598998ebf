package sparksql

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"launchlake/internal/delta"
)

// matching reads LIKE or RLIKE with its pattern.
func (p *parser) matching(n node) (node, error) {
	op := p.take()
	pattern, err := p.additive()
	if err != nil {
		return n, err
	}
	if p.next().is("ESCAPE") {
		return n, errors.New("LIKE with ESCAPE")
	}
	if op.is("LIKE") {
		return like(n, pattern)
	}
	return rlike(n, pattern)
}

func like(n, pattern node) (node, error) {
	text, ok := pattern.value.(string)
	if n, err := n.oneOf(delta.String); err != nil || !ok {
		return n, errors.New("LIKE of other than a text and a literal pattern")
	}
	for rest := text; rest != ""; rest = rest[1:] {
		if rest[0] != '\\' {
			continue
		}
		if len(rest) < 2 || !strings.ContainsRune(`%_\`, rune(rest[1])) {
			return node{}, fmt.Errorf("the pattern %q: a backslash escapes %%, _ or itself only", text)
		}
		rest = rest[1:]
	}
	if n.typ == nil {
		n.sql = cast("NULL", delta.String)
	}
	return made(delta.Boolean, `%s LIKE %s ESCAPE '\'`, n.sql, quote(text)), nil
}

func rlike(n, pattern node) (node, error) {
	n, err := n.oneOf(delta.String)
	if err != nil {
		return n, err
	}
	text, ok := pattern.value.(string)
	if !ok {
		return n, errors.New("a regular expression that is no literal")
	}
	translated, err := regex(text)
	if err != nil {
		return n, fmt.Errorf("the regular expression %q: %w", text, err)
	}
	return made(delta.Boolean, "regexp_matches(%s, %s)", n.sql, quote(translated)), nil
}

// Java's line ends: what . does not match, and what may stand behind $.
const (
	noLineEnd = `[^\n\r\x{85}\x{2028}\x{2029}]`
	atEnd     = `(?:\r\n|[\n\r\x{85}\x{2028}\x{2029}])?\z`
)

// regex spells a regular expression of Java's for RE2, as far as both have the same meaning.
func regex(text string) (string, error) {
	var b strings.Builder
	class := false
	for rest := text; rest != ""; {
		r, size := utf8.DecodeRuneInString(rest)
		piece, n := string(r), size
		var err error
		switch {
		case r == '\\':
			piece, n, err = regexEscape(rest, class)
		case class && r == ']':
			class = false
		case class && (r == '[' || r == '&'):
			err = fmt.Errorf("%q in a class", r)
		case class:
		case r == '[':
			class = true
			if strings.HasPrefix(rest, "[]") || strings.HasPrefix(rest, "[^]") {
				err = errors.New("a bracket at the begin of a class")
			} else if strings.HasPrefix(rest, "[^") {
				piece, n = "[^", 2
			}
		case r == '(' && strings.HasPrefix(rest, "(?"):
			if piece, n = "(?:", 3; !strings.HasPrefix(rest, "(?:") {
				err = errors.New("(? of a kind that is not known")
			}
		case r == '.':
			piece = noLineEnd
		case r == '$':
			if piece = atEnd; rest != "$" {
				err = errors.New("$ before the end")
			}
		case strings.ContainsRune("*+?}", r) && len(rest) > 1 && rest[1] == '+':
			err = errors.New("a possessive quantifier")
		}
		if err != nil {
			return "", err
		}
		b.WriteString(piece)
		rest = rest[n:]
	}
	return b.String(), nil
}

// regexEscape reads what begins with a backslash.
func regexEscape(rest string, class bool) (string, int, error) {
	if len(rest) < 2 {
		return "", 0, errors.New("a backslash at the end")
	}
	switch c := rest[1]; {
	case strings.ContainsRune("dDw", rune(c)), c == 'W', c == 'n', c == 't', c == 'r':
		return rest[:2], 2, nil
	case c == 's' && class:
		return ` \t\n\x0B\f\r`, 2, nil
	case c == 's':
		return `[ \t\n\x0B\f\r]`, 2, nil
	case c == 'S' && !class:
		return `[^ \t\n\x0B\f\r]`, 2, nil
	case c < utf8.RuneSelf && !isDigit(rune(c)) && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z'):
		return rest[:2], 2, nil
	}
	return "", 0, fmt.Errorf(`\%c`, rest[1])
}

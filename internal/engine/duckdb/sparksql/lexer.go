package sparksql

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

type tokenKind int

const (
	endToken    tokenKind = iota
	wordToken             // a keyword or a name
	nameToken             // a name in backticks, taken out of them
	numberToken           // with its suffix
	textToken             // a string, without its escapes
	symbolToken
)

type token struct {
	kind tokenKind
	text string
}

// is whether a token is one of some symbols or keywords, which are given in capitals.
func (t token) is(any ...string) bool {
	if t.kind != wordToken && t.kind != symbolToken {
		return false
	}
	for _, text := range any {
		if strings.EqualFold(t.text, text) {
			return true
		}
	}
	return false
}

func (t token) String() string {
	if t.kind == endToken {
		return "the end"
	}
	return strconv.Quote(t.text)
}

// symbols of Spark, longer ones before those they begin with.
var symbols = []string{"<=>", "<>", "!=", "==", "<=", ">=", "||", "=", "<", ">", "+", "-", "*", "/", "%", "(", ")", ",", ".", "!"}

// tokens takes an expression apart.
func tokens(text string) ([]token, error) {
	if !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
		return nil, errors.New("it is no text")
	}
	var all []token
	for {
		text = strings.TrimLeft(text, " \t\r\n")
		if text == "" {
			return append(all, token{}), nil
		}
		t, rest, err := nextToken(text)
		if err != nil {
			return nil, err
		}
		all = append(all, t)
		text = rest
	}
}

func nextToken(text string) (token, string, error) {
	first, _ := utf8.DecodeRuneInString(text)
	switch {
	case strings.HasPrefix(text, "--"), strings.HasPrefix(text, "/*"):
		return token{}, "", errors.New("it holds a comment")
	case first == '\'' || first == '"':
		return stringToken(text, byte(first))
	case first == '`':
		return backtickToken(text)
	case isDigit(first) || first == '.' && len(text) > 1 && isDigit(rune(text[1])):
		return numberAhead(text)
	case first == '_' || unicode.IsLetter(first):
		n := strings.IndexFunc(text, func(r rune) bool { return r != '_' && !unicode.IsLetter(r) && !isDigit(r) })
		if n < 0 {
			n = len(text)
		}
		return token{wordToken, text[:n]}, text[n:], nil
	}
	for _, s := range symbols {
		if rest, ok := strings.CutPrefix(text, s); ok {
			return token{symbolToken, s}, rest, nil
		}
	}
	return token{}, "", fmt.Errorf("it holds %q", first)
}

func isDigit(r rune) bool { return r >= '0' && r <= '9' }

// numberAhead reads a number with its suffix: 1, 1.5, .5, 1e3, 1L, 1.5D, 1BD.
func numberAhead(text string) (token, string, error) {
	n := digits(text, 0)
	if n < len(text) && text[n] == '.' {
		n = digits(text, n+1)
	}
	if n < len(text) && (text[n] == 'e' || text[n] == 'E') {
		m := n + 1
		if m < len(text) && (text[m] == '+' || text[m] == '-') {
			m++
		}
		if end := digits(text, m); end > m {
			n = end
		}
	}
	end := n
	for end < len(text) && (text[end] == '_' || unicode.IsLetter(rune(text[end])) || isDigit(rune(text[end]))) {
		end++
	}
	switch strings.ToUpper(text[n:end]) {
	case "", "L", "S", "Y", "D", "F", "BD":
		return token{numberToken, text[:end]}, text[end:], nil
	}
	return token{}, "", fmt.Errorf("%q is no number", text[:end])
}

func digits(text string, from int) int {
	for from < len(text) && isDigit(rune(text[from])) {
		from++
	}
	return from
}

func backtickToken(text string) (token, string, error) {
	var name strings.Builder
	for i := 1; i < len(text); i++ {
		if text[i] != '`' {
			name.WriteByte(text[i])
		} else if i+1 < len(text) && text[i+1] == '`' {
			name.WriteByte('`')
			i++
		} else {
			return token{nameToken, name.String()}, text[i+1:], nil
		}
	}
	return token{}, "", errors.New("a name in backticks has no end")
}

// stringToken reads a string with Spark's escapes. Two quotes in a row mean a quote to Spark 4 and nothing to Spark 3, and
// two strings in a row are one, so both are refused.
func stringToken(text string, quote byte) (token, string, error) {
	var b strings.Builder
	for i := 1; i < len(text); i++ {
		switch text[i] {
		case quote:
			rest := text[i+1:]
			if next := strings.TrimLeft(rest, " \t\r\n"); next != "" && (next[0] == '\'' || next[0] == '"') {
				return token{}, "", errors.New(`versions of Spark differ over two quotes in a row: write \' for a quote in a string`)
			}
			return token{textToken, b.String()}, rest, nil
		case '\\':
			r, n, err := escape(text[i+1:])
			if err != nil {
				return token{}, "", err
			}
			b.WriteString(r)
			i += n
		default:
			b.WriteByte(text[i])
		}
	}
	return token{}, "", errors.New("a string has no end")
}

// escape reads what stands behind a backslash, and says how many bytes it is.
func escape(text string) (string, int, error) {
	if text == "" {
		return "", 0, errors.New("a string has no end")
	}
	switch text[0] {
	case 'n':
		return "\n", 1, nil
	case 't':
		return "\t", 1, nil
	case 'r':
		return "\r", 1, nil
	case 'b':
		return "\b", 1, nil
	case 'Z':
		return "\x1a", 1, nil
	case '%', '_': // for LIKE
		return `\` + text[:1], 1, nil
	case '\\', '\'', '"':
		return text[:1], 1, nil
	}
	return "", 0, fmt.Errorf(`the escape \%c`, text[0])
}

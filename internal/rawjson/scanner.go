package rawjson

import (
	"bytes"
	"strings"
	"unicode/utf8"
)

// scanner passes the values of a text, and checks them on the way. What passes something returns where that ends, or -1 when
// it is not JSON.
type scanner struct {
	text []byte
	open []byte // brackets of skip
}

func (s *scanner) at(i int) byte { return byteAt(s.text, i) }

func (s *scanner) space(i int) int {
	if i < len(s.text) && s.text[i] > ' ' {
		return i
	}
	return skipSpace(s.text, i)
}

// skip passes the value at i. It keeps the open brackets instead of recursing: nesting costs no stack.
func (s *scanner) skip(i int) int {
	s.open = s.open[:0]
	for {
		switch c := s.at(i); c {
		case '{', '[':
			i = s.space(i + 1)
			if s.at(i) == closing(c) {
				i++
				break
			}
			s.open = append(s.open, c)
			if c == '{' {
				i = s.name(i)
			}
			if i < 0 {
				return i
			}
			continue
		default:
			i = s.scalar(i)
		}
		var more bool
		if i, more = s.behind(i); !more {
			return i
		}
	}
}

// behind passes what may follow a value up to the next one. more is false when there is none, or an error.
func (s *scanner) behind(i int) (next int, more bool) {
	for i >= 0 && len(s.open) > 0 {
		bracket := s.open[len(s.open)-1]
		i = s.space(i)
		switch s.at(i) {
		case ',':
			i = s.space(i + 1)
			if bracket == '{' {
				i = s.name(i)
			}
			return i, i >= 0
		case closing(bracket):
			s.open = s.open[:len(s.open)-1]
			i++
		default:
			return -1, false
		}
	}
	return i, false
}

// name passes a member's name and its colon, up to the value.
func (s *scanner) name(i int) int {
	_, value, _, ok := name(s.text, i)
	return passed(value, ok)
}

func (s *scanner) scalar(i int) int {
	switch s.at(i) {
	case '"':
		end, _, ok := quoted(s.text, i)
		return passed(end, ok)
	case 't':
		return passed(word(s.text, i, "true"))
	case 'f':
		return passed(word(s.text, i, "false"))
	case 'n':
		return passed(word(s.text, i, "null"))
	}
	return passed(number(s.text, i))
}

func passed(end int, ok bool) int {
	if !ok {
		return -1
	}
	return end
}

// paired is whether no half of a surrogate pair stands alone in a text that is JSON.
func paired(text []byte) bool {
	if !bytes.Contains(text, []byte(`\u`)) {
		return true
	}
	for {
		i := bytes.IndexByte(text, '\\')
		if i < 0 {
			return true
		}
		if text[i+1] != 'u' {
			text = text[i+2:]
			continue
		}
		unit := hex(text[i+2:])
		text = text[i+2+hexDigits:]
		if isLow(unit) {
			return false
		}
		if isHigh(unit) {
			if !bytes.HasPrefix(text, []byte(`\u`)) || !isLow(hex(text[2:])) {
				return false
			}
			text = text[2+hexDigits:]
		}
	}
}

const hexDigits = 4

// hex reads the digits of an escape that was checked.
func hex(text []byte) (unit rune) {
	for _, c := range text[:hexDigits] {
		unit <<= 4
		if isDigit(c) {
			unit |= rune(c - '0')
		} else {
			unit |= rune(c|0x20-'a') + 10
		}
	}
	return unit
}

func isHigh(unit rune) bool { return unit&^0x3FF == 0xD800 }
func isLow(unit rune) bool  { return unit&^0x3FF == 0xDC00 }

// AppendText appends the content of a JSON string that a [Finder] found.
func AppendText(to, quoted []byte) []byte {
	text := quoted[1 : len(quoted)-1]
	for {
		i := bytes.IndexByte(text, '\\')
		if i < 0 {
			return append(to, text...)
		}
		to = append(to, text[:i]...)
		c := text[i+1]
		text = text[i+2:]
		if at := strings.IndexByte(escapes, c); at >= 0 {
			to = append(to, escaped[at])
			continue
		}
		unit := hex(text)
		text = text[hexDigits:]
		if isHigh(unit) {
			unit = (unit-0xD800)<<10 | (hex(text[2:]) - 0xDC00) + 0x10000
			text = text[2+hexDigits:]
		}
		to = utf8.AppendRune(to, unit)
	}
}

// What escapes of one letter stand for.
const (
	escapes = `"\/bfnrt`
	escaped = "\"\\/\b\f\n\r\t"
)

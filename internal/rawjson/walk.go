package rawjson

import (
	"encoding/binary"
	"math/bits"
)

// Valid reports whether text is one JSON value, as [encoding/json.Valid] does but at any depth of nesting. Like it,
// it takes any bytes in strings but control characters. When text is not valid, at is where it goes wrong, which is
// len(text) when it ends too early.
func Valid(text []byte) (at int, ok bool) { return Walk(text, 0, nil) }

// Walk checks a text as [Valid] does, and on its way calls visit for each value of the outermost levels, when the value
// has ended: level 0 is the text's own, level 1 are its members or elements, and so on. name is that of a member,
// unescaped, and nil for an element. When the text turns out not to be valid, what was visited before means nothing.
func Walk(text []byte, levels int, visit func(level int, name, value []byte)) (at int, ok bool) {
	return walk(text, levels, visit, nil)
}

func walk(text []byte, levels int, visit func(level int, name, value []byte), known *Walker) (at int, ok bool) {
	var outer []place // the values that the one at i is within
	inner, i := place{}, skipSpace(text, 0)
	for {
		if inner.within == '{' {
			start, end, escaped := i, 0, false
			if end, i, escaped, ok = name(text, i); !ok {
				return i, false
			}
			if inner.name = text[start+1 : end-1]; escaped {
				inner.name = unescape(text[start:end])
			}
		}
		inner.start, inner.keep = i, nil
		switch c := byteAt(text, i); c {
		case '"':
			i, _, ok = quoted(text, i)
		case '{', '[':
			if c == '{' && known != nil && len(outer) >= levels-1 {
				length := 0
				if length, inner.keep = known.find(text[i:]); length > 0 {
					i, ok = i+length, true
					break
				}
			}
			if i = skipSpace(text, i+1); byteAt(text, i) != closing(c) {
				outer = append(outer, inner)
				inner = place{within: c}
				continue
			}
			i, ok = i+1, true
		case 'n':
			i, ok = word(text, i, "null")
		case 't':
			i, ok = word(text, i, "true")
		case 'f':
			i, ok = word(text, i, "false")
		default:
			i, ok = number(text, i)
		}
		if !ok {
			return i, false
		}
		for {
			if len(outer) < levels {
				visit(len(outer), inner.name, text[inner.start:i:i])
			}
			i = skipSpace(text, i)
			if inner.within == 0 {
				return i, i == len(text)
			}
			c := byteAt(text, i)
			if c == ',' {
				break
			}
			if c != closing(inner.within) {
				return i, false
			}
			i++
			inner, outer = outer[len(outer)-1], outer[:len(outer)-1]
			if inner.keep != nil {
				inner.keep.keep(text[inner.start:i])
			}
		}
		i = skipSpace(text, i+1)
	}
}

// place is a value within its text.
type place struct {
	start  int
	name   []byte
	within byte // the bracket around it; 0: it is the text's own
	keep   *sighting
}

// name passes the name of a member, and its colon; end is where the name ends.
func name(text []byte, i int) (end, value int, escaped, ok bool) {
	if byteAt(text, i) != '"' {
		return i, i, false, false
	}
	if end, escaped, ok = quoted(text, i); !ok {
		return end, end, escaped, false
	}
	if i = skipSpace(text, end); byteAt(text, i) != ':' {
		return end, i, escaped, false
	}
	return end, skipSpace(text, i+1), escaped, true
}

// byteAt is the byte at i. At the end it is 0, which is no part of JSON.
func byteAt(text []byte, i int) byte {
	if i < len(text) {
		return text[i]
	}
	return 0
}

func closing(bracket byte) byte { return bracket + 2 } // "[\]" and "{|}" are neighbours in ASCII

// lanes has a 1 in each byte.
const lanes = 0x0101010101010101

// special has the high bit set of the first byte of eight that does not stand for itself in a string, when there is one:
// of a control character, a quote or a backslash. Bits of later bytes mean nothing.
func special(eight uint64) uint64 {
	const controlOrQuote = ' ' + 1 // all below it are, once bit 1 is flipped: '"' becomes ' ', and ' ' becomes '"'
	controls := (eight ^ (lanes * 2)) - lanes*controlOrQuote
	backslashes := (eight ^ (lanes * '\\')) - lanes
	return (controls | backslashes) &^ eight & (lanes << 7)
}

// quoted passes the string at i; escaped is whether it holds escapes.
func quoted(text []byte, i int) (end int, escaped, ok bool) {
	i++
	for {
		for len(text)-i >= 8 {
			found := special(binary.LittleEndian.Uint64(text[i:]))
			if found == 0 {
				i += 8
				continue
			}
			if i += bits.TrailingZeros64(found) / 8; text[i] == '"' {
				return i + 1, escaped, true
			}
			break
		}
		for i < len(text) && text[i] >= ' ' && text[i] != '"' && text[i] != '\\' {
			i++
		}
		c := byteAt(text, i)
		if c == '"' {
			return i + 1, escaped, true
		}
		if c != '\\' {
			return i, escaped, false
		}
		if i, ok = escape(text, i+1); !ok {
			return i, escaped, false
		}
		escaped = true
	}
}

// escape passes what follows a backslash.
func escape(text []byte, i int) (end int, ok bool) {
	switch byteAt(text, i) {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return i + 1, true
	case 'u':
		i++
	default:
		return i, false
	}
	for range 4 {
		c := byteAt(text, i)
		if letter := c | 0x20; !isDigit(c) && (letter < 'a' || letter > 'f') {
			return i, false
		}
		i++
	}
	return i, true
}

func word(text []byte, i int, word string) (end int, ok bool) {
	if rest := text[i:]; len(rest) >= len(word) && string(rest[:len(word)]) == word {
		return i + len(word), true
	}
	for k := range len(word) {
		if byteAt(text, i) != word[k] {
			break
		}
		i++
	}
	return i, false
}

func number(text []byte, i int) (end int, ok bool) {
	if byteAt(text, i) == '-' {
		i++
	}
	if byteAt(text, i) == '0' {
		i, ok = i+1, true
	} else {
		i, ok = digits(text, i)
	}
	if ok && byteAt(text, i) == '.' {
		i, ok = digits(text, i+1)
	}
	if ok && byteAt(text, i)|0x20 == 'e' {
		i++
		if c := byteAt(text, i); c == '+' || c == '-' {
			i++
		}
		return digits(text, i)
	}
	return i, ok
}

func digits(text []byte, start int) (end int, ok bool) {
	end = start
	for end < len(text) && isDigit(text[end]) {
		end++
	}
	return end, end > start
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

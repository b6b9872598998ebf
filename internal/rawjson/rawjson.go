// Package rawjson cuts JSON text into the values it is made of, without decoding them: every piece is a slice of
// the input, so its bytes are exactly those that were received, whatever a decoder would make of them (invalid
// UTF-8, duplicate names, numbers beyond 64 bits).
//
// [Valid] checks a text, [Walk] cuts it meanwhile. [Members] and [Elements] expect one that it accepts; on other text they end early and never
// panic. Only names and [Text] are unescaped; numbers are not read.
package rawjson

import (
	"bytes"
	"encoding/json"
	"iter"
)

// Members yields the name and the value of each member of an object, in the order of the text, duplicates included.
// Anything but an object has none.
func Members(object []byte) iter.Seq2[[]byte, []byte] {
	return func(yield func(name, value []byte) bool) {
		i := skipSpace(object, 0)
		if i >= len(object) || object[i] != '{' {
			return
		}
		i = skipSpace(object, i+1)
		for i < len(object) && object[i] == '"' {
			end := skipString(object, i)
			start := skipSpace(object, end)
			if start >= len(object) || object[start] != ':' {
				return
			}
			name := unescape(object[i:end])
			start = skipSpace(object, start+1)
			end = skipValue(object, start)
			if end == start || !yield(name, object[start:end]) {
				return
			}
			i = skipSpace(object, end)
			if i >= len(object) || object[i] != ',' {
				return
			}
			i = skipSpace(object, i+1)
		}
	}
}

// Elements yields each element of an array, in order. Anything but an array has none.
func Elements(array []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		i := skipSpace(array, 0)
		if i >= len(array) || array[i] != '[' {
			return
		}
		for {
			i = skipSpace(array, i+1)
			end := skipValue(array, i)
			if end == i || !yield(array[i:end:end]) {
				return
			}
			i = skipSpace(array, end)
			if i >= len(array) || array[i] != ',' {
				return
			}
		}
	}
}

// Text is the content of a JSON string; ok is false for any other value.
func Text(value []byte) (text string, ok bool) {
	if len(value) < 2 || value[0] != '"' || value[len(value)-1] != '"' {
		return "", false
	}
	return string(unescape(value)), true
}

// Kind is the first byte of a value ('{', '[', '"', 't', 'f', 'n', '-' or a digit), 0 when there is none.
func Kind(value []byte) byte {
	if i := skipSpace(value, 0); i < len(value) {
		return value[i]
	}
	return 0
}

func unescape(quoted []byte) []byte {
	if len(quoted) < 2 {
		return nil
	}
	plain := quoted[1 : len(quoted)-1]
	if bytes.IndexByte(plain, '\\') < 0 {
		return plain
	}
	var text string
	if json.Unmarshal(quoted, &text) != nil {
		return plain
	}
	return []byte(text)
}

func skipSpace(b []byte, i int) int {
	for i < len(b) && b[i] <= ' ' && (b[i] == ' ' || b[i] == '\n' || b[i] == '\t' || b[i] == '\r') {
		i++
	}
	return i
}

// skipValue returns the index behind the value at i; i itself when no value starts there.
// It counts depth instead of recursing: nesting costs no stack.
func skipValue(b []byte, i int) int {
	if i >= len(b) {
		return i
	}
	switch b[i] {
	case '"':
		return skipString(b, i)
	case '{', '[':
		return skipNested(b, i)
	default:
		return skipScalar(b, i)
	}
}

// structural are the bytes that skipNested looks at.
var structural = [256]bool{'"': true, '{': true, '}': true, '[': true, ']': true}

func skipNested(b []byte, i int) int {
	depth := 0
	for i < len(b) {
		if !structural[b[i]] {
			i++
			continue
		}
		switch b[i] {
		case '"':
			i = skipString(b, i)
			continue
		case '{', '[':
			depth++
		default:
			if depth--; depth == 0 {
				return i + 1
			}
		}
		i++
	}
	return len(b)
}

func skipScalar(b []byte, i int) int {
	for i < len(b) {
		switch b[i] {
		case ',', ']', '}', ' ', '\n', '\t', '\r':
			return i
		}
		i++
	}
	return i
}

// skipString returns the index behind the string whose opening quote is at i.
func skipString(b []byte, i int) int {
	i++
	for i < len(b) {
		quote := bytes.IndexByte(b[i:], '"')
		if quote < 0 {
			return len(b)
		}
		end := i + quote
		escapes := 0
		for escapes < quote && b[end-1-escapes] == '\\' {
			escapes++
		}
		if escapes%2 == 0 {
			return end + 1
		}
		i = end + 1
	}
	return len(b)
}

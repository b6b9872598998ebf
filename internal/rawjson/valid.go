package rawjson

// Valid reports whether text is one JSON value, as [encoding/json.Valid] does but at any depth of nesting. Like it,
// it takes any bytes in strings but control characters. When text is not valid, at is where it goes wrong, which is
// len(text) when it ends too early.
func Valid(text []byte) (at int, ok bool) {
	v := validator{text: text}
	v.space()
	for v.value() {
		if more, ok := v.rest(); !more {
			return v.i, ok
		}
	}
	return v.i, false
}

// validator is at byte i, inside the brackets of open.
type validator struct {
	text []byte
	i    int
	open []byte
}

// next is the byte at i. At the end it is 0, which is no part of JSON.
func (v *validator) next() byte {
	if v.i < len(v.text) {
		return v.text[v.i]
	}
	return 0
}

func (v *validator) space() { v.i = skipSpace(v.text, v.i) }

func (v *validator) take(c byte) bool {
	if v.next() != c {
		return false
	}
	v.i++
	return true
}

// value passes the value at i; of one that holds others, all up to the end of the first that holds none.
func (v *validator) value() bool {
	for {
		bracket := v.next()
		switch {
		case bracket == '"':
			return v.quoted()
		case bracket != '{' && bracket != '[':
			return v.scalar()
		}
		v.i++
		v.space()
		if v.take(closing(bracket)) {
			return true
		}
		v.open = append(v.open, bracket)
		if bracket == '{' && !v.name() {
			return false
		}
	}
}

func closing(bracket byte) byte { return bracket + 2 } // "[\]" and "{|}" are neighbours in ASCII

// rest passes what may follow a value up to the next one; more is false when there is none, and ok then tells
// whether the text ends as it should.
func (v *validator) rest() (more, ok bool) {
	for v.space(); len(v.open) > 0; v.space() {
		bracket := v.open[len(v.open)-1]
		if v.take(',') {
			v.space()
			more = bracket == '[' || v.name()
			return more, false
		}
		if !v.take(closing(bracket)) {
			return false, false
		}
		v.open = v.open[:len(v.open)-1]
	}
	return false, v.i == len(v.text)
}

// name passes a member's name and its colon.
func (v *validator) name() bool {
	if v.next() != '"' || !v.quoted() {
		return false
	}
	v.space()
	if !v.take(':') {
		return false
	}
	v.space()
	return true
}

// plain are the bytes that stand for themselves in a string.
var plain = func() (set [256]bool) {
	for c := range set {
		set[c] = c >= ' ' && c != '"' && c != '\\'
	}
	return set
}()

func (v *validator) quoted() bool {
	text, i := v.text, v.i+1
	for {
		for i < len(text) && plain[text[i]] {
			i++
		}
		v.i = i
		switch {
		case v.take('"'):
			return true
		case !v.take('\\') || !v.escape():
			return false
		}
		i = v.i
	}
}

func (v *validator) escape() bool {
	switch v.next() {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		v.i++
		return true
	case 'u':
		v.i++
	default:
		return false
	}
	for range 4 {
		if c := v.next() | 0x20; !isDigit(v.next()) && (c < 'a' || c > 'f') {
			return false
		}
		v.i++
	}
	return true
}

func (v *validator) scalar() bool {
	switch v.next() {
	case 't':
		return v.word("true")
	case 'f':
		return v.word("false")
	case 'n':
		return v.word("null")
	default:
		return v.number()
	}
}

func (v *validator) word(word string) bool {
	for i := range len(word) {
		if !v.take(word[i]) {
			return false
		}
	}
	return true
}

func (v *validator) number() bool {
	v.take('-')
	if !v.take('0') && !v.digits() {
		return false
	}
	if v.take('.') && !v.digits() {
		return false
	}
	if v.take('e') || v.take('E') {
		if !v.take('+') {
			v.take('-')
		}
		return v.digits()
	}
	return true
}

func (v *validator) digits() bool {
	start := v.i
	for isDigit(v.next()) {
		v.i++
	}
	return v.i > start
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

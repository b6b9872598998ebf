package document

import (
	"bytes"
	"math"
	"strconv"
	"time"
	"unsafe"
)

func hasEscape(inside []byte) bool { return bytes.IndexByte(inside, '\\') >= 0 }

// plainDigits is how many digits any long holds.
const plainDigits = 18

// plain reads the JSON text of the numbers that are there most, which need not be spelled anew: integers without a sign into
// integers, any into doubles but zero, whose sign does not count.
func plain(c *column, raw []byte, v *Value) bool {
	switch c.kind {
	case integerKind:
		if len(raw) > plainDigits {
			return false
		}
		n, ok := digitsOf(raw)
		if !ok || int64(n)>>(c.bits-1) != 0 {
			return false
		}
		v.setNumber(int64(n), true)
		return true
	case doubleKind:
		if c.bits != 64 || raw[0] != '-' && (raw[0] < '0' || raw[0] > '9') {
			return false
		}
		f, err := strconv.ParseFloat(unsafeString(raw), c.bits)
		if err != nil || f == 0 {
			return false
		}
		v.setDouble(f, true)
		return true
	}
	return false
}

// scalar reads what a scalar says that is not null.
func scalar(c *column, text []byte, v *Value) {
	switch c.kind {
	case textKind:
		v.State, v.Text = Present, text
	case integerKind:
		v.setNumber(integer(text, c.bits))
	case doubleKind:
		v.setDouble(double(text, c.bits))
	case booleanKind:
		switch string(text) {
		case "true":
			v.setNumber(1, true)
		case "false":
			v.setNumber(0, true)
		default:
			v.State = Wrong
		}
	case timestampKind:
		v.setNumber(timestamp(text))
	case dateKind:
		v.setNumber(date(text))
	default:
		v.State = Wrong
	}
}

func (v *Value) setNumber(n int64, ok bool) {
	v.State, v.Number = Wrong, 0
	if ok {
		v.State, v.Number = Present, n
	}
}

func (v *Value) setDouble(f float64, ok bool) {
	v.State, v.Double = Wrong, 0
	if ok {
		v.State, v.Double = Present, f
	}
}

// integer reads digits, with a fraction of zeros at most.
func integer(text []byte, bits int) (int64, bool) {
	whole, fraction, cut := bytes.Cut(text, []byte("."))
	if cut && (len(fraction) == 0 || len(bytes.Trim(fraction, "0")) > 0) {
		return 0, false
	}
	if unsigned := whole[signs(whole):]; len(unsigned) == 0 || digits(unsigned) < len(unsigned) {
		return 0, false
	}
	n, err := strconv.ParseInt(unsafeString(whole), 10, bits)
	return n, err == nil
}

// signs is 1 when a minus leads.
func signs(text []byte) int {
	if len(text) > 0 && text[0] == '-' {
		return 1
	}
	return 0
}

// digits counts those that lead.
func digits(text []byte) int {
	n := 0
	for n < len(text) && '0' <= text[n] && text[n] <= '9' {
		n++
	}
	return n
}

// unsafeString looks at bytes as a string, for functions that do not keep it.
func unsafeString(text []byte) string { return unsafe.String(unsafe.SliceData(text), len(text)) }

// double reads a number as JSON spells it, but that zeros may lead. Zero has no sign.
func double(text []byte, bits int) (float64, bool) {
	if !isNumber(text) {
		return 0, false
	}
	f, err := strconv.ParseFloat(unsafeString(text), bits)
	if f == 0 {
		f = 0
	}
	return f, err == nil
}

func isNumber(text []byte) bool {
	text = text[signs(text):]
	n := digits(text)
	if n == 0 {
		return false
	}
	text = text[n:]
	if len(text) > 0 && text[0] == '.' {
		if n = digits(text[1:]); n == 0 {
			return false
		}
		text = text[1+n:]
	}
	if len(text) > 0 && text[0]|0x20 == 'e' {
		text = text[1:]
		if len(text) > 0 && (text[0] == '+' || text[0] == '-') {
			text = text[1:]
		}
		if n = digits(text); n == 0 {
			return false
		}
		text = text[n:]
	}
	return len(text) == 0
}

// Numbers are spelled without an exponent when they have so many digits before the point, or zeros behind it.
const (
	mostDigits = 21
	mostZeros  = 5
)

// appendNumber spells a number: integers as they are, others by the fewest digits that tell them from their neighbours, at least
// one behind the point. What no double holds is left as it is.
func appendNumber(to, raw []byte) []byte {
	if bytes.IndexAny(raw, ".eE") < 0 {
		if string(raw) == "-0" {
			raw = raw[1:]
		}
		return append(to, raw...)
	}
	f, err := strconv.ParseFloat(unsafeString(raw), 64)
	if err != nil {
		return append(to, raw...)
	}
	var buffer [32]byte
	spelled := strconv.AppendFloat(buffer[:0], math.Abs(f), 'e', -1, 64) // d.ddde±dd
	mantissa, power, _ := bytes.Cut(spelled, []byte("e"))
	exponent, _ := strconv.Atoi(string(power))
	if math.Signbit(f) {
		to = append(to, '-')
	}
	ds := append(mantissa[:1:1], bytes.TrimPrefix(mantissa[1:], []byte("."))...)
	point := exponent + 1 // how many digits are before it
	switch {
	case f == 0:
		return append(to, "0.0"...)
	case point < -mostZeros || point > mostDigits:
		to = append(to, ds[0])
		if len(ds) > 1 {
			to = append(append(to, '.'), ds[1:]...)
		}
		return strconv.AppendInt(append(to, 'e'), int64(exponent), 10)
	case point <= 0:
		to = append(to, "0."...)
		return append(append(to, bytes.Repeat([]byte("0"), -point)...), ds...)
	case point >= len(ds):
		to = append(append(to, ds...), bytes.Repeat([]byte("0"), point-len(ds))...)
		return append(to, ".0"...)
	}
	to = append(append(to, ds[:point]...), '.')
	return append(to, ds[point:]...)
}

const dateLength = len("2006-01-02")

// date gives the days since 1970 of a day in ISO 8601.
func date(text []byte) (days int64, ok bool) {
	if len(text) != dateLength || text[4] != '-' || text[7] != '-' {
		return 0, false
	}
	year, okYear := digitsOf(text[:4])
	month, okMonth := digitsOf(text[5:7])
	day, okDay := digitsOf(text[8:])
	if !okYear || !okMonth || !okDay || month < 1 || month > 12 || day < 1 {
		return 0, false
	}
	t := time.Date(year, time.Month(month), day, 0, 0, 0, 0, time.UTC)
	const secondsADay = 24 * 60 * 60
	return t.Unix() / secondsADay, t.Day() == day
}

// digitsOf reads a text that is digits only.
func digitsOf(text []byte) (n int, ok bool) {
	for _, c := range text {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = 10*n + int(c-'0')
	}
	return n, len(text) > 0
}

const (
	timeLength      = len("15:04:05")
	microsASecond   = 1_000_000
	fractionDigits  = 6
	secondsAMinute  = 60
	minutesAnHour   = 60
	hoursADay       = 24
	mostOffsetHours = 18
)

// timestamp gives the microseconds since 1970 of a moment in ISO 8601; without an offset it is UTC. Further digits are cut off.
func timestamp(text []byte) (micros int64, ok bool) {
	if len(text) < dateLength+1+timeLength || text[dateLength] != 'T' && text[dateLength] != ' ' {
		return 0, false
	}
	days, okDate := date(text[:dateLength])
	seconds, okTime := timeOfDay(text[dateLength+1 : dateLength+1+timeLength])
	rest := text[dateLength+1+timeLength:]
	fraction, n, okFraction := fractionOf(rest)
	offset, okOffset := offsetOf(rest[n:])
	if !okDate || !okTime || !okFraction || !okOffset {
		return 0, false
	}
	return ((days*hoursADay*minutesAnHour-offset)*secondsAMinute+seconds)*microsASecond + fraction, true
}

func timeOfDay(text []byte) (seconds int64, ok bool) {
	hour, okHour := digitsOf(text[:2])
	minute, okMinute := digitsOf(text[3:5])
	second, okSecond := digitsOf(text[6:])
	ok = okHour && okMinute && okSecond && text[2] == ':' && text[5] == ':' && hour < hoursADay && minute < minutesAnHour && second < secondsAMinute
	return int64((hour*minutesAnHour+minute)*secondsAMinute + second), ok
}

// fractionOf reads a fraction of a second that may lead, which has n bytes.
func fractionOf(text []byte) (micros int64, n int, ok bool) {
	if len(text) == 0 || text[0] != '.' {
		return 0, 0, true
	}
	n = digits(text[1:])
	for i := range fractionDigits {
		micros *= 10
		if i < n {
			micros += int64(text[1+i] - '0')
		}
	}
	return micros, 1 + n, n > 0
}

// offsetOf reads Z, +hh, +hhmm, +hh:mm or nothing, in minutes.
func offsetOf(text []byte) (minutes int64, ok bool) {
	if len(text) == 0 || string(text) == "Z" {
		return 0, true
	}
	sign := int64(1)
	switch {
	case text[0] == '-':
		sign = -1
	case text[0] != '+':
		return 0, false
	}
	if len(text) < 3 {
		return 0, false
	}
	hours, okHours := digitsOf(text[1:3])
	if !okHours || hours > mostOffsetHours {
		return 0, false
	}
	rest := bytes.TrimPrefix(text[3:], []byte(":"))
	if len(text) == 3 {
		return sign * int64(hours) * minutesAnHour, true
	}
	m, okMinutes := digitsOf(rest)
	return sign * int64(hours*minutesAnHour+m), okMinutes && len(rest) == 2 && m < minutesAnHour
}

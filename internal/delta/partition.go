package delta

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// FormatPartitionValue gives a value as the log spells it in PartitionValues (spec: Partition Value Serialization); nil for
// null. Values are Go values as in [ColumnStats], besides []byte for binary. The empty string is null to Delta.
func FormatPartitionValue(t Type, value any) (*string, error) {
	if value == nil {
		return nil, nil
	}
	v, err := normalize(t, value)
	if err != nil {
		return nil, fmt.Errorf("partition value: %w", err)
	}
	var text string
	switch v := v.(type) {
	case int64:
		text = strconv.FormatInt(v, 10)
	case float64:
		text = formatFloat(t, v)
	case bool:
		text = strconv.FormatBool(v)
	case string:
		text = v
	case DecimalValue:
		text = string(v)
	case []byte:
		if !utf8.Valid(v) {
			return nil, fmt.Errorf("partition value: binary that is not UTF-8 cannot stand in the log")
		}
		text = string(v)
	case time.Time:
		switch t {
		case Date:
			text = formatDate(v)
		case TimestampNTZ:
			text = formatTimestamp(v, " ", "")
		default:
			text = formatTimestamp(v, "T", "Z")
		}
	}
	if text == "" {
		return nil, nil
	}
	return &text, nil
}

// ParsePartitionValue is the reverse of FormatPartitionValue; it also reads what other writers spell.
func ParsePartitionValue(t Type, text *string) (any, error) {
	if text == nil || *text == "" {
		return nil, nil
	}
	v, err := parseValue(t, *text)
	if err != nil {
		return nil, fmt.Errorf("partition value %.100q of type %s: %w", *text, t, err)
	}
	return v, nil
}

func parseValue(t Type, text string) (any, error) {
	if d, ok := t.(Decimal); ok {
		return parseDecimal(d, text)
	}
	switch t {
	case Long, Integer, Short, Byte:
		return strconv.ParseInt(text, 10, 64)
	case Float:
		v, err := parseFloat(text)
		return float64(float32(v)), err
	case Double:
		return parseFloat(text)
	case String:
		return text, nil
	case Boolean:
		return strconv.ParseBool(strings.ToLower(text))
	case Binary:
		return []byte(text), nil
	case Date:
		day, _, err := cutDate(text) // some writers add a time of midnight
		return day, err
	case Timestamp, TimestampNTZ:
		return parseTimestamp(text)
	default:
		return nil, fmt.Errorf("no values of type %s", t)
	}
}

func parseFloat(text string) (float64, error) {
	switch text {
	case "NaN":
		return math.NaN(), nil
	case "Infinity", "+Infinity":
		return math.Inf(1), nil
	case "-Infinity":
		return math.Inf(-1), nil
	}
	return strconv.ParseFloat(text, 64)
}

// formatFloat spells numbers so that JVM readers take them, which know infinity by its full name only.
func formatFloat(t Type, v float64) string {
	switch {
	case math.IsNaN(v):
		return "NaN"
	case math.IsInf(v, 0):
		if v < 0 {
			return "-Infinity"
		}
		return "Infinity"
	}
	bits := 64
	if t == Float {
		bits = 32
	}
	text := strconv.FormatFloat(v, 'g', -1, bits)
	if !strings.ContainsAny(text, ".e") {
		text += ".0"
	}
	return text
}

var decimalText = regexp.MustCompile(`^([+-]?)([0-9]*)(?:\.([0-9]*))?(?:[eE]([+-]?[0-9]{1,4}))?$`)

// parseDecimal gives a decimal with exactly the scale of its type; more digits than that are an error, zeros apart.
func parseDecimal(d Decimal, text string) (DecimalValue, error) {
	bad := func() (DecimalValue, error) { return "", fmt.Errorf("%.60q is no %s", text, d) }
	m := decimalText.FindStringSubmatch(text)
	if m == nil || m[2]+m[3] == "" {
		return bad()
	}
	digits, point := m[2]+m[3], len(m[2])
	if m[4] != "" {
		exponent, err := strconv.Atoi(m[4])
		if err != nil {
			return bad()
		}
		point += exponent
	}
	if point > 80 || point < -80 {
		if strings.Trim(digits, "0") != "" {
			return bad()
		}
		point = 0
	}
	if point < 0 {
		digits, point = strings.Repeat("0", -point)+digits, 0
	}
	if point > len(digits) {
		digits += strings.Repeat("0", point-len(digits))
	}
	whole, fraction := strings.TrimLeft(digits[:point], "0"), strings.TrimRight(digits[point:], "0")
	if len(whole) > d.Precision-d.Scale || len(fraction) > d.Scale {
		return bad()
	}
	if whole == "" {
		whole = "0"
	}
	out := whole
	if d.Scale > 0 {
		out += "." + fraction + strings.Repeat("0", d.Scale-len(fraction))
	}
	if m[1] == "-" && strings.Trim(out, "0.") != "" {
		out = "-" + out
	}
	return DecimalValue(out), nil
}

// normalize gives a value of a column as the one Go type that stands for it, or says that the column cannot hold it.
func normalize(t Type, value any) (any, error) {
	if d, ok := t.(Decimal); ok {
		switch v := value.(type) {
		case DecimalValue:
			return parseDecimal(d, string(v))
		case string:
			return parseDecimal(d, v)
		}
		if i, ok := toInt64(value); ok {
			return parseDecimal(d, strconv.FormatInt(i, 10))
		}
	}
	switch t {
	case Long, Integer, Short, Byte:
		if i, ok := toInt64(value); ok {
			return i, nil
		}
	case Float, Double:
		switch v := value.(type) {
		case float64:
			if t == Float {
				v = float64(float32(v)) // what the column holds
			}
			return v, nil
		case float32:
			return float64(v), nil
		}
		if i, ok := toInt64(value); ok && int64(float64(i)) == i {
			return float64(i), nil
		}
	case String:
		if s, ok := value.(string); ok {
			return s, nil
		}
	case Boolean:
		if b, ok := value.(bool); ok {
			return b, nil
		}
	case Binary:
		if b, ok := value.([]byte); ok {
			return b, nil
		}
	case Date:
		if v, ok := value.(time.Time); ok {
			y, m, d := v.Date()
			return time.Date(y, m, d, 0, 0, 0, 0, time.UTC), nil
		}
	case Timestamp, TimestampNTZ:
		if v, ok := value.(time.Time); ok {
			return v.UTC(), nil
		}
	}
	return nil, fmt.Errorf("a %T is no %s", value, t)
}

func toInt64(value any) (int64, bool) {
	switch v := value.(type) {
	case int64:
		return v, true
	case int:
		return int64(v), true
	case int32:
		return int64(v), true
	case int16:
		return int64(v), true
	case int8:
		return int64(v), true
	case uint8:
		return int64(v), true
	case uint16:
		return int64(v), true
	case uint32:
		return int64(v), true
	case uint:
		return int64(v), v <= math.MaxInt64
	case uint64:
		return int64(v), v <= math.MaxInt64
	}
	return 0, false
}

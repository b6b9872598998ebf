package delta

import (
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestPartitionValuesOfEveryTypeAreSpelledAndRead(t *testing.T) {
	instant := time.Date(2024, 1, 31, 10, 11, 12, 123456000, time.UTC)
	for _, tt := range []struct {
		typ   Type
		value any
		text  string // "" for null
	}{
		{Long, int64(math.MinInt64), "-9223372036854775808"},
		{Integer, int64(-7), "-7"},
		{Short, int64(5), "5"},
		{Byte, int64(-128), "-128"},
		{Double, -1e10, "-1e+10"},
		{Double, math.Inf(-1), "-Infinity"},
		{Double, 2.0, "2.0"},
		{Float, float64(float32(0.1)), "0.1"},
		{Boolean, true, "true"},
		{String, "a/b c", "a/b c"},
		{String, nil, ""},
		{Binary, []byte("\x01é"), "\x01é"},
		{Date, time.Date(2024, 2, 29, 0, 0, 0, 0, time.UTC), "2024-02-29"},
		{Date, time.Date(-44, 3, 15, 0, 0, 0, 0, time.UTC), "-0044-03-15"},
		{Date, time.Date(12345, 1, 1, 0, 0, 0, 0, time.UTC), "+12345-01-01"},
		{Timestamp, instant, "2024-01-31T10:11:12.123456Z"},
		{Timestamp, instant.Truncate(time.Second), "2024-01-31T10:11:12Z"},
		{TimestampNTZ, instant, "2024-01-31 10:11:12.123456"},
		{Decimal{10, 2}, DecimalValue("-1.50"), "-1.50"},
		{Decimal{38, 0}, DecimalValue("99999999999999999999999999999999999999"), "99999999999999999999999999999999999999"},
	} {
		text, err := FormatPartitionValue(tt.typ, tt.value)
		if err != nil {
			t.Errorf("%s %v: %v", tt.typ, tt.value, err)
			continue
		}
		if (text == nil) != (tt.text == "") || text != nil && *text != tt.text {
			t.Errorf("%s %v is spelled %v, want %q", tt.typ, tt.value, text, tt.text)
		}
		back, err := ParsePartitionValue(tt.typ, text)
		if diff := cmp.Diff(tt.value, back); diff != "" || err != nil {
			t.Errorf("%s %q read back: %v (-want +got):\n%s", tt.typ, tt.text, err, diff)
		}
	}
}

func TestPartitionValuesOfOtherWritersAreRead(t *testing.T) {
	at := func(h, m, s, micros int) time.Time { return time.Date(2024, 1, 31, h, m, s, micros*1000, time.UTC) }
	for _, tt := range []struct {
		typ  Type
		text string
		want any
	}{
		{String, "", nil},
		{Boolean, "TRUE", true},
		{Double, "NaN", math.NaN()},
		{Double, "1.0E10", 1e10},
		{Date, "2024-1-31", at(0, 0, 0, 0)},
		{Date, "2024-01-31 00:00:00", at(0, 0, 0, 0)},
		{Timestamp, "2024-01-31 10:11:12", at(10, 11, 12, 0)},
		{Timestamp, "2024-01-31 10:11:12.5", at(10, 11, 12, 500000)},
		{Timestamp, "2024-01-31T10:11:12.123456+02:00", at(8, 11, 12, 123456)},
		{Timestamp, "2024-01-31T10:11:12-0130", at(11, 41, 12, 0)},
		{Timestamp, "2024-01-31", at(0, 0, 0, 0)},
		{Timestamp, "2024-01-31 10:11", at(10, 11, 0, 0)},
		{TimestampNTZ, "2024-01-31T10:11:12.123456789", at(10, 11, 12, 123456)},
		{Decimal{10, 2}, "1.5", DecimalValue("1.50")},
		{Decimal{10, 2}, "1.5000", DecimalValue("1.50")},
		{Decimal{10, 0}, "1E+3", DecimalValue("1000")},
		{Decimal{5, 5}, "-.00001", DecimalValue("-0.00001")},
		{Decimal{5, 1}, "-0.0", DecimalValue("0.0")},
	} {
		got, err := ParsePartitionValue(tt.typ, &tt.text)
		if diff := cmp.Diff(tt.want, got, cmp.Comparer(sameFloat)); diff != "" || err != nil {
			t.Errorf("%s %q: %v (-want +got):\n%s", tt.typ, tt.text, err, diff)
		}
	}
}

func TestPartitionValuesThatAreNoneAreRefused(t *testing.T) {
	for _, tt := range []struct {
		typ  Type
		text string
	}{
		{Long, "1.5"}, {Long, "9223372036854775808"}, {Boolean, "yes"}, {Double, "one"}, {Date, "2024-02-30"}, {Date, "today"},
		{Timestamp, "2024-01-31 25:00:00"}, {Timestamp, "2024-01-31 10:11:12.1234567890"}, {Timestamp, "2024-01-31 10:11:12 CET"},
		{Decimal{4, 2}, "123.4"}, {Decimal{4, 2}, "1.234"}, {Decimal{4, 2}, "."}, {Decimal{4, 2}, "1e999999"}, {Void, "x"},
	} {
		if got, err := ParsePartitionValue(tt.typ, &tt.text); err == nil {
			t.Errorf("%s %q gives %v, want an error", tt.typ, tt.text, got)
		}
	}
	for _, tt := range []struct {
		typ   Type
		value any
	}{
		{Long, "1"}, {Long, 1.0}, {String, 1}, {Binary, []byte{0xff}}, {Date, "2024-01-01"}, {Decimal{4, 2}, "x"}, {Boolean, 1}, {Long, uint64(math.MaxUint64)},
	} {
		if got, err := FormatPartitionValue(tt.typ, tt.value); err == nil {
			t.Errorf("%s %T %v gives %q, want an error", tt.typ, tt.value, tt.value, *got)
		}
	}
}

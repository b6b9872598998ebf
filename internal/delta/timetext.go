package delta

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Dates and times as the log spells them. The time package cannot read years of five digits or before 1, which tables hold.

func formatDate(t time.Time) string {
	y, m, d := t.UTC().Date()
	sign := ""
	if y < 0 {
		sign, y = "-", -y
	} else if y > 9999 {
		sign = "+"
	}
	return fmt.Sprintf("%s%04d-%02d-%02d", sign, y, m, d)
}

// formatTimestamp gives date and time with as many decimals as there are, down to microseconds.
func formatTimestamp(t time.Time, separator, zone string) string {
	t = t.UTC()
	text := formatDate(t) + separator + t.Format("15:04:05")
	if micros := t.Nanosecond() / 1000; micros != 0 {
		text += "." + strings.TrimRight(fmt.Sprintf("%06d", micros), "0")
	}
	return text + zone
}

func parseDate(s string) (time.Time, error) {
	t, rest, err := cutDate(s)
	if err == nil && rest != "" {
		err = fmt.Errorf("%.40q is no date", s)
	}
	return t, err
}

// cutDate reads [+-]y…-m-d from the start of s.
func cutDate(s string) (time.Time, string, error) {
	bad := func() (time.Time, string, error) { return time.Time{}, "", fmt.Errorf("%.40q is no date", s) }
	rest, negative := strings.CutPrefix(s, "-")
	if !negative {
		rest = strings.TrimPrefix(s, "+")
	}
	year, rest, ok := cutNumber(rest, 7)
	if !ok || !strings.HasPrefix(rest, "-") {
		return bad()
	}
	month, rest, ok := cutNumber(rest[1:], 2)
	if !ok || !strings.HasPrefix(rest, "-") {
		return bad()
	}
	day, rest, ok := cutNumber(rest[1:], 2)
	if negative {
		year = -year
	}
	t := time.Date(year, time.Month(month), day, 0, 0, 0, 0, time.UTC)
	if !ok || t.Month() != time.Month(month) || t.Day() != day {
		return bad()
	}
	return t, rest, nil
}

// parseTimestamp reads a date with an optional time after a space or a T, and an optional zone; without a zone it is UTC.
func parseTimestamp(s string) (time.Time, error) {
	t, rest, err := cutDate(s)
	if err != nil || rest == "" {
		return t, err
	}
	bad := func() (time.Time, error) { return time.Time{}, fmt.Errorf("%.40q is no timestamp", s) }
	if rest[0] != ' ' && rest[0] != 'T' {
		return bad()
	}
	h, rest, ok := cutNumber(rest[1:], 2)
	if !ok || h > 23 || !strings.HasPrefix(rest, ":") {
		return bad()
	}
	m, rest, ok := cutNumber(rest[1:], 2)
	if !ok || m > 59 {
		return bad()
	}
	clock := time.Duration(h)*time.Hour + time.Duration(m)*time.Minute
	if strings.HasPrefix(rest, ":") {
		var sec int
		if sec, rest, ok = cutNumber(rest[1:], 2); !ok || sec > 59 {
			return bad()
		}
		clock += time.Duration(sec) * time.Second
	}
	if strings.HasPrefix(rest, ".") {
		digits := rest[1:]
		n := len(digits) - len(strings.TrimLeft(digits, "0123456789"))
		if n == 0 || n > 9 {
			return bad()
		}
		nanos, _ := strconv.Atoi((digits[:n] + "00000000")[:9])
		clock, rest = clock+time.Duration(nanos), digits[n:]
	}
	offset, ok := parseZone(rest)
	if !ok {
		return bad()
	}
	return t.Add(clock - offset).Truncate(time.Microsecond), nil
}

func parseZone(s string) (time.Duration, bool) {
	switch s {
	case "", "Z", " UTC", "UTC":
		return 0, true
	}
	if s[0] != '+' && s[0] != '-' {
		return 0, false
	}
	h, rest, ok := cutNumber(s[1:], 2)
	if !ok {
		return 0, false
	}
	m := 0
	if rest != "" {
		if m, rest, ok = cutNumber(strings.TrimPrefix(rest, ":"), 2); !ok || rest != "" {
			return 0, false
		}
	}
	offset := time.Duration(h)*time.Hour + time.Duration(m)*time.Minute
	if s[0] == '-' {
		offset = -offset
	}
	return offset, true
}

// cutNumber reads up to most decimal digits from the start of s.
func cutNumber(s string, most int) (int, string, bool) {
	n := 0
	for n < len(s) && n < most && s[n] >= '0' && s[n] <= '9' {
		n++
	}
	if n == 0 {
		return 0, s, false
	}
	v, err := strconv.Atoi(s[:n])
	return v, s[n:], err == nil
}

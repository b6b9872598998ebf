package sparksql

import (
	"fmt"
	"strings"
	"time"

	"launchlake/internal/delta"
)

// parseMoment reads a date or a timestamp that is written in full. Spark takes more spellings, which its versions read differently.
func parseMoment(text string, t delta.Type) (time.Time, error) {
	layouts := []string{"2006-01-02"}
	if t != delta.Date {
		layouts = append(layouts, "2006-01-02 15:04:05", "2006-01-02T15:04:05")
	}
	if t == delta.Timestamp {
		layouts = append(layouts, "2006-01-02 15:04:05Z07:00", "2006-01-02T15:04:05Z07:00")
	}
	trimmed := strings.TrimSpace(text)
	for _, layout := range layouts {
		at, err := time.Parse(layout, trimmed)
		if err == nil && !strings.Contains(text, ",") && at.Nanosecond()%int(time.Microsecond) == 0 {
			return at.UTC(), nil
		}
	}
	full := map[delta.Type]string{delta.Date: "yyyy-MM-dd", delta.Timestamp: "yyyy-MM-dd HH:mm:ssZ", delta.TimestampNTZ: "yyyy-MM-dd HH:mm:ss"}
	return time.Time{}, fmt.Errorf("%q for a %s: write it as %s", text, t, full[t])
}

package main

import (
	"context"
	"fmt"
	"math"
	"strconv"
	"time"

	"launchlake/internal/delta"
)

// changeRange says which commits to look at: by their versions, or by their times.
type changeRange struct {
	byTime     bool
	from, to   delta.Version
	since, til time.Time
}

// parseRange reads FROM:TO. Times have colons too: the one that parts them is the one with a time on each side.
func parseRange(text string) (changeRange, error) {
	for i, c := range text {
		if c != ':' {
			continue
		}
		from, to := text[:i], text[i+1:]
		if r, ok := versionRange(from, to); ok {
			return r, nil
		}
		if r, ok := timeRange(from, to); ok {
			return r, nil
		}
	}
	return changeRange{}, fmt.Errorf("%q is no range such as 3:7, 3: or 2026-01-02T03:04:05Z:2026-01-03", text)
}

func versionRange(from, to string) (changeRange, bool) {
	first, err := strconv.ParseInt(from, 10, 64)
	if err != nil {
		return changeRange{}, false
	}
	if to == "" {
		return changeRange{from: delta.Version(first), to: math.MaxInt64}, true
	}
	last, err := strconv.ParseInt(to, 10, 64)
	return changeRange{from: delta.Version(first), to: delta.Version(last)}, err == nil
}

// afterAllCommits is the end of a range of times that is given none.
var afterAllCommits = time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)

func timeRange(from, to string) (changeRange, bool) {
	since, ok := parseTime(from)
	if !ok || to == "" {
		return changeRange{byTime: true, since: since, til: afterAllCommits}, ok
	}
	til, ok := parseTime(to)
	return changeRange{byTime: true, since: since, til: til}, ok
}

func (r changeRange) read(ctx context.Context, t *delta.Table) (*delta.Changes, error) {
	if r.byTime {
		return t.ChangesBetween(ctx, r.since, r.til)
	}
	return t.Changes(ctx, r.from, r.to)
}

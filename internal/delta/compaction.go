package delta

import (
	"context"
	"errors"
	"slices"

	"launchlake/internal/objstore"
)

// compaction is a file with what a range of commits adds up to (spec: Log Compaction Files).
type compaction struct {
	first, last Version
	info        objstore.Info
}

// stretch is a part of the log that is replayed at once: a commit, or a compaction with the commits that are read in its place when it is
// missing or not sane.
type stretch struct {
	compaction *compaction
	commits    []objstore.Info // newest first
}

// stretches gives the commits of a segment, newest first, or compactions where these cover them. The newest commit is always among them, for
// it alone tells when the version was committed.
func (s *segment) stretches() []stretch {
	var out []stretch
	byLast := map[Version]*compaction{}
	for i := range s.compactions {
		c := &s.compactions[i]
		if longest := byLast[c.last]; longest == nil || c.first < longest.first {
			byLast[c.last] = c
		}
	}
	rest := slices.Clone(s.commits)
	slices.Reverse(rest)
	for v := s.version; len(rest) > 0; v = s.version - Version(len(s.commits)-len(rest)) {
		covered := 1
		c := byLast[v]
		if c != nil {
			covered = int(c.last-c.first) + 1
		}
		if v == s.version {
			out = append(out, stretch{commits: rest[:1]})
		}
		if c != nil || v != s.version {
			out = append(out, stretch{c, rest[:covered]})
		}
		rest = rest[covered:]
	}
	return out
}

// readStretch gives the commits of a stretch, newest first; a compaction is as one.
func (t *Table) readStretch(ctx context.Context, s stretch, wanted scope) ([]*commitFile, error) {
	if s.compaction != nil {
		if c, err := t.readCompaction(ctx, s.compaction, wanted); err == nil {
			return []*commitFile{c}, nil
		}
	}
	out := make([]*commitFile, len(s.commits))
	for i, info := range s.commits {
		c, err := t.readListedCommit(ctx, info, wanted)
		if err != nil {
			return nil, err
		}
		out[i] = c
	}
	return out, nil
}

func (t *Table) readCompaction(ctx context.Context, c *compaction, wanted scope) (*commitFile, error) {
	text, err := objstore.ReadAll(ctx, t.store, c.info.Key)
	if err != nil {
		return nil, err
	}
	parsed, lines, err := parseLines(c.last, text, wanted)
	if err != nil {
		return nil, err
	}
	if !parsed.isReconciled(lines) {
		return nil, &CorruptError{Key: c.info.Key, Err: errors.New("it has several actions on one thing")}
	}
	return parsed, nil
}

// isReconciled is whether each of so many lines is about something else. Some writers only put commits one behind the other, so that it
// cannot be told which action is the last.
func (c *commitFile) isReconciled(lines int) bool {
	apps, domains := map[string]bool{}, map[string]bool{}
	for _, txn := range c.txns {
		apps[txn.AppID] = true
	}
	for _, d := range c.domains {
		domains[d.Domain] = true
	}
	things := len(c.adds) + len(c.removes) + len(c.changes) + len(apps) + len(domains)
	for _, there := range []bool{c.protocol != nil, c.metadata != nil, c.info != nil} {
		if there {
			things++
		}
	}
	return things == lines
}

package delta

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"slices"

	"launchlake/internal/objstore"
)

// noVersion stands for "none": versions count from 0.
const noVersion Version = -1

// segment is the part of the log that makes up one version: the newest whole checkpoint that is not after it, and the
// commits behind that checkpoint.
type segment struct {
	version     Version
	checkpoint  *checkpointFiles // nil: the commits start at version 0
	commits     []objstore.Info  // contiguous, ascending, to version
	compactions []compaction     // of these commits
	end         objstore.Info    // the commit of version itself; zero when only its checkpoint is left
	checksum    bool             // whether version has one
}

// checkpointFiles are the objects that one checkpoint consists of.
type checkpointFiles struct {
	version Version
	kind    logFileKind
	files   []objstore.Info
}

// listing is the log as a listing shows it, from some version on.
type listing struct {
	commits     map[Version]objstore.Info
	checkpoints []checkpointFiles // whole ones, ascending
	checksums   []Version         // that have one, ascending
	compactions []compaction
	latest      Version
}

// loadSegment finds the segment of a version; noVersion asks for the latest.
func (t *Table) loadSegment(ctx context.Context, asked Version) (*segment, error) {
	hint := t.readLastCheckpoint(ctx)
	if hint != noVersion && (asked == noVersion || hint <= asked) {
		l, err := t.list(ctx, hint)
		if err != nil {
			return nil, err
		}
		// The hint may be stale or wrong: it only says where a shorter listing may do.
		if l.checkpointAt(asked) != nil && (asked == noVersion || asked <= l.latest) {
			return l.segment(asked)
		}
	}
	if asked > checkpointWindow {
		if s, err := t.searchBackward(ctx, asked); s != nil || err != nil {
			return s, err
		}
	}
	l, err := t.list(ctx, 0)
	if err != nil {
		return nil, err
	}
	return l.segment(asked)
}

// checkpointWindow is how many versions before an old one are looked at first for a checkpoint.
const checkpointWindow = 100

// searchBackward finds the segment of a version without listing the whole log; nil when there is no checkpoint before the version, or
// no such version.
func (t *Table) searchBackward(ctx context.Context, asked Version) (*segment, error) {
	for window := Version(checkpointWindow); window < asked; window *= 10 {
		l, err := t.listRange(ctx, asked-window, asked)
		if err != nil || l.latest == noVersion {
			return nil, err
		}
		if c := l.checkpointAt(asked); c != nil && l.latest == asked {
			return l.segment(asked)
		}
	}
	return nil, nil
}

// list reads the names in the log from one version on.
func (t *Table) list(ctx context.Context, from Version) (*listing, error) {
	return t.listRange(ctx, from, math.MaxInt64)
}

// listRange reads the names in the log from one version to another, which is included.
func (t *Table) listRange(ctx context.Context, from, to Version) (*listing, error) {
	l := &listing{commits: map[Version]objstore.Info{}, latest: noVersion}
	type multiPart struct {
		version Version
		parts   int
	}
	parts := map[multiPart][]objstore.Info{}
	for info, err := range t.store.List(ctx, logPrefix, versionPrefix(from)) {
		if err != nil {
			return nil, fmt.Errorf("list the log: %w", err)
		}
		if info.Key > logPrefix+"99999999999999999999~" {
			break // what sorts behind the last possible version: _last_checkpoint and folders
		}
		f := parseLogName(info.Key)
		if f.version > to {
			break
		}
		switch f.kind {
		case commitLogFile:
			l.commits[f.version] = info
		case checksumLogFile:
			l.checksums = append(l.checksums, f.version)
		case compactedLogFile:
			l.compactions = append(l.compactions, compaction{f.version, f.last, info})
		case classicCheckpoint, v2Checkpoint:
			l.checkpoints = append(l.checkpoints, checkpointFiles{f.version, f.kind, []objstore.Info{info}})
		case multiPartCheckpoint:
			k := multiPart{f.version, f.parts}
			parts[k] = append(parts[k], info)
			if len(parts[k]) == f.parts {
				l.checkpoints = append(l.checkpoints, checkpointFiles{f.version, f.kind, parts[k]})
			}
		}
		if f.kind == commitLogFile {
			l.latest = max(l.latest, f.version)
		}
	}
	for _, c := range l.checkpoints {
		l.latest = max(l.latest, c.version)
	}
	// Of several checkpoints of one version the simplest comes last and is taken.
	slices.SortStableFunc(l.checkpoints, func(a, b checkpointFiles) int {
		if a.version != b.version {
			return int(a.version - b.version)
		}
		return int(b.kind - a.kind)
	})
	return l, nil
}

// checkpointAt gives the newest checkpoint that is not after a version.
func (l *listing) checkpointAt(v Version) *checkpointFiles {
	for i := len(l.checkpoints) - 1; i >= 0; i-- {
		if c := &l.checkpoints[i]; v == noVersion || c.version <= v {
			return c
		}
	}
	return nil
}

// first gives the oldest version that can be read.
func (l *listing) first() Version {
	if _, ok := l.commits[0]; ok {
		return 0
	}
	if len(l.checkpoints) > 0 {
		return l.checkpoints[0].version
	}
	return noVersion
}

func (l *listing) segment(asked Version) (*segment, error) {
	if l.latest == noVersion {
		return nil, ErrNotATable
	}
	if l.first() == noVersion {
		oldest := l.latest
		for v := range l.commits {
			oldest = min(oldest, v)
		}
		return nil, &CorruptError{Key: commitKey(0), Err: fmt.Errorf(
			"the log is truncated: it starts with commit %d and has no checkpoint: %w", oldest, fs.ErrNotExist)}
	}
	version := asked
	if version == noVersion {
		version = l.latest
	}
	if version < l.first() || version > l.latest {
		return nil, &VersionError{Asked: fmt.Sprintf("version %d", version), First: l.first(), Latest: l.latest,
			gone: version >= 0 && version < l.first()}
	}
	s := &segment{version: version, checkpoint: l.checkpointAt(version), end: l.commits[version], checksum: l.hasChecksum(version)}
	from := Version(0)
	if s.checkpoint != nil {
		from = s.checkpoint.version + 1
	}
	for v := from; v <= version; v++ {
		info, ok := l.commits[v]
		if !ok {
			return nil, &CorruptError{Key: commitKey(v), Err: fmt.Errorf("the commit is missing between others: %w", fs.ErrNotExist)}
		}
		s.commits = append(s.commits, info)
	}
	for _, c := range l.compactions {
		if c.first >= from && c.last <= version {
			s.compactions = append(s.compactions, c)
		}
	}
	return s, nil
}

// readCommit reads one commit. The error matches fs.ErrNotExist when there is none.
func (t *Table) readCommit(ctx context.Context, v Version) (*commitFile, error) {
	return t.readActions(ctx, v, allActions)
}

func (t *Table) readActions(ctx context.Context, v Version, wanted scope) (*commitFile, error) {
	text, err := objstore.ReadAll(ctx, t.store, commitKey(v))
	if err != nil {
		return nil, fmt.Errorf("read commit %d: %w", v, err)
	}
	return parseActions(v, text, wanted)
}

// isMissing says that a listed object was gone when it was to be read.
func isMissing(err error) bool { return errors.Is(err, fs.ErrNotExist) }

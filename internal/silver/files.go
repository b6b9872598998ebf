package silver

import (
	"context"
	"errors"
	"fmt"

	"launchlake/internal/delta"
	"launchlake/internal/engine"
)

// newFiles finds the data files of Bronze that came after a version.
func (r *refinement) newFiles(ctx context.Context, bronze *delta.Snapshot, seen delta.Version) ([]engine.File, error) {
	if seen > bronze.Version() {
		return nil, r.overtaken(ctx, seen)
	}
	live, err := liveFiles(bronze)
	if err != nil {
		return nil, err
	}
	commits, gone, err := r.commits(ctx, seen+1, bronze.Version())
	if err != nil {
		return nil, err
	}
	if gone { // nothing tells old files from new ones any more: all are read, which does no harm but take time
		return allFiles(bronze, commits)
	}
	return filesOf(commits, live), nil
}

// overtaken checks that a version of Bronze that is in exists by now. Where it does not Bronze was made anew.
func (r *refinement) overtaken(ctx context.Context, seen delta.Version) error {
	latest, err := r.tables.Bronze.Head(ctx)
	if err != nil {
		return fmt.Errorf("read bronze: %w", err)
	}
	if seen > latest.Version() {
		return fmt.Errorf("version %d of bronze is in already, but bronze has only %d: it was made anew; refine into new tables", seen, latest.Version())
	}
	return nil
}

// commits reads those of Bronze that the log still has; gone is whether the first ones were cleaned away.
func (r *refinement) commits(ctx context.Context, from, to delta.Version) (commits []delta.Commit, gone bool, err error) {
	for commit, err := range r.tables.Bronze.Commits(ctx, from, to) {
		if v, ok := errors.AsType[*delta.VersionError](err); ok && !gone && errors.Is(err, delta.ErrVersionGone) && v.First > from {
			rest, _, err := r.commits(ctx, v.First, to)
			return rest, true, err
		}
		if err != nil {
			return nil, false, fmt.Errorf("read the changes of bronze: %w", err)
		}
		commits = append(commits, commit)
	}
	return commits, false, nil
}

func liveFiles(s *delta.Snapshot) (map[string]bool, error) {
	live := map[string]bool{}
	for add, err := range s.Files() {
		if err != nil {
			return nil, fmt.Errorf("read bronze: %w", err)
		}
		live[add.Path] = true
	}
	return live, nil
}

// filesOf lists the live files that commits added. Files that only rearrange rows, as compaction does, count when files with
// new rows went into them; they may hold older rows too, which are then known and left as they are.
func filesOf(commits []delta.Commit, live map[string]bool) []engine.File {
	var fresh, rearranged []engine.File
	replaced := false
	for _, commit := range commits {
		for _, add := range commit.Add {
			switch {
			case !live[add.Path]:
				replaced = replaced || add.DataChange
			case add.DataChange:
				fresh = append(fresh, engine.File{Add: add, Version: &commit.Version})
			default:
				rearranged = append(rearranged, engine.File{Add: add})
			}
		}
	}
	if replaced {
		return append(fresh, rearranged...)
	}
	return fresh
}

// allFiles lists the live files, with their versions where commits tell.
func allFiles(s *delta.Snapshot, commits []delta.Commit) ([]engine.File, error) {
	versions := map[string]*delta.Version{}
	for _, commit := range commits {
		for _, add := range commit.Add {
			if add.DataChange {
				versions[add.Path] = &commit.Version
			}
		}
	}
	var files []engine.File
	for add, err := range s.Files() {
		if err != nil {
			return nil, fmt.Errorf("read bronze: %w", err)
		}
		files = append(files, engine.File{Add: add, Version: versions[add.Path]})
	}
	return files, nil
}

package delta

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"slices"

	"launchlake/internal/objstore"
)

// log reads every commit and every checkpoint, oldest first, and compares each checkpoint with what the commits add up to.
func (c *checker) log(ctx context.Context, l *listing) error {
	versions := l.versions()
	if err := c.gaps(l, versions); err != nil {
		return err
	}
	r := &logCheck{checker: c, listing: l, checkpoints: l.checkpoints}
	if len(versions) == 0 || versions[0] == 0 {
		r.ledger = newLedger()
	}
	for len(versions) > 0 {
		infos := make([]objstore.Info, len(versions))
		for i, v := range versions {
			infos[i] = l.commits[v]
		}
		read := 0
		for logged, err := range ahead(ctx, infos, r.read) {
			v := versions[read]
			read++
			c.progress("log", len(l.commits)-len(versions)+read, len(l.commits))
			if err != nil {
				if !isDamage(err) {
					return err
				}
				if err := r.broken(ctx, v, err); err != nil {
					return err
				}
				break
			}
			if err := r.version(ctx, logged); err != nil {
				return err
			}
		}
		versions = versions[read:]
	}
	return r.compareUpTo(ctx, l.latest)
}

func (c *checker) gaps(l *listing, versions []Version) error {
	for i := 1; i < len(versions); i++ {
		if before, v := versions[i-1], versions[i]; v != before+1 {
			if err := c.found(LogGap, commitKey(before+1), "commits %d to %d are missing between others", before+1, v-1); err != nil {
				return err
			}
		}
	}
	if n := len(l.checkpoints); n > 0 {
		newest := l.checkpoints[n-1]
		if _, ok := l.commits[newest.version]; !ok && newest.version == l.latest {
			return c.found(LoneCheckpoint, commitKey(newest.version), "the commit of the newest checkpoint is missing")
		}
	}
	return nil
}

// logCheck goes forward through the log. Its ledger is nil where the commits do not reach back to a known state.
type logCheck struct {
	*checker
	listing     *listing
	checkpoints []checkpointFiles // not yet compared, ascending
	ledger      *ledger
}

func (r *logCheck) broken(ctx context.Context, v Version, err error) error {
	if err := r.compareUpTo(ctx, v-1); err != nil {
		return err
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil // cleaned away since it was listed
	}
	r.ledger = nil
	return r.found(BrokenCommit, commitKey(v), "%v", err)
}

// loggedVersion is a commit with the text of its checksum, nil when there is none.
type loggedVersion struct {
	*commitFile
	checksum []byte
}

func (r *logCheck) read(ctx context.Context, info objstore.Info) (loggedVersion, error) {
	commit, err := r.table.readListedCommit(ctx, info, allActions)
	if err != nil || !r.listing.hasChecksum(commit.version) {
		return loggedVersion{commitFile: commit}, err
	}
	text, err := objstore.ReadAll(ctx, r.table.store, checksumKey(commit.version))
	if isMissing(err) {
		err = nil // cleaned away since it was listed
	}
	return loggedVersion{commit, text}, err
}

func (r *logCheck) version(ctx context.Context, commit loggedVersion) error {
	if err := r.compareUpTo(ctx, commit.version-1); err != nil {
		return err
	}
	switch {
	case r.ledger == nil: // a checkpoint must come first
	case commit.version == r.ledger.version+1:
		r.ledger.commit(commit.commitFile)
	case commit.version > r.ledger.version:
		r.ledger = nil
	}
	if err := r.compareUpTo(ctx, commit.version); err != nil {
		return err
	}
	if r.ledger == nil || r.ledger.version != commit.version || commit.checksum == nil {
		return nil
	}
	return r.checksum(commit)
}

// compareUpTo looks at the checkpoints up to a version. What is not known from commits is taken from the checkpoint.
func (r *logCheck) compareUpTo(ctx context.Context, v Version) error {
	for len(r.checkpoints) > 0 && r.checkpoints[0].version <= v {
		checkpoint := r.checkpoints[0]
		r.checkpoints = r.checkpoints[1:]
		there, twice, err := r.table.readLedger(ctx, &checkpoint)
		if err != nil {
			if !isDamage(err) {
				return err
			}
			if errors.Is(err, fs.ErrNotExist) && !r.sidecarIsGone(err) {
				continue
			}
			if err := r.found(BrokenCheckpoint, checkpoint.files[0].Key, "%v", err); err != nil {
				return err
			}
			continue
		}
		if twice != "" {
			if err := r.found(FalseCheckpoint, checkpoint.files[0].Key, "it has %q twice", twice); err != nil {
				return err
			}
		}
		if r.ledger == nil || r.ledger.version != checkpoint.version {
			r.ledger = there
			continue
		}
		expired := checkpoint.files[0].ModTime.UnixMilli()
		for _, difference := range r.ledger.differences(there, expired) {
			if err := r.found(FalseCheckpoint, checkpoint.files[0].Key, "%s", difference); err != nil {
				return err
			}
		}
	}
	return nil
}

// sidecarIsGone tells a checkpoint that lacks a part of it from one that was cleaned away since it was listed.
func (r *logCheck) sidecarIsGone(err error) bool {
	var failed *objstore.Error
	return errors.As(err, &failed) && len(failed.At) > len(sidecarPrefix) && failed.At[:len(sidecarPrefix)] == sidecarPrefix
}

// hint looks at _last_checkpoint. That there is none, or that it names an older checkpoint, harms nobody.
func (c *checker) hint(ctx context.Context, l *listing) error {
	text, err := objstore.ReadAll(ctx, c.table.store, lastCheckpointKey)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	hint := lastCheckpoint{Version: noVersion}
	if err := json.Unmarshal(text, &hint); err != nil || hint.Version < 0 {
		return c.found(FalseHint, lastCheckpointKey, "it is no hint: %.80q", text)
	}
	if sum, err := jsonChecksum(text); hint.Checksum != "" && (err != nil || sum != hint.Checksum) {
		return c.found(FalseHint, lastCheckpointKey, "its checksum is %.40q, that of its content %q", hint.Checksum, sum)
	}
	if slices.ContainsFunc(l.checkpoints, func(f checkpointFiles) bool { return f.version == hint.Version }) {
		return nil
	}
	now, err := c.table.list(ctx, hint.Version) // it may have been written since the log was listed
	if err != nil {
		return err
	}
	if slices.ContainsFunc(now.checkpoints, func(f checkpointFiles) bool { return f.version == hint.Version }) {
		return nil
	}
	return c.found(FalseHint, lastCheckpointKey, "it names a checkpoint of version %d, which is not there", hint.Version)
}

// protocol checks what the protocol says of itself (spec: Table Features).
func (c *checker) protocol(s *Snapshot) error {
	p, key := s.state.protocol, commitKey(s.Version())
	switch {
	case p.MinReaderVersion >= featureVersionReader && p.MinWriterVersion < featureVersionWriter:
		return c.found(InvalidProtocol, key, "reader version %d needs writer version %d, it is %d", p.MinReaderVersion, featureVersionWriter, p.MinWriterVersion)
	case p.MinReaderVersion >= featureVersionReader && p.ReaderFeatures == nil:
		return c.found(InvalidProtocol, key, "reader version %d without readerFeatures", p.MinReaderVersion)
	case p.MinWriterVersion >= featureVersionWriter && p.WriterFeatures == nil:
		return c.found(InvalidProtocol, key, "writer version %d without writerFeatures", p.MinWriterVersion)
	case p.ReaderFeatures == nil:
		return nil
	}
	for _, name := range *p.ReaderFeatures {
		if !slices.Contains(*p.WriterFeatures, name) {
			return c.found(InvalidProtocol, key, "reader feature %s is no writer feature", name)
		}
	}
	return nil
}

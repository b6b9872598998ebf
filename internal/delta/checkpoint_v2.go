package delta

import (
	"context"
	"fmt"
	"io/fs"
	"iter"
	"time"

	"github.com/google/uuid"
)

// defaultSidecarActions is how many actions on files a sidecar holds at most, unless the options say so.
const defaultSidecarActions = 50_000

// putV2Checkpoint writes a V2 checkpoint (spec: V2 Checkpoint Table Feature): sidecars with the actions on files, one after the other
// so that one is in memory at a time, and then the file that names them, which makes them a checkpoint. Sidecars of a writer that
// ended before are left to the clean-up of the log.
func (t *Table) putV2Checkpoint(ctx context.Context, s *Snapshot) (lastCheckpoint, error) {
	hint := lastCheckpoint{Version: s.Version(), NumOfAddFiles: int64(s.state.files.len())}
	l, err := t.list(ctx, s.Version())
	if err != nil {
		return hint, err
	}
	now := t.now()
	if there := l.checkpointAt(s.Version()); there != nil && there.version == s.Version() {
		hint.Size = int64(2 + len(s.state.txns) + len(s.state.domains))
		for range s.fileActions(now) {
			hint.Size++
		}
		return hint, fmt.Errorf("the version has a checkpoint: %w", fs.ErrExist)
	}
	w := newCheckpointWriter(&s.metadata, v2Manifest)
	w.checkpointMetadata(s.Version())
	s.writeState(w)
	for part := range s.sidecarParts(t.sidecarActions(), now) {
		body, actions, err := part.finish()
		if err != nil {
			return hint, err
		}
		name := uuid.NewString() + ".parquet"
		if err := t.store.PutIfAbsent(ctx, sidecarPrefix+name, body); err != nil {
			return hint, fmt.Errorf("store a sidecar: %w", err)
		}
		w.sidecar(name, int64(len(body)), now)
		hint.Size += int64(actions)
		hint.SizeInBytes += int64(len(body))
	}
	body, actions, err := w.finish()
	if err != nil {
		return hint, err
	}
	hint.Size += int64(actions)
	hint.SizeInBytes += int64(len(body))
	return hint, t.store.PutIfAbsent(ctx, v2CheckpointKey(s.Version()), body)
}

// sidecarParts yields writers with the actions on files, each with so many of them at most.
func (s *Snapshot) sidecarParts(actions int, now time.Time) iter.Seq[*checkpointWriter] {
	return func(yield func(*checkpointWriter) bool) {
		var w *checkpointWriter
		for line := range s.fileActions(now) {
			if w == nil {
				w = newCheckpointWriter(&s.metadata, v2Sidecar)
			}
			w.fileAction(line)
			if w.rows < actions {
				continue
			}
			if !yield(w) {
				return
			}
			w = nil
		}
		if w != nil {
			yield(w)
		}
	}
}

func (t *Table) sidecarActions() int {
	if t.options.SidecarActions > 0 {
		return t.options.SidecarActions
	}
	return defaultSidecarActions
}

func v2CheckpointKey(v Version) string {
	return fmt.Sprintf("%s.checkpoint.%s.parquet", versionPrefix(v), uuid.NewString())
}

func (w *checkpointWriter) checkpointMetadata(v Version) {
	w.row.present("checkpointMetadata")
	w.row.long(int64(v), "checkpointMetadata", "version")
	w.next()
}

func (w *checkpointWriter) sidecar(name string, size int64, at time.Time) {
	w.row.present("sidecar")
	w.row.text(name, "sidecar", "path")
	w.row.long(size, "sidecar", "sizeInBytes")
	w.row.long(at.UnixMilli(), "sidecar", "modificationTime")
	w.next()
}

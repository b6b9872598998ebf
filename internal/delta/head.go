package delta

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"
)

// Head is what one version of a table says besides its files: protocol, metadata, the progress of applications, domains. Reading it
// costs the same however many files the table has. It never changes and may be used concurrently.
type Head struct {
	table     *Table
	state     *state // without files, unless the head is that of a snapshot
	timestamp time.Time
	protocol  Protocol
	metadata  Metadata
	end       commitMark // the commit of the version
	segment   *segment   // that it was read from
	whole     *Snapshot  // that it is the head of; nil: it was read alone
}

// Head reads the latest version but for its files. The errors are those of [Table.Snapshot].
func (t *Table) Head(ctx context.Context) (*Head, error) {
	if s := t.refresh(ctx); s != nil {
		h := s.Head
		h.whole = s
		return &h, nil
	}
	return t.headAt(ctx, noVersion)
}

// HeadAt reads one version but for its files. The errors are those of [Table.SnapshotAt].
func (t *Table) HeadAt(ctx context.Context, v Version) (*Head, error) {
	if v < 0 {
		_, err := t.SnapshotAt(ctx, v)
		return nil, err
	}
	return t.headAt(ctx, v)
}

func (t *Table) headAt(ctx context.Context, v Version) (*Head, error) {
	seg, err := t.loadSegment(ctx, v)
	if err != nil {
		return nil, fmt.Errorf("open table: %w", err)
	}
	h, err := t.openHead(ctx, seg)
	if err != nil {
		return nil, fmt.Errorf("open table: %w", err)
	}
	return h, nil
}

func (t *Table) openHead(ctx context.Context, seg *segment) (*Head, error) {
	if h := t.headByChecksum(ctx, seg); h != nil {
		return h, nil
	}
	state, newest, err := t.replay(ctx, seg, headActions)
	if err != nil {
		return nil, fmt.Errorf("read version %d: %w", seg.version, err)
	}
	h, err := t.newHead(state, seg.end.ModTime)
	if err != nil {
		return nil, fmt.Errorf("read version %d: %w", seg.version, err)
	}
	return h, h.endWith(ctx, seg, newest)
}

// newHead makes the head of a state and refuses what cannot be read rightly.
func (t *Table) newHead(st *state, at time.Time) (*Head, error) {
	metadata, err := st.metadata.parse()
	if unsupported, ok := errors.AsType[*UnsupportedError](err); ok {
		return nil, unsupported
	}
	if err != nil {
		return nil, &CorruptError{Key: commitKey(st.version), Err: fmt.Errorf("metaData: %w", err)}
	}
	h := &Head{table: t, state: st, timestamp: at.UTC(), protocol: st.protocol.parse(), metadata: metadata}
	if err := h.protocol.checkRead(h.usage()); err != nil {
		return nil, err
	}
	if err := h.metadata.checkMapping(); err != nil {
		return nil, &CorruptError{Key: commitKey(st.version), Err: fmt.Errorf("metaData: %w", err)}
	}
	return h, nil
}

// endWith notes what a head was read from, and when the version was committed. newest is its commit, nil when that was not read.
func (h *Head) endWith(ctx context.Context, seg *segment, newest *commitFile) error {
	h.segment = seg
	if h.end.object = seg.end; newest != nil {
		h.end = newest.mark
	}
	if h.inCommitTimestamps() {
		var err error
		if newest == nil {
			newest, err = h.table.readCommit(ctx, seg.version)
		}
		switch {
		case err == nil:
			h.timestamp = inCommitTimestamp(newest, h.timestamp)
		case !isMissing(err):
			return err
		}
	}
	if h.timestamp.IsZero() && seg.checkpoint != nil {
		h.timestamp = seg.checkpoint.files[0].ModTime
	}
	return nil
}

// Snapshot reads the files of the version too.
func (h *Head) Snapshot(ctx context.Context) (*Snapshot, error) {
	if h.whole != nil {
		return h.whole, nil
	}
	s, err := h.table.open(ctx, h.segment)
	if err != nil {
		return nil, fmt.Errorf("open table: %w", err)
	}
	if last := h.table.last.Load(); last == nil || last.Version() < s.Version() {
		h.table.last.Store(s) // what comes later goes on from here
	}
	return s, nil
}

func (h *Head) usage() usage {
	return usage{metadata: &h.metadata, vectors: h.state.files.vectors > 0}
}

func (h *Head) inCommitTimestamps() bool { return h.metadata.enabled(inCommitTimestampsProperty) }

// Table is the table that the head was taken of.
func (h *Head) Table() *Table { return h.table }

// Version is the number of the commit that the version ends with.
func (h *Head) Version() Version { return h.state.version }

// Timestamp is when the version was committed: the commit's own time when the table has in-commit timestamps, else that of
// its object.
func (h *Head) Timestamp() time.Time { return h.timestamp }

// Metadata describes the table. The caller must not change what it refers to.
func (h *Head) Metadata() Metadata { return h.metadata }

// Schema lists the table's columns, partition columns included.
func (h *Head) Schema() *Schema { return h.metadata.Schema }

// Protocol is what the table asks of its readers and writers.
func (h *Head) Protocol() Protocol { return h.protocol }

// AppVersion is the last version that an application committed with SetTransaction.
func (h *Head) AppVersion(appID string) (int64, bool) {
	txn, ok := h.state.txns[appID]
	return txn.Version, ok
}

// AppVersions is the last version of every application.
func (h *Head) AppVersions() map[string]int64 {
	out := make(map[string]int64, len(h.state.txns))
	for id, txn := range h.state.txns {
		out[id] = txn.Version
	}
	return out
}

// Domain is the configuration of a metadata domain.
func (h *Head) Domain(name string) (string, bool) {
	d, ok := h.state.domains[name]
	return d.Configuration, ok
}

// Domains names the metadata domains, sorted.
func (h *Head) Domains() []string { return slices.Sorted(maps.Keys(h.state.domains)) }

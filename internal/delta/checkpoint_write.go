package delta

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"maps"
	"slices"
	"time"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress/snappy"
)

// Checkpoint writes the state of a snapshot into the log so that readers need not replay what is before it (spec: Checkpoints;
// the classic form, one file, or V2 by the table's delta.checkpointPolicy). A checkpoint of the version that is there already is left
// as it is.
func (t *Table) Checkpoint(ctx context.Context, s *Snapshot) error {
	if err := s.protocol.checkWrite(s.usage()); err != nil {
		return fmt.Errorf("checkpoint version %d: %w", s.Version(), err)
	}
	put := t.putClassicCheckpoint
	if wantsV2Checkpoints(usage{metadata: &s.metadata}) {
		put = t.putV2Checkpoint
	}
	hint, err := put(ctx, s)
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("checkpoint version %d: %w", s.Version(), err)
	}
	if t.readLastCheckpoint(ctx) > s.Version() {
		return nil
	}
	return t.writeLastCheckpoint(ctx, hint)
}

func (t *Table) putClassicCheckpoint(ctx context.Context, s *Snapshot) (lastCheckpoint, error) {
	body, actions, err := s.encodeCheckpoint(t.now())
	if err != nil {
		return lastCheckpoint{}, err
	}
	return lastCheckpoint{Version: s.Version(), Size: int64(actions), SizeInBytes: int64(len(body)), NumOfAddFiles: int64(s.state.files.len())},
		t.store.PutIfAbsent(ctx, checkpointKey(s.Version()), body)
}

// checkpointAfterCommit writes a checkpoint when one is due. The commit stands whether that works out or not.
func (t *Table) checkpointAfterCommit(ctx context.Context, s *Snapshot) {
	if v := int64(s.Version()); v == 0 || v%s.metadata.checkpointInterval() != 0 {
		return
	}
	if err := t.Checkpoint(ctx, s); err != nil {
		t.logger().WarnContext(ctx, "no checkpoint could be written; the table is as good without", "version", s.Version(), "error", err)
	}
}

const (
	// checkpointBatch is how many rows are handed to the Parquet writer at once.
	checkpointBatch = 256
	// checkpointGroup is how many rows it holds until it has written them, and how many are read by one reader of several.
	checkpointGroup = 16 << 10
)

// encodeCheckpoint gives the checkpoint as a Parquet file, and the number of actions in it.
func (s *Snapshot) encodeCheckpoint(now time.Time) ([]byte, int, error) {
	w := newCheckpointWriter(&s.metadata, classicFile)
	s.writeState(w)
	for line := range s.fileActions(now) {
		w.fileAction(line)
	}
	return w.finish()
}

// writeState writes the actions that are about no file.
func (s *Snapshot) writeState(w *checkpointWriter) {
	w.protocol(s.state.protocol)
	w.metaData(s.state.metadata)
	for _, id := range slices.Sorted(maps.Keys(s.state.txns)) {
		w.txn(s.state.txns[id])
	}
	for _, name := range slices.Sorted(maps.Keys(s.state.domains)) {
		w.domain(s.state.domains[name])
	}
}

// fileActions yields the live files, and the tombstones that have not expired: readers behind the retention do not exist any more.
func (s *Snapshot) fileActions(now time.Time) iter.Seq[logLine] {
	return func(yield func(logLine) bool) {
		for a := range s.state.files.all() {
			if !yield(logLine{Add: a}) {
				return
			}
		}
		expired := now.Add(-s.metadata.deletedFileRetention()).UnixMilli()
		for r := range s.state.tombstones.all() {
			if r.DeletionTimestamp > expired && !yield(logLine{Remove: r}) {
				return
			}
		}
	}
}

func (w *checkpointWriter) fileAction(l logLine) {
	if l.Add != nil {
		w.add(l.Add)
	} else {
		w.remove(l.Remove)
	}
}

type checkpointWriter struct {
	metadata   *Metadata
	indexed    []leaf
	statistics *statsReader
	buffer     bytes.Buffer
	parquet    *parquet.GenericWriter[any]
	row        *rowBuilder
	batch      []parquet.Row
	rows       int
}

func newCheckpointWriter(m *Metadata, kind checkpointFileKind) *checkpointWriter {
	w := &checkpointWriter{metadata: m, indexed: m.indexedColumns()}
	w.statistics = newStatsReader(w.indexed)
	schema := checkpointSchema(m, w.indexed, kind)
	w.row = newRowBuilder(schema)
	w.parquet = parquet.NewGenericWriter[any](&w.buffer, schema, parquet.Compression(&snappy.Codec{}),
		parquet.CreatedBy("launchlake", "", ""), parquet.DataPageVersion(1), parquet.MaxRowsPerRowGroup(checkpointGroup))
	return w
}

func (w *checkpointWriter) next() {
	// The rows of a batch use the memory of those of the one before.
	n := len(w.batch)
	w.batch = slices.Grow(w.batch, 1)[:n+1]
	w.batch[n] = w.row.take(w.batch[n][:0])
	w.rows++
	if len(w.batch) == checkpointBatch {
		w.flush()
	}
}

func (w *checkpointWriter) flush() {
	if _, err := w.parquet.WriteRows(w.batch); err != nil {
		w.row.fail(err)
	}
	w.batch = w.batch[:0]
}

func (w *checkpointWriter) finish() ([]byte, int, error) {
	w.flush()
	if err := w.parquet.Close(); err != nil {
		w.row.fail(err)
	}
	return w.buffer.Bytes(), w.rows, w.row.err
}

func (w *checkpointWriter) protocol(p *protocolAction) {
	w.row.present("protocol")
	w.row.int(p.MinReaderVersion, "protocol", "minReaderVersion")
	w.row.int(p.MinWriterVersion, "protocol", "minWriterVersion")
	if p.ReaderFeatures != nil {
		w.row.list(*p.ReaderFeatures, "protocol", "readerFeatures")
	}
	if p.WriterFeatures != nil {
		w.row.list(*p.WriterFeatures, "protocol", "writerFeatures")
	}
	w.next()
}

func (w *checkpointWriter) metaData(m *metadataAction) {
	w.row.present("metaData")
	w.row.present("metaData", "format")
	w.row.text(m.ID, "metaData", "id")
	if m.Name != nil {
		w.row.text(*m.Name, "metaData", "name")
	}
	if m.Description != nil {
		w.row.text(*m.Description, "metaData", "description")
	}
	w.row.text(m.Format.Provider, "metaData", "format", "provider")
	w.row.pairs(pointers(m.Format.Options), "metaData", "format", "options")
	w.row.text(m.SchemaString, "metaData", "schemaString")
	w.row.list(m.PartitionColumns, "metaData", "partitionColumns")
	w.row.pairs(pointers(m.Configuration), "metaData", "configuration")
	w.row.optionalLong(m.CreatedTime, "metaData", "createdTime")
	w.next()
}

func pointers(texts map[string]string) map[string]*string {
	out := make(map[string]*string, len(texts))
	for k, v := range texts {
		out[k] = &v
	}
	return out
}

func (w *checkpointWriter) txn(t txnAction) {
	w.row.present("txn")
	w.row.text(t.AppID, "txn", "appId")
	w.row.long(t.Version, "txn", "version")
	w.row.optionalLong(t.LastUpdated, "txn", "lastUpdated")
	w.next()
}

func (w *checkpointWriter) domain(d domainAction) {
	w.row.present("domainMetadata")
	w.row.text(d.Domain, "domainMetadata", "domain")
	w.row.text(d.Configuration, "domainMetadata", "configuration")
	w.row.bool(d.Removed, "domainMetadata", "removed")
	w.next()
}

func (w *checkpointWriter) add(a *addAction) {
	w.row.present("add")
	w.row.text(encodePath(a.Path), "add", "path")
	w.row.pairs(nullForEmpty(a.PartitionValues), "add", "partitionValues")
	w.row.long(a.Size, "add", "size")
	w.row.long(a.ModificationTime, "add", "modificationTime")
	w.row.bool(false, "add", "dataChange")
	if a.Tags != nil {
		w.row.pairs(a.Tags, "add", "tags")
	}
	w.vector(a.DeletionVector, "add")
	w.row.optionalLong(a.BaseRowID, "add", "baseRowId")
	w.row.optionalLong(a.DefaultRowCommitVersion, "add", "defaultRowCommitVersion")
	if a.ClusteringProvider != nil {
		w.row.text(*a.ClusteringProvider, "add", "clusteringProvider")
	}
	w.row.optionalText(a.Stats, "add", "stats")
	if w.metadata.statsAsStruct() {
		w.stats(a)
		w.partition(a)
	}
	w.next()
}

// nullForEmpty gives partition values without empty strings: Spark takes one in a checkpoint for a string, not for null.
func nullForEmpty(values map[string]*string) map[string]*string {
	out := maps.Clone(values)
	for k, v := range out {
		if v != nil && *v == "" {
			out[k] = nil
		}
	}
	return out
}

func (w *checkpointWriter) stats(a *addAction) {
	s := w.statistics.read(a.Stats)
	if s == nil {
		return
	}
	for _, group := range []string{"", "minValues", "maxValues", "nullCount"} {
		path := []string{"add", "stats_parsed"}
		if group != "" {
			path = append(path, group)
		}
		w.row.present(path...)
	}
	for _, l := range w.indexed {
		for n := 1; n < len(l.physical); n++ {
			for _, group := range []string{"minValues", "maxValues", "nullCount"} {
				w.row.present(append([]string{"add", "stats_parsed", group}, l.physical[:n]...)...)
			}
		}
	}
	if s.NumRecords >= 0 {
		w.row.long(s.NumRecords, "add", "stats_parsed", "numRecords")
	}
	if s.TightBounds != nil {
		w.row.bool(*s.TightBounds, "add", "stats_parsed", "tightBounds")
	}
	for _, l := range w.indexed {
		c := s.Columns[columnName(l.path)]
		w.row.typed(l.typ, c.Min, append([]string{"add", "stats_parsed", "minValues"}, l.physical...)...)
		w.row.typed(l.typ, c.Max, append([]string{"add", "stats_parsed", "maxValues"}, l.physical...)...)
		w.row.optionalLong(c.NullCount, append([]string{"add", "stats_parsed", "nullCount"}, l.physical...)...)
	}
}

func (w *checkpointWriter) partition(a *addAction) {
	w.row.present("add", "partitionValues_parsed")
	for _, c := range w.metadata.PartitionColumns {
		f, _ := w.metadata.Schema.Field(c)
		name := w.metadata.PhysicalName(f)
		v, err := ParsePartitionValue(f.Type, partitionValue(a.PartitionValues, name))
		if err != nil {
			w.row.fail(fmt.Errorf("file %q: %w", a.Path, err))
		}
		w.row.typed(f.Type, v, "add", "partitionValues_parsed", name)
	}
}

func (w *checkpointWriter) remove(r *removeAction) {
	w.row.present("remove")
	w.row.text(encodePath(r.Path), "remove", "path")
	w.row.long(r.DeletionTimestamp, "remove", "deletionTimestamp")
	w.row.bool(false, "remove", "dataChange")
	w.row.bool(r.ExtendedFileMetadata, "remove", "extendedFileMetadata")
	if r.PartitionValues != nil {
		w.row.pairs(nullForEmpty(r.PartitionValues), "remove", "partitionValues")
	}
	w.row.optionalLong(r.Size, "remove", "size")
	w.vector(r.DeletionVector, "remove")
	w.row.optionalLong(r.BaseRowID, "remove", "baseRowId")
	w.row.optionalLong(r.DefaultRowCommitVersion, "remove", "defaultRowCommitVersion")
	w.next()
}

// vector writes the deletion vector of an action.
func (w *checkpointWriter) vector(v *DeletionVector, action string) {
	if v == nil {
		return
	}
	w.row.present(action, "deletionVector")
	w.row.text(v.StorageType, action, "deletionVector", "storageType")
	w.row.text(v.PathOrInlineDv, action, "deletionVector", "pathOrInlineDv")
	if v.Offset != nil {
		w.row.int(int(*v.Offset), action, "deletionVector", "offset")
	}
	w.row.int(int(v.SizeInBytes), action, "deletionVector", "sizeInBytes")
	w.row.long(v.Cardinality, action, "deletionVector", "cardinality")
}

package delta

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"math"
	"time"

	"github.com/google/uuid"
	"github.com/parquet-go/parquet-go"

	"launchlake/internal/objstore"
)

const vectorsProperty = "delta.enableDeletionVectors"

// deletion is rows that a transaction deletes from a file.
type deletion struct {
	file Add
	rows *RowSet
}

// DeletionVectorsEnabled is whether rows may be deleted without writing their files again: the table has the feature, and its
// property delta.enableDeletionVectors asks for it.
func (s *Snapshot) DeletionVectorsEnabled() bool {
	return s.protocol.lists("deletionVectors") && s.metadata.enabled(vectorsProperty)
}

// DeleteRows deletes rows of a live data file, by their numbers in it, and leaves the file itself as it is. Those that are
// deleted already stay so. The table must have deletion vectors enabled, and a file is named once. Of the file only the path and the deletion vector are looked at. A file of
// which no row is left is better removed.
//
// It is the commit that stores the new deletion vectors, all in one object. To another writer a file with another vector is
// another file: of two transactions that delete rows of one file at once, one has a conflict.
func (tx *Transaction) DeleteRows(file Add, rows *RowSet) {
	tx.deletions = append(tx.deletions, deletion{file, rows})
}

// preparedDeletion is a deletion with the action that adds the file again; its vector is still missing.
type preparedDeletion struct {
	from *addAction
	add  *addAction
	rows *RowSet
}

func (tx *Transaction) prepareDeletions(p *prepared, now time.Time) error {
	if len(tx.deletions) == 0 {
		return nil
	}
	if !tx.snapshot.protocol.lists("deletionVectors") || !p.afterCommit.enabled(vectorsProperty) {
		return fmt.Errorf("delete rows of %d files: the table's deletion vectors are not enabled (%s)", len(tx.deletions), vectorsProperty)
	}
	taken := map[string]bool{}
	for _, r := range p.removes {
		taken[r.Path] = true
	}
	for _, a := range p.adds {
		taken[a.Path] = true
	}
	files := tx.snapshot.state.files.finder()
	for _, d := range tx.deletions {
		live := files.find(d.file.key())
		switch {
		case live == nil:
			return fmt.Errorf("delete rows of %q: version %d has no such file", d.file.Path, tx.snapshot.Version())
		case taken[live.Path]:
			return fmt.Errorf("delete rows of %q: the same transaction adds it, removes it, or deletes rows of it twice", d.file.Path)
		case d.rows.Count() == 0:
			return fmt.Errorf("delete rows of %q: no rows are given", d.file.Path)
		}
		taken[live.Path] = true
		again := *live
		again.DataChange = !tx.operation.Rearrange
		p.adds = append(p.adds, &again)
		p.removes = append(p.removes, live.tombstone(now, !tx.operation.Rearrange))
		p.deletions = append(p.deletions, preparedDeletion{live, &again, d.rows})
	}
	return nil
}

// storeVectors completes the deletions and stores their vectors. It gives the key of the object, "" when there is none.
func (p *prepared) storeVectors(ctx context.Context) (key string, err error) {
	if len(p.deletions) == 0 {
		return "", nil
	}
	id := uuid.New()
	file := []byte{vectorFileVersion}
	for _, d := range p.deletions {
		if err := p.table.loosen(ctx, d.add); err != nil {
			return "", fmt.Errorf("delete rows of %q: %w", d.add.Path, err)
		}
		vector, count, err := p.table.unite(ctx, d)
		if err != nil {
			return "", fmt.Errorf("delete rows of %q: %w", d.add.Path, err)
		}
		offset := int32(len(file))
		if len(file)+len(vector)+vectorFrame > math.MaxInt32 {
			return "", errors.New("the deletion vectors of one commit take more than 2 GiB")
		}
		file = binary.BigEndian.AppendUint32(file, uint32(len(vector)))
		file = append(file, vector...)
		file = binary.BigEndian.AppendUint32(file, crc32.ChecksumIEEE(vector))
		d.add.DeletionVector = &DeletionVector{StorageType: "u", PathOrInlineDv: encodeZ85(id[:]), Offset: &offset, SizeInBytes: int32(len(vector)), Cardinality: count}
	}
	if key, err = vectorKey(encodeZ85(id[:])); err != nil {
		return "", err
	}
	if err := p.table.store.Put(ctx, key, bytes.NewReader(file)); err != nil {
		return "", fmt.Errorf("store deletion vectors %s: %w", key, err)
	}
	return key, nil
}

// unite gives the bytes of the vector that deletes what was deleted already and what is deleted now, and how many rows that are.
func (t *Table) unite(ctx context.Context, d preparedDeletion) (vector []byte, count int64, err error) {
	before, err := t.DeletedRows(ctx, Add{Path: d.from.Path, DeletionVector: d.from.DeletionVector})
	if err != nil {
		return nil, 0, err
	}
	rows := before.Or(d.rows)
	if n := parseStats(d.add.Stats, nil).NumRecords; rows.Last() >= n {
		return nil, 0, fmt.Errorf("row %d is none of its %d", rows.Last(), n)
	}
	vector, err = rows.format()
	return vector, rows.Count(), err
}

// loosen turns the statistics of a file into those of a file with a deletion vector: bounds that need not be reached, and the number of
// rows before any is deleted, which must be there (spec: Per-file Statistics).
func (t *Table) loosen(ctx context.Context, a *addAction) error {
	stats := map[string]json.RawMessage{}
	if parsed := parseStats(a.Stats, nil); parsed == nil || parsed.NumRecords < 0 {
		n, err := t.countRows(ctx, a)
		if err != nil {
			return err
		}
		if parsed != nil {
			_ = json.Unmarshal([]byte(a.Stats), &stats) // parseStats could
		}
		stats["numRecords"] = fmt.Append(nil, n)
	} else if err := json.Unmarshal([]byte(a.Stats), &stats); err != nil {
		return err
	}
	stats["tightBounds"] = []byte("false")
	text, err := json.Marshal(stats)
	a.Stats = string(text)
	return err
}

// countRows reads the number of rows from a data file's footer.
func (t *Table) countRows(ctx context.Context, a *addAction) (n int64, err error) {
	defer func() {
		if p := recover(); p != nil { // the Parquet library does on some broken files
			err = &CorruptError{Key: a.Path, Err: fmt.Errorf("broken Parquet file: %v", p)}
		}
	}()
	key, err := t.FileKey(a.Path)
	if err != nil {
		return 0, err
	}
	r, size, err := t.readerAt(ctx, objstore.Info{Key: key, Size: a.Size})
	if err != nil {
		return 0, err
	}
	if err := checkFooter(r, size); err != nil {
		return 0, &CorruptError{Key: a.Path, Err: err}
	}
	file, err := parquet.OpenFile(r, size, parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true))
	if err != nil {
		return 0, err
	}
	return file.NumRows(), nil
}

// discardVectors removes the vectors of a commit that certainly did not happen. After other errors it may have; what nobody needs then
// is found by a vacuum.
func (t *Table) discardVectors(ctx context.Context, key string, err error) {
	if key != "" && NotCommitted(err) {
		_ = t.store.Delete(context.WithoutCancel(ctx), key)
	}
}

package bronze

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"

	"github.com/parquet-go/parquet-go"
	"golang.org/x/sync/errgroup"

	"launchlake/internal/delta"
	"launchlake/internal/objstore"
)

// set is a set of hashes.
type set map[hash]bool

// add tells whether the hash was not in the set.
func (s set) add(sum hash) bool {
	before := len(s)
	s[sum] = true
	return len(s) > before
}

// known are the rows that a table has, as far as they can come again.
type known struct {
	rows   set
	loaded map[string]bool // files whose rows are in
}

// fileReaders bounds how many files are read at a time.
const fileReaders = 4

// load reads the hashes from the snapshot's files that may hold rows of the predicates and were not read before. They
// are returned, not added.
func (k *known) load(ctx context.Context, s *delta.Snapshot, p ...delta.Predicate) (set, error) {
	var files []delta.Add
	for file, err := range s.Files(p...) {
		if err != nil {
			return nil, err
		}
		if !k.loaded[file.Path] {
			files = append(files, file)
		}
	}
	found := make([]set, len(files))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(fileReaders)
	for i, file := range files {
		group.Go(func() (err error) {
			found[i], err = readHashes(ctx, s.Table().Store(), file)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	fresh := set{}
	for i, hashes := range found {
		maps.Copy(fresh, hashes)
		k.loaded[files[i].Path] = true
	}
	return fresh, nil
}

// optimisticRead is how much of a file's end is read at once: small files need no second request.
const optimisticRead = 256 << 10

// readHashes reads the column sha256 of a data file and nothing else of it.
func readHashes(ctx context.Context, store objstore.Store, file delta.Add) (set, error) {
	fail := func(err error) (set, error) {
		return nil, fmt.Errorf("read column sha256 of %s: %w", file.Path, err)
	}
	content, err := parquet.OpenFile(&object{ctx, store, file.Path, file.Size}, file.Size,
		parquet.SkipMagicBytes(true), parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true),
		parquet.OptimisticRead(true), parquet.ReadBufferSize(optimisticRead))
	if err != nil {
		return fail(err)
	}
	column, ok := content.Schema().Lookup("sha256")
	if !ok {
		return fail(errors.New("the file has no such column"))
	}
	hashes := set{}
	for _, group := range content.RowGroups() {
		pages := group.ColumnChunks()[column.ColumnIndex].Pages()
		err := hashes.addPages(pages)
		if closeErr := pages.Close(); err == nil {
			err = closeErr
		}
		if err != nil {
			return fail(err)
		}
	}
	return hashes, nil
}

func (s set) addPages(pages parquet.Pages) error {
	for {
		page, err := pages.ReadPage()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		err = s.addValues(page.Values())
		parquet.Release(page)
		if err != nil {
			return err
		}
	}
}

func (s set) addValues(values parquet.ValueReader) error {
	buffer := make([]parquet.Value, 256)
	for {
		n, err := values.ReadValues(buffer)
		for _, v := range buffer[:n] {
			if sum, ok := parseHash(v.ByteArray()); ok {
				s[sum] = true
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// parseHash reads a hash as the column sha256 spells it.
func parseHash(text []byte) (sum hash, ok bool) {
	if len(text) != hex.EncodedLen(len(sum)) {
		return sum, false
	}
	_, err := hex.Decode(sum[:], text)
	return sum, err == nil
}

// object makes an object of a store what Parquet readers want.
type object struct {
	ctx   context.Context
	store objstore.Store
	key   string
	size  int64
}

// ReadAt implements [io.ReaderAt].
func (o *object) ReadAt(p []byte, offset int64) (int, error) {
	length := min(int64(len(p)), o.size-offset)
	if length <= 0 {
		return 0, io.EOF
	}
	body, err := o.store.Get(o.ctx, o.key, offset, length)
	if err != nil {
		return 0, err
	}
	n, err := io.ReadFull(body, p[:length])
	if closeErr := body.Close(); err == nil {
		err = closeErr
	}
	if err == nil && n < len(p) {
		err = io.EOF
	}
	return n, err
}

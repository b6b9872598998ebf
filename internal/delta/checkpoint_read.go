package delta

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/parquet-go/parquet-go"

	"launchlake/internal/objstore"
)

// checkpointLine is an action of a checkpoint: those of a commit, and references to files with more of them (spec: V2
// Checkpoint Table Feature, Sidecar Files).
type checkpointLine struct {
	logLine
	Sidecar *sidecarAction `json:"sidecar"`
}

type sidecarAction struct {
	Path string `json:"path"`
}

// readCheckpoint gives the actions of a checkpoint, in no order.
func (t *Table) readCheckpoint(ctx context.Context, c *checkpointFiles, take func(logLine)) error {
	var sidecars []objstore.Info
	split := func(l checkpointLine) {
		if l.Sidecar != nil {
			sidecars = append(sidecars, objstore.Info{Key: sidecarKey(l.Sidecar.Path)})
			return
		}
		take(l.logLine)
	}
	for _, f := range c.files {
		if err := t.readCheckpointFile(ctx, f, split); err != nil {
			return err
		}
	}
	for _, f := range sidecars {
		if err := t.readCheckpointFile(ctx, f, split); err != nil {
			return err
		}
	}
	return nil
}

// sidecarKey gives the object of a sidecar's path, which is a name in the sidecar folder, or absolute.
func sidecarKey(path string) string {
	path = decodePath(path)
	if absolute.MatchString(path) {
		return sidecarPrefix + path[strings.LastIndexByte(path, '/')+1:]
	}
	return sidecarPrefix + path
}

func (t *Table) readCheckpointFile(ctx context.Context, f objstore.Info, take func(checkpointLine)) error {
	if strings.HasSuffix(f.Key, ".json") {
		return t.readJSONCheckpoint(ctx, f.Key, take)
	}
	r, size, err := t.readerAt(ctx, f)
	if err != nil {
		return fmt.Errorf("read checkpoint: %w", err)
	}
	if err := readParquetActions(r, size, take); err != nil {
		if failed := r.failure(); failed != nil {
			return fmt.Errorf("read checkpoint: %w", failed)
		}
		return &CorruptError{Key: f.Key, Err: err}
	}
	return nil
}

func (t *Table) readJSONCheckpoint(ctx context.Context, key string, take func(checkpointLine)) error {
	text, err := objstore.ReadAll(ctx, t.store, key)
	if err != nil {
		return fmt.Errorf("read checkpoint: %w", err)
	}
	for n := 1; len(text) > 0; n++ {
		var line []byte
		line, text, _ = bytes.Cut(text, []byte{'\n'})
		if line = bytes.TrimSpace(line); len(line) == 0 {
			continue
		}
		var l checkpointLine
		err := parseLine(line, &l.logLine)
		if err == nil {
			err = json.Unmarshal(line, &struct {
				Sidecar **sidecarAction `json:"sidecar"`
			}{&l.Sidecar})
		}
		if err != nil {
			return &CorruptError{Key: key, Err: fmt.Errorf("line %d: %w", n, err)}
		}
		take(l)
	}
	return nil
}

// wholeObject is the size up to which a checkpoint is fetched in one piece.
const wholeObject = 64 << 20

// readerAt gives access to a checkpoint. A large one is fetched by ranges, column by column.
func (t *Table) readerAt(ctx context.Context, f objstore.Info) (*objectReader, int64, error) {
	if f.Size > wholeObject {
		return &objectReader{ctx: ctx, store: t.store, key: f.Key}, f.Size, nil
	}
	data, err := objstore.ReadAll(ctx, t.store, f.Key)
	if err != nil {
		return nil, 0, err
	}
	return &objectReader{data: bytes.NewReader(data)}, int64(len(data)), nil
}

// objectReader is an io.ReaderAt over an object, in memory or in the store.
type objectReader struct {
	data  *bytes.Reader // nil: in the store
	ctx   context.Context
	store objstore.Store
	key   string
	err   error
}

func (r *objectReader) ReadAt(p []byte, offset int64) (int, error) {
	if r.data != nil {
		return r.data.ReadAt(p, offset)
	}
	body, err := r.store.Get(r.ctx, r.key, offset, int64(len(p)))
	if err != nil {
		r.err = err
		return 0, err
	}
	defer body.Close()
	n, err := io.ReadFull(body, p)
	if errors.Is(err, io.ErrUnexpectedEOF) {
		err = io.EOF
	}
	if err != nil && !errors.Is(err, io.EOF) {
		r.err = err
	}
	return n, err
}

// failure is the store's error, if it was the store that failed and not the file that is broken.
func (r *objectReader) failure() error { return r.err }

// checkFooter looks at the length of the footer, which the Parquet library believes and allocates.
func checkFooter(r io.ReaderAt, size int64) error {
	const length, magic = 4, 4
	var end [length + magic]byte
	if size < magic+length+magic {
		return fmt.Errorf("%d bytes are no Parquet file", size)
	}
	if _, err := r.ReadAt(end[:], size-length-magic); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if string(end[length:]) != "PAR1" {
		return errors.New("not a Parquet file: it does not end as one")
	}
	if footer := int64(binary.LittleEndian.Uint32(end[:])); footer > size-magic-length-magic {
		return fmt.Errorf("a footer of %d bytes in a Parquet file of %d", footer, size)
	}
	return nil
}

// maxRowsPerByte is more than any compression makes possible. A footer that claims more rows is broken.
const maxRowsPerByte = 1 << 10

// readParquetActions gives the actions of a Parquet file. The Parquet library panics on some broken files.
func readParquetActions(r io.ReaderAt, size int64, take func(checkpointLine)) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("broken Parquet file: %v", p)
		}
	}()
	if err := checkFooter(r, size); err != nil {
		return err
	}
	file, err := parquet.OpenFile(r, size, parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true), parquet.ReadBufferSize(1<<20))
	if err != nil {
		return err
	}
	shared := partitionPool{}
	for _, group := range file.RowGroups() {
		rows := newRowCursor(file.Root(), group)
		actions := newActionReader(rows, shared)
		if len(rows.columns) == 0 {
			continue // nothing that we know
		}
		if group.NumRows() > maxRowsPerByte*size {
			return fmt.Errorf("%d rows in %d bytes", group.NumRows(), size)
		}
		for n := int64(0); n < group.NumRows(); n++ {
			if err := rows.next(); err != nil {
				return fmt.Errorf("row %d: %w", n, err)
			}
			l, err := actions.read()
			if err != nil {
				return fmt.Errorf("row %d: %w", n, err)
			}
			take(l)
		}
		if err := rows.close(); err != nil {
			return err
		}
	}
	return nil
}

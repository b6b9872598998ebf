package delta

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"sync"

	"github.com/parquet-go/parquet-go"
	"golang.org/x/sync/errgroup"

	"launchlake/internal/objstore"
)

// checkpointLine is an action of a checkpoint: those of a commit, and references to files with more of them (spec: V2
// Checkpoint Table Feature, Sidecar Files).
type checkpointLine struct {
	logLine
	Sidecar *sidecarAction `json:"sidecar"`
}

type sidecarAction struct {
	Path        string `json:"path"`
	SizeInBytes int64  `json:"sizeInBytes"`
}

// readCheckpoint gives the actions of a checkpoint, in no order. It reads several parts of it at the same time: for each it calls
// part, and then what that gave for the part's actions, one after the other.
func (t *Table) readCheckpoint(ctx context.Context, c *checkpointFiles, wanted scope, part func() func(logLine)) error {
	var mu sync.Mutex
	var sidecars []objstore.Info
	split := func() func(checkpointLine) {
		take := part()
		return func(l checkpointLine) {
			if l.Sidecar == nil {
				take(l.logLine)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			sidecars = append(sidecars, objstore.Info{Key: sidecarKey(l.Sidecar.Path), Size: l.Sidecar.SizeInBytes})
		}
	}
	if err := t.readCheckpointFiles(ctx, c.files, wanted, split); err != nil {
		return err
	}
	if wanted == headActions {
		return nil // sidecars hold actions on files only
	}
	return t.readCheckpointFiles(ctx, sidecars, wanted, split)
}

func (t *Table) readCheckpointFiles(ctx context.Context, files []objstore.Info, wanted scope, part func() func(checkpointLine)) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(readersAtOnce())
	for _, f := range files {
		group.Go(func() error { return t.readCheckpointFile(ctx, f, wanted, part) })
	}
	return group.Wait()
}

// readersAtOnce is how many parts of a checkpoint are read at the same time. It bounds memory as well.
func readersAtOnce() int { return min(runtime.GOMAXPROCS(0), 8) }

// oneAtATime takes the actions of all parts by one function.
func oneAtATime[L any](mu *sync.Mutex, take func(L)) func() func(L) {
	return func() func(L) {
		return func(line L) {
			mu.Lock()
			defer mu.Unlock()
			take(line)
		}
	}
}

// sidecarKey gives the object of a sidecar's path, which is a name in the sidecar folder, or absolute.
func sidecarKey(path string) string {
	path = decodePath(path)
	if isAbsolute(path) {
		return sidecarPrefix + path[strings.LastIndexByte(path, '/')+1:]
	}
	return sidecarPrefix + path
}

func (t *Table) readCheckpointFile(ctx context.Context, f objstore.Info, wanted scope, part func() func(checkpointLine)) error {
	if strings.HasSuffix(f.Key, ".json") {
		return t.readJSONCheckpoint(ctx, f.Key, wanted, part())
	}
	r, size, err := t.readerAt(ctx, f)
	if err != nil {
		return fmt.Errorf("read checkpoint: %w", err)
	}
	if err := readParquetActions(r, size, wanted, part); err != nil {
		if failed := r.failure(); failed != nil {
			return fmt.Errorf("read checkpoint: %w", failed)
		}
		return &CorruptError{Key: f.Key, Err: err}
	}
	return nil
}

func (t *Table) readJSONCheckpoint(ctx context.Context, key string, wanted scope, take func(checkpointLine)) error {
	text, err := objstore.ReadAll(ctx, t.store, key)
	if err != nil {
		return fmt.Errorf("read checkpoint: %w", err)
	}
	for n := 1; len(text) > 0; n++ {
		var line []byte
		line, text, _ = bytes.Cut(text, []byte{'\n'})
		if line = bytes.TrimSpace(line); len(line) == 0 || wanted == headActions && isFileAction(line) {
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

// readParquetActions gives the actions of a Parquet file. Each of its row groups is a part, some of which are read at the same time.
func readParquetActions(r io.ReaderAt, size int64, wanted scope, part func() func(checkpointLine)) error {
	file, err := openParquet(r, size)
	if err != nil {
		return err
	}
	var group errgroup.Group
	group.SetLimit(readersAtOnce())
	for _, rows := range file.RowGroups() {
		if rows.NumRows() > maxRowsPerByte*size {
			return errors.Join(fmt.Errorf("%d rows in %d bytes", rows.NumRows(), size), group.Wait())
		}
		group.Go(func() error { return readRowGroup(file, rows, wanted, part()) })
	}
	return group.Wait()
}

// columnBuffer is how much of a column is read ahead: little, for the file is in memory, or its pieces are.
const columnBuffer = 64 << 10

// openParquet reads the footer of a Parquet file. The library panics on some broken files.
func openParquet(r io.ReaderAt, size int64) (file *parquet.File, err error) {
	defer recoverBroken(&err)
	if err := checkFooter(r, size); err != nil {
		return nil, err
	}
	return parquet.OpenFile(r, size, parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true), parquet.ReadBufferSize(columnBuffer))
}

func readRowGroup(file *parquet.File, group parquet.RowGroup, wanted scope, take func(checkpointLine)) (err error) {
	defer recoverBroken(&err)
	rows := newRowCursor(file.Root(), group)
	actions := newActionReader(rows, wanted, newPartitionPool())
	if len(rows.columns) == 0 {
		return nil // nothing that we know
	}
	for rows.next() {
		l, err := actions.read()
		if err != nil {
			return errors.Join(fmt.Errorf("row %d: %w", rows.row, err), rows.close())
		}
		if rows.err == nil {
			take(l)
		}
	}
	return rows.close()
}

func recoverBroken(err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("broken Parquet file: %v", p)
	}
}

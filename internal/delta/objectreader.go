package delta

import (
	"bytes"
	"context"
	"errors"
	"io"
	"sync"

	"launchlake/internal/objstore"
)

// wholeObject is the size up to which a Parquet file is fetched in one piece.
const wholeObject = 64 << 20

// Of a larger file, pieces are fetched as they are needed, and some of them kept: its columns lie far from each other and are
// read side by side.
const (
	pieceBytes = 2 << 20
	piecesKept = 16
)

// readerAt gives access to a Parquet file.
func (t *Table) readerAt(ctx context.Context, f objstore.Info) (*objectReader, int64, error) {
	if f.Size > wholeObject {
		return &objectReader{ctx: ctx, store: t.store, key: f.Key, size: f.Size, pieces: map[int64]*piece{}}, f.Size, nil
	}
	data, err := objstore.ReadAll(ctx, t.store, f.Key)
	if err != nil {
		return nil, 0, err
	}
	return &objectReader{data: bytes.NewReader(data)}, int64(len(data)), nil
}

// objectReader is an io.ReaderAt over an object, in memory or in the store. It may be used concurrently.
type objectReader struct {
	data  *bytes.Reader // nil: in the store
	ctx   context.Context
	store objstore.Store
	key   string
	size  int64

	mu     sync.Mutex
	pieces map[int64]*piece // by number
	uses   int64
	err    error
}

// piece is a part of the object that is kept.
type piece struct {
	load func() ([]byte, error)
	used int64
}

func (r *objectReader) ReadAt(p []byte, offset int64) (int, error) {
	if r.data != nil {
		return r.data.ReadAt(p, offset)
	}
	read := 0
	for read < len(p) {
		at := offset + int64(read)
		if at >= r.size {
			return read, io.EOF
		}
		data, err := r.piece(at / pieceBytes)
		if err != nil {
			return read, err
		}
		if at%pieceBytes >= int64(len(data)) {
			return read, io.EOF
		}
		read += copy(p[read:], data[at%pieceBytes:])
	}
	return read, nil
}

// piece gives a part of the object, the last one being shorter.
func (r *objectReader) piece(number int64) ([]byte, error) {
	r.mu.Lock()
	p, ok := r.pieces[number]
	if !ok {
		p = &piece{load: sync.OnceValues(func() ([]byte, error) { return r.fetch(number * pieceBytes) })}
		if len(r.pieces) >= piecesKept {
			r.forgetOne()
		}
		r.pieces[number] = p
	}
	r.uses++
	p.used = r.uses
	r.mu.Unlock()
	return p.load()
}

// forgetOne forgets the piece that nobody wanted for longest.
func (r *objectReader) forgetOne() {
	oldest := int64(-1)
	for number, p := range r.pieces {
		if oldest < 0 || p.used < r.pieces[oldest].used {
			oldest = number
		}
	}
	delete(r.pieces, oldest)
}

func (r *objectReader) fetch(offset int64) ([]byte, error) {
	data, err := r.get(offset, min(pieceBytes, r.size-offset))
	if err != nil {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.err = err
	}
	return data, err
}

func (r *objectReader) get(offset, length int64) ([]byte, error) {
	body, err := r.store.Get(r.ctx, r.key, offset, length)
	if err != nil {
		return nil, err
	}
	data := make([]byte, length)
	n, err := io.ReadFull(body, data)
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		err = nil // the object is shorter than the listing said
	}
	return data[:n], errors.Join(err, body.Close())
}

// failure is the store's error, if it was the store that failed and not the file that is broken.
func (r *objectReader) failure() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.err
}

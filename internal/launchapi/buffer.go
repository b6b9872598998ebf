package launchapi

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
)

// buffers holds those that nobody refers to any more: fresh memory for every answer costs as much as reading it.
type buffers struct{ pool sync.Pool }

// buffer holds the body of an answer for as long as it has holders.
type buffer struct {
	content bytes.Buffer
	holders atomic.Int32
	from    *buffers
}

// take gives a buffer with one holder.
func (b *buffers) take() *buffer {
	taken, ok := b.pool.Get().(*buffer)
	if !ok {
		taken = &buffer{from: b}
	}
	taken.content.Reset()
	taken.holders.Store(1)
	return taken
}

func (b *buffer) hold() { b.holders.Add(1) }

// release ends the hold of one holder. A buffer that some do not release is left to the garbage collector.
func (b *buffer) release() {
	if b.holders.Add(-1) == 0 {
		b.from.pool.Put(b)
	}
}

var errTooLarge = errors.New("the answer is too large")

// read reads the body, which is valid until the last holder releases the buffer.
func (b *buffer) read(resp *http.Response, limit int64) ([]byte, error) {
	if n := resp.ContentLength; n > 0 && n <= limit {
		b.reserve(int(n) + bytes.MinRead)
	}
	n, err := b.content.ReadFrom(io.LimitReader(resp.Body, limit+1))
	if n > limit {
		return nil, fmt.Errorf("%w: more than %d bytes", errTooLarge, limit)
	}
	if err != nil {
		return nil, fmt.Errorf("the answer broke off after %d bytes: %w", n, err)
	}
	return b.content.Bytes(), nil
}

// reserve makes room for n bytes, and a little more: pages are of nearly the same size.
func (b *buffer) reserve(n int) {
	if b.content.Cap() < n {
		b.content = *bytes.NewBuffer(make([]byte, 0, n+n/8))
	}
}

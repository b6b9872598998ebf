package s3

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"launchlake/internal/objstore"
)

// Get implements [objstore.Store].
func (s *Store) Get(ctx context.Context, key string, offset, length int64) (io.ReadCloser, error) {
	err := ctx.Err()
	switch {
	case err != nil:
	case offset < 0:
		err = errors.New("negative offset")
	default:
		err = objstore.CheckKey(key)
	}
	if err != nil {
		return nil, &objstore.Error{Op: "get", At: s.at(key), Err: err}
	}
	body := &body{ctx: ctx, store: s, key: key, next: offset, end: -1}
	if length >= 0 {
		body.end = offset + length
	}
	if err := body.open(); err != nil {
		return nil, err
	}
	return body, nil
}

const (
	// A body that breaks this often without a byte between is given up.
	maxBreaks    = 4
	firstBackoff = 100 * time.Millisecond
)

// body reads an object, and asks for the rest of it when the connection breaks.
type body struct {
	ctx   context.Context
	store *Store
	key   string
	next  int64   // offset of the next byte to read
	end   int64   // offset after the last byte wanted, -1: the object's end
	etag  *string // of the object that was opened first; nil before

	stream  io.ReadCloser
	stop    context.CancelFunc
	stalled atomic.Bool
	breaks  int
}

// open asks for what is still to be read.
func (b *body) open() error {
	if b.etag != nil && b.end >= 0 && b.next >= b.end {
		b.stream, b.stop = http.NoBody, func() {}
		return nil
	}
	ctx, stop := context.WithCancel(b.ctx)
	got, err := b.store.client.GetObject(ctx, &s3.GetObjectInput{
		Bucket:  &b.store.bucket,
		Key:     aws.String(b.store.prefix + b.key),
		Range:   b.byteRange(),
		IfMatch: b.etag,
	})
	switch {
	case err == nil:
		b.stream, b.etag, b.stop = got.Body, got.ETag, stop
	case statusOf(err) == http.StatusRequestedRangeNotSatisfiable:
		stop()
		b.stream, b.stop = http.NoBody, func() {}
	case statusOf(err) == http.StatusPreconditionFailed:
		stop()
		return &objstore.Error{
			Op: "get", At: b.store.at(b.key), Classes: []error{objstore.ErrReplaced}, Err: errors.New("the object was replaced while it was read"),
		}
	default:
		err = b.store.callError(b.ctx, "get", b.key, err)
		stop()
		return err
	}
	return nil
}

// byteRange is the Range header. HTTP has no empty range: one byte is asked for, so that a missing object is seen,
// and none is read.
func (b *body) byteRange() *string {
	switch {
	case b.end < 0 && b.next == 0:
		return nil
	case b.end < 0:
		return aws.String(fmt.Sprintf("bytes=%d-", b.next))
	}
	return aws.String(fmt.Sprintf("bytes=%d-%d", b.next, max(b.next, b.end-1)))
}

// Read implements [io.Reader].
func (b *body) Read(p []byte) (int, error) {
	if b.end >= 0 {
		if b.next >= b.end {
			return 0, io.EOF
		}
		p = p[:min(int64(len(p)), b.end-b.next)]
	}
	n, err := b.readTimed(p)
	b.next += int64(n)
	if n > 0 {
		b.breaks = 0
	}
	if err == nil || errors.Is(err, io.EOF) {
		return n, err
	}
	if err := b.resume(err); err != nil {
		return n, err
	}
	return n, nil
}

// readTimed ends a read that gets no byte for too long.
func (b *body) readTimed(p []byte) (int, error) {
	stop := b.stop // of this stream: the timer may fire late
	timer := time.AfterFunc(b.store.replyTimeout, func() {
		b.stalled.Store(true)
		stop()
	})
	defer timer.Stop()
	return b.stream.Read(p)
}

// resume opens the rest of an object whose body broke with an error, unless the error is of another kind: a wrong
// checksum must reach the reader.
func (b *body) resume(broke error) error {
	if stalled := b.stalled.Swap(false); stalled {
		broke = fmt.Errorf("no byte came for %v", b.store.replyTimeout)
	} else if b.ctx.Err() != nil || !isCut(broke) {
		return b.store.callError(b.ctx, "get", b.key, broke)
	}
	if b.breaks++; b.breaks > maxBreaks {
		return &objstore.Error{
			Op: "get", At: b.store.at(b.key), Classes: []error{objstore.ErrUnavailable},
			Err: fmt.Errorf("the body broke at byte %d, again and again: %w", b.next, broke), Advice: "try again later",
		}
	}
	_ = b.Close()
	if err := b.pause(); err != nil {
		return b.store.callError(b.ctx, "get", b.key, err)
	}
	return b.open()
}

// pause waits before another try, for a random time up to a bound that doubles.
func (b *body) pause() error {
	timer := time.NewTimer(rand.N(firstBackoff << (b.breaks - 1)))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-b.ctx.Done():
		return b.ctx.Err()
	}
}

// Close implements [io.Closer].
func (b *body) Close() error {
	b.stop()
	return b.stream.Close()
}

// isCut reports whether a body ended before its length because of the connection.
func isCut(err error) bool {
	return errors.Is(err, io.ErrUnexpectedEOF) || isTransport(err)
}

package s3

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"golang.org/x/sync/errgroup"

	"launchlake/internal/objstore"
)

const (
	// partSize is what Put holds of an object at a time, by parallelParts. S3 takes 10,000 parts: 80 GB an object.
	partSize      = 8 << 20
	maxParts      = 10_000
	parallelParts = 4
	// abortTimeout bounds the clearing up after a failed upload, which goes on when the caller has cancelled.
	abortTimeout = 10 * time.Second
)

// PutIfAbsent implements [objstore.Store].
func (s *Store) PutIfAbsent(ctx context.Context, key string, body []byte) error {
	const op = "put if absent"
	if err := s.checkWrite(ctx, op, key); err != nil {
		return err
	}
	tries := &attempts{}
	_, err := s.client.PutObject(tries.trace(ctx), &s3.PutObjectInput{
		Bucket:      &s.bucket,
		Key:         aws.String(s.prefix + key),
		Body:        bytes.NewReader(body),
		IfNoneMatch: aws.String("*"),
	}, func(o *s3.Options) { o.Retryer = aws.NopRetryer{} })
	switch {
	case err == nil:
		return nil
	case statusOf(err) == http.StatusPreconditionFailed:
		return &objstore.Error{Op: op, At: s.at(key), Err: fs.ErrExist}
	}
	return s.writeError(ctx, op, key, err, tries)
}

// Put implements [objstore.Store]. An object that is larger than a part is sent in parts, several at a time, and
// exists once all have arrived.
func (s *Store) Put(ctx context.Context, key string, body io.Reader) error {
	if err := s.checkWrite(ctx, "put", key); err != nil {
		return err
	}
	var first bytes.Buffer
	if _, err := first.ReadFrom(io.LimitReader(body, partSize)); err != nil {
		return &objstore.Error{Op: "put", At: s.at(key), Err: fmt.Errorf("read the body: %w", err), Classes: []error{objstore.ErrNotStored}}
	}
	if first.Len() == partSize {
		return s.putParts(ctx, key, io.MultiReader(&first, body))
	}
	tries := &attempts{}
	_, err := s.client.PutObject(tries.trace(ctx), &s3.PutObjectInput{
		Bucket: &s.bucket,
		Key:    aws.String(s.prefix + key),
		Body:   bytes.NewReader(first.Bytes()),
	})
	if err != nil {
		return s.writeError(ctx, "put", key, err, tries)
	}
	return nil
}

// Delete implements [objstore.Store].
func (s *Store) Delete(ctx context.Context, key string) error {
	if err := s.checkWrite(ctx, "delete", key); err != nil {
		return err
	}
	tries := &attempts{}
	_, err := s.client.DeleteObject(tries.trace(ctx), &s3.DeleteObjectInput{Bucket: &s.bucket, Key: aws.String(s.prefix + key)})
	if err == nil {
		return nil
	}
	err = s.writeError(ctx, "delete", key, err, tries)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

func (s *Store) putParts(ctx context.Context, key string, body io.Reader) error {
	upload := &upload{store: s, key: aws.String(s.prefix + key)}
	if err := upload.begin(ctx); err != nil {
		return s.notStored(ctx, key, err)
	}
	if err := upload.send(ctx, body); err != nil {
		upload.abort(ctx)
		return s.notStored(ctx, key, err)
	}
	if err := upload.complete(ctx); err != nil {
		// The answer may be lost of an upload that is complete; then the abort has no effect.
		upload.abort(ctx)
		return s.callError(ctx, "put", key, err)
	}
	return nil
}

func (s *Store) notStored(ctx context.Context, key string, err error) error {
	e := s.callError(ctx, "put", key, err)
	e.Classes = append(e.Classes, objstore.ErrNotStored)
	return e
}

func (s *Store) checkWrite(ctx context.Context, op, key string) error {
	err := ctx.Err()
	if err == nil {
		err = objstore.CheckKey(key)
	}
	if err == nil {
		return nil
	}
	return &objstore.Error{Op: op, At: s.at(key), Err: err, Classes: []error{objstore.ErrNotStored}}
}

// upload is an object on its way in parts.
type upload struct {
	store *Store
	key   *string
	id    *string

	mu    sync.Mutex
	parts []types.CompletedPart // in order, though they may arrive in any
}

func (u *upload) begin(ctx context.Context) error {
	created, err := u.store.client.CreateMultipartUpload(ctx, &s3.CreateMultipartUploadInput{Bucket: &u.store.bucket, Key: u.key})
	if err != nil {
		return err
	}
	u.id = created.UploadId
	return nil
}

// send reads the body part by part. Reading waits while all senders are busy, so memory is bounded.
func (u *upload) send(ctx context.Context, body io.Reader) error {
	senders, ctx := errgroup.WithContext(ctx)
	senders.SetLimit(parallelParts)
	readErr := u.read(ctx, senders, body)
	if err := senders.Wait(); err != nil {
		return err
	}
	return readErr
}

func (u *upload) read(ctx context.Context, senders *errgroup.Group, body io.Reader) error {
	// Room for the end of the part to be seen without growing.
	buffers := sync.Pool{New: func() any { return bytes.NewBuffer(make([]byte, 0, partSize+bytes.MinRead)) }}
	for number := int32(1); ; number++ {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		part := buffers.Get().(*bytes.Buffer)
		part.Reset()
		// Not io.ReadFull: it takes a body that breaks with io.ErrUnexpectedEOF for one that ends.
		n, err := part.ReadFrom(io.LimitReader(body, partSize))
		switch {
		case err != nil:
			return fmt.Errorf("read the body: %w", err)
		case n == 0:
			return nil
		case number > maxParts:
			return fmt.Errorf("the object is larger than %d parts of %d bytes", maxParts, partSize)
		}
		senders.Go(func() error {
			defer buffers.Put(part)
			return u.sendPart(ctx, number, part.Bytes())
		})
	}
}

func (u *upload) sendPart(ctx context.Context, number int32, body []byte) error {
	sent, err := u.store.client.UploadPart(ctx, &s3.UploadPartInput{
		Bucket:     &u.store.bucket,
		Key:        u.key,
		UploadId:   u.id,
		PartNumber: &number,
		Body:       bytes.NewReader(body),
	})
	if err != nil {
		return err
	}
	part := types.CompletedPart{
		PartNumber: &number, ETag: sent.ETag, ChecksumCRC32: sent.ChecksumCRC32, ChecksumCRC32C: sent.ChecksumCRC32C,
		ChecksumCRC64NVME: sent.ChecksumCRC64NVME, ChecksumSHA1: sent.ChecksumSHA1, ChecksumSHA256: sent.ChecksumSHA256,
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	for len(u.parts) < int(number) {
		u.parts = append(u.parts, types.CompletedPart{})
	}
	u.parts[number-1] = part
	return nil
}

func (u *upload) complete(ctx context.Context) error {
	_, err := u.store.client.CompleteMultipartUpload(ctx, &s3.CompleteMultipartUploadInput{
		Bucket:          &u.store.bucket,
		Key:             u.key,
		UploadId:        u.id,
		MultipartUpload: &types.CompletedMultipartUpload{Parts: u.parts},
	})
	return err
}

// abort frees the parts. When it fails too there is no more to do: the caller has the first error.
func (u *upload) abort(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), abortTimeout)
	defer cancel()
	_, _ = u.store.client.AbortMultipartUpload(ctx, &s3.AbortMultipartUploadInput{
		Bucket: &u.store.bucket, Key: u.key, UploadId: u.id,
	})
}

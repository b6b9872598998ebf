package objstore

import (
	"context"
	"errors"
	"fmt"
	"io"
)

var errOffset = errors.New("negative offset")

// ReadAll returns a whole object.
func ReadAll(ctx context.Context, s Store, key string) ([]byte, error) {
	body, err := s.Get(ctx, key, 0, -1)
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(body)
	if err != nil {
		_ = body.Close()
		return nil, fmt.Errorf("read %s: %w", key, err)
	}
	return data, body.Close()
}

// contextReader ends a stream when its context ends, so that a cancelled copy stops at the next block.
type contextReader struct {
	ctx  context.Context
	body io.Reader
}

func (r contextReader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.body.Read(p)
}

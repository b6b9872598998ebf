package objstore

import (
	"context"
	"errors"
	"fmt"
	"io"
)

var errOffset = errors.New("negative offset")

// maxReplacements is how often ReadAll begins anew.
const maxReplacements = 3

// ReadAll returns a whole object: if it is replaced meanwhile, the old or the new one.
func ReadAll(ctx context.Context, s Store, key string) ([]byte, error) {
	for replaced := 0; ; replaced++ {
		data, err := readOnce(ctx, s, key)
		if !errors.Is(err, ErrReplaced) || replaced == maxReplacements {
			return data, err
		}
	}
}

func readOnce(ctx context.Context, s Store, key string) ([]byte, error) {
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

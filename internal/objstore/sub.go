package objstore

import (
	"context"
	"io"
	"iter"
	"strings"
)

// Sub returns the part of a store below a prefix: key k of the part is key prefix/k of the store. Slashes around the
// prefix do not count; an empty prefix gives the store itself. Errors name the key in the whole store.
func Sub(s Store, prefix string) Store {
	prefix = strings.Trim(prefix, "/")
	if prefix == "" {
		return s
	}
	return &sub{store: s, prefix: prefix + "/"}
}

type sub struct {
	store  Store
	prefix string // ends with a slash
}

func (s *sub) Get(ctx context.Context, key string, offset, length int64) (io.ReadCloser, error) {
	return s.store.Get(ctx, s.prefix+key, offset, length)
}

func (s *sub) Put(ctx context.Context, key string, body io.Reader) error {
	return s.store.Put(ctx, s.prefix+key, body)
}

func (s *sub) PutIfAbsent(ctx context.Context, key string, body []byte) error {
	return s.store.PutIfAbsent(ctx, s.prefix+key, body)
}

func (s *sub) List(ctx context.Context, prefix, after string) iter.Seq2[Info, error] {
	if after != "" {
		after = s.prefix + after
	}
	return func(yield func(Info, error) bool) {
		for info, err := range s.store.List(ctx, s.prefix+prefix, after) {
			info.Key = strings.TrimPrefix(info.Key, s.prefix)
			if !yield(info, err) {
				return
			}
		}
	}
}

func (s *sub) Delete(ctx context.Context, key string) error {
	return s.store.Delete(ctx, s.prefix+key)
}

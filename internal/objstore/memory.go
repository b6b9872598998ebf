package objstore

import (
	"bytes"
	"context"
	"io"
	"io/fs"
	"iter"
	"slices"
	"strings"
	"sync"
	"time"
)

// Memory keeps objects in the process: a store for tests.
type Memory struct {
	mu      sync.RWMutex
	objects map[string]memoryObject
}

type memoryObject struct {
	body    []byte // never changed once stored, so that readers need no copy
	modTime time.Time
}

// NewMemory returns an empty store.
func NewMemory() *Memory {
	return &Memory{objects: map[string]memoryObject{}}
}

// Get implements [Store].
func (m *Memory) Get(ctx context.Context, key string, offset, length int64) (io.ReadCloser, error) {
	if err := checkGet(ctx, key, offset); err != nil {
		return nil, &Error{Op: "get", At: key, Err: err}
	}
	m.mu.RLock()
	object, ok := m.objects[key]
	m.mu.RUnlock()
	if !ok {
		return nil, &Error{Op: "get", At: key, Err: fs.ErrNotExist}
	}
	body := object.body[min(offset, int64(len(object.body))):]
	if length >= 0 {
		body = body[:min(length, int64(len(body)))]
	}
	return io.NopCloser(bytes.NewReader(body)), nil
}

// Put implements [Store].
func (m *Memory) Put(ctx context.Context, key string, body io.Reader) error {
	data, err := []byte(nil), checkWrite(ctx, key)
	if err == nil {
		data, err = io.ReadAll(contextReader{ctx, body})
	}
	if err != nil {
		return &Error{Op: "put", At: key, Err: err, Classes: []error{ErrNotStored}}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.objects[key] = memoryObject{body: data, modTime: time.Now().UTC()}
	return nil
}

// PutIfAbsent implements [Store].
func (m *Memory) PutIfAbsent(ctx context.Context, key string, body []byte) error {
	if err := checkWrite(ctx, key); err != nil {
		return &Error{Op: "put if absent", At: key, Err: err, Classes: []error{ErrNotStored}}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, ok := m.objects[key]; ok {
		return &Error{Op: "put if absent", At: key, Err: fs.ErrExist}
	}
	m.objects[key] = memoryObject{body: slices.Clone(body), modTime: time.Now().UTC()}
	return nil
}

// List implements [Store]. It lists what was there when the iteration began.
func (m *Memory) List(ctx context.Context, prefix, after string) iter.Seq2[Info, error] {
	return func(yield func(Info, error) bool) {
		for _, info := range m.infos(prefix, after) {
			if err := ctx.Err(); err != nil {
				yield(Info{}, &Error{Op: "list", At: prefix, Err: err})
				return
			}
			if !yield(info, nil) {
				return
			}
		}
	}
}

// Delete implements [Store].
func (m *Memory) Delete(ctx context.Context, key string) error {
	if err := checkWrite(ctx, key); err != nil {
		return &Error{Op: "delete", At: key, Err: err, Classes: []error{ErrNotStored}}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.objects, key)
	return nil
}

// SetModTime gives an object another age; it does nothing when there is no such object.
func (m *Memory) SetModTime(key string, at time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if object, ok := m.objects[key]; ok {
		object.modTime = at.UTC()
		m.objects[key] = object
	}
}

func (m *Memory) infos(prefix, after string) []Info {
	m.mu.RLock()
	defer m.mu.RUnlock()
	var infos []Info
	for key, object := range m.objects {
		if strings.HasPrefix(key, prefix) && key > after {
			infos = append(infos, Info{Key: key, Size: int64(len(object.body)), ModTime: object.modTime})
		}
	}
	slices.SortFunc(infos, func(a, b Info) int { return strings.Compare(a.Key, b.Key) })
	return infos
}

func checkGet(ctx context.Context, key string, offset int64) error {
	if offset < 0 {
		return errOffset
	}
	return checkWrite(ctx, key)
}

func checkWrite(ctx context.Context, key string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return CheckKey(key)
}

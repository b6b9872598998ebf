package storetest

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"io"
	"io/fs"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/iotest"

	"golang.org/x/sync/errgroup"

	"launchlake/internal/objstore"
)

const largeSize = 20 << 20

func readsWhole(t *testing.T, s objstore.Store) {
	put(t, s, "empty", "")
	put(t, s, "a/b/c.json", "body")
	wantBody(t, s, "empty", 0, -1, "")
	wantBody(t, s, "a/b/c.json", 0, -1, "body")
	all, err := objstore.ReadAll(t.Context(), s, "a/b/c.json")
	if err != nil || string(all) != "body" {
		t.Errorf("ReadAll: got %q, %v", all, err)
	}
}

func readsRanges(t *testing.T, s objstore.Store) {
	put(t, s, "digits", "0123456789")
	put(t, s, "empty", "")
	for _, c := range []struct {
		key            string
		offset, length int64
		want           string
	}{
		{"digits", 0, 4, "0123"},
		{"digits", 3, 4, "3456"},
		{"digits", 3, -1, "3456789"},
		{"digits", 9, 1, "9"},
		{"digits", 0, 10, "0123456789"},
		{"digits", 8, 100, "89"},
		{"digits", 0, 0, ""},
		{"digits", 5, 0, ""},
		{"digits", 10, -1, ""},
		{"digits", 10, 3, ""},
		{"digits", 99, 3, ""},
		{"digits", 99, -1, ""},
		{"empty", 0, 0, ""},
		{"empty", 0, 5, ""},
		{"empty", 1, -1, ""},
	} {
		wantBody(t, s, c.key, c.offset, c.length, c.want)
	}
	if _, err := s.Get(t.Context(), "digits", -1, 2); err == nil {
		t.Error("get from offset -1: got no error")
	}
}

func missingIsNamed(t *testing.T, s objstore.Store) {
	put(t, s, "folder/object", "x")
	for _, key := range []string{"missing", "folder", "folder/missing", "none/such/here", "folder/object/below"} {
		for _, length := range []int64{-1, 0, 5} {
			_, err := s.Get(t.Context(), key, 0, length)
			wantError(t, "get "+key, err, fs.ErrNotExist)
			wantNoError(t, "get "+key, err, objstore.ErrUnavailable)
			if err != nil && !strings.Contains(err.Error(), key) {
				t.Errorf("the error does not name %q: %v", key, err)
			}
		}
	}
}

// oddKeys are such as hive partitions and foreign tables have.
var oddKeys = []string{
	"a=1%2F2/b=x y/part 1.parquet", "t=2026-01-02 03:04:05/f", "100%/25%25", "plus+and&amp;", "q?u=e#s", "tab~`'\"<>|*",
	"ü/日本/🚀", "back\\slash", "a..b/...", "[1]{2}^$@!,;()", ".hidden/_x", "%2e%2e/%00",
}

func keysAsTheyAre(t *testing.T, s objstore.Store) {
	for _, key := range oddKeys {
		put(t, s, key, "put "+key)
		if err := create(t.Context(), s, key+".2", "created "+key); err != nil {
			t.Error(err)
		}
	}
	var want []string
	for _, key := range oddKeys {
		want = append(want, key, key+".2")
		wantBody(t, s, key, 0, -1, "put "+key)
		wantBody(t, s, key+".2", 0, 8, "created ")
		wantKeys(t, s, key, "", key, key+".2")
		wantKeys(t, s, key, key, key+".2")
	}
	wantKeys(t, s, "", "", want...)
	for _, key := range want {
		if err := s.Delete(t.Context(), key); err != nil {
			t.Error(err)
		}
	}
	wantKeys(t, s, "", "")
}

func refusesKeys(t *testing.T, s objstore.Store) {
	for _, key := range []string{
		"", "/", "/a", "a/", "a//b", ".", "..", "../a", "a/../b", "a/..", "./a", "a\x00b", "a\nb", "a\xffb",
		objstore.TempPrefix + "x", "a/" + objstore.TempPrefix + "x",
	} {
		wantError(t, "put "+key, s.Put(t.Context(), key, strings.NewReader("x")), objstore.ErrNotStored)
		wantError(t, "put if absent "+key, s.PutIfAbsent(t.Context(), key, []byte("x")), objstore.ErrNotStored)
		if _, err := s.Get(t.Context(), key, 0, -1); err == nil {
			t.Errorf("get %q: got no error", key)
		}
		if err := s.Delete(t.Context(), key); err == nil {
			t.Errorf("delete %q: got no error", key)
		}
	}
	for _, prefix := range []string{"../", "/", "a//", "./", "a/../"} {
		wantKeys(t, s, prefix, "")
	}
	wantKeys(t, s, "", "")
}

func putReplaces(t *testing.T, s objstore.Store) {
	put(t, s, "a/b", "first, and longer")
	put(t, s, "a/b", "second")
	wantBody(t, s, "a/b", 0, -1, "second")
	wantKeys(t, s, "", "", "a/b")
}

func overwriteIsWhole(t *testing.T, s objstore.Store) {
	bodies := []string{strings.Repeat("a", 300_000), strings.Repeat("b", 200_000), strings.Repeat("c", 1)}
	put(t, s, "k", bodies[0])
	var writers, readers errgroup.Group
	done := make(chan struct{})
	for i := range 3 {
		readers.Go(func() error {
			for {
				select {
				case <-done:
					return nil
				default:
				}
				got, err := get(t.Context(), s, "k", 0, -1)
				if errors.Is(err, objstore.ErrReplaced) {
					continue
				}
				if err != nil {
					return err
				}
				if got != bodies[0] && got != bodies[1] && got != bodies[2] {
					t.Errorf("read a mixture of objects: %d bytes", len(got))
				}
			}
		})
		writers.Go(func() error {
			for n := range 12 {
				if err := s.Put(t.Context(), "k", strings.NewReader(bodies[(i+n)%3])); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err := writers.Wait(); err != nil {
		t.Error(err)
	}
	close(done)
	if err := readers.Wait(); err != nil {
		t.Error(err)
	}
}

func failingBody(t *testing.T, s objstore.Store) {
	broken := errors.New("source broke")
	for name, size := range map[string]int64{"small": 1000, "large": largeSize} {
		body := io.MultiReader(io.LimitReader(rand.NewChaCha8([32]byte{}), size), iotest.ErrReader(broken))
		err := s.Put(t.Context(), name, body)
		wantError(t, "put "+name, err, broken)
		wantError(t, "put "+name, err, objstore.ErrNotStored)
		wantAbsent(t, s, name)
	}
	wantKeys(t, s, "", "")
}

func largeObject(t *testing.T, s objstore.Store) {
	for _, size := range []int64{largeSize, largeSize + 1} {
		source, sent := rand.NewChaCha8([32]byte{1}), sha256.New()
		// The reader hides its size and gives odd pieces.
		body := iotest.HalfReader(io.TeeReader(io.LimitReader(source, size), sent))
		if err := s.Put(t.Context(), "large", body); err != nil {
			t.Fatal(err)
		}
		stored, err := s.Get(t.Context(), "large", 0, -1)
		if err != nil {
			t.Fatal(err)
		}
		received := sha256.New()
		n, err := io.Copy(received, stored)
		if err != nil || n != size {
			t.Errorf("read %d bytes, %v; want %d", n, err, size)
		}
		if !bytes.Equal(sent.Sum(nil), received.Sum(nil)) {
			t.Error("the object read is not the object put")
		}
		if err := stored.Close(); err != nil {
			t.Error(err)
		}
	}
	for info, err := range s.List(t.Context(), "large", "") {
		if err != nil || info.Size != largeSize+1 {
			t.Errorf("listed with size %d, %v", info.Size, err)
		}
	}
}

func deletes(t *testing.T, s objstore.Store) {
	put(t, s, "a/b", "x")
	put(t, s, "a/c", "x")
	for _, key := range []string{"a/b", "a/b", "a", "never", "none/such", "a/c/d"} {
		if err := s.Delete(t.Context(), key); err != nil {
			t.Error(err)
		}
	}
	wantAbsent(t, s, "a/b")
	wantKeys(t, s, "", "", "a/c")
	put(t, s, "a/b", "again")
	wantBody(t, s, "a/b", 0, -1, "again")
}

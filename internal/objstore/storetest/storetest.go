// Package storetest checks stores and breaks them.
//
// [Run] is the conformance suite of [objstore.Store]: what the contract promises, every implementation is asked for.
// [Faulty] wraps a store and fails the calls that a test chooses, before or after they took effect; it counts calls,
// so that a test can fail each call of a job in turn. See [Faulty] for the recipe.
package storetest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"launchlake/internal/objstore"
)

// Run asks a store for all that the contract promises. open returns an empty store; it is called for each subtest.
func Run(t *testing.T, open func(t *testing.T) objstore.Store) {
	for name, check := range map[string]func(*testing.T, objstore.Store){
		"a stored object is read whole":                    readsWhole,
		"a range yields what the object has of it":         readsRanges,
		"a missing object is missing and named":            missingIsNamed,
		"a key is used as it is":                           keysAsTheyAre,
		"what is no key is refused":                        refusesKeys,
		"put replaces an object":                           putReplaces,
		"a replaced object is seen whole by readers":       overwriteIsWhole,
		"a body that fails leaves no object":               failingBody,
		"a large object of unknown size arrives whole":     largeObject,
		"put if absent keeps the first object":             absentKeepsFirst,
		"of racing put if absent exactly one wins":         oneWinner,
		"a loser of put if absent reads the winner":        loserReads,
		"delete removes an object and may be repeated":     deletes,
		"a list is in byte order of whole keys":            listOrder,
		"a list holds what has the prefix and comes after": listRange,
		"a list names size and time":                       listInfo,
		"a list stops when it is told":                     listStops,
		"a long list comes whole and in order":             listLong,
		"a cancelled call says so":                         cancelled,
		"a part of a store is a store":                     subStore,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			check(t, open(t))
		})
	}
}

func put(t *testing.T, s objstore.Store, key, body string) {
	t.Helper()
	if err := s.Put(t.Context(), key, strings.NewReader(body)); err != nil {
		t.Fatal(err)
	}
}

// wantBody checks what a range of an object reads as.
func wantBody(t *testing.T, s objstore.Store, key string, offset, length int64, want string) {
	t.Helper()
	got, err := get(t.Context(), s, key, offset, length)
	if err != nil {
		t.Errorf("get %q from %d, %d bytes: %v", key, offset, length, err)
		return
	}
	if got != want {
		t.Errorf("get %q from %d, %d bytes: got %.60q, want %.60q", key, offset, length, got, want)
	}
}

func get(ctx context.Context, s objstore.Store, key string, offset, length int64) (string, error) {
	body, err := s.Get(ctx, key, offset, length)
	if err != nil {
		return "", err
	}
	var data bytes.Buffer
	if _, err := io.Copy(&data, body); err != nil {
		return "", err
	}
	return data.String(), body.Close()
}

func wantError(t *testing.T, what string, err, class error) {
	t.Helper()
	if !errors.Is(err, class) {
		t.Errorf("%s: got error %v, want one matching %q", what, err, class)
	}
}

func wantNoError(t *testing.T, what string, err, class error) {
	t.Helper()
	if errors.Is(err, class) {
		t.Errorf("%s: got error %v, which matches %q", what, err, class)
	}
}

func wantAbsent(t *testing.T, s objstore.Store, key string) {
	t.Helper()
	_, err := get(t.Context(), s, key, 0, -1)
	wantError(t, "get "+key, err, fs.ErrNotExist)
}

func keys(t *testing.T, s objstore.Store, prefix, after string) []string {
	t.Helper()
	found := []string{}
	for info, err := range s.List(t.Context(), prefix, after) {
		if err != nil {
			t.Fatalf("list %q after %q: %v", prefix, after, err)
		}
		found = append(found, info.Key)
	}
	return found
}

func wantKeys(t *testing.T, s objstore.Store, prefix, after string, want ...string) {
	t.Helper()
	slices.Sort(want)
	if diff := cmp.Diff(append([]string{}, want...), keys(t, s, prefix, after)); diff != "" {
		t.Errorf("list %q after %q (-want +got):\n%s", prefix, after, diff)
	}
}

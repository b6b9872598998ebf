package storetest

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sync/errgroup"

	"launchlake/internal/objstore"
)

// unevenKeys are keys whose order is not the order of a walk by folders.
var unevenKeys = []string{
	"a-b", "a/b", "a0", "a.b/c", "a/b-c", "a/b0", "a/c/d", "a/c.d", "a/c0", "a!/z", "a b/c", "B", "~", "é", "z/\u00ff", "z!", "z0/a",
}

func listOrder(t *testing.T, s objstore.Store) {
	want := slices.Clone(unevenKeys)
	for _, key := range want {
		put(t, s, key, key)
	}
	slices.Sort(want)
	wantKeys(t, s, "", "", want...)
	// Every key, and every beginning of one, as the place to start after.
	for _, key := range want {
		for cut := range len(key) + 1 {
			after := key[:cut]
			if !strings.HasPrefix(key, after) || strings.ToValidUTF8(after, "") != after {
				continue
			}
			rest := slices.DeleteFunc(slices.Clone(want), func(k string) bool { return k <= after })
			wantKeys(t, s, "", after, rest...)
			below := slices.DeleteFunc(slices.Clone(want), func(k string) bool { return !strings.HasPrefix(k, after) })
			wantKeys(t, s, after, "", below...)
		}
	}
}

func listRange(t *testing.T, s objstore.Store) {
	for _, key := range []string{"t/_delta_log/001", "t/_delta_log/002", "t/_delta_log/003", "t/d=1/x", "t/d=2/y", "t/z", "t2/q"} {
		put(t, s, key, "")
	}
	for _, c := range []struct {
		prefix, after string
		want          []string
	}{
		{"t/_delta_log/", "", []string{"t/_delta_log/001", "t/_delta_log/002", "t/_delta_log/003"}},
		{"t/_delta_log/", "t/_delta_log/001", []string{"t/_delta_log/002", "t/_delta_log/003"}},
		{"t/_delta_log/", "t/_delta_log/0015", []string{"t/_delta_log/002", "t/_delta_log/003"}},
		{"t/_delta_log/", "t/_delta_log/003", nil},
		{"t/_delta_log/", "u", nil},
		{"t/_delta_log/", "a", []string{"t/_delta_log/001", "t/_delta_log/002", "t/_delta_log/003"}},
		{"t/_delta_log/00", "t/_delta_log/002", []string{"t/_delta_log/003"}},
		{"t/_delta_log", "", []string{"t/_delta_log/001", "t/_delta_log/002", "t/_delta_log/003"}},
		{"t/d=", "", []string{"t/d=1/x", "t/d=2/y"}},
		{"t/d=", "t/d=1", []string{"t/d=1/x", "t/d=2/y"}},
		{"t/d=", "t/d=1/", []string{"t/d=1/x", "t/d=2/y"}},
		{"t/d=", "t/d=1/x", []string{"t/d=2/y"}},
		{"t/d=", "t/d=1/z", []string{"t/d=2/y"}},
		{"t", "t/d=2/y", []string{"t/z", "t2/q"}},
		{"t/z", "", []string{"t/z"}},
		{"t/z/", "", nil},
		{"none", "", nil},
		{"none/such/", "", nil},
		{"", "t/_delta_log/003", []string{"t/d=1/x", "t/d=2/y", "t/z", "t2/q"}},
		{"", "zz", nil},
	} {
		wantKeys(t, s, c.prefix, c.after, c.want...)
	}
}

func listInfo(t *testing.T, s objstore.Store) {
	before := time.Now().Add(-time.Minute)
	put(t, s, "a/five", "12345")
	put(t, s, "a/none", "")
	sizes := map[string]int64{}
	for info, err := range s.List(t.Context(), "a/", "") {
		if err != nil {
			t.Fatal(err)
		}
		sizes[info.Key] = info.Size
		if info.ModTime.Before(before) || info.ModTime.After(time.Now().Add(time.Minute)) {
			t.Errorf("%s: modified at %v, want about now", info.Key, info.ModTime)
		}
		if info.ModTime.Location() != time.UTC {
			t.Errorf("%s: modification time is in %v, want UTC", info.Key, info.ModTime.Location())
		}
	}
	if diff := cmp.Diff(map[string]int64{"a/five": 5, "a/none": 0}, sizes); diff != "" {
		t.Errorf("sizes (-want +got):\n%s", diff)
	}
}

func listStops(t *testing.T, s objstore.Store) {
	for _, key := range []string{"a/1", "a/2", "b/3", "c"} {
		put(t, s, key, "")
	}
	listing := s.List(t.Context(), "", "")
	for range 2 { // a listing may be run again
		var got []string
		for info, err := range listing {
			if err != nil {
				t.Fatal(err)
			}
			if got = append(got, info.Key); len(got) == 2 {
				break
			}
		}
		if diff := cmp.Diff([]string{"a/1", "a/2"}, got); diff != "" {
			t.Errorf("first two (-want +got):\n%s", diff)
		}
	}
}

// longList is more than one page of S3.
const longList = 1100

func listLong(t *testing.T, s objstore.Store) {
	var want []string
	var group errgroup.Group
	group.SetLimit(32)
	for i := range longList {
		key := fmt.Sprintf("d=%02d/part-%05d", i%7, i)
		want = append(want, key)
		group.Go(func() error { return s.Put(t.Context(), key, strings.NewReader("x")) })
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	slices.Sort(want)
	wantKeys(t, s, "", "", want...)
	wantKeys(t, s, "d=", want[20], want[21:]...)
}

func subStore(t *testing.T, s objstore.Store) {
	put(t, s, "outside", "")
	put(t, s, "silver/launches-old/x", "")
	part := objstore.Sub(objstore.Sub(s, "silver/"), "launches")
	put(t, part, "_delta_log/0", "zero")
	if err := create(t.Context(), part, "_delta_log/1", "one"); err != nil {
		t.Fatal(err)
	}
	wantKeys(t, part, "", "", "_delta_log/0", "_delta_log/1")
	wantKeys(t, part, "_delta_log/", "_delta_log/0", "_delta_log/1")
	wantKeys(t, part, "", "_z")
	wantBody(t, part, "_delta_log/1", 1, 1, "n")
	wantBody(t, s, "silver/launches/_delta_log/0", 0, -1, "zero")
	if err := part.Delete(t.Context(), "_delta_log/0"); err != nil {
		t.Fatal(err)
	}
	wantAbsent(t, s, "silver/launches/_delta_log/0")
	wantKeys(t, s, "silver/", "", "silver/launches-old/x", "silver/launches/_delta_log/1")
	if objstore.Sub(s, "/") != s {
		t.Error("a part without a prefix is not the store itself")
	}
}

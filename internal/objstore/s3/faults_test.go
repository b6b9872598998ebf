package s3_test

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"launchlake/internal/miniotest"
	"launchlake/internal/objstore"
)

// classes are what callers branch on.
var classes = map[string]error{
	"exist": fs.ErrExist, "not exist": fs.ErrNotExist, "not stored": objstore.ErrNotStored,
	"denied": objstore.ErrDenied, "unavailable": objstore.ErrUnavailable,
}

// wantClasses checks that an error matches the named classes and no other.
func wantClasses(t *testing.T, err error, want ...string) {
	t.Helper()
	for name, class := range classes {
		wanted := false
		for _, w := range want {
			wanted = wanted || w == name
		}
		if errors.Is(err, class) != wanted {
			t.Errorf("error %v: matches %q: %v, want %v", err, name, !wanted, wanted)
		}
	}
}

func TestAConditionalPutThatFailsIsClassedAndNotRepeated(t *testing.T) {
	bucket, options := newBucket(t)
	for name, c := range map[string]struct {
		fault  miniotest.Fault
		want   []string
		stored bool
	}{
		"the reply is lost":     {miniotest.DropReply, []string{"unavailable"}, true},
		"the request is lost":   {miniotest.DropRequest, []string{"unavailable"}, false},
		"the reply is late":     {miniotest.TooLate, []string{"unavailable"}, true},
		"the store is busy":     {miniotest.Answer(503, "SlowDown"), []string{"unavailable"}, false},
		"the store breaks":      {miniotest.Answer(500, "InternalError"), []string{"unavailable"}, false},
		"another put under way": {miniotest.Answer(409, "ConditionalRequestConflict"), nil, false},
		"the object exists":     {miniotest.Answer(412, "PreconditionFailed"), []string{"exist"}, false},
		"access is denied":      {miniotest.Answer(403, "AccessDenied"), []string{"denied", "not stored"}, false},
		"the token is old":      {miniotest.Answer(400, "ExpiredToken"), []string{"denied", "not stored"}, false},
		"the clock is wrong":    {miniotest.AnswerSkewed(0), []string{"unavailable", "not stored"}, false},
		"no such bucket":        {miniotest.Answer(404, "NoSuchBucket"), []string{"unavailable", "not stored"}, false},
		"the bucket is far":     {miniotest.Answer(301, "PermanentRedirect"), []string{"unavailable", "not stored"}, false},
		"no conditions":         {miniotest.Answer(501, "NotImplemented"), []string{"not stored"}, false},
		"a bad request":         {miniotest.Answer(400, "EntityTooLarge"), []string{"not stored"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			proxy := newProxy(t, options.Endpoint, "PUT ", c.fault)
			key := strings.ReplaceAll(name, " ", "-")
			err := open(t, bucket, "", proxy.options()).PutIfAbsent(t.Context(), key, []byte("body"))
			wantClasses(t, err, c.want...)
			if n := proxy.Count("PUT "); n != 1 {
				t.Errorf("sent %d times, want once", n)
			}
			_, err = objstore.ReadAll(t.Context(), open(t, bucket, "", options), key)
			if stored := err == nil; stored != c.stored {
				t.Errorf("stored: %v (%v), want %v", stored, err, c.stored)
			}
		})
	}
}

func TestACallThatMayBeRepeatedIsRepeated(t *testing.T) {
	bucket, options := newBucket(t)
	faults := map[string]struct {
		fault miniotest.Fault
		sent  int
	}{
		"the reply is lost":   {miniotest.DropReply, 2},
		"the request is lost": {miniotest.DropRequest, 2},
		"the reply is late":   {miniotest.TooLate, 2},
		"the store is busy":   {miniotest.Answer(503, "SlowDown"), 2},
		"the store breaks":    {miniotest.Answer(500, "InternalError"), 2},
		// The second request is signed by the clock of the answer, and MinIO itself refuses that.
		"the clock is wrong": {miniotest.AnswerSkewed(time.Hour), 3},
		// Nobody knows then whether it was a denial.
		"a refusal breaks off": {halfRefusal, 2},
	}
	calls := map[string]struct {
		spoils string
		call   func(context.Context, objstore.Store) error
	}{
		"get": {"GET /" + bucket + "/old", func(ctx context.Context, s objstore.Store) error {
			body, err := objstore.ReadAll(ctx, s, "old")
			if err == nil && string(body) != "old body" {
				err = errors.New("read " + string(body))
			}
			return err
		}},
		"put": {"PUT ", func(ctx context.Context, s objstore.Store) error {
			return s.Put(ctx, "new", strings.NewReader("new body"))
		}},
		"list": {"list-type", func(ctx context.Context, s objstore.Store) (err error) {
			for _, listErr := range s.List(ctx, "old", "") {
				err = listErr
			}
			return err
		}},
		"delete": {"DELETE ", func(ctx context.Context, s objstore.Store) error { return s.Delete(ctx, "gone") }},
	}
	if err := open(t, bucket, "", options).Put(t.Context(), "old", strings.NewReader("old body")); err != nil {
		t.Fatal(err)
	}
	for name, fault := range faults {
		for op, c := range calls {
			t.Run(op+" when "+name, func(t *testing.T) {
				t.Parallel()
				proxy := newProxy(t, options.Endpoint, c.spoils, fault.fault, miniotest.Pass)
				if err := c.call(t.Context(), open(t, bucket, "", proxy.options())); err != nil {
					t.Error(err)
				}
				if n := proxy.Count(c.spoils); n != fault.sent {
					t.Errorf("sent %d times, want %d", n, fault.sent)
				}
			})
		}
	}
}

// halfRefusal cuts the connection before the refusal has said its reason.
func halfRefusal(w http.ResponseWriter, r *http.Request, _ http.Handler) {
	miniotest.HalveBody(w, r, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		miniotest.Answer(http.StatusForbidden, "AccessDenied")(w, r, nil)
	}))
}

func TestABodyThatBreaksIsReadOnFromThere(t *testing.T) {
	bucket, options := newBucket(t)
	const size = 3 << 20
	data := make([]byte, size)
	if _, err := rand.NewChaCha8([32]byte{7}).Read(data); err != nil {
		t.Fatal(err)
	}
	if err := open(t, bucket, "", options).Put(t.Context(), "k", strings.NewReader(string(data))); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		offset, length int64
		faults         []miniotest.Fault
	}{
		"cut once":                    {0, -1, []miniotest.Fault{miniotest.CutBody(1 << 20), miniotest.Pass}},
		"cut twice":                   {0, -1, []miniotest.Fault{miniotest.CutBody(1 << 20), miniotest.CutBody(1 << 20), miniotest.Pass}},
		"cut before the first byte":   {0, -1, []miniotest.Fault{miniotest.CutBody(0), miniotest.Pass}},
		"cut within a range":          {1000, 2 << 20, []miniotest.Fault{miniotest.CutBody(1 << 20), miniotest.Pass}},
		"cut within a range to end":   {1000, -1, []miniotest.Fault{miniotest.CutBody(1 << 20), miniotest.Pass}},
		"stalled":                     {0, -1, []miniotest.Fault{miniotest.StallBody(1 << 20), miniotest.Pass}},
		"cut, then busy":              {0, -1, []miniotest.Fault{miniotest.CutBody(1 << 20), miniotest.Answer(503, "SlowDown"), miniotest.Pass}},
		"cut often, with some bytes":  {0, 10_000, []miniotest.Fault{miniotest.CutBody(1000), miniotest.CutBody(1000), miniotest.CutBody(1000), miniotest.CutBody(1000), miniotest.CutBody(1000), miniotest.CutBody(1000), miniotest.Pass}},
		"cut at the last byte wanted": {0, 1 << 20, []miniotest.Fault{miniotest.CutBody(1<<20 - 1), miniotest.Pass}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			proxy := newProxy(t, options.Endpoint, "GET ", c.faults...)
			body, err := open(t, bucket, "", proxy.options()).Get(t.Context(), "k", c.offset, c.length)
			if err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(body)
			want := data[c.offset:]
			if c.length >= 0 {
				want = want[:c.length]
			}
			if err != nil || string(got) != string(want) {
				t.Errorf("read %d bytes, %v; want %d bytes as stored", len(got), err, len(want))
			}
			if err := body.Close(); err != nil {
				t.Error(err)
			}
			if n := proxy.Count("GET "); n != len(c.faults) {
				t.Errorf("%d requests, want %d", n, len(c.faults))
			}
		})
	}
}

func TestABodyIsNotReadOnForeverNorFromAnotherObject(t *testing.T) {
	bucket, options := newBucket(t)
	direct := open(t, bucket, "", options)
	put := func(key, body string) {
		if err := direct.Put(t.Context(), key, strings.NewReader(body)); err != nil {
			t.Fatal(err)
		}
	}
	put("k", strings.Repeat("a", 100_000))
	proxy := newProxy(t, options.Endpoint, "GET ", miniotest.CutBody(50_000), miniotest.CutBody(0))
	_, err := objstore.ReadAll(t.Context(), open(t, bucket, "", proxy.options()), "k")
	wantClasses(t, err, "unavailable")

	replace := func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		put("k", strings.Repeat("b", 100_000))
		next.ServeHTTP(w, r)
	}
	proxy = newProxy(t, options.Endpoint, "GET ", miniotest.CutBody(50_000), replace)
	body, err := open(t, bucket, "", proxy.options()).Get(t.Context(), "k", 0, -1)
	if err != nil {
		t.Fatal(err)
	}
	if _, err = io.ReadAll(body); !errors.Is(err, objstore.ErrReplaced) {
		t.Errorf("read of a replaced object: got error %v", err)
	}
	if err := body.Close(); err != nil {
		t.Error(err)
	}
	put("k", strings.Repeat("a", 100_000))
	proxy = newProxy(t, options.Endpoint, "GET ", miniotest.CutBody(50_000), replace, miniotest.Pass)
	whole, err := objstore.ReadAll(t.Context(), open(t, bucket, "", proxy.options()), "k")
	if err != nil || string(whole) != strings.Repeat("b", 100_000) {
		t.Errorf("read %d bytes, %v, want the new object", len(whole), err)
	}
}

const parts = 3

func large() io.Reader { return io.LimitReader(rand.NewChaCha8([32]byte{}), parts*8<<20-1) }

func TestAnUploadInPartsThatFailsLeavesNothing(t *testing.T) {
	bucket, options := newBucket(t)
	for name, c := range map[string]struct {
		spoils string
		faults []miniotest.Fault
		want   []string
		stored bool
	}{
		"a part is refused":      {"partNumber=2", []miniotest.Fault{miniotest.Answer(403, "AccessDenied")}, []string{"denied", "not stored"}, false},
		"the begin is refused":   {"POST /" + bucket + "/large?uploads", []miniotest.Fault{miniotest.Answer(403, "AccessDenied")}, []string{"denied", "not stored"}, false},
		"the end is refused":     {"POST /" + bucket + "/large?uploadId", []miniotest.Fault{miniotest.Answer(403, "AccessDenied")}, []string{"denied"}, false},
		"the end's reply is cut": {"POST /" + bucket + "/large?uploadId", []miniotest.Fault{miniotest.DropReply, miniotest.Pass}, nil, true},
	} {
		t.Run(name, func(t *testing.T) {
			proxy := newProxy(t, options.Endpoint, c.spoils, c.faults...)
			spoilt := proxy.options()
			spoilt.ReplyTimeout = time.Minute
			err := open(t, bucket, "", spoilt).Put(t.Context(), "large", large())
			if c.stored {
				// The repeated call finds no upload any more. Nobody may be told that nothing was stored.
				if errors.Is(err, objstore.ErrNotStored) {
					t.Errorf("error %v matches ErrNotStored", err)
				}
			} else {
				wantClasses(t, err, c.want...)
			}
			wantStored(t, open(t, bucket, "", options), "large", c.stored)
			if begun := strings.Contains(c.spoils, "uploads"); !begun && proxy.Count("DELETE ") == 0 && err != nil {
				t.Error("the upload was not aborted")
			}
		})
	}
}

func wantStored(t *testing.T, s objstore.Store, key string, want bool) {
	t.Helper()
	stored := false
	for info, err := range s.List(t.Context(), key, "") {
		if err != nil {
			t.Fatal(err)
		}
		stored = stored || info.Key == key
	}
	if stored != want {
		t.Errorf("%s is stored: %v, want %v", key, stored, want)
	}
	if err := s.Delete(t.Context(), key); err != nil {
		t.Error(err)
	}
}

func TestAnUploadThatIsCancelledLeavesNothing(t *testing.T) {
	bucket, options := newBucket(t)
	ctx, cancel := context.WithCancel(t.Context())
	// Cancelled between parts, with none on its way: the upload must not be completed with what there is.
	proxy := newProxy(t, options.Endpoint, "partNumber=1", func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		next.ServeHTTP(w, r)
		cancel()
	})
	err := open(t, bucket, "", proxy.options()).Put(ctx, "large", large())
	if !errors.Is(err, context.Canceled) || !errors.Is(err, objstore.ErrNotStored) {
		t.Errorf("got error %v", err)
	}
	wantStored(t, open(t, bucket, "", options), "large", false)
	if proxy.Count("DELETE ") == 0 {
		t.Error("the upload was not aborted")
	}
}

func TestABodyIsReadNoFasterThanItIsSent(t *testing.T) {
	bucket, options := newBucket(t)
	proxy := newProxy(t, options.Endpoint, "partNumber", func(_ http.ResponseWriter, r *http.Request, _ http.Handler) {
		_, _ = io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
	})
	ctx, cancel := context.WithCancel(t.Context())
	blocked := proxy.options()
	blocked.ReplyTimeout = time.Minute
	store := open(t, bucket, "", blocked)
	var read atomic.Int64
	done := make(chan error, 1)
	go func() { done <- store.Put(ctx, "endless", countingReader{&read}) }()
	for last := int64(-1); read.Load() != last || last == 0; time.Sleep(500 * time.Millisecond) {
		last = read.Load()
	}
	if limit := int64(6 * 8 << 20); read.Load() > limit {
		t.Errorf("%d bytes were read while no part got through, want at most %d", read.Load(), limit)
	}
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

type countingReader struct{ n *atomic.Int64 }

func (r countingReader) Read(p []byte) (int, error) {
	r.n.Add(int64(len(p)))
	return len(p), nil
}

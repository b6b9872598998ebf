package s3_test

import (
	"testing"
	"time"

	"launchlake/internal/miniotest"
	"launchlake/internal/objstore/s3"
)

// proxy stands before MinIO and spoils what passes.
type proxy struct{ *miniotest.Proxy }

// newProxy spoils the requests whose line, such as "PUT /bucket/key", contains a text.
func newProxy(t *testing.T, endpoint, spoils string, faults ...miniotest.Fault) proxy {
	t.Helper()
	return proxy{miniotest.NewProxy(t, endpoint, miniotest.InTurn(spoils, faults...))}
}

func (p proxy) options() s3.Options {
	return s3.Options{Endpoint: p.URL(), PathStyle: true, ReplyTimeout: replyTimeout}
}

// replyTimeout is short, for the tests whose store answers nothing, and long beside what a request takes.
const replyTimeout = 5 * time.Second

package s3_test

import (
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"launchlake/internal/miniotest"
	"launchlake/internal/objstore"
	"launchlake/internal/objstore/s3"
	"launchlake/internal/objstore/storetest"
)

func TestS3KeepsTheContractOnMinIO(t *testing.T) {
	bucket, options := newBucket(t)
	storetest.Run(t, func(t *testing.T) objstore.Store {
		return open(t, bucket, strings.ReplaceAll(t.Name(), "/", "_"), options)
	})
}

var setCredentials sync.Once

// newBucket makes a bucket on MinIO. Its credentials, one pair for all, go to the environment of the whole process:
// t.Setenv is not for tests that run in parallel.
func newBucket(t *testing.T) (string, s3.Options) {
	t.Helper()
	env, url := miniotest.Bucket(t)
	setCredentials.Do(func() {
		for name, value := range env {
			if strings.HasPrefix(name, "AWS_") {
				if err := os.Setenv(name, value); err != nil {
					t.Fatal(err)
				}
			}
		}
	})
	return strings.TrimPrefix(url, "s3://"), s3.Options{Endpoint: env["S3_ENDPOINT"], PathStyle: true}
}

func open(t *testing.T, bucket, prefix string, options s3.Options) *s3.Store {
	t.Helper()
	store, err := s3.Open(t.Context(), bucket, prefix, options)
	if err != nil {
		t.Fatal(err)
	}
	return store
}

// Through weather the store keeps the contract too: what may be repeated is repeated, and of the rest the caller is told.
func TestS3KeepsTheContractThroughBadWeather(t *testing.T) {
	bucket, options := newBucket(t)
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	proxy := proxy{miniotest.NewProxy(t, options.Endpoint, miniotest.Weather{Seed: seed, OneIn: 50}.Plan())}
	storetest.Run(t, func(t *testing.T) objstore.Store {
		return open(t, bucket, strings.ReplaceAll(t.Name(), "/", "_"), proxy.options())
	})
}

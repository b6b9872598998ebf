package miniotest

import (
	"strings"
	"testing"
)

func TestEachTestGetsABucketOfItsOwnOnOneServer(t *testing.T) {
	env, first := Bucket(t)
	again, second := Bucket(t)
	if first == second || !strings.HasPrefix(first, "s3://") {
		t.Errorf("buckets %s and %s", first, second)
	}
	if env["S3_ENDPOINT"] != again["S3_ENDPOINT"] || env["AWS_SECRET_ACCESS_KEY"] != again["AWS_SECRET_ACCESS_KEY"] {
		t.Error("the second bucket is on another server")
	}
}

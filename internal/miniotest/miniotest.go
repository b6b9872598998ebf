// Package miniotest gives tests a bucket on a real MinIO.
//
// The server is started at the first call of [Bucket] in a test process and ends with the process, however that ends.
// Where a Docker engine answers it is a container of the image that deploy/minio makes, else a process of the same
// program, built once into the user's cache folder. The first build takes minutes; either is kept.
//
// A [Proxy] stands before MinIO and spoils what passes: each [Fault] is one way, a [Plan] chooses, [Weather] at random.
//
// LAKE_TEST_MINIO=container or =process takes one way and not the other. A test that can have neither is skipped,
// unless LAKE_TEST_REQUIRE, a list with commas, names "minio"; "docker" in it makes the want of an engine fatal.
package miniotest

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

const region = "us-east-1"

// server is a running MinIO.
type server struct {
	endpoint       string
	user, password string
}

// Bucket returns the URL of a new bucket, and the environment that tasks need to reach it: AWS's variables,
// S3_ENDPOINT and S3_PATH_STYLE. The environment is the same for all buckets of a test process.
func Bucket(t testing.TB) (env map[string]string, url string) {
	t.Helper()
	switch _, err := start(); {
	case err == nil:
	case required("minio"), required("docker"):
		t.Fatalf("LAKE_TEST_REQUIRE=%s, and MinIO does not run: %v", os.Getenv("LAKE_TEST_REQUIRE"), err)
	default:
		t.Skipf("needs MinIO: %v", err)
	}
	env, url, err := NewBucket(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return env, url
}

// NewBucket is Bucket for programs that are no tests, such as measurements.
func NewBucket(ctx context.Context) (env map[string]string, url string, err error) {
	s, err := start()
	if err != nil {
		return nil, "", fmt.Errorf("start MinIO: %w", err)
	}
	bucket := "test-" + strings.ToLower(rand.Text())
	if err := s.makeBucket(ctx, bucket); err != nil {
		return nil, "", fmt.Errorf("make bucket %s on MinIO: %w", bucket, err)
	}
	return s.env(), "s3://" + bucket, nil
}

func required(what string) bool {
	return slices.Contains(strings.Split(os.Getenv("LAKE_TEST_REQUIRE"), ","), what)
}

// start starts the server once a process, in the first way that works.
var start = sync.OnceValues(func() (*server, error) {
	s := &server{user: rand.Text(), password: rand.Text()}
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	way := os.Getenv("LAKE_TEST_MINIO")
	if way != "process" {
		noEngine := engineAnswers(ctx)
		switch {
		case noEngine == nil:
			return s, s.startContainer(ctx)
		case way == "container", required("docker"):
			return nil, fmt.Errorf("no Docker engine answers: %w", noEngine)
		}
	}
	return s, s.startProcess(ctx)
})

// startTimeout has room for the first build, which go test's own limit of ten minutes bounds as well.
const startTimeout = 9 * time.Minute

func (s *server) env() map[string]string {
	return map[string]string{
		"AWS_ACCESS_KEY_ID":     s.user,
		"AWS_SECRET_ACCESS_KEY": s.password,
		"AWS_REGION":            region,
		"S3_ENDPOINT":           s.endpoint,
		"S3_PATH_STYLE":         "true",
	}
}

func (s *server) makeBucket(ctx context.Context, bucket string) error {
	client := s3.New(s3.Options{
		BaseEndpoint: &s.endpoint,
		UsePathStyle: true,
		Region:       region,
		Credentials:  credentials.NewStaticCredentialsProvider(s.user, s.password, ""),
	})
	_, err := client.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: aws.String(bucket)})
	return err
}

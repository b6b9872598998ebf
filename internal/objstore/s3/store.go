// Package s3 keeps objects in an S3 bucket, of AWS or of another store that speaks its protocol.
//
// A [Store] is a bucket and a prefix in it. Objects are created by a conditional put (If-None-Match: *), which the
// store must honour; large objects are sent in parts. Credentials, region and the like come from AWS's own
// environment, files and roles.
//
// Calls that may be repeated are repeated when the store is busy or the line breaks; a conditional put never is: its
// second try would meet the object of its first. A body that is cut while it is read is asked for again from where it
// broke. Nothing here makes buckets. A process that is killed while it sends parts leaves them in the bucket, outside
// listings; a lifecycle rule on incomplete multipart uploads removes them.
package s3

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"launchlake/internal/objstore"
)

// Options say how a store is reached. The zero value is AWS.
type Options struct {
	// Endpoint is the URL of a store that is not AWS, such as http://127.0.0.1:9000.
	Endpoint string
	// PathStyle puts the bucket into the path of URLs and not into the host's name.
	PathStyle bool
	// ReplyTimeout bounds the wait for the store's answer, and for the next byte of a body. 0: 30 seconds.
	ReplyTimeout time.Duration
}

const defaultReplyTimeout = 30 * time.Second

// Store is a prefix of a bucket. It implements [objstore.Store].
type Store struct {
	client       *s3.Client
	bucket       string
	prefix       string // "" or ends with a slash
	endpoint     string // "" for AWS
	replyTimeout time.Duration
}

var _ objstore.Store = (*Store)(nil)

// Open returns the store of a bucket's prefix. It finds the credentials, which can ask a metadata service, and does
// not call the store. The error matches [objstore.ErrDenied] when there are no credentials.
func Open(ctx context.Context, bucket, prefix string, o Options) (*Store, error) {
	s := &Store{bucket: bucket, endpoint: o.Endpoint, replyTimeout: o.ReplyTimeout}
	if s.replyTimeout <= 0 {
		s.replyTimeout = defaultReplyTimeout
	}
	if prefix = strings.Trim(prefix, "/"); prefix != "" {
		s.prefix = prefix + "/"
	}
	if s.endpoint == "" {
		s.endpoint = endpointOfEnvironment()
	}
	if err := s.check(); err != nil {
		return nil, err
	}
	client, err := newClient(ctx, s, o.PathStyle)
	if err != nil {
		return nil, err
	}
	s.client = client
	return s, nil
}

// String returns the store's URL, and its endpoint where that is not AWS.
func (s *Store) String() string {
	return s.at("")
}

// check finds what is wrong without a call.
func (s *Store) check() error {
	if s.bucket == "" || strings.Contains(s.bucket, "/") {
		return fmt.Errorf("open bucket %q: not the name of a bucket", s.bucket)
	}
	if s.prefix != "" {
		if err := objstore.CheckKey(strings.TrimSuffix(s.prefix, "/")); err != nil {
			return fmt.Errorf("open bucket %s: prefix: %w", s.bucket, err)
		}
	}
	return checkEndpoint(s.endpoint)
}

func checkEndpoint(endpoint string) error {
	if endpoint == "" {
		return nil
	}
	u, err := url.Parse(endpoint)
	switch {
	case err != nil:
		return errors.New("the S3 endpoint is not a URL such as http://127.0.0.1:9000")
	case u.User != nil:
		return errors.New("the S3 endpoint holds a user or password: credentials belong into AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY")
	case u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
		return fmt.Errorf("the S3 endpoint %q is not a URL such as http://127.0.0.1:9000", endpoint)
	}
	return nil
}

// endpointOfEnvironment returns the endpoint that the SDK takes from AWS's variables by itself.
func endpointOfEnvironment() string {
	if os.Getenv("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS") == "true" {
		return ""
	}
	if endpoint := os.Getenv("AWS_ENDPOINT_URL_S3"); endpoint != "" {
		return endpoint
	}
	return os.Getenv("AWS_ENDPOINT_URL")
}

// at names a key in errors.
func (s *Store) at(key string) string {
	where := "s3://" + s.bucket + "/" + s.prefix + key
	if s.endpoint != "" {
		where += " at " + s.endpoint
	}
	return where
}

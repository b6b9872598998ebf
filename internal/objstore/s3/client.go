package s3

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/feature/ec2/imds"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go/logging"
)

const (
	dialTimeout = 5 * time.Second
	tlsTimeout  = 10 * time.Second
	// Enough for the files of a table that are fetched side by side.
	idleConnections = 64
	// credentialsTimeout bounds the search for credentials; a metadata service that is not there takes a few seconds.
	credentialsTimeout = 20 * time.Second
	regionOfOthers     = "us-east-1" // what stores that have no regions expect in signatures
)

// newClient resolves AWS's configuration and makes the client of a store.
func newClient(ctx context.Context, s *Store, pathStyle bool) (*s3.Client, error) {
	cfg, err := config.LoadDefaultConfig(ctx, s.configOptions()...)
	if err != nil {
		return nil, fmt.Errorf("open %s: read the AWS configuration: %w", s, err)
	}
	if cfg.Region == "" {
		return nil, fmt.Errorf("open %s: no region: set AWS_REGION, or S3_ENDPOINT for a store that is not AWS", s)
	}
	if cfg.RetryMaxAttempts == 0 {
		cfg.RetryMaxAttempts = maxAttempts
	}
	cfg.Retryer = func() aws.Retryer { return newPatience(cfg.RetryMaxAttempts) }
	cfg.Credentials = namedCredentials{cfg.Credentials}
	if err := s.checkCredentials(ctx, cfg.Credentials); err != nil {
		return nil, err
	}
	return s3.NewFromConfig(cfg, func(o *s3.Options) {
		o.UsePathStyle = pathStyle
		if s.endpoint != "" {
			o.BaseEndpoint = aws.String(s.endpoint)
		}
		// The sums of objects sent in parts cannot be checked by a reader of the whole.
		o.DisableLogOutputChecksumValidationSkipped = true
	}), nil
}

func (s *Store) configOptions() []func(*config.LoadOptions) error {
	options := []func(*config.LoadOptions) error{
		config.WithHTTPClient(s.httpClient()),
		config.WithLogger(logging.Nop{}),
	}
	if s.endpoint != "" {
		// No cloud metadata service hands out the credentials of a store that is not AWS.
		return append(options, config.WithDefaultRegion(regionOfOthers), config.WithEC2IMDSClientEnableState(imds.ClientDisabled))
	}
	return options
}

// httpClient has a timeout on every step but none on a body as a whole, whose size is not known.
func (s *Store) httpClient() *awshttp.BuildableClient {
	return awshttp.NewBuildableClient().
		WithDialerOptions(func(d *net.Dialer) { d.Timeout = dialTimeout }).
		WithTransportOptions(func(t *http.Transport) {
			t.TLSHandshakeTimeout = tlsTimeout
			t.ResponseHeaderTimeout = s.replyTimeout
			t.MaxIdleConns = 2 * idleConnections
			t.MaxIdleConnsPerHost = idleConnections
		})
}

var errNoCredentials = errors.New("no credentials found")

// namedCredentials marks the errors of a search for credentials, which the SDK does not tell from others.
type namedCredentials struct{ aws.CredentialsProvider }

func (c namedCredentials) Retrieve(ctx context.Context) (aws.Credentials, error) {
	found, err := c.CredentialsProvider.Retrieve(ctx)
	if err != nil {
		return found, fmt.Errorf("%w: %w", errNoCredentials, err)
	}
	return found, nil
}

// checkCredentials asks for the credentials now: the first call would do so, deep in a run.
func (s *Store) checkCredentials(ctx context.Context, credentials aws.CredentialsProvider) error {
	limited, cancel := context.WithTimeout(ctx, credentialsTimeout)
	defer cancel()
	if _, err := credentials.Retrieve(limited); err != nil {
		return s.callError(ctx, "open", "", err)
	}
	return nil
}

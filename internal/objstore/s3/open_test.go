package s3_test

import (
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"launchlake/internal/objstore"
	"launchlake/internal/objstore/s3"
)

func TestAStoreThatCannotBeUsedSaysWhyAndWhatToDo(t *testing.T) {
	bucket, options := newBucket(t)
	secret := os.Getenv("AWS_SECRET_ACCESS_KEY")
	elsewhere := options
	elsewhere.Endpoint = "http://" + closedAddress(t)
	for name, c := range map[string]struct {
		env     map[string]string
		bucket  string
		options s3.Options
		want    []string
		says    []string
	}{
		"no such bucket": {nil, "no-such-bucket", options, []string{"unavailable"}, []string{"no-such-bucket", options.Endpoint, "make the bucket"}},
		"nobody listens": {nil, bucket, elsewhere, []string{"unavailable"}, []string{bucket, elsewhere.Endpoint, "refused", "endpoint"}},
		"unknown key":    {map[string]string{"AWS_ACCESS_KEY_ID": "NOBODY"}, bucket, options, []string{"denied"}, []string{"InvalidAccessKeyId", "AWS_ACCESS_KEY_ID"}},
		"wrong secret":   {map[string]string{"AWS_SECRET_ACCESS_KEY": "wrong"}, bucket, options, []string{"denied"}, []string{"SignatureDoesNotMatch", "AWS_SECRET_ACCESS_KEY"}},
	} {
		t.Run(name, func(t *testing.T) {
			for variable, value := range c.env {
				t.Setenv(variable, value)
			}
			t.Setenv("AWS_MAX_ATTEMPTS", "2")
			store := open(t, c.bucket, "lake", c.options)
			_, getErr := store.Get(t.Context(), "k", 0, -1)
			var listErr error
			for _, err := range store.List(t.Context(), "", "") {
				listErr = err
			}
			for op, err := range map[string]error{"get": getErr, "list": listErr, "put": store.Put(t.Context(), "k", strings.NewReader("x")), "put if absent": store.PutIfAbsent(t.Context(), "k", nil)} {
				want := c.want
				if strings.HasPrefix(op, "put") {
					want = append([]string{"not stored"}, want...)
				}
				wantClasses(t, err, want...)
				wantSays(t, err, append(c.says, op)...)
				if err != nil && (strings.Contains(err.Error(), secret) || strings.ContainsRune(err.Error(), '\n')) {
					t.Errorf("the error holds a secret or more than a line: %v", err)
				}
			}
		})
	}
}

func wantSays(t *testing.T, err error, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if err == nil || !strings.Contains(err.Error(), text) {
			t.Errorf("error %v does not say %q", err, text)
		}
	}
}

func closedAddress(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	return listener.Addr().String()
}

// noCredentials hides those of the machine.
func noCredentials(t *testing.T) {
	t.Helper()
	for _, variable := range []string{
		"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3",
		"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_REGION", "AWS_DEFAULT_REGION",
	} {
		t.Setenv(variable, "")
	}
	t.Setenv("AWS_CONFIG_FILE", t.TempDir()+"/config")
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", t.TempDir()+"/credentials")
}

func TestWithoutCredentialsOpenIsDeniedSoon(t *testing.T) {
	noCredentials(t)
	silent, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = silent.Close() })
	t.Setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://"+silent.Addr().String())
	for _, c := range []struct {
		name, region string
		options      s3.Options
		asks         bool // the metadata service
	}{
		{"a store that is not AWS", "", s3.Options{Endpoint: "http://127.0.0.1:9"}, false},
		{"AWS, and a metadata service is silent", "eu-central-1", s3.Options{}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Setenv("AWS_REGION", c.region)
			begin := time.Now()
			_, err := s3.Open(t.Context(), "lake", "", c.options)
			wantClasses(t, err, "denied")
			wantSays(t, err, "s3://lake/", "no credentials", "AWS_ACCESS_KEY_ID")
			if took := time.Since(begin); took > time.Minute {
				t.Errorf("took %v", took)
			}
			if asked := hasCaller(t, silent); asked != c.asks {
				t.Errorf("the metadata service was asked: %v, want %v", asked, c.asks)
			}
		})
	}
}

// hasCaller says whether somebody has connected.
func hasCaller(t *testing.T, listener *net.TCPListener) bool {
	t.Helper()
	if err := listener.SetDeadline(time.Now().Add(10 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	connection, err := listener.Accept()
	if err != nil {
		return false
	}
	_ = connection.Close()
	return true
}

func TestOpenRefusesWhatCannotBeAStore(t *testing.T) {
	noCredentials(t)
	for name, c := range map[string]struct {
		bucket, prefix, endpoint, says string
	}{
		"no bucket":                  {"", "", "", "bucket"},
		"a path for a bucket":        {"a/b", "", "", "a/b"},
		"a prefix that goes up":      {"b", "../x", "", "prefix"},
		"an endpoint without scheme": {"b", "", "localhost:9000", "http://127.0.0.1:9000"},
		"an endpoint with a secret":  {"b", "", "http://user:hush@host:9000", "AWS_SECRET_ACCESS_KEY"},
		"an endpoint that is no URL": {"b", "", "http://us er:hush@:/%zz", "not a URL"},
		"no region":                  {"b", "", "", "AWS_REGION"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := s3.Open(t.Context(), c.bucket, c.prefix, s3.Options{Endpoint: c.endpoint})
			wantSays(t, err, c.says)
			if err != nil && strings.Contains(err.Error(), "hush") {
				t.Errorf("the error holds the secret: %v", err)
			}
		})
	}
}

func TestTwoPrefixesOfABucketAreTwoStores(t *testing.T) {
	bucket, options := newBucket(t)
	var one, other objstore.Store = open(t, bucket, "/lake/one/", options), open(t, bucket, "lake/one-more", options)
	if err := one.Put(t.Context(), "k", strings.NewReader("one")); err != nil {
		t.Fatal(err)
	}
	for info, err := range other.List(t.Context(), "", "") {
		t.Errorf("listed %v, %v", info, err)
	}
	body, err := objstore.ReadAll(t.Context(), open(t, bucket, "", options), "lake/one/k")
	if err != nil || string(body) != "one" {
		t.Errorf("read %q, %v", body, err)
	}
}

package lake

import (
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
)

// What callers branch on.
var (
	// ErrBadURL: the lake's URL, or the S3 endpoint's, cannot be meant.
	ErrBadURL = errors.New("bad URL")
	// ErrBadEndpoint: the S3 endpoint is wrong; such an error matches ErrBadURL too.
	ErrBadEndpoint = fmt.Errorf("endpoint: %w", ErrBadURL)
	// ErrUnsafeStore: the store breaks the promises that commits rely on.
	ErrUnsafeStore = errors.New("store not safe for Delta tables")
)

// urlError is a message of its own that matches a sentinel, whose text would add nothing.
type urlError struct {
	text string
	kind error
}

func (e *urlError) Error() string { return e.text }
func (e *urlError) Unwrap() error { return e.kind }

func badURL(format string, args ...any) error {
	return &urlError{fmt.Sprintf(format, args...), ErrBadURL}
}

// location is what a lake's URL says: a folder, or a bucket and a prefix.
type location struct {
	folder         string // absolute; "" for S3
	bucket, prefix string
}

const wanted = "write file:///folder, ./folder or s3://bucket/prefix"

func parseURL(raw string) (location, error) {
	switch {
	case raw == "":
		return location{}, badURL("the lake's URL is empty: %s", wanted)
	case strings.ContainsFunc(raw, func(r rune) bool { return r < ' ' || r == 0x7f }):
		return location{}, badURL("the lake's URL %q holds control characters", hidden(raw))
	case isPath(raw):
		return folderAt(raw)
	case strings.HasPrefix(raw, "~"):
		return location{}, badURL("%q: ~ is the shell's and is not expanded here: %s", raw, wanted)
	}
	scheme, rest, found := strings.Cut(raw, "://")
	if !found {
		return location{}, badURL("%q has no scheme such as s3:// or file://: %s", hidden(raw), wanted)
	}
	switch strings.ToLower(scheme) {
	case "s3":
		return parseS3(raw)
	case "file":
		return parseFile(raw, rest)
	case "s3a", "s3n":
		return location{}, badURL("%q: write s3:// instead of %s://", hidden(raw), scheme)
	}
	return location{}, badURL("%q: the scheme %s:// is not supported: %s", hidden(raw), scheme, wanted)
}

// isPath reports whether a text is meant as a path: a bare word is not, for it could be a bucket.
func isPath(raw string) bool {
	first, _, _ := strings.Cut(raw, "/")
	return first == "" || first == "." || first == ".."
}

func folderAt(path string) (location, error) {
	folder, err := filepath.Abs(path)
	if err != nil {
		return location{}, badURL("folder %s: %v", path, err)
	}
	return location{folder: folder}, nil
}

func parseFile(raw, rest string) (location, error) {
	u, err := url.Parse(raw)
	if err != nil {
		return location{}, badURL("%q is no URL: %v", hidden(raw), parseReason(err))
	}
	switch {
	case u.RawQuery != "" || u.Fragment != "" || strings.ContainsAny(rest, "?#"):
		return location{}, badURL("%q: a file URL has no ? and no #: write them as %%3F and %%23", hidden(raw))
	case u.Host != "" && u.Host != "localhost":
		return location{}, badURL("%q names a host, %q: write three slashes, file:///folder, or ./folder for a relative path",
			hidden(raw), u.Host)
	case u.Path == "":
		return location{}, badURL("%q names no folder: write file:///folder", hidden(raw))
	}
	return folderAt(u.Path)
}

var bucketName = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`)

func parseS3(raw string) (location, error) {
	u, err := url.Parse(raw)
	if err != nil {
		return location{}, badURL("%q is no URL: %v", hidden(raw), parseReason(err))
	}
	prefix := strings.Trim(u.Path, "/")
	switch {
	case u.User != nil:
		return location{}, badURL("%q holds credentials: give them as AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY", hidden(raw))
	case u.Host == "":
		return location{}, badURL("%q names no bucket: write s3://bucket/prefix", hidden(raw))
	case u.RawQuery != "" || u.Fragment != "":
		return location{}, badURL("%q: an S3 URL has no ? and no #; give the server as S3_ENDPOINT", hidden(raw))
	case !bucketName.MatchString(u.Host):
		return location{}, badURL("%q: %q is no bucket name: 3 to 63 lower-case letters, digits, dots and hyphens",
			hidden(raw), u.Host)
	}
	for segment := range strings.SplitSeq(prefix, "/") {
		if segment == "." || segment == ".." || segment == "" && prefix != "" {
			return location{}, badURL("%q: the prefix has an empty, . or .. part", hidden(raw))
		}
	}
	return location{bucket: u.Host, prefix: prefix}, nil
}

func checkEndpoint(endpoint string) error {
	if endpoint == "" {
		return nil
	}
	u, err := url.Parse(endpoint)
	bad := func(reason string) error {
		return &urlError{fmt.Sprintf("%q %s: write http://host:port or https://host", hidden(endpoint), reason), ErrBadEndpoint}
	}
	switch {
	case err != nil:
		return bad("is no URL")
	case u.Scheme != "http" && u.Scheme != "https":
		return bad("does not begin with http:// or https://")
	case u.Host == "":
		return bad("names no host")
	case u.User != nil:
		return bad("holds credentials")
	case strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "":
		return bad("has more than a host")
	}
	return nil
}

// hidden takes out what may be a password: all between the scheme and the last @ of the host.
func hidden(raw string) string {
	scheme, rest, found := strings.Cut(raw, "://")
	if !found {
		return raw
	}
	host, path, _ := strings.Cut(rest, "/")
	if at := strings.LastIndexByte(host, '@'); at >= 0 {
		host = "…" + host[at:]
	}
	if len(path) > 0 || strings.Contains(rest, "/") {
		host += "/" + path
	}
	return scheme + "://" + host
}

// parseReason leaves out the URL, which url.Error repeats with all it holds.
func parseReason(err error) error {
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		return wrapped.Err
	}
	return err
}

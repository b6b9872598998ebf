package launchapi

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strings"
)

// base is where an API lives: what of it goes into every request.
type base struct {
	root       *url.URL // no query, no trailing slash
	filters    url.Values
	version    string
	collection string
}

var versionSegment = regexp.MustCompile(`^v?(\d+\.\d+(?:\.\d+)?)$`)

// parseBase reads the address that a user gives: the API's root, with or without a trailing slash, or its launches
// collection as copied from a browser. Its query parameters stay in every request, so a filter given there holds.
func parseBase(raw string) (base, error) {
	u, err := url.Parse(strings.TrimSpace(raw))
	if err != nil {
		// The parse error quotes the text, which may hold a password.
		return base{}, errors.New("the API's address is no URL; give one like https://ll.thespacedevs.com/2.3.0")
	}
	if u.User != nil {
		return base{}, fmt.Errorf("the API's address holds a user or password; give %s, and the token apart", u.Redacted())
	}
	if (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
		return base{}, fmt.Errorf("the API's address %q is no http or https URL; give one like https://ll.thespacedevs.com/2.3.0", raw)
	}
	path := strings.TrimRight(u.Path, "/")
	path = strings.TrimSuffix(strings.TrimSuffix(path, "/launches"), "/launch")
	path = strings.TrimRight(path, "/")
	b := base{
		root:       &url.URL{Scheme: u.Scheme, Host: u.Host, Path: path},
		filters:    u.Query(),
		collection: "launches",
	}
	if m := versionSegment.FindStringSubmatch(path[strings.LastIndex(path, "/")+1:]); m != nil {
		b.version = m[1]
	}
	return b, b.chooseCollection()
}

// chooseCollection names the launches collection as the version does: "launch" up to 2.2, "launches" in 2.3.
// 2.4 is refused, because it takes the mode from the path and would silently answer in another one.
func (b *base) chooseCollection() error {
	var major, minor int
	if b.version == "" {
		return nil
	}
	if _, err := fmt.Sscanf(b.version, "%d.%d", &major, &minor); err != nil {
		return fmt.Errorf("read the API version %q: %w", b.version, err)
	}
	switch {
	case major > 2 || (major == 2 && minor > 3):
		return fmt.Errorf("API version %s is not supported; use 2.3.0 or 2.2.0", b.version)
	case major < 2 || minor < 3:
		b.collection = "launch"
	}
	return nil
}

func (b *base) launches(query url.Values) *url.URL {
	u := b.root.JoinPath(b.collection, "/")
	merged := url.Values{}
	for name, values := range b.filters {
		merged[name] = values
	}
	for name, values := range query {
		merged[name] = values
	}
	u.RawQuery = merged.Encode()
	return u
}

func (b *base) throttle() *url.URL {
	return b.root.JoinPath("api-throttle", "/")
}

// follow resolves a link of the answer to current. The token travels with every request, and request URLs are
// kept as the origin of records: a link that leaves the collection is refused.
func (b *base) follow(current *url.URL, link string) (*url.URL, error) {
	next, err := current.Parse(link)
	if err != nil {
		return nil, fmt.Errorf("next is no URL: %q", link)
	}
	if !sameOrigin(current, next) || next.User != nil || strings.TrimRight(next.Path, "/") != strings.TrimRight(current.Path, "/") {
		return nil, fmt.Errorf("next leaves the collection %s: %q", withoutQuery(current), next.Redacted())
	}
	next.Fragment = ""
	return next, nil
}

func sameOrigin(a, b *url.URL) bool {
	return a.Scheme == b.Scheme && strings.EqualFold(a.Hostname(), b.Hostname()) && port(a) == port(b)
}

func port(u *url.URL) string {
	switch {
	case u.Port() != "":
		return u.Port()
	case u.Scheme == "https":
		return "443"
	default:
		return "80"
	}
}

func withoutQuery(u *url.URL) string {
	plain := *u
	plain.RawQuery, plain.Fragment = "", ""
	return plain.Redacted()
}

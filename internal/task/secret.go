package task

import (
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"reflect"
	"regexp"
	"strings"
)

const redacted = "REDACTED"

// Secret is a text that no log, result or error shows. Convert it to string where it is used.
type Secret string

// String hides the secret, and tells whether there is one.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return redacted
}

// Format hides the secret from every verb of fmt.
func (s Secret) Format(f fmt.State, _ rune) { fmt.Fprint(f, s.String()) }

// LogValue hides the secret from slog.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText hides the secret from encoders.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText takes the secret as it is.
func (s *Secret) UnmarshalText(text []byte) error {
	*s = Secret(text)
	return nil
}

// RedactURL gives a URL without user, password and the values of its secret query parameters.
func RedactURL(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return redact(raw, nil)
	}
	u.User = nil
	return redact(u.String(), nil)
}

var (
	// userinfo reaches to the last @ before the path, for a password may hold one.
	userinfo = regexp.MustCompile(`([A-Za-z][A-Za-z0-9+.-]*://)[^/\s"'?#]*@`)
	// The words stand alone or between _ and -, for launch_designator holds a sig too.
	queryToken = regexp.MustCompile(`(?i)([?&](?:[\w.-]*[_-])?(?:token|key|apikey|secret|password|passwd|signature|sig|` +
		`credential|auth|authorization)(?:[_-][\w.-]*)?=)[^&\s"'#]+`)
	authHeader = regexp.MustCompile(`(?i)(authorization["']?[:=]\s*\[?["']?(?:token|bearer|basic)\s+)[^\s"'\]]+`)
)

// redact takes out of a text the secrets that are known and what looks like one.
func redact(text string, secrets []string) string {
	for _, s := range secrets {
		text = strings.ReplaceAll(text, s, redacted)
	}
	text = userinfo.ReplaceAllString(text, "$1")
	text = queryToken.ReplaceAllString(text, "${1}"+redacted)
	return authHeader.ReplaceAllString(text, "${1}"+redacted)
}

// shortestSecret keeps a one-letter password of a test from taking that letter out of every line.
const shortestSecret = 4

// secretsOf lists the secrets that this process knows: those of the configuration and AWS's.
func secretsOf(config any) []string {
	found := []string{os.Getenv("AWS_SECRET_ACCESS_KEY"), os.Getenv("AWS_SESSION_TOKEN")}
	collectSecrets(reflect.Indirect(reflect.ValueOf(config)), &found)
	kept := found[:0]
	for _, s := range found {
		if len(s) >= shortestSecret {
			kept = append(kept, s)
		}
	}
	return kept
}

func collectSecrets(v reflect.Value, found *[]string) {
	if v.Type() == reflect.TypeFor[Secret]() {
		*found = append(*found, v.String())
		return
	}
	if v.Kind() != reflect.Struct {
		return
	}
	for _, field := range v.Fields() {
		collectSecrets(field, found)
	}
}

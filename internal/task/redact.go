package task

import (
	"net/url"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"launchlake/internal/secret"
)

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
	// secretWords are in lower case, and authHeader's is among them.
	secretWords = []string{"token", "key", "apikey", "secret", "password", "passwd", "signature", "sig", "credential", "auth", "authorization"}
	// The words stand alone or between _ and -, for launch_designator holds a sig too.
	queryToken = regexp.MustCompile(`(?i)([?&](?:[\w.-]*[_-])?(?:` + strings.Join(secretWords, "|") + `)(?:[_-][\w.-]*)?=)[^&\s"'#]+`)
	authHeader = regexp.MustCompile(`(?i)(authorization["']?[:=]\s*\[?["']?(?:token|bearer|basic)\s+)[^\s"'\]]+`)
)

// redact takes out of a text the secrets that are known and what looks like one.
func redact(text string, secrets []string) string {
	for _, s := range secrets {
		text = strings.ReplaceAll(text, s, secret.Redacted)
	}
	if strings.Contains(text, "@") {
		text = userinfo.ReplaceAllString(text, "$1")
	}
	if !hinted(text) {
		return text
	}
	text = queryToken.ReplaceAllString(text, "${1}"+secret.Redacted)
	return authHeader.ReplaceAllString(text, "${1}"+secret.Redacted)
}

// hinted tells whether the expressions may find a secret. They take long, and few texts hold one.
func hinted(text string) bool {
	for i := range len(text) {
		if text[i] >= utf8.RuneSelf {
			return true // some letters beyond ASCII are to the expressions as good as those of the words
		}
	}
	text = strings.ToLower(text)
	return slices.ContainsFunc(secretWords, func(word string) bool { return strings.Contains(text, word) })
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
	if v.Type() == reflect.TypeFor[secret.Text]() {
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

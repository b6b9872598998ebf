package delta

import (
	"bytes"
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// jsonChecksum gives the checksum of a JSON object, that of its member "checksum" left out (spec: JSON checksum): MD5 over all paths to
// values, sorted.
func jsonChecksum(text []byte) (string, error) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var object map[string]any
	if err := decoder.Decode(&object); err != nil {
		return "", err
	}
	delete(object, "checksum")
	pairs := canonicalPairs(nil, "", object)
	slices.SortFunc(pairs, func(a, b [2]string) int { return strings.Compare(a[0], b[0]) })
	lines := make([]string, len(pairs))
	for i, p := range pairs {
		lines[i] = p[0] + "=" + p[1]
	}
	sum := md5.Sum([]byte(strings.Join(lines, ",")))
	return hex.EncodeToString(sum[:]), nil
}

// canonicalPairs appends the paths in a value, with the values at their ends.
func canonicalPairs(pairs [][2]string, path string, value any) [][2]string {
	below := func(name string) string {
		if path == "" {
			return name
		}
		return path + "+" + name
	}
	switch value := value.(type) {
	case map[string]any:
		for name, v := range value {
			pairs = canonicalPairs(pairs, below(canonicalText(name)), v)
		}
	case []any:
		for i, v := range value {
			pairs = canonicalPairs(pairs, below(strconv.Itoa(i)), v)
		}
	case string:
		pairs = append(pairs, [2]string{path, canonicalText(value)})
	case nil:
		pairs = append(pairs, [2]string{path, "null"})
	default: // numbers as they are spelled, true, false
		pairs = append(pairs, [2]string{path, fmt.Sprint(value)})
	}
	return pairs
}

// canonicalText escapes all but unreserved characters of URLs.
func canonicalText(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, c := range []byte(s) {
		switch {
		case c >= '0' && c <= '9', c >= 'A' && c <= 'Z', c >= 'a' && c <= 'z', strings.IndexByte("-._~", c) >= 0:
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	b.WriteByte('"')
	return b.String()
}

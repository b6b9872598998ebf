package objstore

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// TempPrefix begins the last segment of names that a [Dir] keeps for itself; no key may use it.
const TempPrefix = ".tmp-"

var errKey = errors.New("not a key")

// CheckKey says why a key is none that every store can hold, or returns nil. A key is valid UTF-8 without control
// characters; its segments between slashes are neither empty nor "." nor "..".
func CheckKey(key string) error {
	if !utf8.ValidString(key) || strings.ContainsFunc(key, isControl) {
		return fmt.Errorf("%w: %q holds bytes that are no printable text", errKey, key)
	}
	for segment := range strings.SplitSeq(key, "/") {
		if !validSegment(segment) {
			return fmt.Errorf("%w: %q has the segment %q", errKey, key, segment)
		}
	}
	if strings.HasPrefix(lastSegment(key), TempPrefix) {
		return fmt.Errorf("%w: names beginning with %q are reserved, and %q is one", errKey, TempPrefix, key)
	}
	return nil
}

func isControl(r rune) bool { return r < ' ' || r == 0x7f }

func validSegment(segment string) bool {
	return segment != "" && segment != "." && segment != ".."
}

func lastSegment(key string) string {
	return key[strings.LastIndexByte(key, '/')+1:]
}

// CanBegin reports whether a key can begin with a prefix. A listing by another prefix is empty without a look.
func CanBegin(prefix string) bool {
	folder := prefix[:strings.LastIndexByte(prefix, '/')+1]
	if folder == "" {
		return true
	}
	for segment := range strings.SplitSeq(strings.TrimSuffix(folder, "/"), "/") {
		if !validSegment(segment) {
			return false
		}
	}
	return true
}

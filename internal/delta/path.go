package delta

import (
	"fmt"
	"net/url"
	"regexp"
	"strings"

	"github.com/google/uuid"
)

// absolute matches a path that is a URI. A ':' alone does not make a scheme: "time=10:00/x" is a relative path.
var absolute = regexp.MustCompile(`^([A-Za-z][A-Za-z0-9+.-]*):/`)

func isAbsolute(path string) bool { return strings.Contains(path, ":/") && absolute.MatchString(path) }

// decodePath turns a path of the log into the key of an object (spec: Add File and Remove File: a URI reference as of RFC 2396,
// percent-encoded once). Absolute paths come out in one canonical spelling, so that equal files compare equal.
func decodePath(path string) string { return canonicalPath(unescape(path)) }

func canonicalPath(path string) string {
	if isAbsolute(path) {
		m := absolute.FindStringSubmatch(path)
		rest := strings.TrimLeft(path[len(m[1])+1:], "/")
		switch scheme := strings.ToLower(m[1]); scheme {
		case "file":
			return "file:///" + rest
		case "s3a", "s3n":
			return "s3://" + rest
		default:
			return scheme + "://" + rest
		}
	}
	if strings.HasPrefix(path, "/") {
		return "file:///" + strings.TrimLeft(path, "/")
	}
	return path
}

// FileKey gives the key of a file by its path in the log. Files outside of the table are not served.
func (t *Table) FileKey(path string) (string, error) {
	if !isAbsolute(path) {
		return path, nil
	}
	if root := canonicalPath(t.options.Location); root != "" {
		if key, ok := strings.CutPrefix(path, strings.TrimRight(root, "/")+"/"); ok {
			return key, nil
		}
	}
	return "", &UnsupportedError{Features: []string{"files outside of the table (" + path + ")"}}
}

// unescape decodes percent escapes once and leaves a '%' that starts none as it is.
func unescape(s string) string {
	if !strings.Contains(s, "%") {
		return s
	}
	if decoded, err := url.PathUnescape(s); err == nil {
		return decoded
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) {
			if decoded, err := url.PathUnescape(s[i : i+3]); err == nil {
				b.WriteString(decoded)
				i += 2
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// encodePath is the reverse of decodePath, with the escapes that Spark writes. In the first segment of a relative path
// a ':' is escaped too: Hadoop would take what is before it for a scheme.
func encodePath(key string) string {
	relative := !isAbsolute(key)
	if relative && !needsEscapes(key) {
		return key
	}
	first := true
	var b strings.Builder
	for i := 0; i < len(key); i++ {
		c := key[i]
		switch {
		case c == '/':
			first = false
			b.WriteByte(c)
		case c == ':' && relative && first, !pathByte(c):
			fmt.Fprintf(&b, "%%%02X", c)
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

func needsEscapes(key string) bool {
	for i := 0; i < len(key); i++ {
		if c := key[i]; c == ':' || c != '/' && !pathByte(c) {
			return true
		}
	}
	return false
}

func pathByte(c byte) bool {
	switch {
	case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c >= 0x80:
		return true
	default:
		return strings.IndexByte("-_.!~'()*,;:$&+=@", c) >= 0
	}
}

// NewDataFileName makes a name that no other file has, such as "part-…-c000.zstd.parquet" for "zstd.parquet".
func NewDataFileName(ext string) string {
	return "part-" + uuid.NewString() + "-c000." + strings.TrimPrefix(ext, ".")
}

// hiveNull is the folder of null, and of the empty string, which is null to Delta.
const hiveNull = "__HIVE_DEFAULT_PARTITION__"

// PartitionPath gives the folder of a partition, "date=2024-01-01/kind=a%2Fb", in the manner of Hive; "" without columns.
// The folder is for people: readers use PartitionValues.
func PartitionPath(columns []string, values map[string]*string) string {
	parts := make([]string, len(columns))
	for i, c := range columns {
		value := hiveNull
		if v := values[c]; v != nil && *v != "" {
			value = hiveEscape(*v)
		}
		parts[i] = hiveEscape(c) + "=" + value
	}
	return strings.Join(parts, "/")
}

func hiveEscape(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if c := s[i]; c < 0x20 || c == 0x7f || strings.IndexByte("\"#%'*/:=?\\{[]^", c) >= 0 {
			fmt.Fprintf(&b, "%%%02X", c)
			continue
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

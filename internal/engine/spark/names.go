package spark

import "strings"

// Spark's temporary views have no layer before their name: gold.pad_activity is a view gold__pad_activity, and queries are
// spelled with it. Only names that were given are spelled anew, and none within quotes or comments.

const layerMark = "__"

// viewName is the name of a relation's view.
func viewName(name string) string { return strings.ReplaceAll(name, ".", layerMark) }

// spelled gives a query with the views' names for layered ones.
func (e *Engine) spelled(query string) string {
	if len(e.layered) == 0 {
		return query
	}
	var b strings.Builder
	for len(query) > 0 {
		n := skipLength(query)
		if n == 0 {
			n = identifierLength(query)
			if n > 0 && e.layered[strings.ToLower(query[:n])] && !strings.HasSuffix(b.String(), ".") {
				b.WriteString(viewName(query[:n]))
				query = query[n:]
				continue
			}
			n = max(plainLength(query), 1)
		}
		b.WriteString(query[:n])
		query = query[n:]
	}
	return b.String()
}

// skipLength is the length of the quoted text or comment that a query begins with.
func skipLength(query string) int {
	until := func(start int, end string) int {
		if i := strings.Index(query[start:], end); i >= 0 {
			return start + i + len(end)
		}
		return len(query)
	}
	switch {
	case strings.HasPrefix(query, "--"):
		return until(2, "\n")
	case strings.HasPrefix(query, "/*"):
		return until(2, "*/")
	case query[0] == '\'' || query[0] == '"' || query[0] == '`':
		for i := 1; i < len(query); i++ {
			switch {
			case query[i] == '\\' && query[0] != '`':
				i++
			case query[i] == query[0]:
				return i + 1
			}
		}
		return len(query)
	}
	return 0
}

// identifierLength is the length of the first two parts of a name with a dot that a query begins with.
func identifierLength(query string) int {
	first := plainLength(query)
	if first == 0 || first == len(query) || query[first] != '.' {
		return 0
	}
	second := plainLength(query[first+1:])
	if second == 0 {
		return 0
	}
	return first + 1 + second
}

func plainLength(s string) int {
	for i := range len(s) {
		c := s[i]
		if !(c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c >= 0x80) {
			return i
		}
	}
	return len(s)
}

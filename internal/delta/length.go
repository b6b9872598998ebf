package delta

import (
	"fmt"
	"regexp"
	"strings"
)

// lengthKey is where Spark keeps that a string column is of type char(n) or varchar(n): the schema, which knows strings only, does not say.
const lengthKey = "__CHAR_VARCHAR_TYPE_STRING"

var limitedString = regexp.MustCompile(`^(?:char|varchar)\(([0-9]+)\)$`)

// lengthLimit is the constraint that the values of a string column are no longer than its type says; false when it has no such type. Spaces at
// the end, which Spark adds and cuts off, count.
func lengthLimit(f Field) (Constraint, bool) {
	m := limitedString.FindStringSubmatch(declaredType(f))
	if m == nil {
		return Constraint{}, false
	}
	column := "`" + strings.ReplaceAll(f.Name, "`", "``") + "`"
	return Constraint{LengthRule, f.Name, fmt.Sprintf("%s IS NULL OR length(%s) <= %s", column, column, m[1])}, true
}

func declaredType(f Field) string {
	raw, ok := f.Metadata[lengthKey]
	if !ok {
		return ""
	}
	return strings.ToLower(metadataText(raw))
}

// unservedLengths names the columns whose limited strings lie within arrays, maps or structs: no expression holds rows against these.
func unservedLengths(s *Schema) []string {
	var bad []string
	for name, f := range s.fields() {
		_, served := lengthLimit(f)
		top, _ := s.Field(f.Name)
		if t := declaredType(f); t != "" && !(served && name == top.Name) {
			bad = append(bad, fmt.Sprintf("type %s of column %s", t, name))
		}
	}
	return bad
}

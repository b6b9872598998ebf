package delta

import (
	"encoding/json"
	"fmt"
)

// typeChange is an entry of the list of changes that a widened column carries (spec: Type Widening).
type typeChange struct {
	From json.RawMessage `json:"fromType"`
	To   json.RawMessage `json:"toType"`
}

const typeChangesKey = "delta.typeChanges"

// unservedTypeChanges names the changes of column types that a reader cannot follow without loss.
func unservedTypeChanges(s *Schema) []string {
	var bad []string
	for _, f := range s.fields() {
		text, ok := f.Metadata[typeChangesKey]
		if !ok {
			continue
		}
		var changes []typeChange
		if err := json.Unmarshal(text, &changes); err != nil {
			bad = append(bad, fmt.Sprintf("type changes of column %s that cannot be read", f.Name))
			continue
		}
		for _, c := range changes {
			from, errFrom := parseType(c.From, 0)
			to, errTo := parseType(c.To, 0)
			if errFrom != nil || errTo != nil || !widens(from, to) {
				bad = append(bad, fmt.Sprintf("change of type from %s to %s", c.From, c.To))
			}
		}
	}
	return bad
}

// integerDigits is how many digits the values of integer types have at most; their order is that of the types' width.
var integerDigits = map[Type]int{Byte: 3, Short: 5, Integer: 10, Long: 19}

// widens says whether each value of one type is a value of the other: the changes of the protocol, and decimals that have
// fewer digits than it asks for and still enough.
func widens(from, to Type) bool {
	if from == to {
		return true
	}
	digits, isInteger := integerDigits[from]
	if d, ok := to.(Decimal); ok {
		if isInteger {
			return d.Precision-d.Scale >= digits
		}
		old, ok := from.(Decimal)
		return ok && d.Scale >= old.Scale && d.Precision-d.Scale >= old.Precision-old.Scale
	}
	switch {
	case isInteger && integerDigits[to] > digits:
		return true
	case isInteger && to == Double:
		return from != Long
	case from == Float && to == Double, from == Date && to == TimestampNTZ:
		return true
	}
	return false
}

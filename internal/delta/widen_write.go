package delta

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// widensByProtocol says whether each value of the type is a value of the other, by the protocol's list of changes (spec: Type Widening).
func widensByProtocol(from, to Type) bool {
	if d, ok := to.(Decimal); ok {
		switch from {
		case Byte, Short, Integer:
			return d.Precision-d.Scale >= integerDigits[Integer]
		case Long:
			return d.Precision-d.Scale >= integerDigits[Long]+1
		}
		old, ok := from.(Decimal)
		return ok && from != to && d.Scale >= old.Scale && d.Precision-d.Scale >= old.Precision-old.Scale
	}
	return from != to && widens(from, to)
}

func (c WidenColumn) apply(m *Metadata) error {
	if !m.enabled(typeWideningProperty) {
		return fmt.Errorf("set %s to true first", typeWideningProperty)
	}
	path, err := splitColumn(c.Column)
	if err != nil {
		return err
	}
	var from Type
	unchanged := errors.New("unchanged")
	err = m.editType(path, func(t Type) (Type, error) {
		switch from = t; {
		case t == c.Type:
			return nil, unchanged
		case c.Type == nil || !widensByProtocol(t, c.Type):
			return nil, fmt.Errorf("%s cannot become %v", t, c.Type)
		}
		return c.Type, nil
	})
	if errors.Is(err, unchanged) {
		return nil
	}
	if err != nil {
		return err
	}
	if from == Date && len(path) == 1 && m.partitionedBy(path[0]) {
		return errors.New("the table is partitioned by it, and partition values of dates are no timestamps")
	}
	if err := m.checkUnbound(path); err != nil {
		return err
	}
	n := m.depthOfField(path)
	return m.editFieldAt(path[:n], func(f Field) (Field, error) {
		return f.withTypeChange(from, c.Type, path[n:])
	})
}

const typeWideningProperty = "delta.enableTypeWidening"

// depthOfField is how many names of a path lead to the field that the rest of it lies in: element, key and value are no fields.
func (m *Metadata) depthOfField(path []string) int {
	var t Type = m.Schema
	depth := 0
	for i, name := range path {
		switch at := t.(type) {
		case *Struct:
			f, _ := at.Field(name)
			t, depth = f.Type, i+1
		case *Array:
			t = at.Element
		case *Map:
			if t = at.Value; name == "key" {
				t = at.Key
			}
		}
	}
	return depth
}

func (f Field) withTypeChange(from, to Type, inside []string) (Field, error) {
	var changes []json.RawMessage
	if text, ok := f.Metadata[typeChangesKey]; ok {
		if err := json.Unmarshal(text, &changes); err != nil {
			return f, fmt.Errorf("its type changes cannot be read: %w", err)
		}
	}
	change, err := json.Marshal(struct {
		To   string `json:"toType"`
		From string `json:"fromType"`
		Path string `json:"fieldPath,omitempty"`
	}{to.String(), from.String(), strings.Join(inside, ".")})
	if err != nil {
		return f, err
	}
	f.Metadata = withEntry(f.Metadata, typeChangesKey, append(changes, change))
	return f, nil
}

package connect

import (
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"
)

// message is a protobuf message in its wire form. Fields are known by their numbers in Spark's .proto files.
type message []byte

func (m message) text(field protowire.Number, s string) message {
	if s == "" {
		return m
	}
	return protowire.AppendString(protowire.AppendTag(m, field, protowire.BytesType), s)
}

func (m message) nested(field protowire.Number, inner message) message {
	return protowire.AppendBytes(protowire.AppendTag(m, field, protowire.BytesType), inner)
}

func (m message) number(field protowire.Number, v uint64) message {
	return protowire.AppendVarint(protowire.AppendTag(m, field, protowire.VarintType), v)
}

func (m message) flag(field protowire.Number, v bool) message {
	return m.number(field, protowire.EncodeBool(v))
}

func (m message) pairs(field protowire.Number, pairs map[string]string) message {
	for key, value := range pairs {
		m = m.nested(field, message{}.text(1, key).text(2, value))
	}
	return m
}

// field is a field of a message that was received: its bytes, or its number.
type field struct {
	number protowire.Number
	bytes  []byte
	value  uint64
}

// fields takes a message apart. Fields of fixed size, of which Spark's messages have none that count here, are left out.
func fields(m []byte) ([]field, error) {
	var found []field
	for len(m) > 0 {
		number, kind, n := protowire.ConsumeTag(m)
		if n < 0 {
			return nil, fmt.Errorf("broken message of Spark: %w", protowire.ParseError(n))
		}
		m = m[n:]
		f := field{number: number}
		switch kind {
		case protowire.BytesType:
			f.bytes, n = protowire.ConsumeBytes(m)
		case protowire.VarintType:
			f.value, n = protowire.ConsumeVarint(m)
		default:
			n = protowire.ConsumeFieldValue(number, kind, m)
		}
		if n < 0 {
			return nil, fmt.Errorf("broken message of Spark: %w", protowire.ParseError(n))
		}
		m = m[n:]
		if kind == protowire.BytesType || kind == protowire.VarintType {
			found = append(found, f)
		}
	}
	return found, nil
}

// each calls take for each field of a message with a number.
func each(m []byte, number protowire.Number, take func(field) error) error {
	found, err := fields(m)
	if err != nil {
		return err
	}
	for _, f := range found {
		if f.number == number {
			if err := take(f); err != nil {
				return err
			}
		}
	}
	return nil
}

package delta

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strings"
)

// z85Alphabet holds the digits of Z85, ZeroMQ's base 85, in which the log spells deletion vectors and their names.
const z85Alphabet = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#"

const (
	z85Digits = 5 // for
	z85Bytes  = 4
)

// encodeZ85 spells bytes, filled up with zeros to a multiple of four.
func encodeZ85(data []byte) string {
	data = append(slices.Clone(data), make([]byte, -len(data)&(z85Bytes-1))...)
	out := make([]byte, 0, len(data)/z85Bytes*z85Digits)
	for ; len(data) > 0; data = data[z85Bytes:] {
		n := binary.BigEndian.Uint32(data)
		var digits [z85Digits]byte
		for i := range digits {
			digits[z85Digits-1-i] = z85Alphabet[n%uint32(len(z85Alphabet))]
			n /= uint32(len(z85Alphabet))
		}
		out = append(out, digits[:]...)
	}
	return string(out)
}

func decodeZ85(text string) ([]byte, error) {
	if len(text)%z85Digits != 0 {
		return nil, fmt.Errorf("%d characters are no Z85", len(text))
	}
	out := make([]byte, 0, len(text)/z85Digits*z85Bytes)
	for i := 0; i < len(text); i += z85Digits {
		var n uint64
		for _, c := range []byte(text[i : i+z85Digits]) {
			digit := strings.IndexByte(z85Alphabet, c)
			if digit < 0 {
				return nil, fmt.Errorf("character %q is not of Z85", c)
			}
			n = n*uint64(len(z85Alphabet)) + uint64(digit)
		}
		if n > math.MaxUint32 {
			return nil, fmt.Errorf("%q is more than Z85 can stand for", text[i:i+z85Digits])
		}
		out = binary.BigEndian.AppendUint32(out, uint32(n))
	}
	return out, nil
}

package delta

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
	"math"
	"slices"

	"github.com/RoaringBitmap/roaring/v2"
)

// RowSet is a set of rows of a data file, by their numbers from 0. The zero value is empty.
type RowSet struct {
	buckets []rowBucket // ascending, none empty
}

// rowBucket holds the rows whose numbers have the same upper half.
type rowBucket struct {
	upper uint32
	lower *roaring.Bitmap
}

// Count is how many rows there are.
func (r *RowSet) Count() int64 {
	var n uint64
	for _, b := range r.buckets {
		n += b.lower.GetCardinality()
	}
	return int64(min(n, math.MaxInt64))
}

// Last is the greatest number in it; -1 when it is empty.
func (r *RowSet) Last() int64 {
	if len(r.buckets) == 0 {
		return -1
	}
	b := r.buckets[len(r.buckets)-1]
	return int64(b.upper)<<32 | int64(b.lower.Maximum())
}

// All yields the numbers in ascending order.
func (r *RowSet) All() iter.Seq[int64] {
	return func(yield func(int64) bool) {
		for _, b := range r.buckets {
			for rows := b.lower.Iterator(); rows.HasNext(); {
				if !yield(int64(b.upper)<<32 | int64(rows.Next())) {
					return
				}
			}
		}
	}
}

// Add puts a row into the set; its number must not be negative.
func (r *RowSet) Add(row int64) {
	upper, lower := uint32(row>>32), uint32(row)
	i, found := slices.BinarySearchFunc(r.buckets, upper, func(b rowBucket, upper uint32) int { return cmp.Compare(b.upper, upper) })
	if !found {
		r.buckets = slices.Insert(r.buckets, i, rowBucket{upper, roaring.New()})
	}
	r.buckets[i].lower.Add(lower)
}

// Or gives the rows that are in one of two sets or in both.
func (r *RowSet) Or(other *RowSet) *RowSet {
	out := &RowSet{}
	a, b := r.buckets, other.buckets
	for len(a) > 0 && len(b) > 0 {
		switch {
		case a[0].upper < b[0].upper:
			out.buckets, a = append(out.buckets, a[0]), a[1:]
		case b[0].upper < a[0].upper:
			out.buckets, b = append(out.buckets, b[0]), b[1:]
		default:
			out.buckets = append(out.buckets, rowBucket{a[0].upper, roaring.Or(a[0].lower, b[0].lower)})
			a, b = a[1:], b[1:]
		}
	}
	out.buckets = slices.Concat(out.buckets, a, b)
	return out
}

// Minus gives the rows that are not in another set.
func (r *RowSet) Minus(other *RowSet) *RowSet {
	out := &RowSet{}
	for _, b := range r.buckets {
		lower := b.lower
		for _, o := range other.buckets {
			if o.upper == b.upper {
				lower = roaring.AndNot(lower, o.lower)
			}
		}
		if !lower.IsEmpty() {
			out.buckets = append(out.buckets, rowBucket{b.upper, lower})
		}
	}
	return out
}

// rowSetMagic starts the bytes of a deletion vector (spec: Deletion Vector Format).
const rowSetMagic = 1681511377

const (
	magicBytes     = 4
	countBytes     = 8
	bucketKeyBytes = 4
	minBucketBytes = bucketKeyBytes + 8 // a bitmap has a header at least
)

// parseRowSet reads the bytes of a deletion vector: a magic number and a 64-bit Roaring bitmap in the portable form. Its memory
// is bounded by the length of the data, whatever counts the data claims.
func parseRowSet(data []byte) (*RowSet, error) {
	if len(data) < magicBytes+countBytes {
		return nil, fmt.Errorf("%d bytes are no deletion vector", len(data))
	}
	if magic := binary.LittleEndian.Uint32(data); magic != rowSetMagic {
		return nil, fmt.Errorf("magic number %d, not %d", magic, rowSetMagic)
	}
	count := binary.LittleEndian.Uint64(data[magicBytes:])
	data = data[magicBytes+countBytes:]
	if count > uint64(len(data)/minBucketBytes) {
		return nil, fmt.Errorf("%d bitmaps in %d bytes", count, len(data))
	}
	out := &RowSet{}
	next := int64(0)
	for range count {
		if len(data) < bucketKeyBytes {
			return nil, errors.New("it ends too early")
		}
		upper := binary.LittleEndian.Uint32(data)
		if int64(upper) < next || upper > math.MaxInt32 {
			return nil, fmt.Errorf("bitmap %d comes out of order or is impossible", upper)
		}
		next = int64(upper) + 1
		lower, size, err := parseBitmap(data[bucketKeyBytes:])
		if err != nil {
			return nil, fmt.Errorf("bitmap %d: %w", upper, err)
		}
		data = data[bucketKeyBytes+size:]
		if !lower.IsEmpty() {
			out.buckets = append(out.buckets, rowBucket{upper, lower})
		}
	}
	if len(data) > 0 {
		return nil, fmt.Errorf("%d bytes behind its end", len(data))
	}
	return out, nil
}

// format gives the bytes of a deletion vector of the set.
func (r *RowSet) format() ([]byte, error) {
	var out bytes.Buffer
	var head [magicBytes + countBytes]byte
	binary.LittleEndian.PutUint32(head[:], rowSetMagic)
	binary.LittleEndian.PutUint64(head[magicBytes:], uint64(len(r.buckets)))
	out.Write(head[:])
	for _, b := range r.buckets {
		lower := b.lower.Clone() // it may be in use elsewhere
		lower.RunOptimize()
		var key [bucketKeyBytes]byte
		binary.LittleEndian.PutUint32(key[:], b.upper)
		out.Write(key[:])
		if _, err := lower.WriteTo(&out); err != nil {
			return nil, err
		}
	}
	return out.Bytes(), nil
}

// parseBitmap reads a 32-bit Roaring bitmap. The library panics on some broken ones.
func parseBitmap(data []byte) (bitmap *roaring.Bitmap, size int64, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("broken bitmap: %v", p)
		}
	}()
	bitmap = roaring.New()
	if size, err = bitmap.ReadFrom(bytes.NewReader(data)); err != nil {
		return nil, 0, err
	}
	if bitmap.IsEmpty() {
		return bitmap, size, nil // Validate wants one container at least
	}
	return bitmap, size, bitmap.Validate()
}

package delta

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io/fs"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/RoaringBitmap/roaring/v2/roaring64"
	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"launchlake/internal/objstore"
)

// vectorOf gives the bytes of a deletion vector, made by the library's own writer of 64-bit bitmaps.
func vectorOf(t testing.TB, rows ...uint64) []byte {
	t.Helper()
	bitmap := roaring64.BitmapOf(rows...)
	bitmap.RunOptimize()
	text, err := bitmap.ToBytes()
	if err != nil {
		t.Fatal(err)
	}
	return append(binary.LittleEndian.AppendUint32(nil, rowSetMagic), text...)
}

// vectorFile gives a file that holds vectors, and where each begins.
func vectorFile(vectors ...[]byte) (file []byte, offsets []int32) {
	file = []byte{vectorFileVersion}
	for _, v := range vectors {
		offsets = append(offsets, int32(len(file)))
		file = binary.BigEndian.AppendUint32(file, uint32(len(v)))
		file = append(file, v...)
		file = binary.BigEndian.AppendUint32(file, crc32.ChecksumIEEE(v))
	}
	return file, offsets
}

func TestRowSetsHoldWhatWasWritten(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		want := map[uint64]bool{}
		for range random.IntN(4) {
			start, length := random.Uint64N(1<<34), random.Uint64N(70_000)
			step := 1 + random.Uint64N(5)
			for i := uint64(0); i < length; i += step {
				want[start+i] = true
			}
		}
		var rows []uint64
		for row := range want {
			rows = append(rows, row)
		}
		slices.Sort(rows)
		set, err := parseRowSet(vectorOf(t, rows...))
		if err != nil {
			t.Fatal(err)
		}
		var got []uint64
		for row := range set.All() {
			got = append(got, uint64(row))
		}
		if !slices.Equal(rows, got) || set.Count() != int64(len(rows)) {
			t.Fatalf("%d rows came back as %d, counted %d", len(rows), len(got), set.Count())
		}
		if len(rows) > 0 && set.Last() != int64(rows[len(rows)-1]) {
			t.Fatalf("last row %d, want %d", set.Last(), rows[len(rows)-1])
		}
		text, err := set.Or(&RowSet{}).format()
		if err != nil {
			t.Fatal(err)
		}
		library := roaring64.New()
		if err := library.UnmarshalBinary(text[magicBytes:]); err != nil || !slices.Equal(library.ToArray(), rows) {
			t.Fatalf("the library finds %d rows in what was written of %d: %v", library.GetCardinality(), len(rows), err)
		}
	}
}

func TestRowSetsAreMadeRowByRowInAnyOrder(t *testing.T) {
	set, other := &RowSet{}, &RowSet{}
	for _, row := range []int64{1 << 33, 5, 1, 1 << 32, 5} {
		set.Add(row)
	}
	for _, row := range []int64{1<<32 + 7, 0, 1, 1 << 40} {
		other.Add(row)
	}
	want := []int64{0, 1, 5, 1 << 32, 1<<32 + 7, 1 << 33, 1 << 40}
	for _, got := range []*RowSet{set.Or(other), other.Or(set)} {
		if diff := cmp.Diff(want, slices.Collect(got.All())); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
	if set.Count() != 4 || other.Count() != 4 {
		t.Errorf("the sets have %d and %d rows now", set.Count(), other.Count())
	}
}

func TestMinusLeavesOutTheRowsOfTheOther(t *testing.T) {
	parse := func(rows ...uint64) *RowSet {
		set, err := parseRowSet(vectorOf(t, rows...))
		if err != nil {
			t.Fatal(err)
		}
		return set
	}
	got := slices.Collect(parse(1, 2, 3, 1<<32, 1<<33).Minus(parse(2, 1<<32, 7)).All())
	if diff := cmp.Diff([]int64{1, 3, 1 << 33}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := (&RowSet{}).Minus(parse(1)); got.Count() != 0 || got.Last() != -1 {
		t.Errorf("of nothing %d rows were left", got.Count())
	}
}

func TestDeletedRowsAreFoundWhereverTheyAreStored(t *testing.T) {
	first, second := vectorOf(t, 0, 5, 70_000), vectorOf(t, 1)
	padding := vectorOf(t, func() (rows []uint64) { // keeps the last vector far from the file's start
		for i := range uint64(60_000) {
			rows = append(rows, i*3)
		}
		return rows
	}()...)
	file, offsets := vectorFile(first, second, padding, first)
	id := uuid.MustParse("d2c639aa-8816-431a-aaf6-d3fe2512ff61")
	store := objstore.NewMemory()
	for _, key := range []string{"deletion_vector_" + id.String() + ".bin", "ab/c/deletion_vector_" + id.String() + ".bin"} {
		if err := store.Put(t.Context(), key, bytes.NewReader(file)); err != nil {
			t.Fatal(err)
		}
	}
	table := OpenWith(store, Options{Location: "s3://bucket/lake/my table"})
	name := encodeZ85(id[:])
	if name != "^Bpn4F%mdrIr2IAMg{?2" && len(name) != uuidLength {
		t.Fatalf("the id is encoded as %q", name)
	}
	absolutePath := "s3a://bucket/lake/my%20table/deletion_vector_" + id.String() + ".bin"
	at := func(i int) *int32 { return &offsets[i] }
	for _, tt := range []struct {
		name   string
		vector DeletionVector
		want   []int64
	}{
		{"inline", DeletionVector{"i", encodeZ85(first), nil, int32(len(first)), 3}, []int64{0, 5, 70_000}},
		{"in a file", DeletionVector{"u", name, at(0), int32(len(first)), 3}, []int64{0, 5, 70_000}},
		{"without an offset", DeletionVector{"u", name, nil, int32(len(first)), 3}, []int64{0, 5, 70_000}},
		{"second in a file", DeletionVector{"u", name, at(1), int32(len(second)), 1}, []int64{1}},
		{"far in a file", DeletionVector{"u", name, at(3), int32(len(first)), 3}, []int64{0, 5, 70_000}},
		{"in a file in a folder", DeletionVector{"u", "ab/c" + name, at(1), int32(len(second)), 1}, []int64{1}},
		{"by an absolute path", DeletionVector{"p", absolutePath, at(1), int32(len(second)), 1}, []int64{1}},
	} {
		rows, err := table.DeletedRows(t.Context(), Add{Path: "x", DeletionVector: &tt.vector})
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		if diff := cmp.Diff(tt.want, slices.Collect(rows.All())); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
	if rows, err := table.DeletedRows(t.Context(), Add{Path: "x"}); err != nil || rows.Count() != 0 {
		t.Errorf("without a vector: %v, %v", rows, err)
	}
}

func TestBrokenDeletionVectorsAreErrorsAndNeverNoDeletions(t *testing.T) {
	good := vectorOf(t, 0, 5)
	size := int32(len(good))
	id := uuid.New()
	name := encodeZ85(id[:])
	changed := func(file []byte, at int) []byte {
		file = slices.Clone(file)
		file[at] ^= 1
		return file
	}
	file, offsets := vectorFile(good)
	inFile := DeletionVector{"u", name, &offsets[0], size, 2}
	inline := func(data []byte, cardinality int64) DeletionVector {
		return DeletionVector{"i", encodeZ85(data), nil, int32(len(data)), cardinality}
	}
	manyBitmaps := slices.Concat(good[:magicBytes], binary.LittleEndian.AppendUint64(nil, math.MaxUint64), good[magicBytes+countBytes:])
	negative := int32(-1)
	for _, tt := range []struct {
		name   string
		file   []byte // nil: there is none
		vector DeletionVector
	}{
		{"no file", nil, inFile},
		{"an empty file", []byte{}, inFile},
		{"a cut file", file[:len(file)-1], inFile},
		{"another version", changed(file, 0), inFile},
		{"another size", changed(file, 4), inFile},
		{"a wrong checksum", changed(file, len(file)-1), inFile},
		{"a changed bit", changed(file, len(file)-6), inFile},
		{"a size that the log has not", file, DeletionVector{"u", name, &offsets[0], size - 1, 2}},
		{"fewer rows than the log says", file, DeletionVector{"u", name, &offsets[0], size, 3}},
		{"more rows than the log says", file, DeletionVector{"u", name, &offsets[0], size, 1}},
		{"an offset before the file", file, DeletionVector{"u", name, &negative, size, 2}},
		{"no size", file, DeletionVector{"u", name, &offsets[0], 0, 2}},
		{"a name that is none", file, DeletionVector{"u", "short", &offsets[0], size, 2}},
		{"an unknown storage type", file, DeletionVector{"x", name, &offsets[0], size, 2}},
		{"outside of the table", file, DeletionVector{"p", "s3://other/deletion_vector.bin", &offsets[0], size, 2}},
		{"another magic number", nil, inline(changed(good, 0), 2)},
		{"more bitmaps than bytes", nil, inline(manyBitmaps, 2)},
		{"bytes behind the end", nil, inline(append(slices.Clone(good), 0, 0, 0, 0), 2)},
		{"no Z85", nil, DeletionVector{"i", "~~~~~", nil, 4, 2}},
		{"Z85 above its range", nil, DeletionVector{"i", "#####", nil, 4, 2}},
		{"fewer bytes than the log says", nil, DeletionVector{"i", encodeZ85(good), nil, size + 40, 2}},
	} {
		store := objstore.NewMemory()
		if tt.file != nil {
			if err := store.Put(t.Context(), "deletion_vector_"+id.String()+".bin", bytes.NewReader(tt.file)); err != nil {
				t.Fatal(err)
			}
		}
		rows, err := Open(store).DeletedRows(t.Context(), Add{Path: "x", DeletionVector: &tt.vector})
		if err == nil {
			t.Errorf("%s: %d rows", tt.name, rows.Count())
		}
		if tt.name == "no file" && !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

func FuzzDeletionVector(f *testing.F) {
	f.Add(vectorOf(f))
	f.Add(vectorOf(f, 0))
	f.Add(vectorOf(f, 1, 2, 3, 1<<32, 1<<40))
	f.Add(vectorOf(f, func() (rows []uint64) {
		for i := range uint64(9000) {
			rows = append(rows, i*2)
		}
		return rows
	}()...))
	f.Fuzz(func(t *testing.T, data []byte) {
		set, err := parseRowSet(data)
		if err != nil {
			return
		}
		last, n := int64(-1), int64(0)
		for row := range set.All() {
			if row <= last {
				t.Fatalf("row %d comes behind %d", row, last)
			}
			last = row
			if n++; n > 1<<12 {
				return // a run takes a few bytes, whatever its length
			}
		}
		if n != set.Count() || last != set.Last() {
			t.Fatalf("%d rows to %d, counted %d to %d", n, last, set.Count(), set.Last())
		}
	})
}

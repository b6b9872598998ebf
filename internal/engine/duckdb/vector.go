package duckdb

import (
	"encoding/binary"
	"iter"
	"unsafe"

	"github.com/duckdb/duckdb-go/v2/mapping"

	"launchlake/internal/delta"
	"launchlake/internal/engine/document"
)

// textBytes is the size of a duckdb_string_t, which is part of DuckDB's C interface: the length in four bytes, then a text of up to
// shortText bytes and zeros behind it, or else its first four bytes and a pointer to all of it.
const (
	textBytes   = 16
	shortText   = 12
	prefixBytes = 4
	textStart   = 4
	pointerAt   = 8
)

// bitsAWord is how many rows a word of a validity mask has.
const bitsAWord = 64

// readCells gives the first n cells of a vector, in DuckDB's memory.
func readCells[T any](v mapping.Vector, n int) []T {
	return unsafe.Slice((*T)(mapping.VectorGetData(v)), n)
}

// validity is a mask of the rows that are not null; nil: none is.
type validity []uint64

func readValidity(v mapping.Vector, rows int) validity {
	mask := mapping.VectorGetValidity(v)
	if mask == nil {
		return nil
	}
	return unsafe.Slice((*uint64)(mask), (rows+bitsAWord-1)/bitsAWord)
}

func (v validity) null(row int) bool { return v != nil && v[row/bitsAWord]>>(row%bitsAWord)&1 == 0 }

// textVector is a vector of texts or binaries that is read.
type textVector struct {
	cells    []byte
	validity validity
}

func readTexts(v mapping.Vector, rows int) textVector {
	return textVector{readCells[byte](v, rows*textBytes), readValidity(v, rows)}
}

func (t textVector) len() int { return len(t.cells) / textBytes }

// at gives the text of a row, in DuckDB's memory; ok is false for null.
func (t textVector) at(row int) (text []byte, ok bool) {
	if t.validity.null(row) {
		return nil, false
	}
	cell := t.cells[row*textBytes:][:textBytes]
	n := int(binary.NativeEndian.Uint32(cell))
	if n <= shortText {
		return cell[textStart:][:n], true
	}
	return unsafe.Slice(*(**byte)(unsafe.Pointer(&cell[pointerAt])), n), true
}

// mapVector is a vector of maps from texts that is read: to DuckDB a vector of lists, whose entries lie behind one another.
type mapVector struct {
	lists    []listEntry
	validity validity
	keys     textVector
	values   mapping.Vector
	entries  int // of all maps
}

func readMaps(v mapping.Vector, rows int) mapVector {
	pairs, n := mapping.ListVectorGetChild(v), int(mapping.ListVectorGetSize(v))
	return mapVector{
		lists: readCells[listEntry](v, rows), validity: readValidity(v, rows),
		keys: readTexts(mapping.StructVectorGetChild(pairs, 0), n), values: mapping.StructVectorGetChild(pairs, 1), entries: n,
	}
}

// at gives the keys of a row's map, each with the place of its value; none for null.
func (m mapVector) at(row int) iter.Seq2[int, string] {
	return func(yield func(int, string) bool) {
		if m.validity.null(row) {
			return
		}
		list := m.lists[row]
		for i := list.offset; i < list.offset+list.length; i++ {
			if key, _ := m.keys.at(int(i)); !yield(int(i), string(key)) {
				return
			}
		}
	}
}

// vector is a vector that is written, from the first row to the last.
type vector struct {
	handle   mapping.Vector
	kind     cellKind
	rows     int
	data     unsafe.Pointer
	validity validity // nil until a row is null

	// Long texts are gathered here, and given to DuckDB at once.
	long []byte
	late []int // rows of long texts, whose pointers are places in long until then

	// Elements of lists, likewise.
	list     int // the row of the list that was started last
	elements []element
	texts    []byte
	child    *vector
}

// element is a text within vector.texts, or null.
type element struct {
	start, end int
	null       bool
}

// cellKind is how a value of a type lies in memory.
type cellKind uint8

const (
	textCell cellKind = iota
	wordCell          // eight bytes
	halfCell
	quarterCell
	byteCell
	doubleCell
	floatCell
	booleanCell
	listCell
)

// cellKinds are those of the types; of others it is listCell.
var cellKinds = map[delta.Type]cellKind{
	delta.String: textCell, delta.Long: wordCell, delta.Timestamp: wordCell, delta.Integer: halfCell, delta.Date: halfCell, delta.Short: quarterCell,
	delta.Byte: byteCell, delta.Double: doubleCell, delta.Float: floatCell, delta.Boolean: booleanCell,
}

func newVector(t delta.Type) *vector {
	kind, ok := cellKinds[t]
	if !ok {
		kind = listCell
	}
	return &vector{kind: kind}
}

// begin goes on to a vector of DuckDB's. Memory of the one before is used again.
func (v *vector) begin(handle mapping.Vector, rows int) {
	*v = vector{handle: handle, kind: v.kind, rows: rows, data: mapping.VectorGetData(handle),
		long: v.long[:0], late: v.late[:0], elements: v.elements[:0], texts: v.texts[:0], child: v.child}
}

// cells is the vector's memory.
func cells[T any](v *vector) []T { return unsafe.Slice((*T)(v.data), v.rows) }

func (v *vector) setNull(row int) {
	if v.validity == nil {
		mapping.VectorEnsureValidityWritable(v.handle)
		v.validity = readValidity(v.handle, v.rows)
	}
	v.validity[row/bitsAWord] &^= 1 << (row % bitsAWord)
}

func (v *vector) setBoolean(row int, b bool) { cells[bool](v)[row] = b }

// set writes a value of the vector's type, or null.
func (v *vector) set(row int, value *document.Value) {
	if value.State != document.Present {
		v.setNull(row)
	}
	switch v.kind {
	case textCell:
		v.setText(row, value.Text)
	case wordCell:
		cells[int64](v)[row] = value.Number
	case halfCell:
		cells[int32](v)[row] = int32(value.Number)
	case quarterCell:
		cells[int16](v)[row] = int16(value.Number)
	case byteCell:
		cells[int8](v)[row] = int8(value.Number)
	case doubleCell:
		cells[float64](v)[row] = value.Double
	case floatCell:
		cells[float32](v)[row] = float32(value.Double)
	case booleanCell:
		cells[bool](v)[row] = value.Number != 0
	default:
		v.startList(row)
		for _, element := range value.List {
			v.addElement(element)
		}
	}
}

func (v *vector) setText(row int, text []byte) {
	cell := unsafe.Slice((*byte)(unsafe.Add(v.data, row*textBytes)), textBytes)
	clear(cell)
	binary.NativeEndian.PutUint32(cell, uint32(len(text)))
	if len(text) <= shortText {
		copy(cell[textStart:], text)
		return
	}
	copy(cell[textStart:][:prefixBytes], text)
	binary.NativeEndian.PutUint64(cell[pointerAt:], uint64(len(v.long)))
	v.long, v.late = append(v.long, text...), append(v.late, row)
}

// listEntry is a duckdb_list_entry: where the elements of a row are.
type listEntry struct{ offset, length uint64 }

// startList begins the list of a row.
func (v *vector) startList(row int) {
	v.list = row
	cells[listEntry](v)[row] = listEntry{offset: uint64(len(v.elements))}
}

// addElement adds a text, or null when it is nil, to the list that was started last.
func (v *vector) addElement(text []byte) {
	start := len(v.texts)
	v.texts = append(v.texts, text...)
	v.elements = append(v.elements, element{start, len(v.texts), text == nil})
	cells[listEntry](v)[v.list].length++
}

// finish gives DuckDB what was gathered.
func (v *vector) finish() {
	v.finishTexts()
	if len(v.elements) > 0 {
		v.finishLists()
	}
}

func (v *vector) finishTexts() {
	if len(v.late) == 0 {
		return
	}
	first := *(*[textBytes]byte)(v.data) // its place is needed for a moment, to have DuckDB keep the texts
	mapping.VectorAssignStringElementLen(v.handle, 0, v.long)
	kept := *(*uint64)(unsafe.Add(v.data, pointerAt))
	*(*[textBytes]byte)(v.data) = first
	for _, row := range v.late {
		*(*uint64)(unsafe.Add(v.data, row*textBytes+pointerAt)) += kept
	}
}

func (v *vector) finishLists() {
	n := mapping.IdxT(len(v.elements))
	mapping.ListVectorReserve(v.handle, n)
	mapping.ListVectorSetSize(v.handle, n)
	if v.child == nil {
		v.child = newVector(delta.String)
	}
	child := v.child
	child.begin(mapping.ListVectorGetChild(v.handle), len(v.elements))
	for i, e := range v.elements {
		if e.null {
			child.setNull(i)
		}
		child.setText(i, v.texts[e.start:e.end])
	}
	child.finish()
}

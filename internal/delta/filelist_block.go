package delta

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"sync"
	"unsafe"

	"github.com/klauspost/compress/s2"
)

// fileBlock is a part of a fileList. It never changes.
type fileBlock[T any, A fileAction[T]] struct {
	first string // the least key
	last  string // the greatest key
	fileTotals
	loose  []A    // the actions; nil when they are packed
	packed []byte // the actions as text, compressed
}

// newFileBlock makes a block of sorted actions, of which there are some.
func newFileBlock[T any, A fileAction[T]](actions []A) *fileBlock[T, A] {
	b := &fileBlock[T, A]{loose: actions, first: actions[0].key(), last: actions[len(actions)-1].key()}
	for _, a := range actions {
		b.fileTotals.add(totalsOf[T](a))
	}
	return b
}

// packBuffers are used again: a list of a million files is packed in thousands of blocks.
var packBuffers = sync.Pool{New: func() any { return new(packBuffer) }}

type packBuffer struct{ text, compressed []byte }

// pack gives the same block in less memory.
func (b *fileBlock[T, A]) pack() *fileBlock[T, A] {
	if b.loose == nil {
		return b
	}
	buffer := packBuffers.Get().(*packBuffer)
	defer packBuffers.Put(buffer)
	buffer.text = buffer.text[:0]
	for _, a := range b.loose {
		buffer.text = a.pack(buffer.text)
	}
	buffer.compressed = s2.Encode(buffer.compressed[:cap(buffer.compressed)], buffer.text)
	next := *b
	next.first, next.last = strings.Clone(b.first), strings.Clone(b.last) // they may be parts of longer texts
	next.loose, next.packed = nil, slices.Clone(buffer.compressed)
	return &next
}

// actions gives the actions of the block.
func (b *fileBlock[T, A]) actions() []A {
	if b.loose != nil {
		return b.loose
	}
	text, err := s2.Decode(nil, b.packed)
	if err != nil {
		panic(fmt.Sprintf("unpack %d files: %v", b.count, err)) // it was packed in this process
	}
	// Nobody changes the bytes any more: the texts of the actions are parts of them.
	u := &unpacker{text: unsafe.String(unsafe.SliceData(text), len(text))}
	all, out := make([]T, b.count), make([]A, b.count)
	for i := range all {
		out[i] = &all[i]
		out[i].unpack(u)
	}
	return out
}

// Which members an action has.
const (
	packedDataChange = 1 << iota
	packedPartition
	packedTags
	packedVector
	packedRowID
	packedRowVersion
	packedClustering
	packedSize
	packedExtended
)

func flag(set bool, bit uint64) uint64 {
	if set {
		return bit
	}
	return 0
}

func (a *addAction) vector() *DeletionVector    { return a.DeletionVector }
func (r *removeAction) vector() *DeletionVector { return r.DeletionVector }

func (a *addAction) bytes() int64 { return a.Size }
func (r *removeAction) bytes() int64 {
	if r.Size == nil {
		return 0
	}
	return *r.Size
}

func (a *addAction) pack(text []byte) []byte {
	text = binary.AppendUvarint(text, flag(a.DataChange, packedDataChange)|flag(a.ClusteringProvider != nil, packedClustering)|
		commonFlags(a.PartitionValues, a.Tags, a.DeletionVector, a.BaseRowID, a.DefaultRowCommitVersion))
	text = packText(text, a.Path)
	text = binary.AppendVarint(text, a.Size)
	text = binary.AppendVarint(text, a.ModificationTime)
	text = packText(text, a.Stats)
	text = packCommon(text, a.PartitionValues, a.Tags, a.DeletionVector, a.BaseRowID, a.DefaultRowCommitVersion)
	if a.ClusteringProvider != nil {
		text = packText(text, *a.ClusteringProvider)
	}
	return text
}

func (a *addAction) unpack(u *unpacker) {
	flags := u.count()
	a.DataChange = flags&packedDataChange != 0
	a.Path = u.string()
	a.Size, a.ModificationTime = u.int(), u.int()
	a.Stats = u.string()
	a.PartitionValues, a.Tags, a.DeletionVector, a.BaseRowID, a.DefaultRowCommitVersion = u.common(flags)
	if flags&packedClustering != 0 {
		provider := u.string()
		a.ClusteringProvider = &provider
	}
}

func (r *removeAction) pack(text []byte) []byte {
	text = binary.AppendUvarint(text, flag(r.DataChange, packedDataChange)|flag(r.Size != nil, packedSize)|flag(r.ExtendedFileMetadata, packedExtended)|
		commonFlags(r.PartitionValues, r.Tags, r.DeletionVector, r.BaseRowID, r.DefaultRowCommitVersion))
	text = packText(text, r.Path)
	text = binary.AppendVarint(text, r.DeletionTimestamp)
	text = packCommon(text, r.PartitionValues, r.Tags, r.DeletionVector, r.BaseRowID, r.DefaultRowCommitVersion)
	if r.Size != nil {
		text = binary.AppendVarint(text, *r.Size)
	}
	return text
}

func (r *removeAction) unpack(u *unpacker) {
	flags := u.count()
	r.DataChange, r.ExtendedFileMetadata = flags&packedDataChange != 0, flags&packedExtended != 0
	r.Path = u.string()
	r.DeletionTimestamp = u.int()
	r.PartitionValues, r.Tags, r.DeletionVector, r.BaseRowID, r.DefaultRowCommitVersion = u.common(flags)
	if flags&packedSize != 0 {
		size := u.int()
		r.Size = &size
	}
}

// What adds and removes have in common.

func commonFlags(partition, tags map[string]*string, v *DeletionVector, rowID, rowVersion *int64) uint64 {
	return flag(partition != nil, packedPartition) | flag(tags != nil, packedTags) | flag(v != nil, packedVector) |
		flag(rowID != nil, packedRowID) | flag(rowVersion != nil, packedRowVersion)
}

func packCommon(text []byte, partition, tags map[string]*string, v *DeletionVector, rowID, rowVersion *int64) []byte {
	text = packMap(packMap(text, partition), tags)
	if v != nil {
		text = packText(packText(text, v.StorageType), v.PathOrInlineDv)
		if v.Offset != nil {
			text = binary.AppendVarint(append(text, 1), int64(*v.Offset))
		} else {
			text = append(text, 0)
		}
		text = binary.AppendVarint(text, int64(v.SizeInBytes))
		text = binary.AppendVarint(text, v.Cardinality)
	}
	for _, n := range []*int64{rowID, rowVersion} {
		if n != nil {
			text = binary.AppendVarint(text, *n)
		}
	}
	return text
}

func packText(text []byte, s string) []byte {
	return append(binary.AppendUvarint(text, uint64(len(s))), s...)
}

// packMap writes a map with its length in bytes before it, so that equal maps can be seen to be equal.
func packMap(text []byte, m map[string]*string) []byte {
	if m == nil {
		return text
	}
	var space [128]byte
	entries := space[:0]
	if len(m) == 1 { // as nearly all are
		for k, v := range m {
			entries = packEntry(entries, k, v)
		}
	} else {
		for _, k := range sortedKeys(m) {
			entries = packEntry(entries, k, m[k])
		}
	}
	return append(binary.AppendUvarint(text, uint64(len(entries))), entries...)
}

func packEntry(entries []byte, key string, value *string) []byte {
	entries = packText(entries, key)
	if value == nil {
		return append(entries, 0)
	}
	return packText(append(entries, 1), *value)
}

// unpacker reads what pack wrote.
type unpacker struct {
	text            string
	partition, tags lastMap
}

// lastMap is the map that was read last. Files of one partition come one behind the other and share it.
type lastMap struct {
	text   string
	values map[string]*string
}

func (u *unpacker) count() uint64 {
	var n uint64
	for shift := 0; ; shift += 7 {
		b := u.text[0]
		u.text = u.text[1:]
		n |= uint64(b&0x7f) << shift
		if b < 0x80 {
			return n
		}
	}
}

func (u *unpacker) int() int64 {
	n := u.count()
	return int64(n>>1) ^ -int64(n&1)
}

func (u *unpacker) string() string {
	n := u.count()
	s := u.text[:n]
	u.text = u.text[n:]
	return s
}

func (u *unpacker) common(flags uint64) (partition, tags map[string]*string, v *DeletionVector, rowID, rowVersion *int64) {
	if flags&packedPartition != 0 {
		partition = u.partition.read(u.string())
	}
	if flags&packedTags != 0 {
		tags = u.tags.read(u.string())
	}
	if flags&packedVector != 0 {
		v = &DeletionVector{StorageType: u.string(), PathOrInlineDv: u.string()}
		if u.count() == 1 {
			offset := int32(u.int())
			v.Offset = &offset
		}
		v.SizeInBytes, v.Cardinality = int32(u.int()), u.int()
	}
	if flags&packedRowID != 0 {
		n := u.int()
		rowID = &n
	}
	if flags&packedRowVersion != 0 {
		n := u.int()
		rowVersion = &n
	}
	return partition, tags, v, rowID, rowVersion
}

func (last *lastMap) read(entries string) map[string]*string {
	if last.values != nil && last.text == entries {
		return last.values
	}
	last.text, last.values = entries, map[string]*string{}
	for u := (&unpacker{text: entries}); len(u.text) > 0; {
		key := u.string()
		var value *string
		if u.count() == 1 {
			text := u.string()
			value = &text
		}
		last.values[key] = value
	}
	return last.values
}

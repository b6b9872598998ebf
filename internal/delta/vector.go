package delta

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"path"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"launchlake/internal/objstore"
)

// DeletionVector says where the set of a file's deleted rows is stored (spec: Deletion Vectors).
type DeletionVector struct {
	StorageType    string `json:"storageType"` // "u": a file in the table's folder, "p": a file anywhere, "i": here
	PathOrInlineDv string `json:"pathOrInlineDv"`
	Offset         *int32 `json:"offset,omitempty"`
	SizeInBytes    int32  `json:"sizeInBytes"`
	Cardinality    int64  `json:"cardinality"`
}

// id tells vectors apart (spec: Derived Fields).
func (v *DeletionVector) id() string {
	id := v.StorageType + v.PathOrInlineDv
	if v.Offset != nil {
		id += "@" + strconv.Itoa(int(*v.Offset))
	}
	return id
}

// LogicalKey tells data files apart as the log does: a file with another deletion vector is another file.
func (a Add) LogicalKey() string { return fileKey(a.Path, a.DeletionVector) }

// key is that of the action that has the file, however its path is spelled.
func (a Add) key() string { return fileKey(decodePath(encodePath(a.Path)), a.DeletionVector) }

// DeletedRows reads the deletion vector of a data file; without one, no row is deleted. A vector that is missing, broken,
// or another than the log says is an error.
func (t *Table) DeletedRows(ctx context.Context, file Add) (*RowSet, error) {
	v := file.DeletionVector
	if v == nil {
		return &RowSet{}, nil
	}
	data, err := t.vectorBytes(ctx, v)
	if err != nil {
		return nil, fmt.Errorf("deletion vector of %s: %w", file.Path, err)
	}
	rows, err := parseRowSet(data)
	if err == nil && rows.Count() != v.Cardinality {
		err = fmt.Errorf("it deletes %d rows, the log says %d", rows.Count(), v.Cardinality)
	}
	if err != nil {
		return nil, fmt.Errorf("deletion vector of %s: %w", file.Path, &CorruptError{Key: v.StorageType + ":" + v.PathOrInlineDv, Err: err})
	}
	return rows, nil
}

// maxVectorBytes is more than a vector over all rows that a Parquet file can hold needs in practice.
const maxVectorBytes = 1 << 30

func (t *Table) vectorBytes(ctx context.Context, v *DeletionVector) ([]byte, error) {
	if v.SizeInBytes <= 0 || v.SizeInBytes > maxVectorBytes {
		return nil, fmt.Errorf("impossible size of %d bytes", v.SizeInBytes)
	}
	switch v.StorageType {
	case "i":
		data, err := decodeZ85(v.PathOrInlineDv)
		switch {
		case err != nil:
			return nil, err
		case len(data) < int(v.SizeInBytes):
			return nil, fmt.Errorf("%d bytes, the log says %d", len(data), v.SizeInBytes)
		}
		return data[:v.SizeInBytes], nil // the rest fills up the encoding
	case "u":
		key, err := vectorKey(v.PathOrInlineDv)
		if err != nil {
			return nil, err
		}
		return readVectorFile(ctx, t.store, key, v)
	case "p":
		key, err := t.FileKey(decodePath(v.PathOrInlineDv))
		if err != nil {
			return nil, err
		}
		return readVectorFile(ctx, t.store, key, v)
	default:
		return nil, &UnsupportedError{Features: []string{fmt.Sprintf("deletion vector storage type %.20q", v.StorageType)}}
	}
}

// uuidLength is the length of a UUID in Z85.
const uuidLength = 20

// vectorKey gives the key of a vector file: a folder, which may be absent, followed by the encoded UUID of the name.
func vectorKey(text string) (string, error) {
	if len(text) < uuidLength {
		return "", fmt.Errorf("%.60q is no name of a file with deletion vectors", text)
	}
	folder, encoded := text[:len(text)-uuidLength], text[len(text)-uuidLength:]
	raw, err := decodeZ85(encoded)
	if err != nil {
		return "", err
	}
	id, err := uuid.FromBytes(raw)
	if err != nil {
		return "", err
	}
	return path.Join(folder, vectorFilePrefix+id.String()+vectorFileSuffix), nil
}

const (
	vectorFileVersion = 1 // the first byte
	vectorLengthBytes = 4
	vectorFrame       = vectorLengthBytes + 4 // the length before a vector and the checksum behind it
	firstVector       = 1                     // the offset of vectors whose descriptor gives none
	nearVector        = 64 << 10              // up to this offset the first byte is fetched along with the vector
)

// readVectorFile reads one vector of a file: its length, its bytes and their checksum, the numbers big-endian.
func readVectorFile(ctx context.Context, store objstore.Store, key string, v *DeletionVector) ([]byte, error) {
	offset := int64(firstVector)
	if v.Offset != nil {
		offset = int64(*v.Offset)
	}
	if offset < firstVector {
		return nil, fmt.Errorf("impossible offset %d", offset)
	}
	start := int64(0)
	if offset > nearVector {
		start = offset
	}
	data, err := readRange(ctx, store, key, start, offset-start+vectorFrame+int64(v.SizeInBytes))
	if err != nil {
		return nil, err
	}
	head := data
	if start > 0 {
		if head, err = readRange(ctx, store, key, 0, 1); err != nil {
			return nil, err
		}
	}
	if head[0] != vectorFileVersion {
		return nil, &CorruptError{Key: key, Err: fmt.Errorf("version %d of the format of deletion vectors", head[0])}
	}
	data = data[offset-start:]
	size, data := binary.BigEndian.Uint32(data), data[vectorLengthBytes:]
	if int64(size) != int64(v.SizeInBytes) {
		return nil, &CorruptError{Key: key, Err: fmt.Errorf("a deletion vector of %d bytes, the log says %d", size, v.SizeInBytes)}
	}
	data, sum := data[:size], binary.BigEndian.Uint32(data[size:])
	if crc32.ChecksumIEEE(data) != sum {
		return nil, &CorruptError{Key: key, Err: errors.New("a deletion vector's checksum is wrong")}
	}
	return data, nil
}

func readRange(ctx context.Context, store objstore.Store, key string, offset, length int64) ([]byte, error) {
	body, err := store.Get(ctx, key, offset, length)
	if err != nil {
		return nil, err
	}
	defer body.Close()
	data, err := io.ReadAll(io.LimitReader(body, length))
	if err == nil && int64(len(data)) < length {
		err = &CorruptError{Key: key, Err: fmt.Errorf("it ends %d bytes too early", length-int64(len(data)))}
	}
	return data, err
}

const vectorFilePrefix, vectorFileSuffix = "deletion_vector_", ".bin"

// isVectorFile is whether the files of deletion vectors are named so.
func isVectorFile(key string) bool {
	name := path.Base(key)
	return strings.HasPrefix(name, vectorFilePrefix) && strings.HasSuffix(name, vectorFileSuffix)
}

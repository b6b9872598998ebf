package delta

import (
	"fmt"
	"maps"
	"math/big"
	"strings"
	"time"

	"github.com/parquet-go/parquet-go"
)

// checkpointFileKind is what a file of a checkpoint holds.
type checkpointFileKind int

const (
	classicFile checkpointFileKind = iota // everything
	v2Manifest                            // what is about no file, and the names of sidecars
	v2Sidecar                             // what is about files
)

// checkpointSchema gives the columns of a checkpoint (spec: Checkpoint Schema). Every one is optional, and the numbers of
// protocol versions are 32 bits wide, for Spark reads no others.
func checkpointSchema(m *Metadata, indexed []leaf, kind checkpointFileKind) *parquet.Schema {
	text := parquet.Optional(parquet.String())
	long := parquet.Optional(parquet.Leaf(parquet.Int64Type))
	short := parquet.Optional(parquet.Leaf(parquet.Int32Type))
	boolean := parquet.Optional(parquet.Leaf(parquet.BooleanType))
	list := parquet.Optional(parquet.List(text))
	texts := parquet.Optional(parquet.Map(parquet.String(), text))
	vector := parquet.Optional(parquet.Group{
		"storageType": text, "pathOrInlineDv": text, "offset": short, "sizeInBytes": short, "cardinality": long,
	})
	add := parquet.Group{
		"path": text, "partitionValues": texts, "size": long, "modificationTime": long, "dataChange": boolean, "tags": texts,
		"deletionVector": vector, "baseRowId": long, "defaultRowCommitVersion": long, "clusteringProvider": text,
	}
	if m.statsAsText() {
		add["stats"] = text
	}
	if m.statsAsStruct() {
		add["stats_parsed"] = statsNode(indexed, long)
		if len(m.PartitionColumns) > 0 {
			add["partitionValues_parsed"] = partitionNode(m)
		}
	}
	files := parquet.Group{
		"add": parquet.Optional(add),
		"remove": parquet.Optional(parquet.Group{
			"path": text, "deletionTimestamp": long, "dataChange": boolean, "extendedFileMetadata": boolean,
			"partitionValues": texts, "size": long, "deletionVector": vector, "baseRowId": long, "defaultRowCommitVersion": long,
		}),
	}
	if kind == v2Sidecar {
		return parquet.NewSchema("spark_schema", files)
	}
	columns := parquet.Group{
		"txn": parquet.Optional(parquet.Group{"appId": text, "version": long, "lastUpdated": long}),
		"metaData": parquet.Optional(parquet.Group{
			"id": text, "name": text, "description": text, "schemaString": text, "createdTime": long,
			"format":           parquet.Optional(parquet.Group{"provider": text, "options": texts}),
			"partitionColumns": list, "configuration": texts,
		}),
		"protocol": parquet.Optional(parquet.Group{
			"minReaderVersion": short, "minWriterVersion": short, "readerFeatures": list, "writerFeatures": list,
		}),
		"domainMetadata": parquet.Optional(parquet.Group{"domain": text, "configuration": text, "removed": boolean}),
	}
	maps.Copy(columns, files) // in a manifest they are empty, but Spark asks for them
	if kind == v2Manifest {
		columns["checkpointMetadata"] = parquet.Optional(parquet.Group{"version": long, "tags": texts})
		columns["sidecar"] = parquet.Optional(parquet.Group{"path": text, "sizeInBytes": long, "modificationTime": long, "tags": texts})
	}
	return parquet.NewSchema("spark_schema", columns)
}

func (m *Metadata) statsAsText() bool {
	return !strings.EqualFold(m.Configuration["delta.checkpoint.writeStatsAsJson"], "false")
}

func (m *Metadata) statsAsStruct() bool {
	return !strings.EqualFold(m.Configuration["delta.checkpoint.writeStatsAsStruct"], "false")
}

func partitionNode(m *Metadata) parquet.Node {
	columns := parquet.Group{}
	for _, c := range m.PartitionColumns {
		f, _ := m.Schema.Field(c)
		columns[m.PhysicalName(f)] = parquet.Optional(parquetNode(f.Type))
	}
	return parquet.Optional(columns)
}

func statsNode(indexed []leaf, long parquet.Node) parquet.Node {
	bounds, nulls := nodeTree{}, nodeTree{}
	for _, l := range indexed {
		nulls.put(l.physical, long)
		if hasBounds(l.typ) {
			bounds.put(l.physical, parquet.Optional(parquetNode(l.typ)))
		}
	}
	stats := parquet.Group{"numRecords": long, "tightBounds": parquet.Optional(parquet.Leaf(parquet.BooleanType))}
	if len(bounds) > 0 { // Parquet knows no group without members
		stats["minValues"], stats["maxValues"] = bounds.node(), bounds.node()
	}
	if len(nulls) > 0 {
		stats["nullCount"] = nulls.node()
	}
	return parquet.Optional(stats)
}

// nodeTree collects leaf columns by their paths: a value is a parquet.Node or a nodeTree.
type nodeTree map[string]any

func (t nodeTree) put(path []string, n parquet.Node) {
	if len(path) == 1 {
		t[path[0]] = n
		return
	}
	sub, ok := t[path[0]].(nodeTree)
	if !ok {
		sub = nodeTree{}
		t[path[0]] = sub
	}
	sub.put(path[1:], n)
}

func (t nodeTree) node() parquet.Node {
	group := parquet.Group{}
	for name, v := range t {
		switch v := v.(type) {
		case nodeTree:
			group[name] = v.node()
		case parquet.Node:
			group[name] = v
		}
	}
	return parquet.Optional(group)
}

// parquetNode gives the column that holds values of a type.
func parquetNode(t Type) parquet.Node {
	if d, ok := t.(Decimal); ok {
		switch {
		case d.Precision <= 9:
			return parquet.Decimal(d.Scale, d.Precision, parquet.Int32Type)
		case d.Precision <= 18:
			return parquet.Decimal(d.Scale, d.Precision, parquet.Int64Type)
		default:
			return parquet.Decimal(d.Scale, d.Precision, parquet.FixedLenByteArrayType(decimalBytes(d.Precision)))
		}
	}
	switch t {
	case Long:
		return parquet.Leaf(parquet.Int64Type)
	case Integer:
		return parquet.Leaf(parquet.Int32Type)
	case Short:
		return parquet.Int(16)
	case Byte:
		return parquet.Int(8)
	case Float:
		return parquet.Leaf(parquet.FloatType)
	case Double:
		return parquet.Leaf(parquet.DoubleType)
	case Boolean:
		return parquet.Leaf(parquet.BooleanType)
	case Date:
		return parquet.Date()
	case Timestamp:
		return parquet.TimestampAdjusted(parquet.Microsecond, true)
	case TimestampNTZ:
		return parquet.TimestampAdjusted(parquet.Microsecond, false)
	case String:
		return parquet.String()
	default:
		return parquet.Leaf(parquet.ByteArrayType)
	}
}

// decimalBytes is how many bytes hold a number of so many digits and its sign.
func decimalBytes(precision int) int {
	most := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(precision)), nil)
	return most.BitLen()/8 + 1
}

// parquetValue gives a Go value of a column as one of parquetNode's.
func parquetValue(t Type, value any) (parquet.Value, error) {
	v, err := normalize(t, value)
	if err != nil {
		return parquet.Value{}, err
	}
	switch v := v.(type) {
	case int64:
		if t == Long {
			return parquet.Int64Value(v), nil
		}
		return parquet.Int32Value(int32(v)), nil
	case float64:
		if t == Float {
			return parquet.FloatValue(float32(v)), nil
		}
		return parquet.DoubleValue(v), nil
	case bool:
		return parquet.BooleanValue(v), nil
	case string:
		return parquet.ByteArrayValue([]byte(v)), nil
	case []byte:
		return parquet.ByteArrayValue(v), nil
	case time.Time:
		if t == Date {
			return parquet.Int32Value(int32(v.Unix() / 86400)), nil
		}
		return parquet.Int64Value(v.UnixMicro()), nil
	case DecimalValue:
		return decimalParquetValue(t.(Decimal), v)
	default:
		return parquet.Value{}, fmt.Errorf("a %T in a checkpoint", v)
	}
}

func decimalParquetValue(d Decimal, v DecimalValue) (parquet.Value, error) {
	unscaled, ok := new(big.Int).SetString(strings.Replace(string(v), ".", "", 1), 10)
	switch {
	case !ok:
		return parquet.Value{}, fmt.Errorf("%q is no %s", v, d)
	case d.Precision <= 9:
		return parquet.Int32Value(int32(unscaled.Int64())), nil
	case d.Precision <= 18:
		return parquet.Int64Value(unscaled.Int64()), nil
	}
	size := decimalBytes(d.Precision)
	if unscaled.Sign() < 0 {
		unscaled.Add(unscaled, new(big.Int).Lsh(big.NewInt(1), uint(8*size)))
	}
	return parquet.FixedLenByteArrayValue(unscaled.FillBytes(make([]byte, size))), nil
}

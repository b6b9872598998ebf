package delta

import (
	"encoding/json"
	"math/big"
	"slices"
	"strings"
	"time"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"
)

// actionReader reads the actions of a checkpoint's rows (spec: Checkpoint Schema). Types and nesting may differ between
// writers; columns may be absent.
type actionReader struct {
	add      fileCursor
	stats    statsCursor
	remove   fileCursor
	txn      struct{ appID, version, lastUpdated *columnCursor }
	domain   struct{ name, configuration, removed *columnCursor }
	protocol struct {
		reader, writer                 *columnCursor
		readerFeatures, writerFeatures listCursor
	}
	metadata struct {
		id, name, description, provider, schema, created *columnCursor
		options, configuration                           mapCursor
		partitionColumns                                 listCursor
	}
	sidecar struct{ path, size *columnCursor }
	shared  *partitionPool
}

// fileCursor holds the columns of add and of remove.
type fileCursor struct {
	path, size, modified, deleted, dataChange, extended, stats, clustering *columnCursor
	rowID, rowVersion                                                      *columnCursor
	partitions, tags                                                       mapCursor
	vector                                                                 struct {
		storage, data, offset, size, cardinality *columnCursor
	}
}

// newActionReader opens the columns of the actions that are wanted; the others are as if there were none.
func newActionReader(r *rowCursor, wanted scope, shared *partitionPool) *actionReader {
	a := &actionReader{shared: shared}
	if wanted == allActions {
		a.add, a.remove, a.stats = newFileCursor(r, "add"), newFileCursor(r, "remove"), newStatsCursor(r)
	}
	open := func(path ...string) *columnCursor { return r.open(r.find(path...)) }
	a.txn.appID, a.txn.version, a.txn.lastUpdated = open("txn", "appId"), open("txn", "version"), open("txn", "lastUpdated")
	a.domain.name = open("domainMetadata", "domain")
	a.domain.configuration = open("domainMetadata", "configuration")
	a.domain.removed = open("domainMetadata", "removed")
	a.protocol.reader, a.protocol.writer = open("protocol", "minReaderVersion"), open("protocol", "minWriterVersion")
	a.protocol.readerFeatures = r.openList(r.find("protocol", "readerFeatures"))
	a.protocol.writerFeatures = r.openList(r.find("protocol", "writerFeatures"))
	m := &a.metadata
	m.id, m.name, m.description = open("metaData", "id"), open("metaData", "name"), open("metaData", "description")
	m.provider, m.schema, m.created = open("metaData", "format", "provider"), open("metaData", "schemaString"), open("metaData", "createdTime")
	m.options, m.configuration = r.openMap(r.find("metaData", "format", "options")), r.openMap(r.find("metaData", "configuration"))
	m.partitionColumns = r.openList(r.find("metaData", "partitionColumns"))
	a.sidecar.path, a.sidecar.size = open("sidecar", "path"), open("sidecar", "sizeInBytes")
	return a
}

func newFileCursor(r *rowCursor, action string) fileCursor {
	open := func(path ...string) *columnCursor { return r.open(r.find(append([]string{action}, path...)...)) }
	f := fileCursor{
		path: open("path"), size: open("size"), modified: open("modificationTime"), deleted: open("deletionTimestamp"),
		dataChange: open("dataChange"), extended: open("extendedFileMetadata"), stats: open("stats"),
		clustering: open("clusteringProvider"), rowID: open("baseRowId"), rowVersion: open("defaultRowCommitVersion"),
		partitions: r.openMap(r.find(action, "partitionValues")), tags: r.openMap(r.find(action, "tags")),
	}
	v := &f.vector
	v.storage, v.data = open("deletionVector", "storageType"), open("deletionVector", "pathOrInlineDv")
	v.offset, v.size, v.cardinality = open("deletionVector", "offset"), open("deletionVector", "sizeInBytes"), open("deletionVector", "cardinality")
	return f
}

// read gives the action of the present row.
func (a *actionReader) read() (checkpointLine, error) {
	var l checkpointLine
	if path, ok := a.add.path.text(); ok {
		l.Add = a.readAdd(path)
	} else if path, ok := a.remove.path.text(); ok {
		l.Remove = a.readRemove(path)
	} else if id, ok := a.txn.appID.text(); ok {
		v, _ := a.txn.version.int()
		l.Txn = &txnAction{AppID: id, Version: v, LastUpdated: a.txn.lastUpdated.optional()}
	} else if schema, ok := a.metadata.schema.text(); ok {
		l.Metadata = a.readMetadata(schema)
	} else if v, ok := a.protocol.reader.int(); ok {
		l.Protocol = a.readProtocol(v)
		return l, l.Protocol.check()
	} else if name, ok := a.domain.name.text(); ok {
		configuration, _ := a.domain.configuration.text()
		l.Domain = &domainAction{Domain: name, Configuration: configuration, Removed: a.domain.removed.bool()}
	} else if path, ok := a.sidecar.path.text(); ok {
		l.Sidecar = &sidecarAction{Path: path}
		l.Sidecar.SizeInBytes, _ = a.sidecar.size.int()
	}
	return l, nil
}

func (a *actionReader) readAdd(path string) *addAction {
	f := &a.add
	out := &addAction{
		Path:                    decodePath(path),
		PartitionValues:         a.shared.take(f.partitions),
		DataChange:              f.dataChange.bool(),
		Tags:                    f.tags.pointers(),
		DeletionVector:          f.readVector(),
		BaseRowID:               f.rowID.optional(),
		DefaultRowCommitVersion: f.rowVersion.optional(),
	}
	out.Size, _ = f.size.int()
	out.ModificationTime, _ = f.modified.int()
	if provider, ok := f.clustering.text(); ok {
		out.ClusteringProvider = &provider
	}
	var ok bool
	if out.Stats, ok = f.stats.text(); !ok {
		out.Stats = a.stats.text()
	}
	return out
}

func (a *actionReader) readRemove(path string) *removeAction {
	f := &a.remove
	out := &removeAction{
		Path:                    decodePath(path),
		DataChange:              f.dataChange.bool(),
		ExtendedFileMetadata:    f.extended.bool(),
		PartitionValues:         a.shared.take(f.partitions),
		Size:                    f.size.optional(),
		Tags:                    f.tags.pointers(),
		DeletionVector:          f.readVector(),
		BaseRowID:               f.rowID.optional(),
		DefaultRowCommitVersion: f.rowVersion.optional(),
	}
	out.DeletionTimestamp, _ = f.deleted.int()
	return out
}

func (f *fileCursor) readVector() *DeletionVector {
	storage, ok := f.vector.storage.text()
	if !ok {
		return nil
	}
	v := &DeletionVector{StorageType: storage}
	v.PathOrInlineDv, _ = f.vector.data.text()
	if offset, ok := f.vector.offset.int(); ok {
		o := int32(offset)
		v.Offset = &o
	}
	size, _ := f.vector.size.int()
	v.SizeInBytes = int32(size)
	v.Cardinality, _ = f.vector.cardinality.int()
	return v
}

func (a *actionReader) readProtocol(reader int64) *protocolAction {
	p := &protocolAction{MinReaderVersion: int(reader)}
	writer, _ := a.protocol.writer.int()
	p.MinWriterVersion = int(writer)
	if list, ok := a.protocol.readerFeatures.value(); ok {
		p.ReaderFeatures = &list
	}
	if list, ok := a.protocol.writerFeatures.value(); ok {
		p.WriterFeatures = &list
	}
	return p
}

func (a *actionReader) readMetadata(schema string) *metadataAction {
	m := &a.metadata
	out := &metadataAction{SchemaString: schema, Configuration: m.configuration.texts(), CreatedTime: m.created.optional()}
	out.ID, _ = m.id.text()
	out.Name, out.Description = m.name.optionalText(), m.description.optionalText()
	out.Format.Provider, _ = m.provider.text()
	out.Format.Options = m.options.texts()
	out.PartitionColumns, _ = m.partitionColumns.value()
	return out
}

func (c *columnCursor) optionalText() *string {
	if text, ok := c.text(); ok {
		return &text
	}
	return nil
}

func (c *columnCursor) optional() *int64 {
	if v, ok := c.int(); ok {
		return &v
	}
	return nil
}

// partitionPool makes files of one partition share their values: a table has many files and few partitions.
type partitionPool struct {
	values map[string]map[string]*string
	key    []byte // of the values that are looked up
}

func newPartitionPool() *partitionPool {
	return &partitionPool{values: map[string]map[string]*string{}}
}

// maxPartitions bounds what a pool holds.
const maxPartitions = 1 << 12

func (pool *partitionPool) take(m mapCursor) map[string]*string {
	pool.key = pool.key[:0]
	isNull := !m.each(func(k, v []byte) {
		pool.key = append(append(pool.key, k...), 0)
		if v != nil {
			pool.key = append(append(pool.key, '='), v...)
		}
		pool.key = append(pool.key, 0)
	})
	if isNull {
		return nil
	}
	values, ok := pool.values[string(pool.key)]
	if !ok {
		if values = m.pointers(); values == nil {
			values = map[string]*string{}
		}
		if len(pool.values) == maxPartitions {
			clear(pool.values)
		}
		pool.values[string(pool.key)] = values
	}
	return values
}

// statsCursor reads add.stats_parsed, the statistics as columns, for checkpoints that have them in no other form.
type statsCursor struct {
	records, tight *columnCursor
	columns        []statsColumn
}

type statsColumn struct {
	kind   string // "minValues", "maxValues", "nullCount"
	path   []string
	cursor *columnCursor
}

func newStatsCursor(r *rowCursor) statsCursor {
	s := statsCursor{
		records: r.open(r.find("add", "stats_parsed", "numRecords")),
		tight:   r.open(r.find("add", "stats_parsed", "tightBounds")),
	}
	for _, kind := range []string{"minValues", "maxValues", "nullCount"} {
		group := r.find("add", "stats_parsed", kind)
		if group == nil || group.Leaf() {
			continue
		}
		for _, l := range leafColumns(group) {
			if path := l.Path()[3:]; l.MaxRepetitionLevel() == 0 {
				s.columns = append(s.columns, statsColumn{kind, slices.Clone(path), r.open(l)})
			}
		}
	}
	return s
}

// text gives the statistics of the present row as JSON, "" when there are none.
func (s *statsCursor) text() string {
	records, ok := s.records.int()
	if !ok {
		return ""
	}
	out := map[string]any{"numRecords": records}
	if v, ok := s.tight.value(); ok && v.Kind() == parquet.Boolean {
		out["tightBounds"] = v.Boolean()
	}
	for _, c := range s.columns {
		if v, ok := c.cursor.value(); ok {
			bury(out, append([]string{c.kind}, c.path...), jsonValue(v, c.cursor.column.Type()))
		}
	}
	text, err := json.Marshal(out)
	if err != nil {
		return ""
	}
	return string(text)
}

// jsonValue gives a Parquet value as statistics in JSON spell it; nil when they cannot.
func jsonValue(v parquet.Value, t parquet.Type) any {
	var logical format.LogicalTypeValue
	if l := t.LogicalType(); l != nil {
		logical = l.Value
	}
	if d, ok := logical.(*format.DecimalType); ok {
		switch v.Kind() {
		case parquet.Int32:
			return decimalNumber(big.NewInt(int64(v.Int32())), d.Scale)
		case parquet.Int64:
			return decimalNumber(big.NewInt(v.Int64()), d.Scale)
		case parquet.ByteArray, parquet.FixedLenByteArray:
			return decimalNumber(twosComplement(v.ByteArray()), d.Scale)
		}
	}
	switch v.Kind() {
	case parquet.Boolean:
		return v.Boolean()
	case parquet.Int32:
		if _, ok := logical.(*format.DateType); ok {
			return formatDate(time.Unix(int64(v.Int32())*86400, 0))
		}
		return v.Int32()
	case parquet.Int64:
		if timestamp, ok := logical.(*format.TimestampType); ok {
			return jsonTimestamp(v.Int64(), timestamp)
		}
		return v.Int64()
	case parquet.Float:
		return statsNumber(Float, float64(v.Float()))
	case parquet.Double:
		return statsNumber(Double, v.Double())
	case parquet.ByteArray, parquet.FixedLenByteArray:
		return string(v.ByteArray())
	default: // INT96: its order in checkpoints is nobody's promise
		return nil
	}
}

func jsonTimestamp(n int64, t *format.TimestampType) string {
	var at time.Time
	switch t.Unit.Value.(type) {
	case *format.MilliSeconds:
		at = time.UnixMilli(n)
	case *format.NanoSeconds:
		at = time.Unix(0, n)
	default:
		at = time.UnixMicro(n)
	}
	zone := "Z"
	if !t.IsAdjustedToUTC {
		zone = ""
	}
	return formatTimestamp(at, "T", zone)
}

func twosComplement(b []byte) *big.Int {
	n := new(big.Int).SetBytes(b)
	if len(b) > 0 && b[0] >= 0x80 {
		n.Sub(n, new(big.Int).Lsh(big.NewInt(1), uint(8*len(b))))
	}
	return n
}

func decimalNumber(unscaled *big.Int, scale int32) json.Number {
	digits := new(big.Int).Abs(unscaled).String()
	if s := int(scale); s > 0 && s <= 38 {
		if len(digits) <= s {
			digits = strings.Repeat("0", s-len(digits)+1) + digits
		}
		digits = digits[:len(digits)-s] + "." + digits[len(digits)-s:]
	}
	if unscaled.Sign() < 0 {
		digits = "-" + digits
	}
	return json.Number(digits)
}

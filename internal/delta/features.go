package delta

import (
	"maps"
	"slices"
	"strconv"
)

// support is how far this package serves a table feature.
type support int

const (
	refused  support = iota
	whenIdle         // served as long as the table only lists the feature and does not use it
	served
)

// feature is a row of the protocol's list of table features (spec: Valid Feature Names in Table Features). The gate, the
// package's documentation and the tests come from this table.
type feature struct {
	name         string
	aliases      []string // names of the same feature before it was final
	reader       bool     // readers must know it too
	legacyReader int      // the reader version before 3 that implies it
	legacyWriter int      // the writer version before 7 that implies it
	read, write  support
	inFiles      bool             // what data files hold hangs on it
	inUse        func(usage) bool // nil: whenever it is listed
	wanted       func(usage) bool // whether a table must list it; nil: when it is in use
}

// usage is what a feature's inUse looks at.
type usage struct {
	metadata *Metadata
	vectors  bool // a live file has a deletion vector
}

const featureVersionReader, featureVersionWriter = 3, 7

var features = []feature{
	{name: "appendOnly", legacyWriter: 2, read: served, write: served, wanted: enabled("delta.appendOnly")},
	{name: "invariants", legacyWriter: 2, read: served, write: served, wanted: hasRule(InvariantRule)},
	{name: "checkConstraints", legacyWriter: 3, read: served, write: served, wanted: hasRule(CheckRule)},
	{name: "changeDataFeed", legacyWriter: 4, read: served, write: served, wanted: enabled(changeDataFeedProperty)},
	{name: "generatedColumns", legacyWriter: 4, read: served, write: served, wanted: hasRule(GeneratedRule)},
	{name: "columnMapping", reader: true, legacyReader: 2, legacyWriter: 5, read: served, write: served, inFiles: true, inUse: mapsColumns},
	{name: "identityColumns", legacyWriter: 6, read: served, write: whenIdle, inUse: fieldMetadata("delta.identity.start")},
	{name: "allowColumnDefaults", read: served, write: served, wanted: hasRule(DefaultRule)},
	{name: "deletionVectors", reader: true, read: served, write: served, inFiles: true, inUse: func(u usage) bool { return u.vectors },
		wanted: enabled(vectorsProperty)},
	{name: "timestampNtz", aliases: []string{"timestampWithoutTimezone"}, reader: true, read: served, write: served,
		wanted: hasType(TimestampNTZ)},
	{name: "v2Checkpoint", reader: true, read: served, write: served, wanted: wantsV2Checkpoints},
	{name: "typeWidening", aliases: []string{"typeWidening-preview"}, reader: true, read: served, write: served, inFiles: true,
		inUse: fieldMetadata(typeChangesKey), wanted: enabled(typeWideningProperty)},
	{name: "vacuumProtocolCheck", reader: true, read: served, write: served},
	{name: "inCommitTimestamp", read: served, write: served, wanted: enabled(inCommitTimestampsProperty)},
	{name: domainMetadataFeature, read: served, write: served},
	{name: "rowTracking", read: served, write: refused},
	{name: "clustering", aliases: []string{"liquid"}, read: served, write: refused},
	{name: "checkpointProtection", read: served, write: refused},
	{name: "icebergCompatV1", read: served, write: refused},
	{name: "icebergCompatV2", read: served, write: refused},
	{name: "icebergCompatV3", read: served, write: refused},
	{name: "icebergWriterCompatV1", read: served, write: refused},
	{name: "materializePartitionColumns", read: served, write: refused},
	{name: "variantType", aliases: []string{"variantType-preview"}, reader: true, read: whenIdle, write: refused, inFiles: true, inUse: hasType("variant")},
	{name: "variantShredding", aliases: []string{"variantShredding-preview"}, reader: true, read: whenIdle, write: refused, inFiles: true, inUse: hasType("variant")},
	// The newest commits of these tables are known to a catalog only.
	{name: "catalogManaged", aliases: []string{"catalogOwned-preview", "coordinatedCommits-preview"}, reader: true},
}

// wants is whether the protocol of a table must list the feature.
func (f *feature) wants(u usage) bool {
	if f.wanted != nil {
		return f.wanted(u)
	}
	return f.inUse != nil && f.inUse(u)
}

func fieldMetadata(key string) func(usage) bool {
	return func(u usage) bool {
		for _, f := range u.metadata.Schema.fields() {
			if _, ok := f.Metadata[key]; ok {
				return true
			}
		}
		return false
	}
}

func hasRule(rule Rule) func(usage) bool {
	return func(u usage) bool {
		return slices.ContainsFunc(u.metadata.Constraints(), func(c Constraint) bool { return c.Rule == rule })
	}
}

func enabled(property string) func(usage) bool {
	return func(u usage) bool { return u.metadata.enabled(property) }
}

func hasType(name Primitive) func(usage) bool {
	return func(u usage) bool {
		for t := range types(u.metadata.Schema) {
			if t == name {
				return true
			}
		}
		return false
	}
}

func mapsColumns(u usage) bool {
	return u.metadata.ColumnMapping() != MapNone
}

func wantsV2Checkpoints(u usage) bool {
	return u.metadata.Configuration["delta.checkpointPolicy"] == "v2"
}

func findFeature(name string) *feature {
	for i := range features {
		if f := &features[i]; f.name == name || slices.Contains(f.aliases, name) {
			return f
		}
	}
	return nil
}

// listed gives the names of the features that a protocol asks of readers, or of writers, those that old version numbers
// imply included.
func (p Protocol) listed(write bool) []string {
	names := map[string]bool{}
	list := p.ReaderFeatures
	if write {
		list = p.WriterFeatures
	}
	for _, name := range list {
		names[name] = true
	}
	for _, f := range features {
		legacyReader := f.legacyReader > 0 && p.MinReaderVersion < featureVersionReader && p.MinReaderVersion >= f.legacyReader
		legacyWriter := f.legacyWriter > 0 && p.MinWriterVersion < featureVersionWriter && p.MinWriterVersion >= f.legacyWriter
		if legacyReader && !write || legacyWriter && write {
			names[f.name] = true
		}
	}
	return slices.Sorted(maps.Keys(names))
}

// lists is whether the protocol asks writers for a feature.
func (p Protocol) lists(feature string) bool { return slices.Contains(p.listed(true), feature) }

// checkRead refuses what this package cannot read rightly.
func (p Protocol) checkRead(u usage) error {
	var bad []string
	if p.MinReaderVersion > featureVersionReader {
		bad = append(bad, "reader version "+strconv.Itoa(p.MinReaderVersion))
	}
	listed := map[*feature]bool{}
	for _, name := range p.listed(false) {
		f := findFeature(name)
		if f == nil || !f.serves(f.read, u) {
			bad = append(bad, name)
		}
		listed[f] = true
	}
	// Writer-only names matter to a reader when the table's content hangs on them, however they came to be listed, and
	// use of a feature that the protocol does not list is refused as well.
	for i := range features {
		f := &features[i]
		used := f.inFiles && !listed[f] && f.inUse(u)
		refusedToAll := f.read == refused && slices.ContainsFunc(p.WriterFeatures, func(n string) bool { return findFeature(n) == f })
		if (used || refusedToAll) && !slices.ContainsFunc(bad, func(n string) bool { return findFeature(n) == f }) {
			bad = append(bad, f.name)
		}
	}
	bad = append(bad, unknownTypes(u.metadata.Schema)...)
	bad = append(bad, unservedTypeChanges(u.metadata.Schema)...)
	if len(bad) > 0 {
		return &UnsupportedError{Features: bad}
	}
	return nil
}

// checkWrite refuses what this package cannot write without breaking a promise of the table.
func (p Protocol) checkWrite(u usage) error {
	var bad []string
	if p.MinWriterVersion > featureVersionWriter {
		bad = append(bad, "writer version "+strconv.Itoa(p.MinWriterVersion))
	}
	for _, name := range p.listed(true) {
		if f := findFeature(name); f == nil || !f.serves(f.write, u) {
			bad = append(bad, name)
		}
	}
	// A table can carry constraints or the like that its protocol forgot to list. They hold all the same.
	for _, f := range features {
		if f.write == whenIdle && f.inUse(u) && !slices.Contains(bad, f.name) {
			bad = append(bad, f.name)
		}
	}
	bad = append(bad, unservedLengths(u.metadata.Schema)...)
	if len(bad) > 0 {
		return &UnsupportedError{Features: bad, Write: true}
	}
	return nil
}

func (f *feature) serves(s support, u usage) bool {
	return s == served || s == whenIdle && !f.inUse(u)
}

// unknownTypes names the types of a schema that this package does not know. Variant is left to its feature.
func unknownTypes(s *Schema) []string {
	var bad []string
	for t := range types(s) {
		p, ok := t.(Primitive)
		if ok && p != Void && p != "variant" && !slices.Contains(writablePrimitives, p) && !slices.Contains(bad, "type "+string(p)) {
			bad = append(bad, "type "+string(p))
		}
	}
	return bad
}

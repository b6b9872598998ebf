package delta

import (
	"maps"
	"slices"
	"strings"
	"time"
)

// What callers see of an action, and the action of what they give.

// public leaves out the statistics when no reader of them is given.
func (a *addAction) public(m *Metadata, stats *statsReader) Add {
	out := Add{
		Path:             a.Path,
		PartitionValues:  resolvePartitionValues(m, a.PartitionValues),
		Size:             a.Size,
		ModificationTime: time.UnixMilli(a.ModificationTime).UTC(),
		DataChange:       a.DataChange,
		Tags:             map[string]string{},
		DeletionVector:   a.DeletionVector,
	}
	for k, v := range a.Tags {
		if v != nil {
			out.Tags[k] = *v
		}
	}
	if stats != nil {
		out.Stats = stats.read(a.Stats)
	}
	return out
}

// resolvePartitionValues gives a value, which may be null, for each partition column by its name in the schema.
func resolvePartitionValues(m *Metadata, values map[string]*string) map[string]*string {
	out := make(map[string]*string, len(m.PartitionColumns))
	for _, c := range m.PartitionColumns {
		f, _ := m.Schema.Field(c)
		out[c] = partitionValue(values, m.PhysicalName(f))
	}
	return out
}

// partitionValue finds the value of a column; "" and absence are null (spec: Partition Value Serialization).
func partitionValue(values map[string]*string, column string) *string {
	v, ok := values[column]
	if !ok {
		for k, other := range values {
			if strings.EqualFold(k, column) {
				v = other
			}
		}
	}
	if v != nil && *v == "" {
		return nil
	}
	return v
}

func (r *removeAction) public(m *Metadata) Remove {
	out := Remove{Path: r.Path, DataChange: r.DataChange, DeletionVector: r.DeletionVector}
	if r.DeletionTimestamp != 0 {
		out.DeletionTimestamp = time.UnixMilli(r.DeletionTimestamp).UTC()
	}
	if r.PartitionValues != nil {
		out.PartitionValues = resolvePartitionValues(m, r.PartitionValues)
	}
	if r.Size != nil {
		out.Size = *r.Size
	}
	return out
}

func (t txnAction) public() AppTransaction {
	out := AppTransaction{AppID: t.AppID, Version: t.Version}
	if t.LastUpdated != nil {
		out.LastUpdated = time.UnixMilli(*t.LastUpdated).UTC()
	}
	return out
}

func (a Add) action(m *Metadata, columns []leaf, dataChange bool) (*addAction, error) {
	stats, err := a.Stats.format(columns)
	if err != nil {
		return nil, err
	}
	out := &addAction{
		Path:             decodePath(encodePath(a.Path)), // the canonical spelling
		PartitionValues:  map[string]*string{},
		Size:             a.Size,
		ModificationTime: a.ModificationTime.UnixMilli(),
		DataChange:       dataChange,
		Stats:            stats,
	}
	for k, v := range m.physicalPartition(a.PartitionValues) {
		if v != nil && *v == "" {
			v = nil
		}
		out.PartitionValues[k] = v
	}
	for _, k := range slices.Sorted(maps.Keys(a.Tags)) {
		if out.Tags == nil {
			out.Tags = map[string]*string{}
		}
		v := a.Tags[k]
		out.Tags[k] = &v
	}
	return out, nil
}

// tombstone gives the remove action of a live file.
func (a *addAction) tombstone(at time.Time, dataChange bool) *removeAction {
	size := a.Size
	return &removeAction{
		Path:                    a.Path,
		DeletionTimestamp:       at.UnixMilli(),
		DataChange:              dataChange,
		ExtendedFileMetadata:    true,
		PartitionValues:         a.PartitionValues,
		Size:                    &size,
		Tags:                    a.Tags,
		DeletionVector:          a.DeletionVector,
		BaseRowID:               a.BaseRowID,
		DefaultRowCommitVersion: a.DefaultRowCommitVersion,
	}
}

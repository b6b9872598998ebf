package delta

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// settable are the table properties that this package honours, with what their values must be. Which feature of the protocol one
// asks for is said with the features.
var settable = map[string]func(string) error{
	"delta.appendOnly":                      isBool,
	"delta.checkpointInterval":              isPositive,
	"delta.checkpointPolicy":                isOneOf("classic", "v2"),
	"delta.checkpoint.writeStatsAsJson":     isBool,
	"delta.checkpoint.writeStatsAsStruct":   isBool,
	"delta.columnMapping.mode":              isOneOf("none", string(MapByName), string(MapByID)),
	"delta.dataSkippingNumIndexedCols":      isInteger,
	"delta.dataSkippingStatsColumns":        isAnything,
	"delta.deletedFileRetentionDuration":    isInterval,
	changeDataFeedProperty:                  isBool,
	vectorsProperty:                         isBool,
	"delta.enableExpiredLogCleanup":         isBool,
	"delta.enableInCommitTimestamps":        isBool,
	"delta.enableTypeWidening":              isBool,
	"delta.isolationLevel":                  isOneOf(serializable, writeSerializable),
	"delta.logRetentionDuration":            isInterval,
	"delta.parquet.compression.codec":       isAnything,
	"delta.setTransactionRetentionDuration": isInterval,
	"delta.targetFileSize":                  isAnything,
}

// unserved are properties that ask for a feature which this package does not write.
var unserved = map[string]string{
	"delta.enableRowTracking":               "rowTracking",
	"delta.enableIcebergCompatV1":           "icebergCompatV1",
	"delta.enableIcebergCompatV2":           "icebergCompatV2",
	"delta.enableIcebergCompatV3":           "icebergCompatV3",
	"delta.enableIcebergWriterCompatV1":     "icebergWriterCompatV1",
	"delta.enableVariantShredding":          "variantShredding",
	"delta.enableMaterializedPartitionCols": "materializePartitionColumns",
}

// kept are properties that writers keep themselves.
var kept = []string{
	maxColumnIDProperty, enablementVersionProperty, enablementTimestampProperty, "delta.minReaderVersion", "delta.minWriterVersion",
}

// SetProperties sets and unsets table properties by a commit of its own, on top of whatever others commit meanwhile. The protocol is
// raised to what they ask for, never lowered. Those that are as asked for already are no reason for a commit.
func (t *Table) SetProperties(ctx context.Context, set map[string]string, unset ...string) (*Snapshot, error) {
	name, what := "SET TBLPROPERTIES", any(set)
	if len(set) == 0 {
		name, what = "UNSET TBLPROPERTIES", append([]string{}, unset...)
	}
	text, err := json.Marshal(what)
	if err != nil {
		return nil, err
	}
	op := Operation{Name: name, Parameters: map[string]string{"properties": string(text)}}
	return t.alter(ctx, op, func(tx *Transaction) {
		for _, k := range slices.Sorted(maps.Keys(set)) {
			tx.SetConfiguration(k, set[k])
		}
		for _, k := range unset {
			tx.UnsetConfiguration(k)
		}
	})
}

// checkProperties refuses properties of the protocol that would be promises this package cannot keep.
func checkProperties(properties map[string]string) error {
	for _, k := range slices.Sorted(maps.Keys(properties)) {
		if err := checkProperty(k, properties[k]); err != nil {
			return err
		}
	}
	return nil
}

func checkProperty(key, value string) error {
	if !strings.HasPrefix(strings.ToLower(key), "delta.") || strings.HasPrefix(key, constraintPrefix) {
		return nil
	}
	if feature, ok := unserved[key]; ok {
		return fmt.Errorf("table property %s: %w", key, &UnsupportedError{Features: []string{feature}, Write: true})
	}
	if slices.Contains(kept, key) {
		return fmt.Errorf("table property %s is kept by writers and cannot be set", key)
	}
	check, ok := settable[key]
	if !ok {
		err := &UnsupportedError{Features: []string{key}, Write: true}
		if near := nearest(key, slices.Collect(maps.Keys(settable))); near != "" {
			return fmt.Errorf("table property: %w; is %s meant?", err, near)
		}
		return fmt.Errorf("table property: %w", err)
	}
	if err := check(value); err != nil {
		return fmt.Errorf("table property %s: %w", key, err)
	}
	return nil
}

// nearest gives the name that takes the fewest changes of letters to become; "" when all are far.
func nearest(name string, names []string) string {
	best, least := "", len(name)/3
	for _, other := range slices.Sorted(slices.Values(names)) {
		if d := editDistance(strings.ToLower(name), strings.ToLower(other)); d < least || d == least && best == "" {
			best, least = other, d
		}
	}
	return best
}

// editDistance counts the letters to insert, delete or replace.
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replaced := diagonal
			if a[i] != b[j] {
				replaced++
			}
			diagonal = row[j+1]
			row[j+1] = min(replaced, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

// configure gives the metadata with properties set and unset, and with what hangs on them: the columns' mapping, and what in-commit
// timestamps leave behind.
func (m Metadata) configure(set map[string]string, unset map[string]bool) (Metadata, error) {
	for _, key := range slices.Concat(sortedKeys(set), sortedKeys(unset)) {
		if strings.HasPrefix(key, constraintPrefix) {
			return m, fmt.Errorf("table property %s: constraints are set by SetConstraint and dropped by DropConstraint", key)
		}
	}
	if err := checkProperties(set); err != nil {
		return m, err
	}
	before := m.ColumnMapping()
	m.Configuration = withText(m.Configuration, "", "") // a copy
	delete(m.Configuration, "")
	maps.Copy(m.Configuration, set)
	for k := range unset {
		if slices.Contains(kept, k) {
			return m, fmt.Errorf("table property %s is kept by writers and cannot be unset", k)
		}
		delete(m.Configuration, k)
	}
	if err := m.setMapping(before, false); err != nil {
		return m, err
	}
	if !m.enabled(inCommitTimestampsProperty) {
		delete(m.Configuration, enablementVersionProperty)
		delete(m.Configuration, enablementTimestampProperty)
	}
	return m, nil
}

func isBool(s string) error {
	if !strings.EqualFold(s, "true") && !strings.EqualFold(s, "false") {
		return fmt.Errorf("%q is neither true nor false", s)
	}
	return nil
}

func isInteger(s string) error {
	if _, err := strconv.Atoi(s); err != nil {
		return fmt.Errorf("%q is no whole number", s)
	}
	return nil
}

func isPositive(s string) error {
	if n, err := strconv.Atoi(s); err != nil || n < 1 {
		return fmt.Errorf("%q is no number above 0", s)
	}
	return nil
}

func isInterval(s string) error {
	_, err := parseInterval(s)
	return err
}

func isOneOf(values ...string) func(string) error {
	return func(s string) error {
		if !slices.Contains(values, s) {
			last := len(values) - 1
			return fmt.Errorf("%q is neither %s nor %s", s, strings.Join(values[:last], ", "), cmp.Or(values[last], "empty"))
		}
		return nil
	}
}

func isAnything(string) error { return nil }

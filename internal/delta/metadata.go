package delta

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// parse gives the action as what callers see.
func (m *metadataAction) parse() (Metadata, error) {
	if m.SchemaString == "" { // only that of the newest metaData counts
		return Metadata{}, errors.New("no schemaString")
	}
	schema, err := ParseSchema([]byte(m.SchemaString))
	if err != nil {
		return Metadata{}, err
	}
	if p := m.Format.Provider; p != "" && p != "parquet" {
		return Metadata{}, &UnsupportedError{Features: []string{"data files of format " + p}}
	}
	out := Metadata{
		ID:            m.ID,
		Schema:        schema,
		Configuration: m.Configuration,
	}
	for _, c := range m.PartitionColumns {
		name, ok := schema.resolve(c)
		if !ok {
			return Metadata{}, fmt.Errorf("partition column %q is not in the schema", c)
		}
		out.PartitionColumns = append(out.PartitionColumns, name)
	}
	if m.Name != nil {
		out.Name = *m.Name
	}
	if m.Description != nil {
		out.Description = *m.Description
	}
	if m.CreatedTime != nil {
		out.CreatedTime = time.UnixMilli(*m.CreatedTime).UTC()
	}
	return out, nil
}

// resolve finds a column by its name, and by its name without regard to case when there is none spelled so.
func (s *Schema) resolve(name string) (string, bool) {
	if _, ok := s.Field(name); ok {
		return name, true
	}
	for _, f := range s.Fields {
		if strings.EqualFold(f.Name, name) {
			return f.Name, true
		}
	}
	return "", false
}

// action gives the metadata as the log spells it.
func (m Metadata) action() (*metadataAction, error) {
	schema, err := json.Marshal(m.Schema)
	if err != nil {
		return nil, err
	}
	out := &metadataAction{
		ID:               m.ID,
		Format:           formatAction{Provider: "parquet", Options: map[string]string{}},
		SchemaString:     string(schema),
		PartitionColumns: slices.Clone(m.PartitionColumns),
		Configuration:    maps.Clone(m.Configuration),
	}
	if m.Name != "" {
		out.Name = &m.Name
	}
	if m.Description != "" {
		out.Description = &m.Description
	}
	if !m.CreatedTime.IsZero() {
		created := m.CreatedTime.UnixMilli()
		out.CreatedTime = &created
	}
	out.fill()
	return out, nil
}

// fill puts empty lists and maps where there are none: Spark cannot read null there.
func (m *metadataAction) fill() {
	if m.PartitionColumns == nil {
		m.PartitionColumns = []string{}
	}
	if m.Configuration == nil {
		m.Configuration = map[string]string{}
	}
	if m.Format.Options == nil {
		m.Format.Options = map[string]string{}
	}
}

func (p *protocolAction) parse() Protocol {
	out := Protocol{MinReaderVersion: p.MinReaderVersion, MinWriterVersion: p.MinWriterVersion}
	if p.ReaderFeatures != nil {
		out.ReaderFeatures = *p.ReaderFeatures
	}
	if p.WriterFeatures != nil {
		out.WriterFeatures = *p.WriterFeatures
	}
	return out
}

func (p Protocol) action() *protocolAction {
	out := &protocolAction{MinReaderVersion: p.MinReaderVersion, MinWriterVersion: p.MinWriterVersion}
	if p.MinReaderVersion >= featureVersionReader {
		out.ReaderFeatures = &p.ReaderFeatures
	}
	if p.MinWriterVersion >= featureVersionWriter {
		out.WriterFeatures = &p.WriterFeatures
	}
	return out
}

// Defaults of table properties (spec and Spark).
const (
	defaultCheckpointInterval   = 10
	defaultIndexedColumns       = 32
	defaultDeletedFileRetention = 7 * 24 * time.Hour
)

func (m *Metadata) partitionedBy(column string) bool {
	return slices.Contains(m.PartitionColumns, column)
}

func (m *Metadata) enabled(property string) bool {
	return strings.EqualFold(m.Configuration[property], "true")
}

// checkpointInterval is how many commits lie between checkpoints.
func (m *Metadata) checkpointInterval() int64 {
	if n, err := strconv.ParseInt(m.Configuration["delta.checkpointInterval"], 10, 64); err == nil && n > 0 {
		return n
	}
	return defaultCheckpointInterval
}

// deletedFileRetention is how long the log remembers removed files.
func (m *Metadata) deletedFileRetention() time.Duration {
	return m.interval("delta.deletedFileRetentionDuration", defaultDeletedFileRetention)
}

func (m *Metadata) interval(property string, otherwise time.Duration) time.Duration {
	if d, err := parseInterval(m.Configuration[property]); err == nil {
		return d
	}
	return otherwise
}

// parseInterval reads "interval 1 week", "INTERVAL '30' DAY", "interval 2 days 3 hours". Months and years have no fixed
// length and are refused.
func parseInterval(text string) (time.Duration, error) {
	words := strings.Fields(strings.ToLower(text))
	if len(words) > 0 && (words[0] == "interval" || words[0] == "calendarinterval") {
		words = words[1:]
	}
	if len(words) == 0 || len(words)%2 != 0 {
		return 0, fmt.Errorf("%.60q is no interval", text)
	}
	var total time.Duration
	for i := 0; i < len(words); i += 2 {
		n, err := strconv.ParseInt(strings.Trim(words[i], "'"), 10, 32)
		unit, ok := intervalUnits[strings.TrimSuffix(words[i+1], "s")]
		if err != nil || !ok || n < 0 || n > int64(100*365*24*time.Hour/unit) {
			return 0, fmt.Errorf("%.60q is no interval", text)
		}
		if total += time.Duration(n) * unit; total < 0 {
			return 0, fmt.Errorf("%.60q is too long", text)
		}
	}
	return total, nil
}

var intervalUnits = map[string]time.Duration{
	"week": 7 * 24 * time.Hour, "day": 24 * time.Hour, "hour": time.Hour, "minute": time.Minute, "second": time.Second,
	"millisecond": time.Millisecond, "microsecond": time.Microsecond,
}

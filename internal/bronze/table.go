package bronze

import (
	"encoding/json"
	"fmt"
	"strconv"

	"launchlake/internal/delta"
)

const partitionColumn = "ingest_date"

// columns are those of the data files; the partition column comes behind them.
var columns = []delta.Field{
	field("id", delta.String, "the record's id as text; null when it has none that is a string or a number"),
	field("last_updated", delta.Timestamp, "the record's last_updated; null when absent or no time"),
	required("raw", delta.Binary, "the exact bytes of the record as served"),
	required("sha256", delta.String, "hash of raw, in hex"),
	field("defect", delta.String, "why raw cannot be parsed as a launch: not_an_object, not_utf8 or not_json"),
	field("request_url", delta.String, "the request that it answers"),
	field("http_status", delta.Integer, "status of the answer"),
	field("page", delta.Integer, "number of the answer in its pass, from 0"),
	field("position", delta.Integer, "place in the answer, from 0"),
	field("fetched_at", delta.Timestamp, "when the answer came, by the ingesting machine's clock"),
	field("api_version", delta.String, "version of the API, from its URL"),
	field("run_id", delta.String, "the run that fetched it"),
}

func field(name string, t delta.Type, comment string) delta.Field {
	quoted := json.RawMessage(strconv.Quote(comment))
	return delta.Field{Name: name, Type: t, Nullable: true, Metadata: map[string]json.RawMessage{"comment": quoted}}
}

func required(name string, t delta.Type, comment string) delta.Field {
	f := field(name, t, comment)
	f.Nullable = false
	return f
}

// Schema is the schema of the table.
func Schema() *delta.Schema {
	partition := field(partitionColumn, delta.Date, "UTC day of fetched_at")
	return &delta.Schema{Fields: append(fileSchema().Fields, partition)}
}

func fileSchema() *delta.Schema {
	return &delta.Schema{Fields: append([]delta.Field(nil), columns...)}
}

func metadata() delta.Metadata {
	return delta.Metadata{
		Name:             "launches",
		Description:      "Launches as the API served them, byte for byte. Append-only.",
		Schema:           Schema(),
		PartitionColumns: []string{partitionColumn},
		Configuration:    map[string]string{"delta.appendOnly": "true"},
	}
}

// checkSchema refuses a table that cannot take our rows: it is somebody else's, or of a later version of this program.
func checkSchema(s *delta.Snapshot) error {
	have := map[string]delta.Field{}
	for _, f := range s.Schema().Fields {
		have[f.Name] = f
	}
	for _, want := range Schema().Fields {
		got, ok := have[want.Name]
		if !ok {
			return fmt.Errorf("the table has no column %s: it is no Bronze table of launches; give another lake", want.Name)
		}
		if got.Type != want.Type {
			return fmt.Errorf("the table's column %s is %s, not %s: it is no Bronze table of launches; give another lake",
				want.Name, got.Type, want.Type)
		}
		delete(have, want.Name)
	}
	for name, f := range have {
		if !f.Nullable {
			return fmt.Errorf("the table has a column %s that must not be null and is not known here", name)
		}
	}
	if got := s.Metadata().PartitionColumns; len(got) != 1 || got[0] != partitionColumn {
		return fmt.Errorf("the table is partitioned by %q, not by %s", got, partitionColumn)
	}
	return nil
}

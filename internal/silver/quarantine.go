package silver

import (
	"encoding/json"
	"strconv"

	"launchlake/internal/delta"
)

// QuarantineSchema is the schema of every quarantine table.
func QuarantineSchema() *delta.Schema {
	texts := &delta.Array{Element: delta.String, ContainsNull: true}
	column := func(name string, t delta.Type, required bool, comment string) delta.Field {
		return delta.Field{Name: name, Type: t, Nullable: !required, Metadata: map[string]json.RawMessage{"comment": json.RawMessage(strconv.Quote(comment))}}
	}
	return &delta.Schema{Fields: []delta.Field{
		column("id", delta.String, false, "The record's id as text; null when it has none."),
		column("rules", texts, true, "Names of all rules that the record breaks."),
		column("messages", texts, true, "What is wrong, in the order of rules."),
		column("raw", delta.Binary, true, "The exact bytes of the record as served."),
		column("sha256", delta.String, true, "Hash of raw. A record is kept once."),
		column("last_updated", delta.Timestamp, false, "The record's last_updated; null when it has none."),
		column("bronze_version", delta.Long, false, "The version of the Bronze table that brought it."),
		column("request_url", delta.String, false, "The request that it came by."),
		column("fetched_at", delta.Timestamp, false, "When it was fetched."),
		column("run_id", delta.String, false, "The run that put it here."),
		column("quarantined_at", delta.Timestamp, true, "When it was put here."),
	}}
}

package task

import (
	"encoding/json"
	"fmt"
	"io"
)

const resultSchema = "task-result/v1"

// Status is how a task ended.
type Status string

// The statuses of a result.
const (
	StatusDone           Status = "done"
	StatusNothingNew     Status = "nothing_new"
	StatusBudgetSpent    Status = "budget_spent"
	StatusContractBroken Status = "contract_broken"
	StatusFailed         Status = "failed"
	StatusInterrupted    Status = "interrupted"
)

// NoVersion is the version of a table that does not exist.
const NoVersion int64 = -1

// Result is what a task did. It is printed as one line of JSON.
type Result struct {
	Schema            string  `json:"schema"` // "task-result/v1"; set by this package, as Task and RunID are
	Task              string  `json:"task"`
	RunID             string  `json:"run_id"`
	Status            Status  `json:"status"`
	Tables            []Table `json:"tables"`
	Watermark         string  `json:"watermark,omitempty"` // RFC 3339; up to where the source is in the lake
	RetryAfterSeconds *int    `json:"retry_after_seconds"` // when to resume; null when there is no reason to wait
	Requests          int     `json:"requests"`            // to the source
	Bytes             int64   `json:"bytes"`               // read from the source
	Seconds           float64 `json:"seconds"`             // wall time
	Error             string  `json:"error,omitempty"`

	code ExitCode
}

// Table is what a task did to one table.
type Table struct {
	Name          string `json:"name"`           // as in "silver/launches"
	VersionBefore int64  `json:"version_before"` // NoVersion when the table was new
	Version       int64  `json:"version"`
	RowsIn        int64  `json:"rows_in"`
	RowsOut       int64  `json:"rows_out"`
	RowsUpdated   int64  `json:"rows_updated"`
	Quarantined   int64  `json:"quarantined"`
	FilesAdded    int64  `json:"files_added"`
	FilesRemoved  int64  `json:"files_removed"`
	// RulesBroken counts the records that broke each rule of the table's contract; a record may break several.
	RulesBroken map[string]int64 `json:"rules_broken,omitempty"`
}

func (r Result) write(w io.Writer) error {
	if r.Tables == nil {
		r.Tables = []Table{}
	}
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(r); err != nil {
		return fmt.Errorf("write the result: %w", err)
	}
	return nil
}

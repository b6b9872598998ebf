package delta

import (
	"encoding/json"
	"strconv"
	"time"
)

// commitInfoAction is the provenance that transactions write. What is read goes through parseCommitInfo, for writers
// put anything there.
type commitInfoAction struct {
	Timestamp           int64             `json:"timestamp"`
	InCommitTimestamp   *int64            `json:"inCommitTimestamp,omitempty"`
	Operation           string            `json:"operation"`
	OperationParameters map[string]string `json:"operationParameters"`
	ReadVersion         *Version          `json:"readVersion,omitempty"`
	IsolationLevel      string            `json:"isolationLevel,omitempty"`
	IsBlindAppend       bool              `json:"isBlindAppend"`
	OperationMetrics    map[string]string `json:"operationMetrics,omitempty"`
	UserMetadata        string            `json:"userMetadata,omitempty"`
	EngineInfo          string            `json:"engineInfo"`
	TxnID               string            `json:"txnId"`
}

// parseCommitInfo reads what it can: the protocol lets commitInfo hold anything.
func parseCommitInfo(raw json.RawMessage) CommitInfo {
	var fields map[string]json.RawMessage
	if json.Unmarshal(raw, &fields) != nil {
		return CommitInfo{}
	}
	info := CommitInfo{
		Timestamp:           looseTime(fields["timestamp"]),
		InCommitTimestamp:   looseTime(fields["inCommitTimestamp"]),
		Operation:           looseText(fields["operation"]),
		OperationParameters: looseMap(fields["operationParameters"]),
		OperationMetrics:    looseMap(fields["operationMetrics"]),
		IsolationLevel:      looseText(fields["isolationLevel"]),
		EngineInfo:          looseText(fields["engineInfo"]),
		UserMetadata:        looseText(fields["userMetadata"]),
		TxnID:               looseText(fields["txnId"]),
	}
	if b, err := strconv.ParseBool(looseText(fields["isBlindAppend"])); err == nil {
		info.IsBlindAppend = &b
	}
	if v, ok := looseInt(fields["readVersion"]); ok {
		version := Version(v)
		info.ReadVersion = &version
	}
	return info
}

func looseText(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) == nil {
		return s
	}
	if text := string(raw); text != "null" {
		return text
	}
	return ""
}

func looseInt(raw json.RawMessage) (int64, bool) {
	n, err := strconv.ParseInt(looseText(raw), 10, 64)
	return n, err == nil
}

func looseTime(raw json.RawMessage) time.Time {
	if ms, ok := looseInt(raw); ok {
		return time.UnixMilli(ms).UTC()
	}
	return time.Time{}
}

func looseMap(raw json.RawMessage) map[string]string {
	var fields map[string]json.RawMessage
	if json.Unmarshal(raw, &fields) != nil || len(fields) == 0 {
		return nil
	}
	out := make(map[string]string, len(fields))
	for k, v := range fields {
		out[k] = looseText(v)
	}
	return out
}

func marshalInfo(info commitInfoAction) (json.RawMessage, error) { return json.Marshal(info) }

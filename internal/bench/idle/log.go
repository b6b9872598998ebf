package main

import (
	"bytes"
	"context"
	"fmt"

	"launchlake/internal/delta"
)

// behind is how many commits come after the last checkpoint, as is so on average with the usual interval of ten.
const behind = 5

const (
	writeLine = `{"commitInfo":{"timestamp":%d,"operation":"WRITE","operationParameters":{"mode":"Append"},"isBlindAppend":true}}` + "\n"
	// A file of records that came long ago. Nobody needs its data: no task reads what its statistics tell it to be past.
	addLine = `{"add":{"path":"part-%020d-%x.zstd.parquet","partitionValues":{%s},"size":%d,"modificationTime":%d,"dataChange":true,` +
		`"stats":"{\"numRecords\":12,\"minValues\":{\"last_updated\":\"2020-01-01T00:00:00.000Z\"},\"maxValues\":{\"last_updated\":\"2020-01-02T00:00:00.000Z\"},\"nullCount\":{\"last_updated\":0}}"}}` + "\n"
)

// lengthen goes on with a table's log up to a version, with a file in each commit, and writes a checkpoint there; a few more follow. Progress
// that counts versions of a table is set to the last one, so that all tables of the lake are up to date.
func lengthen(ctx context.Context, t *delta.Table, versions int) error {
	to := versions + behind
	s, err := t.Snapshot(ctx)
	if err != nil {
		return err
	}
	for v := int(s.Version()) + 1; v < to; v++ {
		if err := t.Store().PutIfAbsent(ctx, fmt.Sprintf("_delta_log/%020d.json", v), commit(s, v)); err != nil {
			return err
		}
		if v == versions {
			latest, err := t.Snapshot(ctx)
			if err != nil {
				return err
			}
			if err := t.Checkpoint(ctx, latest); err != nil {
				return err
			}
		}
	}
	return end(ctx, t, to)
}

// end commits the last version as the tasks do, with its checksum. Progress that is no version of a table is a time, in seconds, and stays.
func end(ctx context.Context, t *delta.Table, to int) error {
	s, err := t.Snapshot(ctx)
	if err != nil {
		return err
	}
	tx := s.Begin(delta.Operation{Name: "WRITE"})
	tx.SetTransaction("bench", int64(to))
	for id, version := range s.AppVersions() {
		if version < 1<<20 {
			tx.SetTransaction(id, int64(to))
		}
	}
	_, err = tx.Commit(ctx)
	return err
}

func commit(s *delta.Snapshot, v int) []byte {
	var b bytes.Buffer
	at := s.Timestamp().UnixMilli()
	fmt.Fprintf(&b, writeLine, at)
	partition := ""
	for i, column := range s.Metadata().PartitionColumns {
		if i > 0 {
			partition += ","
		}
		partition += fmt.Sprintf("%q:\"2020-01-01\"", column)
	}
	fmt.Fprintf(&b, addLine, v, v*7919, partition, 1<<16+v, at)
	return b.Bytes()
}

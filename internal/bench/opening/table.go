package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"launchlake/internal/delta"
	"launchlake/internal/objstore"
)

// table is a table to open. Version 0 creates it; each further commit adds some files, whose data nobody needs.
type table struct {
	commits    int
	each       int // files of a commit
	checkpoint bool
}

// behind is how many commits come after the checkpoint, as is so on average with the usual interval of ten.
const behind = 5

func (t table) files() int { return t.commits * t.each }

func (t table) name() string {
	return fmt.Sprintf("commits-%d-files-%d-checkpoint-%t", t.commits, t.files(), t.checkpoint)
}

func (t table) String() string {
	if t.checkpoint {
		return fmt.Sprintf("%d commits, checkpoint", t.commits)
	}
	return fmt.Sprintf("%d commits", t.commits)
}

const (
	firstLines = `{"commitInfo":{"timestamp":1700000000000,"operation":"CREATE TABLE","operationParameters":{}}}
{"protocol":{"minReaderVersion":1,"minWriterVersion":2}}
{"metaData":{"id":"5f9c0f9e-6f0a-4d6f-9a0c-0d7e1b6c2a11","format":{"provider":"parquet","options":{}},"schemaString":"{\"type\":\"struct\",\"fields\":[{\"name\":\"id\",\"type\":\"long\",\"nullable\":true,\"metadata\":{}},{\"name\":\"name\",\"type\":\"string\",\"nullable\":true,\"metadata\":{}},{\"name\":\"net\",\"type\":\"timestamp\",\"nullable\":true,\"metadata\":{}},{\"name\":\"mass\",\"type\":\"double\",\"nullable\":true,\"metadata\":{}},{\"name\":\"day\",\"type\":\"date\",\"nullable\":true,\"metadata\":{}}]}","partitionColumns":["day"],"configuration":{},"createdTime":1700000000000}}
`
	writeLine = `{"commitInfo":{"timestamp":%d,"operation":"WRITE","operationParameters":{"mode":"Append"},"isBlindAppend":true}}` + "\n"
	addLine   = `{"add":{"path":"day=%s/part-00000-%s-c000.snappy.parquet","partitionValues":{"day":"%s"},"size":%d,"modificationTime":%d,"dataChange":true,` +
		`"stats":"{\"numRecords\":%d,\"minValues\":{\"id\":%d,\"name\":\"%s\",\"net\":\"2024-01-01T00:00:00.%03dZ\",\"mass\":%d.5},` +
		`\"maxValues\":{\"id\":%d,\"name\":\"%s\",\"net\":\"2024-06-01T00:00:00.%03dZ\",\"mass\":%d.25},` +
		`\"nullCount\":{\"id\":0,\"name\":%d,\"net\":0,\"mass\":%d}}"}}` + "\n"
)

// generate makes the table in a folder, unless it is there.
func (t table) generate(folder string) error {
	complete := filepath.Join(folder, "complete")
	if _, err := os.Stat(complete); err == nil {
		return nil
	}
	fmt.Fprintf(os.Stderr, "making a table of %s, %d files\n", t, t.files())
	log := filepath.Join(folder, "_delta_log")
	if err := os.MkdirAll(log, 0o755); err != nil {
		return err
	}
	for v := 0; v <= t.commits; v++ {
		if err := os.WriteFile(filepath.Join(log, fmt.Sprintf("%020d.json", v)), t.commit(v), 0o644); err != nil {
			return err
		}
		if t.checkpoint && v == max(0, t.commits-behind) {
			if err := writeCheckpoint(folder); err != nil {
				return err
			}
		}
	}
	return os.WriteFile(complete, nil, 0o644)
}

func writeCheckpoint(folder string) error {
	store, err := objstore.NewDir(folder)
	if err != nil {
		return err
	}
	t := delta.Open(store)
	s, err := t.Snapshot(context.Background())
	if err != nil {
		return err
	}
	return t.Checkpoint(context.Background(), s)
}

// commit gives the text of a version.
func (t table) commit(v int) []byte {
	if v == 0 {
		return []byte(firstLines)
	}
	var b bytes.Buffer
	at := 1_700_000_000_000 + int64(v)*1000
	fmt.Fprintf(&b, writeLine, at)
	for i := range t.each {
		writeAdd(&b, v*t.each+i, time.UnixMilli(at))
	}
	return b.Bytes()
}

// writeAdd writes the n-th file of the table: names that cannot be compressed well, as those of writers, and statistics of four
// columns.
func writeAdd(w io.Writer, n int, at time.Time) {
	hash := sha256.Sum256(fmt.Append(nil, n))
	id := hex.EncodeToString(hash[:16])
	uuid := strings.Join([]string{id[:8], id[8:12], id[12:16], id[16:20], id[20:]}, "-")
	day := time.Date(2024, 1, 1+n%366, 0, 0, 0, 0, time.UTC).Format(time.DateOnly)
	number := int(hash[16])<<16 | int(hash[17])<<8 | int(hash[18])
	fmt.Fprintf(w, addLine, day, uuid, day, 1<<20+number, at.UnixMilli(), 10_000+number%1000, number, "Ariane "+id[:4], number%1000, number%100,
		number+10_000, "Vostok "+id[4:8], number%1000, 100+number%100, number%7, number%5)
}

package delta_test

import (
	"context"
	"fmt"
	"log"
	"strings"
	"time"

	"launchlake/internal/delta"
	"launchlake/internal/objstore"
)

var launches = &delta.Schema{Fields: []delta.Field{
	{Name: "id", Type: delta.Long},
	{Name: "name", Type: delta.String, Nullable: true},
	{Name: "day", Type: delta.Date, Nullable: true},
}}

// writeLaunches commits one data file. A writer puts Parquet there; delta does not look into it.
func writeLaunches(ctx context.Context, s *delta.Snapshot, day time.Time, ids ...int64) (*delta.Snapshot, error) {
	value, err := delta.FormatPartitionValue(delta.Date, day)
	if err != nil {
		return nil, err
	}
	columns, values := s.Metadata().PartitionColumns, map[string]*string{"day": value}
	path := delta.PartitionPath(columns, values) + "/" + delta.NewDataFileName("zstd.parquet")
	body := "Parquet"
	if err := s.Table().Store().Put(ctx, path, strings.NewReader(body)); err != nil {
		return nil, err
	}
	stats := delta.NewStats(&delta.Schema{Fields: launches.Fields[:2]})
	for _, id := range ids {
		stats.ObserveRow()
		stats.Observe("id", id)
	}
	tx := s.Begin(delta.Operation{Name: "WRITE", Parameters: map[string]string{"mode": "Append"}})
	tx.Add(delta.Add{Path: path, PartitionValues: values, Size: int64(len(body)), Stats: stats.Stats()})
	return tx.Commit(ctx)
}

func Example() {
	ctx := context.Background()
	table := delta.Open(objstore.NewMemory())
	s, err := table.Create(ctx, delta.Metadata{Schema: launches, PartitionColumns: []string{"day"}})
	if err != nil {
		log.Fatal(err)
	}
	s, err = writeLaunches(ctx, s, time.Date(1969, 7, 16, 0, 0, 0, 0, time.UTC), 11)
	if err != nil {
		log.Fatal(err)
	}
	s, err = writeLaunches(ctx, s, time.Date(1977, 9, 5, 0, 0, 0, 0, time.UTC), 20, 21)
	if err != nil {
		log.Fatal(err)
	}
	rows, _ := s.NumRecords()
	fmt.Println("version", s.Version(), "files", s.NumFiles(), "rows", rows)
	for f, err := range s.Files(delta.Col("id").Ge(15), delta.Col("day").NotNull()) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println("to read:", *f.PartitionValues["day"], "with", f.Stats.NumRecords, "rows")
	}
	// Output:
	// version 2 files 2 rows 3
	// to read: 1977-09-05 with 2 rows
}

func ExampleTable_SnapshotAt() {
	ctx := context.Background()
	table := delta.Open(objstore.NewMemory())
	s, err := table.Create(ctx, delta.Metadata{Schema: launches, PartitionColumns: []string{"day"}})
	if err != nil {
		log.Fatal(err)
	}
	if _, err = writeLaunches(ctx, s, time.Date(1969, 7, 16, 0, 0, 0, 0, time.UTC), 11); err != nil {
		log.Fatal(err)
	}
	before, err := table.SnapshotAt(ctx, 0)
	if err != nil {
		log.Fatal(err)
	}
	now, err := table.Snapshot(ctx)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(before.NumFiles(), now.NumFiles())
	_, err = table.SnapshotAt(ctx, 7)
	fmt.Println(err)
	// Output:
	// 0 1
	// open table: no version for version 7: the table has versions 0 to 1
}

// A job that may be killed anywhere commits its progress with its data, and runs again until both are in.
func ExampleTransaction_SetTransaction() {
	ctx := context.Background()
	table := delta.Open(objstore.NewMemory())
	if _, err := table.Create(ctx, delta.Metadata{Schema: launches}); err != nil {
		log.Fatal(err)
	}
	for range 2 {
		s, err := table.Snapshot(ctx)
		if err != nil {
			log.Fatal(err)
		}
		if done, ok := s.AppVersion("nightly"); ok && done >= 20240501 {
			fmt.Println("done already, with version", s.Version())
			continue
		}
		tx := s.Begin(delta.Operation{Name: "WRITE"})
		tx.Add(delta.Add{Path: "part-0.parquet", Size: 7})
		tx.SetTransaction("nightly", 20240501)
		if s, err = tx.Commit(ctx); err != nil {
			log.Fatal(err)
		}
		fmt.Println("committed version", s.Version())
	}
	// Output:
	// committed version 1
	// done already, with version 1
}

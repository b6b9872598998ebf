package delta_test

import (
	"context"
	"fmt"
	"log"
	"time"

	"launchlake/internal/delta"
	"launchlake/internal/objstore"
)

// twoDays is a table with a file for each of two days.
func twoDays(ctx context.Context, properties map[string]string) *delta.Snapshot {
	table := delta.Open(objstore.NewMemory())
	s, err := table.Create(ctx, delta.Metadata{Schema: launches, PartitionColumns: []string{"day"}, Configuration: properties})
	if err != nil {
		log.Fatal(err)
	}
	for day, ids := range map[time.Time][]int64{
		time.Date(1969, 7, 16, 0, 0, 0, 0, time.UTC): {11, 12},
		time.Date(1977, 9, 5, 0, 0, 0, 0, time.UTC):  {20, 21, 22},
	} {
		if s, err = writeLaunches(ctx, s, day, ids...); err != nil {
			log.Fatal(err)
		}
	}
	return s
}

// Of a file with many rows a few are deleted by a deletion vector; the file stays as it is.
func ExampleTransaction_DeleteRows() {
	ctx := context.Background()
	s := twoDays(ctx, map[string]string{"delta.enableDeletionVectors": "true"})
	tx := s.Begin(delta.Operation{Name: "DELETE", Parameters: map[string]string{"predicate": "id = 21"}})
	tx.Read(delta.Col("id").Eq(21)) // who adds such a row meanwhile is a conflict
	for f, err := range s.Files(delta.Col("id").Eq(21)) {
		if err != nil {
			log.Fatal(err)
		}
		var rows delta.RowSet
		rows.Add(1) // an engine has found it there
		tx.DeleteRows(f, &rows)
	}
	s, err := tx.Commit(ctx)
	if err != nil {
		log.Fatal(err)
	}
	for f, err := range s.Files(delta.Col("id").Eq(21)) {
		if err != nil {
			log.Fatal(err)
		}
		gone, err := s.Table().DeletedRows(ctx, f)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(f.Stats.NumRecords, "rows in the file,", gone.Count(), "of them deleted")
	}
	fmt.Println("writers must know", s.Protocol().WriterFeatures)
	// Output:
	// 3 rows in the file, 1 of them deleted
	// writers must know [appendOnly deletionVectors invariants]
}

// A whole partition is replaced: its files go, others come, and nobody sees a state between.
func ExampleTransaction_Remove() {
	ctx := context.Background()
	s := twoDays(ctx, nil)
	day := delta.Col("day").Eq(time.Date(1977, 9, 5, 0, 0, 0, 0, time.UTC))
	tx := s.Begin(delta.Operation{Name: "WRITE", Parameters: map[string]string{"mode": "Overwrite", "predicate": "day = '1977-09-05'"}})
	tx.Read(day)
	for f, err := range s.Files(day) {
		if err != nil {
			log.Fatal(err)
		}
		tx.Remove(f)
		f.Path = delta.PartitionPath(s.Metadata().PartitionColumns, f.PartitionValues) + "/" + delta.NewDataFileName("zstd.parquet")
		tx.Add(f)
	}
	after, err := tx.Commit(ctx)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("version", after.Version(), "files", after.NumFiles())
	// Output:
	// version 3 files 2
}

// Columns are renamed without touching a data file, once the table maps their names.
func ExampleTable_Alter() {
	ctx := context.Background()
	table := twoDays(ctx, nil).Table()
	_, err := table.Alter(ctx, delta.RenameColumn{Column: "name", To: "mission"})
	fmt.Println(err != nil)
	if _, err = table.SetProperties(ctx, map[string]string{"delta.columnMapping.mode": "name"}); err != nil {
		log.Fatal(err)
	}
	s, err := table.Alter(ctx, delta.RenameColumn{Column: "name", To: "mission"}, delta.AddColumn{Column: "crew", Type: delta.Integer})
	if err != nil {
		log.Fatal(err)
	}
	for _, f := range s.Schema().Fields {
		fmt.Println(f.Name, f.Type)
	}
	// Output:
	// true
	// id long
	// mission string
	// day date
	// crew integer
}

// What a table is like is checked; a damage comes with advice.
func ExampleTable_Check() {
	ctx := context.Background()
	s := twoDays(ctx, nil)
	for f, err := range s.Files(delta.Col("id").Lt(15)) {
		if err != nil {
			log.Fatal(err)
		}
		if err := s.Table().Store().Delete(ctx, f.Path); err != nil {
			log.Fatal(err)
		}
	}
	for finding, err := range s.Table().Check(ctx, delta.CheckOptions{}) {
		if err != nil {
			log.Fatal(err)
		}
		if finding.Kind == delta.MissingFile {
			fmt.Println(finding.Advice())
		}
	}
	// Output:
	// bring the file back from a copy, or `lake restore` to a version that has all its files
}

// A table goes back to an earlier version by a commit, which can be undone likewise.
func ExampleTable_Restore() {
	ctx := context.Background()
	table := twoDays(ctx, nil).Table()
	if _, err := table.Restore(ctx, 1, delta.RestoreOptions{}); err != nil {
		log.Fatal(err)
	}
	for c, err := range table.History(ctx) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(c.Version, c.Info.Operation)
	}
	// Output:
	// 3 RESTORE
	// 2 WRITE
	// 1 WRITE
	// 0 CREATE TABLE
}

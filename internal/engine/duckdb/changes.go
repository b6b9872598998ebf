package duckdb

import (
	"context"
	"fmt"

	"launchlake/internal/delta"
	"launchlake/internal/engine"
)

// changesScan asks for the rows that commits changed.
func changesScan(ctx context.Context, changes *delta.Changes) (scan, error) {
	s := scan{snapshot: changes.Snapshot(), changes: []delta.ChangeFile{}}
	for _, name := range []string{engine.ChangeType, engine.CommitVersion, engine.CommitTimestamp} {
		if _, ok := s.snapshot.Schema().Field(name); ok {
			return s, fmt.Errorf("the table has a column %s, which changes have too", name)
		}
	}
	for f, err := range changes.Files(ctx) {
		if err != nil {
			return s, err
		}
		s.changes = append(s.changes, f)
		s.files = append(s.files, engine.File{Add: f.Add, Version: &f.Version})
	}
	return s, nil
}

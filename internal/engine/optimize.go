package engine

import (
	"context"

	"launchlake/internal/delta"
)

// Optimizer is an engine that can write a table's rows into fewer or better files.
type Optimizer interface {
	// Optimize puts small data files together, without their deleted rows, or, with columns to order by, writes all rows so that those that are near
	// each other in these columns lie in the same files. The rows stay as they are, and the one commit says so, so that it
	// conflicts with no append; who reads the table's changes sees none. When nothing can be improved nothing is committed.
	// When another writer removes one of the files meanwhile, the work is done again on the table as it then is. After an
	// error the table is as it was.
	Optimize(ctx context.Context, t *delta.Table, o OptimizeOptions) (Optimized, error)
}

// OptimizeOptions adjust an optimization; the zero value serves.
type OptimizeOptions struct {
	TargetBytes int64             // size of the files to be; 0: the table's delta.targetFileSize, else 128 MiB
	Where       []delta.Predicate // only files that may hold such rows
	ZOrder      []string          // columns to order by, each as important as the others
	// Purge also writes files again of which rows were deleted by a deletion vector; with PurgeFraction only those that have lost at least this
	// part of their rows.
	Purge         bool
	PurgeFraction float64
	UserMetadata  string // for the table's history, a run id
	Progress      func(done, total int)
}

// Optimized is what Optimize did.
type Optimized struct {
	Before, After delta.Version // of the table; equal when nothing was committed
	FilesAdded    int
	FilesRemoved  int
	BytesAdded    int64
	BytesRemoved  int64
	Rows          int64 // written again
}

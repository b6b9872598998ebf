package main

import (
	"context"
	"fmt"
	"os"
	"syscall"
	"time"

	"launchlake/internal/delta"
	"launchlake/internal/objstore"
)

// openTable opens the table in a folder and prints what it took.
func openTable(folder string) error {
	store, err := objstore.NewDir(folder)
	if err != nil {
		return err
	}
	start := time.Now()
	s, err := delta.Open(store).Snapshot(context.Background())
	if err != nil {
		return err
	}
	took := time.Since(start)
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return fmt.Errorf("ask for the peak of memory: %w", err)
	}
	return printOpening(os.Stdout, opening{Milliseconds: float64(took.Microseconds()) / 1e3, Files: s.NumFiles(), PeakKB: int64(usage.Maxrss)})
}

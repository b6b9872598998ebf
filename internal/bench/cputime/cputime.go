// Package cputime lets benchmarks report processor time, which other work on the machine changes less than time on the
// clock: all threads of the process, the garbage collector's too.
package cputime

import (
	"syscall"
	"testing"
	"time"
)

// PerMB starts to measure. The function that it returns reports, as the metric cpu-ms/MB, the milliseconds of processor time
// that each megabyte (10⁶ bytes) took of those that every iteration works on; it also sets them for the throughput.
func PerMB(b *testing.B, bytes int64) (report func()) {
	b.SetBytes(bytes)
	start := used()
	return func() {
		const mega = 1e6
		perIteration := (used() - start).Seconds() * 1000 / float64(b.N)
		b.ReportMetric(perIteration/(float64(bytes)/mega), "cpu-ms/MB")
	}
}

func used() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

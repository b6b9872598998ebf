package task

import (
	"context"
	"io"
	"log/slog"
	"time"
)

// Attempt runs a job, whose configuration is filled, within a process that has other work too: `lake run` does the three
// tasks so. The log goes to w. The result is complete, as [Main] would print it, also when there is an error.
func Attempt(ctx context.Context, job Job, w io.Writer) (Result, error) {
	log := NewLogger(w, job.Name, job.Config)
	slog.SetDefault(log)
	start := time.Now()
	done, err := protect(ctx, log, job)
	result := finish(job, commonOf(job.Config), done, err)
	result.Seconds = time.Since(start).Seconds()
	result.Error = redact(result.Error, secretsOf(job.Config))
	return result, err
}

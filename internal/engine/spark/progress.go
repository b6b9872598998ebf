package spark

import (
	"log/slog"
	"sync"
	"time"

	"launchlake/internal/engine/spark/connect"
)

// reportEvery is how often the log tells how far a statement is.
const reportEvery = 5 * time.Second

// progress puts what Spark tells of a running statement into the log.
type progress struct {
	logger *slog.Logger

	mu    sync.Mutex // statements run side by side
	begun time.Time  // of the statement, as far as can be seen
	last  time.Time  // something was logged
	done  int64      // tasks, by which a new statement is known
}

func (p *progress) report(now connect.Progress) {
	p.mu.Lock()
	defer p.mu.Unlock()
	at := time.Now()
	if p.begun.IsZero() || now.TasksDone < p.done {
		p.begun, p.last = at, at
	}
	p.done = now.TasksDone
	if now.Tasks == 0 || at.Sub(p.last) < reportEvery {
		return
	}
	p.last = at
	p.logger.Info("spark is working", slog.Int64("tasks_done", now.TasksDone), slog.Int64("tasks", now.Tasks),
		slog.Int64("stages_done", now.StagesDone), slog.Int64("stages", now.Stages), slog.Int64("input_bytes", now.InputBytes))
}

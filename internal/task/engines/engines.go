// Package engines opens the SQL engine that a task's environment names. It is apart from package task because it links
// the engines, which ingest does without.
package engines

import (
	"context"
	"regexp"
	"strconv"

	"launchlake/internal/engine"
	"launchlake/internal/engine/duckdb"
	"launchlake/internal/task"
)

// Config is the part of a task's environment that is about its engine. It is embedded in the task's configuration.
type Config struct {
	Engine      string `envconfig:"ENGINE" default:"duckdb" desc:"what runs the SQL: duckdb, in this process"`
	MemoryLimit string `envconfig:"MEMORY_LIMIT" default:"1GB" desc:"memory for the engine; what exceeds it goes to WORK_FOLDER"`
	Threads     int    `envconfig:"THREADS" default:"0" desc:"of the engine; 0: one a processor"`
	WorkFolder  string `envconfig:"WORK_FOLDER" desc:"for temporary files and the cache of data files; launchlake in the system's temporary folder when not set"`
}

var memoryLimit = regexp.MustCompile(`^[1-9][0-9]*(\.[0-9]+)? ?([KMGT]i?B)$`)

// CheckEngine checks what the types of the variables do not say.
func (c *Config) CheckEngine() error {
	switch {
	case c.Engine != "duckdb":
		return task.BadValue("ENGINE", c.Engine, "duckdb")
	case !memoryLimit.MatchString(c.MemoryLimit):
		return task.BadValue("MEMORY_LIMIT", c.MemoryLimit, "a size such as 512MB or 2GB")
	case c.Threads < 0:
		return task.BadValue("THREADS", strconv.Itoa(c.Threads), "at least 0")
	}
	return nil
}

// Open starts a session of the engine. The caller closes it.
func (c *Config) Open(ctx context.Context) (engine.Engine, error) {
	return duckdb.Open(ctx, duckdb.Options{Folder: c.WorkFolder, MemoryLimit: c.MemoryLimit, Threads: c.Threads})
}

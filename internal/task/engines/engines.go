// Package engines opens the SQL engine that a task's environment names. It is apart from package task because it links
// the engines, which ingest does without.
package engines

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"strconv"
	"strings"

	"launchlake/internal/engine"
	"launchlake/internal/engine/duckdb"
	"launchlake/internal/engine/spark"
	"launchlake/internal/lake"
	"launchlake/internal/secret"
	"launchlake/internal/task"
)

// Config is the part of a task's environment that is about its engine. It is embedded in the task's configuration.
type Config struct {
	Engine       string      `envconfig:"ENGINE" default:"duckdb" desc:"what runs the SQL: duckdb, in this process, or spark, a cluster"`
	MemoryLimit  string      `envconfig:"MEMORY_LIMIT" default:"1GB" desc:"memory for duckdb; what exceeds it goes to WORK_FOLDER"`
	Threads      int         `envconfig:"THREADS" default:"0" desc:"of duckdb, at most; 0: one a processor"`
	WorkFolder   string      `envconfig:"WORK_FOLDER" desc:"for duckdb's temporary files and its cache of data files; launchlake in the system's temporary folder when not set"`
	SparkRemote  secret.Text `envconfig:"SPARK_REMOTE" desc:"the Spark Connect server, for spark: sc://host:port, or with parameters sc://host:port/;use_ssl=true;token=…"`
	SparkLakeURL string      `envconfig:"SPARK_LAKE_URL" desc:"where Spark finds the lake, when not at LAKE_URL (s3:// as s3a://)"`
}

// The engines.
const (
	duckDB     = "duckdb"
	sparkByRPC = "spark"
)

var memoryLimit = regexp.MustCompile(`^[1-9][0-9]*(\.[0-9]+)? ?([KMGT]i?B)$`)

// CheckEngine checks what the types of the variables do not say.
func (c *Config) CheckEngine() error {
	switch {
	case c.Engine != duckDB && c.Engine != sparkByRPC:
		return task.BadValue("ENGINE", c.Engine, "duckdb or spark")
	case c.Engine == sparkByRPC && spark.CheckRemote(c.SparkRemote.Reveal()) != nil:
		return task.Fail(task.BadConfig, fmt.Errorf("SPARK_REMOTE: %w", spark.CheckRemote(c.SparkRemote.Reveal())))
	case !memoryLimit.MatchString(c.MemoryLimit):
		return task.BadValue("MEMORY_LIMIT", c.MemoryLimit, "a size such as 512MB or 2GB")
	case c.Threads < 0:
		return task.BadValue("THREADS", strconv.Itoa(c.Threads), "at least 0")
	}
	return nil
}

// Open starts a session of the engine, for the tables of a lake. The caller closes it.
func (c *Config) Open(ctx context.Context, l *lake.Lake) (engine.Engine, error) {
	if c.Engine == sparkByRPC {
		e, err := spark.Open(ctx, c.SparkRemote.Reveal(), spark.Options{Locate: c.locate(l), Logger: slog.Default()})
		if err != nil {
			return nil, Classify(err)
		}
		return e, nil
	}
	return c.OpenHere(ctx)
}

// OnDemand is the same session, started when there is something to do. The caller closes it.
func (c *Config) OnDemand(l *lake.Lake) engine.Engine {
	return engine.OnDemand(func(ctx context.Context) (engine.Engine, error) { return c.Open(ctx, l) })
}

// OpenHere starts a session of the engine that runs in this process, whatever the environment names.
func (c *Config) OpenHere(ctx context.Context) (engine.Engine, error) {
	return duckdb.Open(ctx, duckdb.Options{Folder: c.WorkFolder, MemoryLimit: c.MemoryLimit, Threads: c.Threads})
}

// locate says where Spark finds what lies in the lake; nil: where we do.
func (c *Config) locate(l *lake.Lake) func(url string) string {
	if c.SparkLakeURL == "" {
		return nil
	}
	return func(url string) string {
		return strings.TrimRight(c.SparkLakeURL, "/") + strings.TrimPrefix(url, l.String())
	}
}

// Classify gives an error of an engine the exit code that it means.
func Classify(err error) error {
	switch {
	case errors.Is(err, engine.ErrUnavailable):
		return task.Fail(task.Unavailable, fmt.Errorf("%w: check SPARK_REMOTE, and that the server runs", err))
	case errors.Is(err, engine.ErrDenied):
		return task.Fail(task.NoPermission, fmt.Errorf("%w: check the token of SPARK_REMOTE", err))
	}
	return err
}

// Package spark is the engine that has a Spark cluster do the work, by Spark Connect. This program only steers: no row
// passes through it on its way to a table.
//
// Spark reads tables by its own Delta reader, at the version of the snapshot, or the data files that are asked for. It writes
// data files only, into a folder of the table that no version names; package delta commits them, by
// put-if-absent, with the statistics of their footers. So a commit holds what every engine's commit holds, other writers
// are met as by every engine, and Spark's own commits, which are not conditional on S3, never happen.
//
// Spark must reach the lake by the URL that the tables have, but for the scheme s3, which it knows as s3a, or by the one
// that Options.Locate makes of it. Timestamps are in UTC, arithmetic is ANSI, as in the tables' other engines.
package spark

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"

	"launchlake/internal/engine"
	"launchlake/internal/engine/spark/connect"
)

// Options adjust an Engine; the zero value serves.
type Options struct {
	Locate func(url string) string // where Spark finds what lies at a URL of ours; nil: s3:// becomes s3a://
	Logger *slog.Logger            // told of a statement's progress; nil: silent
}

// Engine is a session on a Spark Connect server. It implements [engine.Engine].
type Engine struct {
	options Options
	client  *connect.Client
	layered map[string]bool // lower-case names with a layer that queries may use
	spread  *spread
	serial  atomic.Int64 // numbers the names that the engine makes for itself
}

var _ engine.Engine = (*Engine)(nil)

// CheckRemote finds what is wrong with a connection string, sc://host:port/;key=value, without a call. Its errors show no
// parameters, which can hold a token.
func CheckRemote(remote string) error {
	_, err := connect.ParseRemote(remote)
	return err
}

// Open starts a session. The error matches [engine.ErrUnavailable] when the server cannot be reached.
func Open(ctx context.Context, remote string, o Options) (*Engine, error) {
	at, err := connect.ParseRemote(remote)
	if err != nil {
		return nil, fmt.Errorf("open spark: %w", err)
	}
	if o.Locate == nil {
		o.Locate = s3a
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	e := &Engine{options: o, layered: map[string]bool{}}
	e.client = connect.New(at, connect.Options{Progress: (&progress{logger: o.Logger}).report})
	version, err := e.client.Version(ctx)
	if err == nil {
		err = e.client.Configure(ctx, session)
	}
	if err == nil {
		e.spread, err = e.newSpread(ctx)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open spark: %w", classified(err)), e.close())
	}
	o.Logger.InfoContext(ctx, "spark session opened", slog.String("server", e.client.String()), slog.String("spark", version))
	return e, nil
}

// session are properties on which the meaning of queries and the form of data files depend. The last ones are for cost: Java never compiles methods that
// are larger than 8000 bytes, and Spark makes such of wide rows; 50 tasks, where nobody sets another number, read the log of a table; and what
// only a rare value asks for is done for every row.
var session = map[string]string{
	"spark.sql.session.timeZone":                             "UTC",
	"spark.sql.timestampType":                                "TIMESTAMP_LTZ",
	"spark.sql.ansi.enabled":                                 "true",
	"spark.sql.caseSensitive":                                "false",
	"spark.sql.json.enablePartialResults":                    "true",
	"spark.sql.adaptive.enabled":                             "true",
	"spark.sql.adaptive.coalescePartitions.enabled":          "true",
	"spark.sql.parquet.outputTimestampType":                  "TIMESTAMP_MICROS",
	"spark.sql.parquet.compression.codec":                    "zstd",
	"spark.sql.parquet.datetimeRebaseModeInWrite":            "CORRECTED",
	"spark.sql.parquet.writeLegacyFormat":                    "false",
	"spark.sql.codegen.hugeMethodLimit":                      "8000",
	"spark.databricks.delta.snapshotPartitions":              "1",
	"spark.sql.subexpressionElimination.skipForShortcutExpr": "true",
}

func s3a(url string) string {
	if rest, ok := strings.CutPrefix(url, "s3://"); ok {
		return "s3a://" + rest
	}
	return url
}

// Close implements [engine.Engine].
func (e *Engine) Close() error {
	if err := e.close(); err != nil {
		return fmt.Errorf("close spark: %w", classified(err))
	}
	return nil
}

// close ends the session. A server that is gone has forgotten it.
func (e *Engine) close() error {
	if err := e.client.Close(); err != nil && !errors.Is(err, connect.ErrUnavailable) {
		return err
	}
	return nil
}

// classified lets an error of the connection match what package engine names.
func classified(err error) error {
	switch {
	case errors.Is(err, connect.ErrUnavailable):
		return fmt.Errorf("%w: %w", engine.ErrUnavailable, err)
	case errors.Is(err, connect.ErrDenied):
		return fmt.Errorf("%w: %w", engine.ErrDenied, err)
	}
	return err
}

// Define implements [engine.Engine].
func (e *Engine) Define(ctx context.Context, name, query string, when engine.Evaluation) error {
	if err := e.define(ctx, name, connect.SQL(e.spelled(trimQuery(query))), when); err != nil {
		return fmt.Errorf("define %s: %w", name, classified(err))
	}
	return nil
}

func (e *Engine) define(ctx context.Context, name string, r connect.Relation, when engine.Evaluation) error {
	if when == engine.Once {
		kept, err := e.client.Keep(ctx, r)
		if err != nil {
			return err
		}
		r = kept.Relation
	}
	if err := e.client.View(ctx, viewName(name), r); err != nil {
		return err
	}
	if strings.Contains(name, ".") {
		e.layered[strings.ToLower(name)] = true
	}
	return nil
}

// name makes a name for a relation of the engine's own.
func (e *Engine) name(what string) string {
	return fmt.Sprintf("_%s_%d", what, e.serial.Add(1))
}

func trimQuery(query string) string { return strings.TrimRight(strings.TrimSpace(query), "; \n") }

// quote makes a string literal, raw where backslashes are in it.
func quote(text string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(text) + "'"
}

// quoteName makes an identifier.
func quoteName(name string) string { return "`" + strings.ReplaceAll(name, "`", "``") + "`" }

func quoteNames(names []string) []string {
	quoted := make([]string, len(names))
	for i, name := range names {
		quoted[i] = quoteName(name)
	}
	return quoted
}

func join(parts []string) string { return strings.Join(parts, ", ") }

// Package duckdb is the engine that runs in the process: DuckDB, linked in.
//
// DuckDB sees local Parquet files only. What it reads is brought into its folder first, hard-linked from a lake on disk or
// fetched once and cached by name, for data files never change; what it writes is uploaded and committed by package
// delta. The database itself has no access to files outside its folder, to the network, or to extensions.
//
// The engine reads whatever tables package delta reads: columns by the schema's order, names, types, partition
// values from the log, missing columns as nulls, without the rows that deletion vectors delete. A value that would not be
// the same as the table's type is an error, never rounded. Memory is bounded by Options.MemoryLimit; what exceeds it goes to the folder.
package duckdb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/cgo"
	"strings"
	"sync/atomic"
	"time"

	driver "github.com/duckdb/duckdb-go/v2"

	"launchlake/internal/engine"
)

// Options adjust an Engine; the zero value serves.
type Options struct {
	Folder      string           // where it works and keeps its cache; "": one of the user's in the system's temporary folder
	MemoryLimit string           // for DuckDB, as "512MB"; "": 1GB
	Threads     int              // at most; 0: one a processor
	CacheBytes  int64            // kept of fetched data files after Close; 0: 1 GiB, negative: none
	FileBytes   int64            // size from which a new data file is begun; 0: 128 MiB
	Now         func() time.Time // nil: time.Now
}

const (
	defaultMemory     = "1GB"
	defaultCacheBytes = 1 << 30
	defaultFileBytes  = 128 << 20
)

// Engine is a DuckDB database in memory. It implements [engine.Engine].
type Engine struct {
	options Options
	db      *sql.DB
	folder  string // of this session
	files   *localFiles
	footers footers
	serial  atomic.Int64 // numbers the names that the engine makes for itself
	wide    atomic.Bool  // all threads are at work

	functions []cgo.Handle // of those that the database has from here
}

var _ engine.Engine = (*Engine)(nil)

// Open starts a session.
func Open(ctx context.Context, o Options) (*Engine, error) {
	o = o.withDefaults()
	folder, err := sessionFolder(o.Folder)
	if err != nil {
		return nil, fmt.Errorf("open duckdb: %w", err)
	}
	connector, err := driver.NewConnector("", nil)
	if err != nil {
		_ = os.RemoveAll(folder)
		return nil, fmt.Errorf("open duckdb: %w", err)
	}
	e := &Engine{options: o, db: sql.OpenDB(connector), folder: folder}
	e.footers.read, e.footers.columns = map[string]*footer{}, map[string][]resultColumn{}
	e.files = &localFiles{folder: filepath.Join(folder, "in"), cache: cache{filepath.Join(o.Folder, "cache"), o.CacheBytes}, seen: map[string]string{}}
	if err := e.setUp(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("open duckdb: %w", err), e.Close())
	}
	return e, nil
}

func (o Options) withDefaults() Options {
	if o.Folder == "" {
		o.Folder = filepath.Join(os.TempDir(), fmt.Sprintf("launchlake-%d", os.Getuid()))
	}
	if o.MemoryLimit == "" {
		o.MemoryLimit = defaultMemory
	}
	if o.Threads == 0 {
		o.Threads = runtime.GOMAXPROCS(0)
	}
	if o.CacheBytes == 0 {
		o.CacheBytes = defaultCacheBytes
	}
	if o.FileBytes == 0 {
		o.FileBytes = defaultFileBytes
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return o
}

const sessionPrefix = "session-"

// spillFolder is where DuckDB puts what exceeds its memory.
const spillFolder = "spill"

// abandoned is the age from which the folder of a session is that of a killed process.
const abandoned = 48 * time.Hour

// sessionFolder makes the folder of a session, and removes those of sessions that were killed long ago.
func sessionFolder(parent string) (string, error) {
	if err := os.MkdirAll(parent, 0o700); err != nil {
		return "", err
	}
	old, _ := filepath.Glob(filepath.Join(parent, sessionPrefix+"*"))
	for _, path := range old {
		if info, err := os.Stat(path); err == nil && time.Since(info.ModTime()) > abandoned {
			_ = os.RemoveAll(path)
		}
	}
	folder, err := os.MkdirTemp(parent, sessionPrefix)
	if err != nil {
		return "", err
	}
	if folder, err = filepath.EvalSymlinks(folder); err != nil {
		return "", err
	}
	if folder, err = filepath.Abs(folder); err != nil {
		return "", err
	}
	for _, sub := range []string{"in", "out", spillFolder} {
		if err := os.Mkdir(filepath.Join(folder, sub), 0o700); err != nil {
			return "", err
		}
	}
	return folder, nil
}

// setUp configures the database, closes its doors, and defines Spark's functions.
func (e *Engine) setUp(ctx context.Context) error {
	settings := []string{
		"SET GLOBAL memory_limit = " + quote(e.options.MemoryLimit),
		"SET GLOBAL threads = 1", // until there is work for more, see widen
		"SET GLOBAL temp_directory = " + quote(filepath.Join(e.folder, spillFolder)),
		"SET GLOBAL TimeZone = 'UTC'",
		"SET GLOBAL default_null_order = 'nulls_first_on_asc_last_on_desc'", // as Spark has it
		"SET GLOBAL preserve_insertion_order = false",                       // bounds the memory of large writes; ORDER BY is kept
		"SET GLOBAL autoinstall_known_extensions = false",
		"SET GLOBAL autoload_known_extensions = false",
		"SET GLOBAL allow_community_extensions = false",
		"SET GLOBAL allowed_directories = [" + quote(e.folder) + "]",
		"SET GLOBAL enable_external_access = false",
		"SET GLOBAL parquet_metadata_cache = true",      // files here never change
		"SET GLOBAL enable_external_file_cache = false", // they are the system's to cache
		"SET GLOBAL allowed_configs = ['threads']",
	}
	all := append(append(settings, macros...), "SET GLOBAL lock_configuration = true")
	return e.exec(ctx, strings.Join(all, ";\n"))
}

// smallInput is how many bytes of data files one thread reads alone: others would wait for it most of the time, and take as much of a
// processor as it does.
const smallInput = 3 << 19

// widen lets all threads work once there are enough data files for them.
func (e *Engine) widen(ctx context.Context) error {
	if e.files.bytes() < smallInput || e.wide.Swap(true) || e.options.Threads == 1 {
		return nil
	}
	return e.exec(ctx, fmt.Sprintf("SET GLOBAL threads = %d", e.options.Threads))
}

// macros give DuckDB the functions of Spark that it lacks, or understands otherwise.
var macros = []string{
	// DuckDB's takes all kinds of white space, unless told which, and then it makes a set of that for each text.
	"CREATE MACRO trim(text) AS CASE WHEN starts_with(text, ' ') OR ends_with(text, ' ') THEN ltrim(rtrim(text, ' '), ' ') ELSE text END",
	"CREATE MACRO regexp_like(text, pattern) AS regexp_matches(text, pattern)",
	"CREATE MACRO array_join(list, delimiter) AS array_to_string(list, delimiter)",
	// Both round down; // goes towards zero.
	"CREATE MACRO unix_seconds(moment) AS (epoch_us(moment) - CASE WHEN epoch_us(moment) < 0 THEN 999999 ELSE 0 END) // 1000000",
	"CREATE MACRO unix_micros(moment) AS CAST(epoch_us(moment) AS BIGINT)",
	"CREATE MACRO to_date(moment) AS DATE '1970-01-01' + CAST((epoch_us(moment) - CASE WHEN epoch_us(moment) < 0 THEN 86399999999 ELSE 0 END) // 86400000000 AS INTEGER)", // in UTC, without ICU's calendar
}

// Close implements [engine.Engine]. The memory is given back while the caller goes on, for that takes as long as a small query and a
// process that ends need not wait for it. When rows were spilled it is waited for, and with it for the files.
func (e *Engine) Close() error {
	closed := make(chan error, 1)
	go func() {
		err := e.db.Close()
		for _, f := range e.functions {
			f.Delete()
		}
		closed <- err
	}()
	var err error
	if spilled, _ := os.ReadDir(filepath.Join(e.folder, spillFolder)); len(spilled) > 0 {
		err = <-closed
	}
	e.files.cache.shrink()
	if removed := os.RemoveAll(e.folder); removed != nil && err == nil {
		err = removed
	}
	if err != nil {
		return fmt.Errorf("close duckdb: %w", err)
	}
	return nil
}

// Define implements [engine.Engine].
func (e *Engine) Define(ctx context.Context, name, query string, when engine.Evaluation) error {
	kind := "VIEW"
	if when == engine.Once {
		kind = "TABLE"
	}
	if layer, _, ok := strings.Cut(name, "."); ok {
		if err := e.exec(ctx, "CREATE SCHEMA IF NOT EXISTS "+quoteName(layer)); err != nil {
			return fmt.Errorf("define %s: %w", name, err)
		}
	}
	if err := e.exec(ctx, fmt.Sprintf("CREATE %s %s AS %s", kind, relation(name), trimQuery(query))); err != nil {
		return fmt.Errorf("define %s: %w", name, err)
	}
	return nil
}

// relation spells the name of a relation, with its layer when it has one.
func relation(name string) string {
	if layer, rest, ok := strings.Cut(name, "."); ok {
		return quoteName(layer) + "." + quoteName(rest)
	}
	return quoteName(name)
}

// queryError prefers the reason for a cancelled statement to DuckDB's word that it was interrupted.
func queryError(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil {
		return fmt.Errorf("%w (%w)", context.Cause(ctx), err)
	}
	return err
}

// name makes a name for a relation of the engine's own.
func (e *Engine) name(what string) string {
	return fmt.Sprintf("_%s_%d", what, e.serial.Add(1))
}

// drop removes a relation of the engine's own. That it cannot is no reason to fail: Close removes all.
func (e *Engine) drop(ctx context.Context, table string) {
	_ = e.exec(context.WithoutCancel(ctx), "DROP TABLE IF EXISTS "+quoteName(table))
}

func trimQuery(query string) string { return strings.TrimRight(strings.TrimSpace(query), "; \n") }

// quote makes a string literal.
func quote(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }

// quoteName makes an identifier.
func quoteName(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

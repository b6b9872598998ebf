// Command lake is the person's tool over a launchlake: it runs the pipeline in one process, and shows, queries and
// checks the tables of a lake, or any other Delta table.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"

	"launchlake/internal/lake"
	"launchlake/internal/task"
)

// cli is the command line; kong reads the tags.
type cli struct {
	Lake        string `help:"The lake: a folder, file:///… or s3://bucket/prefix." env:"LAKE_URL" default:"./lake" placeholder:"URL"`
	S3Endpoint  string `name:"s3-endpoint" help:"The S3 service's address, when it is not AWS's." env:"S3_ENDPOINT" placeholder:"URL"`
	S3PathStyle bool   `name:"s3-path-style" help:"Address buckets by path, as MinIO wants it." env:"S3_PATH_STYLE"`

	Run        runCommand        `cmd:"" help:"Run ingest, refine and aggregate, and show what they did. Configured by the tasks' environment."`
	Tables     tablesCommand     `cmd:"" help:"List the lake's tables."`
	Schema     schemaCommand     `cmd:"" help:"Show a table's columns with their meaning."`
	Cat        catCommand        `cmd:"" help:"Print a table's rows as JSON lines. Reads any Delta table."`
	Query      queryCommand      `cmd:"" help:"Run SQL over the lake's tables, such as gold.provider_scorecard."`
	History    historyCommand    `cmd:"" help:"List a table's commits, newest first."`
	Describe   describeCommand   `cmd:"" help:"Show a table's protocol, properties, sizes and progress."`
	Fsck       fsckCommand       `cmd:"" help:"Look for damage in tables: log, checkpoints, files, statistics."`
	Optimize   optimizeCommand   `cmd:"" help:"Put a table's small files together, or order its rows by columns."`
	Vacuum     vacuumCommand     `cmd:"" help:"Delete files that no version of the retention needs."`
	Restore    restoreCommand    `cmd:"" help:"Make a table what it was at a version or time."`
	Checkpoint checkpointCommand `cmd:"" help:"Write checkpoints of tables' latest versions."`
	CleanLog   cleanLogCommand   `cmd:"" help:"Delete what of a table's log is older than its retention."`
	Doctor     doctorCommand     `cmd:"" help:"Check configuration, store, source and tables, and say what to do."`
	Version    versionCommand    `cmd:"" help:"Print the version; so does lake --version."`
}

// session is what every command gets.
type session struct {
	ctx    context.Context
	config lake.Config
	out    io.Writer
	log    io.Writer
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var line cli
	parser := kong.Must(&line,
		kong.Name("lake"),
		kong.Description("Look after a lakehouse of space launches: run it, read it, check it."),
		kong.UsageOnError(),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
		kong.Exit(func(code int) {
			if code != 0 {
				code = int(task.BadConfig)
			}
			os.Exit(code)
		}))
	args := os.Args[1:]
	// Commands have a --version of a table, so the program's is none of kong's flags.
	if len(args) == 1 && args[0] == "--version" {
		args[0] = "version"
	}
	parsed, err := parser.Parse(args)
	parser.FatalIfErrorf(err)
	err = parsed.Run(&session{
		ctx:    ctx,
		config: lake.Config{URL: line.Lake, S3Endpoint: line.S3Endpoint, S3PathStyle: line.S3PathStyle},
		out:    os.Stdout,
		log:    os.Stderr,
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, "lake:", err)
	}
	os.Exit(int(task.CodeOf(err)))
}

type versionCommand struct{}

func (versionCommand) Run(s *session) error {
	_, err := fmt.Fprintln(s.out, "lake", task.Build())
	return err
}

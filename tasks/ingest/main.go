// Command ingest brings launches from the launch API into the table bronze/launches. See ingest --help.
package main

import (
	"launchlake/internal/task"
	"launchlake/internal/task/ingest"
)

func main() { task.Main(ingest.Job()) }

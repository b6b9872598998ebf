// Command aggregate makes the Gold tables of what is new in Silver. See aggregate --help.
package main

import (
	"launchlake/internal/task"
	"launchlake/internal/task/aggregate"
)

func main() { task.Main(aggregate.Job()) }

// Command refine cleans what is new in Bronze into the Silver tables. See refine --help.
package main

import (
	"launchlake/internal/task"
	"launchlake/internal/task/refine"
)

func main() { task.Main(refine.Job()) }

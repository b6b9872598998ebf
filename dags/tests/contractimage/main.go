// Command contractimage is a task that does nothing but obey the process contract, as the tests of the DAGs tell it to:
// LINES are logged to stderr, ECHO names a variable whose value is logged, WAIT is a pause, RESULT goes to stdout and
// EXIT is the exit code. EAT is how many megabytes of memory it takes. It ends with 143 on SIGTERM.
package main

import (
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"
)

func main() {
	terminated := make(chan os.Signal, 1)
	signal.Notify(terminated, syscall.SIGTERM)
	for line := range strings.Lines(os.Getenv("LINES")) {
		fmt.Fprintln(os.Stderr, strings.TrimRight(line, "\n"))
	}
	for _, name := range strings.Fields(os.Getenv("ECHO")) {
		fmt.Fprintf(os.Stderr, `{"level":"INFO","msg":"variable","name":%q,"value":%q}`+"\n", name, os.Getenv(name))
	}
	if megabytes, err := strconv.Atoi(os.Getenv("EAT")); err == nil {
		eat(megabytes << 20)
	}
	if wait, err := time.ParseDuration(os.Getenv("WAIT")); err == nil {
		select {
		case <-time.After(wait):
		case <-terminated:
			fmt.Fprintln(os.Stderr, `{"level":"INFO","msg":"stopping"}`)
			os.Exit(143)
		}
	}
	if err := os.WriteFile("/tmp/scratch", nil, 0o600); err != nil {
		fmt.Fprintf(os.Stderr, `{"level":"ERROR","msg":"no scratch space","error":%q}`+"\n", err)
	}
	if err := os.WriteFile("/written", nil, 0o600); err == nil {
		fmt.Fprintln(os.Stderr, `{"level":"ERROR","msg":"the root file system can be written"}`)
	}
	if result := os.Getenv("RESULT"); result != "" {
		fmt.Println(result)
	}
	code, _ := strconv.Atoi(os.Getenv("EXIT"))
	os.Exit(code)
}

// eat takes memory and touches every page of it.
func eat(bytes int) {
	eaten := make([]byte, bytes)
	for i := 0; i < len(eaten); i += os.Getpagesize() {
		eaten[i] = 1
	}
}

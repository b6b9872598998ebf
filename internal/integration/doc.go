// Package integration tests launchlake from outside: it builds the binaries, runs them against the recorded API,
// real recorded states of the API and broken ones, on a folder and on MinIO, kills them, and lets other
// implementations of Delta Lake read what they wrote, and write to it. Those live in workers, one process each for all tests: see
// worker_test.go. It holds tests only.
package integration

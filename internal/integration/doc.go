// Package integration tests launchlake from outside: it builds the binaries, runs them against the recorded API,
// real recorded states of the API and broken ones, on a folder and on MinIO, kills them, and lets other
// implementations of Delta Lake read what they wrote. It holds tests only.
package integration

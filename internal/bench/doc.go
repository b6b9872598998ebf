// Package bench compares what launchlake is built from with what it could have been built from. It holds benchmarks
// only; `make bench-go` runs them. Benchmarks of one package's own code lie beside that code.
package bench

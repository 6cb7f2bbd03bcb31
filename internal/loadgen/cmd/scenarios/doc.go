// Command scenarios runs parley bench through fixed scenarios, each on a fresh server, and writes the table of
// docs/performance.md: make bench. The server has one core to itself, the load another (taskset).
//
// # Goroutines
//
//	| goroutine                | started by     | stopped by                |
//	|--------------------------|----------------|---------------------------|
//	| output of server, bench  | package os/exec | the end of those programs |
//
// # Invariants
//
//   - Planes are measured in turn within each round: the machine's moods hit all of them.
//   - A run that the generator or the machine spoilt is marked, not left out.
package main

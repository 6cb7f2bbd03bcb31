// Package state keeps what outlives the process: small files in one folder of the process's own.
//
// The folder is made when something is first written, with mode 0700, its files with 0600. A file is written whole beside the old one and
// takes its place, so that a crash leaves the one or the other. One process has the folder at a time; another, and one that may not write
// there, says so and keeps everything in memory: a full or read-only disk must not keep a server from starting.
//
// # Goroutines
//
// None. A Dir may be used by several.
//
// # Invariants
//
//   - Nothing is read from a folder that another process has: two that write in turn would lose what the other wrote.
//   - A file that cannot be understood is set aside under another name and logged. It is never written over.
//   - At most MaxBytes are read of a file, and written.
package state

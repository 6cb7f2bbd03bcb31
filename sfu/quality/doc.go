// Package quality says how good a peer's connection is, and why each picture on it is what it is: what the statistics panel, the
// dots beside a name and a paused tile show. The structs are as they go over the wire (docs/protocol.md).
//
// # Goroutines
//
//	none: plain values and a pure function
//
// # Invariants
//
//   - A score is from 1 (bad) to 5 (excellent), whatever it is computed from.
package quality

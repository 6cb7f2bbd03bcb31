// Package red reads and writes redundant audio (RFC 2198): a packet that carries the packets before it once more, so that a
// receiver fills a gap without asking.
//
// # Goroutines
//
//	none: the source's loop calls it
//
// # Invariants
//
//   - Nothing allocates. Blocks are slices of what was parsed.
//   - What does not parse whole is refused: half a packet of redundancy is worth nothing.
package red

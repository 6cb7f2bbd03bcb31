// Package gate decides how many connections a listener lets in: in all, and of one address. Where places are short the connection that has
// been idle for longest gives its own to the newcomer, so that silence keeps nobody out. It also waits where the process has no file left
// for a connection, and says so.
//
// # Goroutines
//
//	none
//
// # Invariants
//
//   - Every connection that was let in holds one place until it is closed, once.
//   - Only idle connections are displaced: those that have not sent a whole request yet, or whose last one has been answered. An address
//     that has reached its own bound, or has idle connections when all places are taken, displaces its own.
//   - Accept returns an error only when the listener is closed or broken, not for want of files or memory.
package gate

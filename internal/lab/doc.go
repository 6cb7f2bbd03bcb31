// Package lab builds bad networks on one Linux machine for tests: clients behind NATs of a chosen kind, an SFU and a TURN
// server on a network that plays the Internet, and a cable that loses, delays and throttles. It needs root, iproute2,
// nftables and conntrack. README.md has the map and says how to put a browser into it; cmd/netlab is the same from a shell.
//
// # Goroutines
//
//	goroutine           started by                     stopped by
//	Wire reader         Lab.Wire, one per direction    Wire.Close, which waits
//	Wire writer         Lab.Wire, one per direction    Wire.Close, which waits
//	namespace thread    Lab.Do                         the end of the function; Do waits
//
// # Invariants
//
//   - Everything is inside the namespaces of one prefix: several labs stand side by side, and Down leaves nothing behind.
//   - A goroutine that enters a namespace keeps its thread locked until it ends, so that the thread dies with it and no
//     other goroutine ever runs in the wrong network.
//   - What happens to a frame is decided by line.next alone, from the time, the frame's size and a seeded generator.
package lab

// Package codectest makes layered video for tests: which frames an encoder would send, what each refers to, and the
// descriptors that say so. There is no picture in it.
//
// # Goroutines
//
//	none
//
// # Invariants
//
//   - A frame refers only to frames that a receiver of its own layers has: what a test takes for decodable is so.
package codectest

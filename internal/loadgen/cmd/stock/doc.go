// Command stock serves the comparator of make bench: a forwarder of pion/webrtc and nothing else (package stock), with the figures that
// parley bench reads on an admin address. Load it with: parley bench --url tcp://HOST:PORT.
//
// # Goroutines
//
//	| goroutine    | started by | stopped by            |
//	|--------------|------------|-----------------------|
//	| admin server | run        | run, at SIGINT, SIGTERM |
//
// # Invariants
//
//   - Its metrics have the names that Parley's have, so that both are measured alike.
package main

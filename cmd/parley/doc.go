// Command parley is the whole server: pages, signaling, presence, media (SFU), STUN and TURN in one process. This package
// only wires: it reads the configuration, opens the sockets, starts the parts in order, exports their counters and stops
// everything in reverse.
//
// # Goroutines
//
//	goroutine            started by                       stopped by
//	http.Server.Serve    server.serveHTTP, per listener   server.stop, which waits
//	certificates.watch   server.serve, with TLS           server.stop, which waits
//	neighbours.watch     server.serve, with lan           server.stop, which waits
//	server.stop          server.wait, at the first signal itself; server.wait waits, or at a second signal ends the process
//	shutdowns            server.stop, one per part        the shutdown timeout; server.stop waits
//
// # Invariants
//
//   - All configuration passes through one list of fields (fields.go), so that flags, environment, file, reference and
//     documentation cannot drift apart.
//   - Nothing listens off loopback unless there is a secret or --insecure (exposure.go): a fresh machine is never open.
//   - With --lan, what comes from outside the private networks of this machine is dropped before anybody looks into it, on all three ports (lan.go).
//   - All that takes a file (connections, relays) is bounded below what the process may open, and operators keep a share (files.go).
//   - The WebSocket route is never wrapped by another ResponseWriter, because the upgrade needs the raw one (http.go).
//   - A secret is never printed or logged, and neither are query strings: they may carry an access token.
//   - Sockets are opened before any part starts, so that a port in use fails at once and leaves nothing behind.
package main

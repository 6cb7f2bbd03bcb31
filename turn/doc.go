// Package turn is the embedded STUN and TURN server (RFC 8489, RFC 8656). It answers STUN Binding requests, relays UDP over
// IPv4 for holders of time-limited credentials, and answers every other request with an error that says why, counted by
// reason. Its sockets come from outside: a packet connection for UDP, listeners for TCP (and TLS).
//
// # Goroutines
//
//	goroutine        started by               stopped by
//	Server.accept    New, per listener        Server.Close, which waits
//	endpoint.run     New, Server.admitConn    the end of its connection; Server.Close waits
//	allocation.run   an Allocate request      the end of the allocation; Server.Close waits
//
// # Invariants
//
//   - The UDP socket is one endpoint with all its clients, a TCP connection is one of its own: what one TCP client does ends
//     with its connection.
//   - An endpoint handles one message at a time. Whatever is a well-formed request of a method we have leaves with exactly
//     one answer (endpoint.answer); everything else leaves with none. docs/turn.md has the table, TestAnswers holds it.
//   - A request never acts on another session's allocation.
//   - What leaves a relay socket passed policy.send with its address and port, whatever the client has permitted; what comes
//     in passed it too. This host's own addresses are reachable at the media ports and at live relay ports only.
//   - Time ends things where it is looked at: an allocation that is over is not found any more, whether or not its reader has
//     woken up to close it. A permission and a channel are nothing but the time until which they hold.
//   - A panic while a message or a peer's packet is handled ends that client alone (Server.guard).
//   - Locks: Server.mu, endpoint.mu, allocation.mu, relays.mu, quota.mu and revoked.mu are each held alone.
package turn

// Package turn is the embedded STUN and TURN server: pion/turn v4 behind the checks that it leaves to its host. It answers
// STUN Binding requests, relays UDP over IPv4 for holders of time-limited credentials, and refuses everything else with a
// counted reason. Its sockets come from outside: a packet connection for UDP, listeners for TCP (and TLS).
//
// # Goroutines
//
//	goroutine                started by               stopped by
//	Server.accept            New, per listener        Server.Close, which waits
//	pion's read loop         newEndpoint              the end of its connection; Server.Close waits
//	pion's relay reader      pion, per allocation     the end of the allocation; Server.Close waits
//	pion's expiry timers     pion, per allocation,    the end of the allocation
//	                         permission and channel
//
// # Invariants
//
//   - Every connection has a pion server of its own (the UDP socket is one connection). So pion's TCP framing, which lets a
//     client hold a goroutine and grow a buffer, is not in use, and what one TCP client does ends with its connection.
//   - pion handles one message at a time per connection, and calls back on the goroutine that read it. endpoint.method and
//     endpoint.pending rely on this.
//   - A request never acts on another user's allocation: the user of the request and of its 5-tuple's allocation must match.
//   - What leaves a relay socket passed policy.send with its address and port, whatever permission pion holds; what comes
//     in passed it too. This host's own addresses are reachable at the media ports and at live relay ports only.
//   - No permission is made on an allocation in its last expiryGuard: pion's expiry timer must not meet a permission that
//     is being made (it would stop a timer that is not there yet, and panic).
//   - relayConn.Close returns nil: pion's manager stops closing allocations at the first error.
package turn

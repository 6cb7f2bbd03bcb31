// Package rawtcp makes the connections of a listener cheap to read and write where little happens: their system calls are made without telling
// the Go runtime. The sockets do not block, so it need not know; told, it wakes its monitor thread, which then naps in steps
// of 20 µs for some time, and that costs more than the call. 50 clients that each send a WebSocket ping every 4 s: 5 % of what a server
// needs that forwards one publisher's media to them. Where writes come by the thousand it makes no difference.
//
// Systems other than Linux have net's own connections.
//
// # Goroutines
//
//	none
//
// # Invariants
//
//   - A connection behaves as a *net.TCPConn does: deadlines, Close while a call waits, half-close, and the errors of these (net.ErrClosed,
//     os.ErrDeadlineExceeded, *net.OpError), because all waiting is the runtime's, within syscall.RawConn.
//   - One Write's bytes stay together, however many goroutines write: the runtime's lock is held until all are written.
//   - One system call moves at most 64 KiB, so that garbage collection need not wait for more.
//   - Read and Write allocate nothing; a connection is 200 bytes more than net's.
package rawtcp

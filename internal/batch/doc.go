// Package batch moves many datagrams with one system call: recvmmsg in; sendmmsg out, and UDP GSO where consecutive datagrams
// go to one destination. Sealed packets are written straight into a Sender's slab; nothing is allocated per datagram.
// Systems without these calls get the same interface on plain reads and writes.
//
// # Goroutines
//
//	none: a Receiver belongs to one reader at a time, a Sender to whoever holds its owner's lock
//
// # Invariants
//
//   - What works is probed when the Conn is made. A step down (GSO, then sendmmsg, then single sends) is taken once, for good,
//     logged once and told in Stats: a device that refuses a segmented datagram refuses the next one, too.
//   - A Sender never waits. When the socket's buffer is full the rest of the flush is dropped, what was marked urgent last, and
//     every Owner is told how many of its datagrams were lost.
//   - A message's datagrams have one destination and one size; its last may be shorter (UDP_SEGMENT, Linux 4.18).
//   - Received datagrams are not joined (UDP_GRO, Linux 5.0), though it is known whether the kernel could: it joins those of one length of
//     one sender that come in one interrupt, or as one GSO run of a sender on this machine. Publishers are one of many senders, and send
//     a few hundred datagrams a second, in runs of lengths that differ: reading them is 3 % of the work for 50 viewers.
package batch

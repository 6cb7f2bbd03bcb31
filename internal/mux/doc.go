// Package mux shares one UDP port and one TCP port between media (ICE, DTLS, SRTP) and TURN. Datagrams are told apart by
// their first byte (RFC 7983) and, for STUN, by method and USERNAME; connections by where their first STUN magic cookie
// sits. Nothing is parsed beyond that: whoever gets the packet judges it.
//
// # Goroutines
//
//	goroutine        started by                      stopped by
//	UDP.pump         Media().Close, TURN still open  TURN().Close or UDP.Close, which waits
//	TCP.accept       NewTCP                          TCP.Close, which waits
//	TCP.decide       TCP.accept, per connection      its first bytes or the peek deadline; TCP.Close waits
//
// There is no reader goroutine for media: whoever reads Media() reads the socket, so a media packet crosses no queue here.
// TURN packets met on the way are copied into a bounded queue.
//
// # Invariants
//
//   - Only UDP.receive and UDP.send touch the socket for packets, so that a batched socket (recvmmsg, sendmmsg) has one
//     place to go.
//   - A tap (SetTap) sees RTP and RTCP of a batch before anything of that batch is delivered, and keeps it until Done.
//   - classify allocates nothing and looks at no more than the STUN header and the attribute headers: it runs for every
//     datagram before anything is authenticated.
//   - The TURN queue drops the newest packet when it is full: TURN must never slow the media reader, and what is queued
//     already is closest to being answered.
//   - A side that is closed does not take the other one with it; the socket closes with the second.
//   - A connection that has not shown what it is within TCPConfig.PeekTimeout is closed, and no connection waits for
//     another one's bytes.
package mux

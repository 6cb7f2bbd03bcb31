// Package mux shares one UDP port and one TCP port between media (ICE, DTLS, SRTP) and TURN. Datagrams are told apart by
// their first byte (RFC 7983) and, for STUN, by method and USERNAME; connections by where their first STUN magic cookie
// sits. Nothing is parsed beyond that: whoever gets the packet judges it.
//
// # Goroutines
//
//	goroutine        started by                      stopped by
//	reader.run       Media().Serve, one per socket   the second of Media().Close and TURN().Close, which waits
//	UDP.pump         Media().Close, TURN still open, TURN().Close or UDP.Close, which waits
//	                 without Serve
//	TCP.accept       NewTCP                          TCP.Close, which waits
//	TCP.decide       TCP.accept, per connection      its first bytes or the peek deadline; TCP.Close waits
//
// With Serve the reader shows what is media's to the socket's tap, which sees to it on the spot; what the tap does not want is
// copied into a bounded queue for whoever reads Media(). Without, there is no reader goroutine: whoever reads Media() reads the
// socket. TURN packets are copied into a bounded queue either way.
//
// # Invariants
//
//   - Only reader, UDP.receive and UDP.send touch the socket for packets.
//   - A tap (Serve) sees RTP, RTCP, DTLS and ICE's STUN of a batch before anything of that batch is delivered, and keeps it until Done.
//   - Several sockets share the port by SO_REUSEPORT: the kernel chooses one by the sender's address, so one sender's packets stay
//     in order. That nobody else has the port is made sure of before, without the option.
//   - classify allocates nothing and looks at no more than the STUN header and the attribute headers: it runs for every
//     datagram before anything is authenticated.
//   - A read that fails ends no reader. Where reads go on failing it is logged, and they are tried again up to a second apart.
//   - RTP that no tap wanted has half of media's queue at most: STUN and DTLS, with which clients join, have the rest.
//   - The queues drop the newest packet when they are full: nobody may slow the reader, and what is queued already is closest
//     to being answered.
//   - A side that is closed does not take the other one with it; the socket closes with the second.
//   - A connection that has not shown what it is within TCPConfig.PeekTimeout is closed, and no connection waits for
//     another one's bytes.
package mux

package loadgen

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"

	"github.com/pion/ice/v4"
)

// socket is one client's UDP socket. ICE, whose only candidate it is, reads it and gets STUN and DTLS; RTP and RTCP go to
// media in the goroutine that reads.
type socket struct {
	conn  *net.UDPConn
	at    *net.UDPAddr // our candidate
	oob   []byte
	media func(pkt []byte, arrived time.Time) // set before ICE reads; pkt may be kept until it returns
}

var (
	_ net.PacketConn           = (*socket)(nil)
	_ ice.AddrPortReaderWriter = (*socket)(nil)
	_ ice.UDPMux               = (*socket)(nil)
)

// receiveBuffer holds the packets of a few keyframes, should the generator be late.
const receiveBuffer = 1 << 20

// listen opens a socket on the address from which the server is reached. From loopback the machine's other addresses must be within
// reach, too: a server on all addresses announces those, and answers from them.
func listen(local netip.Addr, media func([]byte, time.Time)) (*socket, error) {
	bound := local
	switch {
	case local.IsLoopback() && local.Is4():
		bound = netip.IPv4Unspecified()
	case local.IsLoopback():
		bound = netip.IPv6Unspecified()
	}
	conn, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(bound, 0)))
	if err != nil {
		return nil, fmt.Errorf("media socket: %w", err)
	}
	err = errors.Join(conn.SetReadBuffer(receiveBuffer), stampArrivals(conn))
	if err != nil {
		return nil, fmt.Errorf("media socket: %w", errors.Join(err, conn.Close()))
	}
	port := conn.LocalAddr().(*net.UDPAddr).AddrPort().Port()
	at := net.UDPAddrFromAddrPort(netip.AddrPortFrom(local, port))
	return &socket{conn: conn, at: at, oob: make([]byte, stampSpace), media: media}, nil
}

// ReadFromAddrPort reads until there is something for ICE.
func (s *socket) ReadFromAddrPort(b []byte) (int, netip.AddrPort, error) {
	for {
		n, oobn, _, from, err := s.conn.ReadMsgUDPAddrPort(b, s.oob)
		if err != nil {
			return 0, from, err
		}
		if n == 0 || b[0] < 128 || b[0] > 191 { // RFC 9443: not RTP or RTCP
			return n, netip.AddrPortFrom(from.Addr().Unmap(), from.Port()), nil
		}
		arrived, ok := arrivalOf(s.oob[:oobn])
		if !ok {
			arrived = time.Now()
		}
		s.media(b[:n], arrived)
	}
}

// WriteToAddrPort implements ice.AddrPortReaderWriter.
func (s *socket) WriteToAddrPort(b []byte, to netip.AddrPort) (int, error) {
	return s.conn.WriteToUDPAddrPort(b, to)
}

// ReadFrom implements net.PacketConn.
func (s *socket) ReadFrom(b []byte) (int, net.Addr, error) {
	n, from, err := s.ReadFromAddrPort(b)
	return n, net.UDPAddrFromAddrPort(from), err
}

// WriteTo implements net.PacketConn.
func (s *socket) WriteTo(b []byte, to net.Addr) (int, error) { return s.conn.WriteTo(b, to) }

// LocalAddr implements net.PacketConn.
func (s *socket) LocalAddr() net.Addr { return s.at }

// Close implements net.PacketConn and ice.UDPMux.
func (s *socket) Close() error {
	err := s.conn.Close()
	if errors.Is(err, net.ErrClosed) { // once as a connection, once as a mux
		return nil
	}
	return err
}

// SetDeadline implements net.PacketConn.
func (s *socket) SetDeadline(t time.Time) error { return s.conn.SetDeadline(t) }

// SetReadDeadline implements net.PacketConn.
func (s *socket) SetReadDeadline(t time.Time) error { return s.conn.SetReadDeadline(t) }

// SetWriteDeadline implements net.PacketConn.
func (s *socket) SetWriteDeadline(t time.Time) error { return s.conn.SetWriteDeadline(t) }

// GetConn implements ice.UDPMux: there is one connection.
func (s *socket) GetConn(string, net.Addr) (net.PacketConn, error) { return s, nil }

// RemoveConnByUfrag implements ice.UDPMux.
func (s *socket) RemoveConnByUfrag(string) {}

// GetListenAddresses implements ice.UDPMux.
func (s *socket) GetListenAddresses() []net.Addr { return []net.Addr{s.at} }

package batch

import (
	"net"
	"net/netip"
	"sync"
)

// Tapped is a net.PacketConn on a whole socket that shows a Tap every datagram first. The reader gets the rest.
type Tapped struct {
	*net.UDPConn
	tap Tap

	// Guarded by mu.
	mu        sync.Mutex
	in        *Receiver
	got, next int
	taken     [receiveLen]bool
}

// Tapped makes one. The socket must not be read in another way.
func (c *Conn) Tapped(tap Tap) *Tapped { return &Tapped{UDPConn: c.udp, tap: tap, in: c.NewReceiver()} }

// ReadFromAddrPort reads one datagram that the tap did not take.
func (t *Tapped) ReadFromAddrPort(b []byte) (int, netip.AddrPort, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for {
		for t.next < t.got {
			i := t.next
			t.next++
			if !t.taken[i] {
				return copy(b, t.in.Packet(i)), t.in.From(i), nil
			}
		}
		t.got, t.next = 0, 0
		n, err := t.in.Receive()
		if err != nil {
			return 0, netip.AddrPort{}, err
		}
		for i := 0; i < n; i++ {
			if t.taken[i] = t.tap.Packet(t.in.Packet(i), t.in.From(i)); t.taken[i] && i == n-1 {
				n = t.in.More()
			}
		}
		t.tap.Done()
		t.got = n
	}
}

// ReadFrom is ReadFromAddrPort for who knows only net.PacketConn.
func (t *Tapped) ReadFrom(b []byte) (int, net.Addr, error) {
	n, from, err := t.ReadFromAddrPort(b)
	if err != nil {
		return 0, nil, err
	}
	return n, net.UDPAddrFromAddrPort(from), nil
}

// WriteToAddrPort sends one datagram.
func (t *Tapped) WriteToAddrPort(b []byte, to netip.AddrPort) (int, error) {
	return t.WriteToUDPAddrPort(b, to)
}

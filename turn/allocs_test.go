package turn

import (
	"net"
	"testing"
)

// nullConn drops what it is given.
type nullConn struct{ net.PacketConn }

func (nullConn) WriteTo(b []byte, _ net.Addr) (int, error) { return len(b), nil }
func (nullConn) Close() error                              { return nil }

// TestRelayingDoesNotAllocate holds a packet's way through a relay, either way.
func TestRelayingDoesNotAllocate(t *testing.T) {
	r := newRig(t, nil)
	peer := newEcho(t, "127.0.0.1:0")
	closed(t, peer) // the port is all that is needed
	h := newHandling(t, r.Server, "192.0.2.1:5")
	defer h.e.end()
	to := addrPort(peer.LocalAddr())
	var id transactionID
	value := newAnswer(nil, channelBind, id)
	value.addUint32(attrChannel, 0x4000<<16)
	value.addAddress(attrPeer, to)
	for _, request := range [][]byte{
		h.signed(allocate, []byte("\x00\x19\x00\x04\x11\x00\x00\x00"), false),
		h.signed(channelBind, value.b[stunHeader:], false),
	} {
		h.give(request)
	}
	a := r.relays.all()[0]
	h.e.conn = nullConn{}
	up := append([]byte("\x40\x00\x03\xe8"), make([]byte, 1000)...)
	var from net.Addr = h.from
	if n := testing.AllocsPerRun(200, func() { h.e.handle(up, from) }); n != 0 {
		t.Errorf("up: %v allocations", n)
	}
	down, now := make([]byte, relayHead+1000, relayHead+inboundMTU), r.clock.Now()
	if n := testing.AllocsPerRun(200, func() { a.receive(down, to, now) }); n != 0 {
		t.Errorf("down: %v allocations", n)
	}
	if s := r.Stats(); s.UpPackets == 0 || s.DownPackets == 0 {
		t.Errorf("nothing was relayed: %+v", s)
	}
}

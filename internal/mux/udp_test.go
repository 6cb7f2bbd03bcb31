package mux

import (
	"bytes"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"
)

// addrPortConn is what an ICE mux wants of a connection to spare allocations.
type addrPortConn interface {
	net.PacketConn
	ReadFromAddrPort([]byte) (int, netip.AddrPort, error)
	WriteToAddrPort([]byte, netip.AddrPort) (int, error)
}

var _ addrPortConn = (*mediaConn)(nil)

const patience = 30 * time.Second

func listenUDP(t *testing.T, addr string) *UDP {
	t.Helper()
	u, err := ListenUDP(addr, 1)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closed(t, u) })
	return u
}

func closed(t *testing.T, c io.Closer) {
	t.Helper()
	if err := c.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
}

func dialUDP(t *testing.T, network, addr string) net.Conn {
	t.Helper()
	c, err := net.Dial(network, addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closed(t, c) })
	return c
}

func send(t *testing.T, c io.Writer, packets ...[]byte) {
	t.Helper()
	for _, p := range packets {
		if _, err := c.Write(p); err != nil {
			t.Fatal(err)
		}
	}
}

// read returns the next packet, or fails the test after patience.
func read(t *testing.T, c net.PacketConn) ([]byte, net.Addr) {
	t.Helper()
	if err := c.SetReadDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 4096)
	n, from, err := c.ReadFrom(b)
	if err != nil {
		t.Fatal(err)
	}
	return b[:n], from
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(patience); !ok(); <-tick.C {
		if time.Now().After(deadline) {
			t.Fatalf("not within %v: %s", patience, what)
		}
	}
}

var (
	packetRTP      = []byte{0x80, 96, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1}
	packetDTLS     = []byte{22, 254, 253, 0, 0, 0}
	packetCheck    = stunPacket(0x0001, username...)
	packetBinding  = stunPacket(0x0001)
	packetAllocate = stunPacket(0x0003)
	packetChannel  = []byte{0x40, 0, 0, 2, 'h', 'i'}
)

func TestUDPDealsPackets(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, listen, network string }{
		{"IPv4", "127.0.0.1:0", "udp4"},
		{"IPv6", "[::1]:0", "udp6"},
		{"IPv4 on a dual stack socket", ":0", "udp4"},
		{"IPv6 on a dual stack socket", ":0", "udp6"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			u, err := ListenUDP(tt.listen, 1)
			if err != nil {
				t.Skipf("no such address family here: %v", err)
			}
			defer closed(t, u)
			host := "127.0.0.1"
			if tt.network == "udp6" {
				host = "::1"
			}
			_, port, err := net.SplitHostPort(u.LocalAddr().String())
			if err != nil {
				t.Fatal(err)
			}
			c := dialUDP(t, tt.network, net.JoinHostPort(host, port))
			send(t, c, packetBinding, packetCheck, packetAllocate, packetDTLS, packetChannel, []byte{255}, packetRTP)

			for _, want := range [][]byte{packetCheck, packetDTLS, packetRTP} {
				got, from := read(t, u.Media())
				if !bytes.Equal(got, want) || from.String() != c.LocalAddr().String() {
					t.Errorf("media got %x from %v, want %x from %v", got, from, want, c.LocalAddr())
				}
			}
			for _, want := range [][]byte{packetBinding, packetAllocate, packetChannel} {
				got, from := read(t, u.TURN())
				if !bytes.Equal(got, want) || from.String() != c.LocalAddr().String() {
					t.Errorf("TURN got %x from %v, want %x from %v", got, from, want, c.LocalAddr())
				}
			}
			for _, side := range []net.PacketConn{u.Media(), u.TURN()} {
				if _, err := side.WriteTo([]byte("answer"), c.LocalAddr()); err != nil {
					t.Fatal(err)
				}
				b := make([]byte, 16)
				if err := c.SetReadDeadline(time.Now().Add(patience)); err != nil {
					t.Fatal(err)
				}
				if n, err := c.Read(b); err != nil || string(b[:n]) != "answer" {
					t.Errorf("answer: %q, %v", b[:n], err)
				}
			}
			s := u.Stats()
			if s.Received["rtp"] != 1 || s.Received["turn_stun"] != 2 || s.Dropped["unknown"] != 1 {
				t.Errorf("stats: %+v", s)
			}
		})
	}
}

func TestUDPMediaReadAllocatesNothing(t *testing.T) {
	u := listenUDP(t, "127.0.0.1:0")
	c := dialUDP(t, "udp4", u.LocalAddr().String())
	media := u.Media().(addrPortConn)
	b := make([]byte, 2048)
	for range queueLen { // its places are made as they are needed
		u.turn.queue.put(b, netip.AddrPort{})
		if _, _, err := u.turn.queue.take(b); err != nil {
			t.Fatal(err)
		}
	}
	if n := testing.AllocsPerRun(50, func() {
		send(t, c, packetBinding, packetRTP)
		if _, _, err := media.ReadFromAddrPort(b); err != nil {
			t.Error(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations for a media and a TURN packet", n)
	}
}

func TestUDPTURNQueueDropsTheNewest(t *testing.T) {
	t.Parallel()
	u := listenUDP(t, "127.0.0.1:0")
	from := netip.MustParseAddrPort("192.0.2.1:1")
	for i := range queueLen {
		if drop, ok := u.turn.put([]byte{byte(i)}, from); !ok {
			t.Fatalf("packet %d: %v", i, drop)
		}
	}
	if drop, ok := u.turn.put([]byte("one too many"), from); ok || drop != dropTURNFull {
		t.Errorf("full queue: %v, %v", drop, ok)
	}
	if drop, ok := u.turn.put(make([]byte, queueSlot+1), from); ok || drop != dropTURNTooLong {
		t.Errorf("long packet: %v, %v", drop, ok)
	}
	for i := range queueLen {
		if got, _ := read(t, u.TURN()); got[0] != byte(i) {
			t.Fatalf("packet %d: %x", i, got)
		}
	}
	c := dialUDP(t, "udp4", u.LocalAddr().String())
	for range queueLen + 10 {
		send(t, c, packetBinding)
	}
	send(t, c, packetRTP)
	if got, _ := read(t, u.Media()); !bytes.Equal(got, packetRTP) {
		t.Errorf("media behind a flood of TURN: %x", got)
	}
	if n := u.Stats().Dropped[dropTURNFull.String()]; n == 0 {
		t.Error("no drop was counted")
	}
}

func TestUDPDeadlines(t *testing.T) {
	t.Parallel()
	u := listenUDP(t, "127.0.0.1:0")
	for name, side := range map[string]net.PacketConn{"media": u.Media(), "TURN": u.TURN()} {
		if err := side.SetReadDeadline(time.Now().Add(5 * time.Millisecond)); err != nil {
			t.Fatal(err)
		}
		_, _, err := side.ReadFrom(make([]byte, 8))
		var timeout net.Error
		if !errors.Is(err, os.ErrDeadlineExceeded) || !errors.As(err, &timeout) || !timeout.Timeout() {
			t.Errorf("%s: %v", name, err)
		}
	}
	// The media deadline has passed; a new one lets media, and with it TURN, go on.
	c := dialUDP(t, "udp4", u.LocalAddr().String())
	send(t, c, packetBinding, packetRTP)
	read(t, u.Media())
	read(t, u.TURN())
}

func TestUDPCloseWakesReaders(t *testing.T) {
	t.Parallel()
	u := listenUDP(t, "127.0.0.1:0")
	errs := make(chan error, 2)
	for _, side := range []net.PacketConn{u.Media(), u.TURN()} {
		go func() {
			_, _, err := side.ReadFrom(make([]byte, 8))
			errs <- err
		}()
	}
	closed(t, u)
	for range 2 {
		if err := <-errs; !errors.Is(err, net.ErrClosed) {
			t.Errorf("reader got %v", err)
		}
	}
	for _, side := range []net.PacketConn{u.Media(), u.TURN()} {
		if _, err := side.WriteTo(packetRTP, u.LocalAddr()); !errors.Is(err, net.ErrClosed) {
			t.Errorf("write after close: %v", err)
		}
		if err := side.SetReadDeadline(time.Now()); !errors.Is(err, net.ErrClosed) {
			t.Errorf("deadline after close: %v", err)
		}
		closed(t, side)
	}
}

func TestUDPOneSideOutlivesTheOther(t *testing.T) {
	t.Parallel()
	t.Run("TURN after media", func(t *testing.T) {
		t.Parallel()
		u := listenUDP(t, "127.0.0.1:0")
		c := dialUDP(t, "udp4", u.LocalAddr().String())
		reading := make(chan error, 1)
		go func() {
			_, _, err := u.Media().ReadFrom(make([]byte, 8))
			reading <- err
		}()
		closed(t, u.Media())
		if err := <-reading; !errors.Is(err, net.ErrClosed) {
			t.Errorf("media reader: %v", err)
		}
		send(t, c, packetRTP, packetAllocate)
		if got, _ := read(t, u.TURN()); !bytes.Equal(got, packetAllocate) {
			t.Errorf("got %x", got)
		}
		if n := u.Stats().Dropped["media_closed"]; n != 1 {
			t.Errorf("%d media packets counted as dropped", n)
		}
	})
	t.Run("media after TURN", func(t *testing.T) {
		t.Parallel()
		u := listenUDP(t, "127.0.0.1:0")
		c := dialUDP(t, "udp4", u.LocalAddr().String())
		closed(t, u.TURN())
		send(t, c, packetAllocate, packetRTP)
		if got, _ := read(t, u.Media()); !bytes.Equal(got, packetRTP) {
			t.Errorf("got %x", got)
		}
		if n := u.Stats().Dropped["turn_closed"]; n != 1 {
			t.Errorf("%d TURN packets counted as dropped", n)
		}
	})
}

func TestListenUDPErrors(t *testing.T) {
	t.Parallel()
	u := listenUDP(t, "127.0.0.1:0")
	for _, addr := range []string{u.LocalAddr().String(), "no port", "127.0.0.1:99999"} {
		if _, err := ListenUDP(addr, 1); err == nil || !strings.Contains(err.Error(), addr) {
			t.Errorf("%s: %v", addr, err)
		}
	}
	if _, err := u.Media().WriteTo(packetRTP, &net.TCPAddr{}); err == nil {
		t.Error("wrote to a TCP address")
	}
}

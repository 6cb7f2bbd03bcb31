package batch

import (
	"bytes"
	"fmt"
	"net"
	"net/netip"
	"testing"
	"time"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func listen(t testing.TB, network, addr string) (*Conn, *net.UDPConn) {
	t.Helper()
	at, err := net.ResolveUDPAddr(network, addr)
	must(t, err)
	udp, err := net.ListenUDP(network, at)
	if err != nil {
		t.Skipf("no %s here: %v", network, err)
	}
	t.Cleanup(func() { udp.Close() })
	must(t, udp.SetReadBuffer(1<<20))
	c, err := NewConn(udp, nil)
	must(t, err)
	return c, udp
}

// losses is an Owner.
type losses struct{ dropped int }

func (l *losses) Dropped(n int) { l.dropped += n }

func addrOf(c *net.UDPConn) netip.AddrPort {
	a := c.LocalAddr().(*net.UDPAddr).AddrPort()
	return netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
}

// TestRoundTrip sends datagrams of mixed sizes to two destinations, in every mode and address family, and reads them back in
// batches.
func TestRoundTrip(t *testing.T) {
	t.Parallel()
	families := []struct{ name, network, from, to string }{
		{"IPv4", "udp4", "127.0.0.1:0", "127.0.0.1:0"},
		{"IPv6", "udp6", "[::1]:0", "[::1]:0"},
		{"dual stack to IPv4", "udp", "[::]:0", "127.0.0.1:0"},
	}
	for _, f := range families {
		for _, mode := range []Mode{Plain, Multiple, Segments} {
			t.Run(fmt.Sprint(f.name, " ", mode), func(t *testing.T) {
				t.Parallel()
				c, _ := listen(t, f.network, f.from)
				if c.Mode() < mode {
					t.Skipf("only %v here", c.Mode())
				}
				c.Limit(mode)
				network := f.network
				if network == "udp" {
					network = "udp4"
				}
				a, ua := listen(t, network, f.to)
				b, ub := listen(t, network, f.to)
				roundTrip(t, c, a, ua, b, ub)
			})
		}
	}
}

func roundTrip(t *testing.T, c, a *Conn, ua *net.UDPConn, b *Conn, ub *net.UDPConn) {
	sizes := []int{1200, 1200, 1200, 700, 1200, 1, 1300, 1300, MaxPacket, 90, 90, 90}
	to := []*Dest{c.Dest(addrOf(ua)), c.Dest(addrOf(ub))}
	s, owner := c.NewSender(), &losses{}
	want := [2][][]byte{}
	for round := range 5 {
		for i, d := range to {
			for j, n := range sizes {
				p := s.Next()[:n]
				for k := range p {
					p[k] = byte(round*100 + i*50 + j)
				}
				want[i] = append(want[i], bytes.Clone(p))
				s.Commit(n, d, owner, false)
			}
		}
	}
	s.Flush()
	if s.Pending() || owner.dropped != 0 {
		t.Fatalf("pending %v, dropped %d", s.Pending(), owner.dropped)
	}
	for i, in := range []struct {
		c *Conn
		u *net.UDPConn
	}{{a, ua}, {b, ub}} {
		must(t, in.u.SetReadDeadline(time.Now().Add(5*time.Second)))
		r := in.c.NewReceiver()
		var got [][]byte
		for len(got) < len(want[i]) {
			n, err := r.Receive()
			must(t, err)
			n = max(n, r.More())
			for k := range n {
				got = append(got, bytes.Clone(r.Packet(k)))
				if port := r.From(k).Port(); port != uint16(c.udp.LocalAddr().(*net.UDPAddr).Port) || r.From(k).Addr().Is4In6() {
					t.Fatalf("from %v", r.From(k))
				}
			}
		}
		for k := range got {
			if !bytes.Equal(got[k], want[i][k]) {
				t.Fatalf("datagram %d to %d: %d bytes of %d, not %d of %d", k, i, len(got[k]), got[k][0], len(want[i][k]), want[i][k][0])
			}
		}
	}
	if st := c.Stats(); st.SentPackets != uint64(len(want[0])+len(want[1])) || st.DroppedError+st.DroppedFull != 0 {
		t.Errorf("%+v", st)
	}
}

// TestRunsBecomeMessages guards what makes it fast: equal sizes to one destination are one message.
func TestRunsBecomeMessages(t *testing.T) {
	t.Parallel()
	c, _ := listen(t, "udp4", "127.0.0.1:0")
	if c.Mode() != Segments {
		t.Skip("no GSO here")
	}
	_, sink := listen(t, "udp4", "127.0.0.1:0")
	to := c.Dest(addrOf(sink))
	s, owner := c.NewSender(), &losses{}
	for _, n := range []int{1000, 1000, 1000, 999, 1000, 1000} { // the shorter one ends a run
		s.Next()
		s.Commit(n, to, owner, false)
	}
	s.Flush()
	if st := c.Stats(); st.Messages != 2 || st.SentPackets != 6 || st.SendCalls != 1 {
		t.Errorf("%+v", st)
	}
}

// TestUnreachableIsCounted guards that one bad destination costs only its own packets.
func TestUnreachableIsCounted(t *testing.T) {
	t.Parallel()
	c, _ := listen(t, "udp4", "127.0.0.1:0")
	_, sink := listen(t, "udp4", "127.0.0.1:0")
	must(t, sink.SetReadDeadline(time.Now().Add(5*time.Second)))
	bad, good := c.Dest(netip.MustParseAddrPort("127.0.0.1:0")), c.Dest(addrOf(sink))
	s, lost, kept := c.NewSender(), &losses{}, &losses{}
	for range 3 {
		s.Next()
		s.Commit(100, bad, lost, false)
		s.Next()
		s.Commit(100, good, kept, true)
	}
	s.Flush()
	if lost.dropped != 3 || kept.dropped != 0 || c.Stats().DroppedError != 3 {
		t.Errorf("lost %d and %d, %+v", lost.dropped, kept.dropped, c.Stats())
	}
	for range 3 {
		if n, _, err := sink.ReadFromUDPAddrPort(make([]byte, 200)); err != nil || n != 100 {
			t.Fatal(n, err)
		}
	}
}

func TestNothingAllocates(t *testing.T) {
	c, _ := listen(t, "udp4", "127.0.0.1:0")
	_, sink := listen(t, "udp4", "127.0.0.1:0")
	to, owner, s := c.Dest(addrOf(sink)), &losses{}, c.NewSender()
	if n := testing.AllocsPerRun(200, func() {
		for range 300 {
			s.Next()
			s.Commit(1000, to, owner, false)
		}
		s.Flush()
	}); n != 0 {
		t.Errorf("%v allocations for 300 packets", n)
	}
}

// TestClosedSocket guards that a Sender outlives its socket.
func TestClosedSocket(t *testing.T) {
	t.Parallel()
	c, udp := listen(t, "udp4", "127.0.0.1:0")
	to, owner, s := c.Dest(addrOf(udp)), &losses{}, c.NewSender()
	must(t, udp.Close())
	s.Next()
	s.Commit(100, to, owner, false)
	s.Flush()
	if owner.dropped != 1 {
		t.Errorf("dropped %d", owner.dropped)
	}
	if _, err := c.NewReceiver().Receive(); err == nil {
		t.Error("a closed socket was read")
	}
}

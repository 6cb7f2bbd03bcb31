package batch

import (
	"fmt"
	"net"
	"net/netip"
	"testing"
	"time"
)

// TestAnswersLeaveFromTheAskedAddress: a socket of all addresses tells at which a datagram arrived, and sends from there, in every mode
// and family, one datagram and many.
func TestAnswersLeaveFromTheAskedAddress(t *testing.T) {
	t.Parallel()
	for _, f := range []struct{ name, network, all, asked string }{
		{"IPv4", "udp4", "0.0.0.0:0", "127.0.0.5"},
		{"dual stack to IPv4", "udp", "[::]:0", "127.0.0.6"},
		{"IPv6", "udp6", "[::]:0", "::1"},
	} {
		for _, mode := range []Mode{Plain, Multiple, Segments} {
			t.Run(fmt.Sprint(f.name, " ", mode), func(t *testing.T) {
				t.Parallel()
				c, udp := listen(t, f.network, f.all)
				if c.Mode() < mode {
					t.Skipf("only %v here", c.Mode())
				}
				c.Limit(mode)
				asked := netip.MustParseAddr(f.asked)
				client, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.ParseIP(f.asked)})
				if err != nil {
					t.Skipf("no such address here: %v", err)
				}
				defer client.Close()
				_, err = client.WriteToUDPAddrPort([]byte("hello"), netip.AddrPortFrom(asked, addrOf(udp).Port()))
				must(t, err)
				r := c.NewReceiver()
				n, err := r.Receive()
				must(t, err)
				if n != 1 || r.At(0) != asked {
					t.Fatalf("%d datagrams, at %v", n, r.At(0))
				}
				mustComeFrom(t, c, client, r.From(0), asked)
			})
		}
	}
}

func mustComeFrom(t *testing.T, c *Conn, client *net.UDPConn, to netip.AddrPort, asked netip.Addr) {
	t.Helper()
	s, owner := c.NewSender(), &losses{}
	d := c.DestFrom(to, asked)
	if d.From() != asked {
		t.Errorf("it leaves from %v", d.From())
	}
	for range 3 { // one run, where there are runs
		s.Commit(len(append(s.Next(), "media"...)), d, owner, false)
	}
	s.Flush()
	must(t, c.sendOne([]byte("alone"), d))
	_, err := c.WriteFrom([]byte("single"), to, asked)
	must(t, err)
	must(t, client.SetReadDeadline(time.Now().Add(10*time.Second)))
	b := make([]byte, 100)
	for range 5 {
		n, from, err := client.ReadFromUDPAddrPort(b)
		must(t, err)
		if from.Addr().Unmap() != asked {
			t.Errorf("%q came from %v, not %v", b[:n], from, asked)
		}
	}
	if owner.dropped > 0 {
		t.Errorf("%d dropped", owner.dropped)
	}
}

// TestAddressIsGone: who was asked at an address that is ours no more is answered from another.
func TestAddressIsGone(t *testing.T) {
	t.Parallel()
	c, _ := listen(t, "udp4", "0.0.0.0:0")
	_, sink := listen(t, "udp4", "127.0.0.1:0")
	_, err := c.WriteFrom([]byte("hello"), addrOf(sink), netip.MustParseAddr("192.0.2.1"))
	must(t, err)
	must(t, sink.SetReadDeadline(time.Now().Add(10*time.Second)))
	_, _, err = sink.ReadFromUDPAddrPort(make([]byte, 100))
	must(t, err)
}

// TestOneAddressTellsNothing: a socket of one address needs no control messages.
func TestOneAddressTellsNothing(t *testing.T) {
	t.Parallel()
	c, _ := listen(t, "udp4", "127.0.0.1:0")
	if c.os.all || c.DestFrom(netip.MustParseAddrPort("127.0.0.1:9"), netip.MustParseAddr("127.0.0.2")).info.len != 0 {
		t.Error("it does")
	}
}

// BenchmarkWrite: what it costs to say from which address a datagram leaves.
func BenchmarkWrite(b *testing.B) {
	for name, from := range map[string]netip.Addr{"system": {}, "ours": netip.MustParseAddr("127.0.0.1")} {
		b.Run(name, func(b *testing.B) {
			c, _ := listen(b, "udp4", "0.0.0.0:0")
			_, sink := listen(b, "udp4", "127.0.0.1:0")
			s, owner := c.NewSender(), &losses{}
			to := make([]*Dest, 50)
			for i := range to {
				to[i] = c.DestFrom(addrOf(sink), from)
			}
			b.ReportAllocs()
			for b.Loop() { // a frame of six packets to 50 viewers
				for _, d := range to {
					for range 6 {
						s.Commit(len(s.Next()[:1200]), d, owner, false)
					}
				}
				s.Flush()
			}
		})
	}
}

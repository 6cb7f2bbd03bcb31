package loadgen

import (
	"net"
	"net/netip"
	"testing"
	"time"
)

// TestOwnAddresses: a server on all addresses announces those of the machine, and answers from the one that was asked.
func TestOwnAddresses(t *testing.T) {
	t.Parallel()
	server, err := net.ListenUDP("udp4", nil)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		b := make([]byte, 64)
		for {
			n, from, err := server.ReadFromUDPAddrPort(b)
			if err != nil {
				return
			}
			if _, err := server.WriteToUDPAddrPort(b[:n], from); err != nil {
				t.Error(err)
			}
		}
	}()
	t.Cleanup(func() {
		_ = server.Close()
		<-done
	})
	s, err := listen(netip.MustParseAddr("127.0.0.1"), func([]byte, time.Time) { t.Error("media") })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	if at := s.LocalAddr().(*net.UDPAddr); !at.IP.IsLoopback() || at.Port == 0 {
		t.Errorf("the candidate is %v", at)
	}
	if err := s.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	port := server.LocalAddr().(*net.UDPAddr).AddrPort().Port()
	for _, a := range addrs {
		p, err := netip.ParsePrefix(a.String())
		if err != nil || !p.Addr().Is4() {
			continue
		}
		to := netip.AddrPortFrom(p.Addr(), port)
		if _, err := s.WriteToAddrPort([]byte{1}, to); err != nil {
			t.Fatalf("%v: %v", to, err)
		}
		if _, from, err := s.ReadFromAddrPort(make([]byte, 64)); err != nil || from != to {
			t.Errorf("asked %v, answered by %v, %v", to, from, err)
		}
	}
}

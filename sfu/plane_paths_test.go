package sfu

import (
	"net"
	"net/netip"
	"runtime"
	"testing"

	"github.com/pion/webrtc/v4"
)

// TestPlanePaths goes from client to client over what the plane meets besides IPv4 and GCM.
func TestPlanePaths(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		listen net.IP
		client browserConfig
		cipher bool // GCM
	}{
		{"AES_CM_128_HMAC_SHA1_80", net.IPv4(127, 0, 0, 1), browserConfig{slots: 1, oldCipher: true}, false},
		{"IPv6", net.IPv6loopback, browserConfig{slots: 1, network: webrtc.NetworkTypeUDP6}, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: tt.listen})
			if err != nil {
				t.Skipf("no such address here: %v", err)
			}
			n := newTestNode(t, func(c *Config) { must(t, c.Conn.Close()); c.Conn, c.Plane = conn, PlaneBatched })
			a, b := join(t, n, "a", tt.client), join(t, n, "b", tt.client)
			src, err := a.peer.Publish(Camera, false)
			must(t, err)
			mic, err := a.peer.Publish(Microphone, false)
			must(t, err)
			must(t, b.peer.Show([]SlotView{{Audio: mic, Video: src, Width: 640, Height: 360}}))
			a.sendMedia('a')
			eventually(t, "sound and picture", func() bool { return len(b.videoPackets(0)) > 60 && len(b.audioPackets(0)) > 30 })
			if tag := b.lastTag(0); tag != 'a' {
				t.Errorf("the picture is %q", tag)
			}
			b.peer.loop.Lock()
			gcm := b.peer.leg.gcm.Ready()
			b.peer.loop.Unlock()
			if gcm != tt.cipher {
				t.Errorf("GCM: %v", gcm)
			}
			if st := n.Stats(); st.Dropped[dropUnauthenticated] != 0 || st.Socket.SentPackets == 0 {
				t.Errorf("%+v", st)
			}
		})
	}
}

// TestSecondAddress: a client that knows one of the machine's addresses is sent all from that one, though the system would choose another.
func TestSecondAddress(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("the system does not tell which address was asked")
	}
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4zero})
	must(t, err)
	told := netip.MustParseAddr("127.0.0.9")
	n := newTestNode(t, func(c *Config) {
		must(t, c.Conn.Close())
		c.Conn, c.Plane, c.PublicIPs = conn, PlaneBatched, []netip.Addr{told}
	})
	a, b := join(t, n, "a", browserConfig{slots: 1}), join(t, n, "b", browserConfig{slots: 1})
	src, err := a.peer.Publish(Camera, false)
	must(t, err)
	must(t, b.peer.Show([]SlotView{{Video: src, Width: 640, Height: 360}}))
	a.sendMedia('a')
	eventually(t, "a picture", func() bool { return len(b.videoPackets(0)) > 30 })
	if v := b.peer.transport.(*direct).ice.path.Load(); v.at != told {
		t.Errorf("it was asked at %v", v.at)
	}
}

package sfu

import (
	"net"
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

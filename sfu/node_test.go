package sfu

import (
	"bytes"
	"net"
	"net/netip"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"
)

func TestConfigValidate(t *testing.T) {
	t.Parallel()
	udp, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	must(t, err)
	defer udp.Close()
	for _, c := range []struct {
		name string
		cfg  Config
		ok   bool
	}{
		{"nothing", Config{}, false},
		{"least", Config{Conn: udp}, true},
		{"data too small", Config{Conn: udp, MaxDataBytes: 10}, false},
		{"data too large", Config{Conn: udp, MaxDataBytes: 1 << 20}, false},
		{"bitrate", Config{Conn: udp, StartBitrate: -1}, false},
		{"public address", Config{Conn: udp, PublicIPs: []netip.Addr{netip.MustParseAddr("0.0.0.0")}}, false},
	} {
		if err := c.cfg.Validate(); (err == nil) != c.ok {
			t.Errorf("%s: error %v", c.name, err)
		}
	}
	if _, err := New(Config{}); err == nil {
		t.Error("New took an empty Config")
	}
}

func TestPublicAddressIsAnnounced(t *testing.T) {
	t.Parallel()
	n := newTestNode(t, func(c *Config) { c.PublicIPs = []netip.Addr{netip.MustParseAddr("203.0.113.9")} })
	p, err := n.NewPeer("p", "room", &events{})
	must(t, err)
	answer, err := p.Negotiate(t.Context(), goodOffer(t))
	must(t, err)
	var candidates []string
	for l := range strings.SplitSeq(answer, "\r\n") {
		if strings.HasPrefix(l, "a=candidate:") {
			candidates = append(candidates, strings.Fields(l)[4])
		}
	}
	if d := cmp.Diff([]string{"203.0.113.9"}, candidates); d != "" {
		t.Error(d)
	}
}

func TestStates(t *testing.T) {
	t.Parallel()
	n := newTestNode(t, nil)
	b := join(t, n, "b", browserConfig{slots: 1})
	eventually(t, "connected", func() bool { return len(b.on.seen()) == 2 })
	eventually(t, "connected on the client's side, too", func() bool {
		return b.pc.ConnectionState() == webrtc.PeerConnectionStateConnected
	})
	must(t, b.pc.Close()) // the page closes: DTLS says so
	eventually(t, "the end", func() bool { return b.peer.State() == PeerClosed })
	<-b.peer.done
	if d := cmp.Diff([]PeerState{PeerConnecting, PeerConnected, PeerClosed}, b.on.seen()); d != "" {
		t.Error(d)
	}
	if got := n.Stats().Peers; len(got) != 0 {
		t.Errorf("peers left: %v", got)
	}
}

// TestPanicEndsThePeerOnly guards that a mistake in a callback costs one peer.
func TestPanicEndsThePeerOnly(t *testing.T) {
	t.Parallel()
	n := newTestNode(t, nil)
	bad := join(t, n, "bad", browserConfig{noSend: true})
	good := join(t, n, "good", browserConfig{noSend: true})
	bad.on.mu.Lock()
	bad.on.onData = func(Data) { panic("on purpose") }
	bad.on.mu.Unlock()
	eventually(t, "an open channel", func() bool { return bad.channels[0].ReadyState() == webrtc.DataChannelStateOpen })
	must(t, bad.channels[0].Send(clientFrame(nil, "t", "x")))
	<-bad.peer.done
	if bad.peer.State() != PeerClosed || good.peer.State() != PeerConnected {
		t.Errorf("states: %v, %v", bad.peer.State(), good.peer.State())
	}
	if got := n.Stats().Panics; got != 1 {
		t.Errorf("%d panics are counted", got)
	}
}

// TestCloseFromEvents guards that Close may be called from the peer's own goroutines.
func TestCloseFromEvents(t *testing.T) {
	t.Parallel()
	n := newTestNode(t, nil)
	b := join(t, n, "b", browserConfig{noSend: true})
	b.on.mu.Lock()
	b.on.onData = func(Data) { must(t, b.peer.Close()) }
	b.on.mu.Unlock()
	eventually(t, "an open channel", func() bool { return b.channels[0].ReadyState() == webrtc.DataChannelStateOpen })
	must(t, b.channels[0].Send(clientFrame(nil, "t", "x")))
	<-b.peer.done
}

// forger follows every RTP packet that comes in with a forged one from the same address.
type forger struct {
	*net.UDPConn
	forged []byte
	from   net.Addr
}

func (f *forger) ReadFrom(b []byte) (int, net.Addr, error) {
	if f.forged != nil {
		n := copy(b, f.forged)
		f.forged = nil
		return n, f.from, nil
	}
	n, from, err := f.UDPConn.ReadFrom(b)
	if err == nil && n > 40 && b[0]>>6 == 2 && (b[1] < 192 || b[1] > 223) {
		f.forged, f.from = bytes.Clone(b[:n]), from
		f.forged[2] ^= 1 // another sequence number: no replay
		f.forged[n-1] ^= 1
	}
	return n, from, err
}

func TestForgedPacketsAreIgnored(t *testing.T) {
	t.Parallel()
	n := newTestNode(t, func(c *Config) { c.Conn = &forger{UDPConn: c.Conn.(*net.UDPConn)} })
	a := join(t, n, "a", browserConfig{})
	b := join(t, n, "b", browserConfig{slots: 1, noSend: true})
	cam, err := a.peer.Publish(Camera, false)
	must(t, err)
	must(t, b.peer.Show([]SlotView{{Video: cam, Width: 320, Height: 180}}))
	a.sendMedia(10)
	eventually(t, "packets", func() bool { return len(b.videoPackets(0)) > 100 })
	checkContinuous(t, b.videoPackets(0))
	st := a.peer.Stats()
	if forged := st.Dropped[dropUnauthenticated]; forged < 100 || st.PacketsIn < 100 {
		t.Errorf("%d forged packets are counted, %d good ones", forged, st.PacketsIn)
	}
	for reason, k := range st.Dropped {
		if reason != dropUnauthenticated && reason != dropMuted.String() {
			t.Errorf("%d packets were dropped as %s", k, reason)
		}
	}
}

// TestManyPeersLeaveNothing guards against leaks: of goroutines, of peers, of sources in the ticker.
func TestManyPeersLeaveNothing(t *testing.T) {
	n := newTestNode(t, nil)
	before := runtime.NumGoroutine()
	var wg sync.WaitGroup
	all := make([]*browser, 20)
	for i := range all {
		wg.Go(func() { all[i] = join(t, n, "p", browserConfig{slots: 4}) })
	}
	wg.Wait()
	for i, b := range all {
		cam, err := b.peer.Publish(Camera, false)
		must(t, err)
		next := all[(i+1)%len(all)]
		must(t, next.peer.Show([]SlotView{{Slot: i % 4, Video: cam, Width: 320, Height: 180}}))
	}
	for _, b := range all {
		wg.Go(b.close)
	}
	wg.Wait()
	for _, b := range all {
		<-b.peer.done
	}
	if got := len(*n.ticked.Load()); got != 0 {
		t.Errorf("%d peers are left", got)
	}
	eventually(t, "goroutines ended", func() bool { return runtime.NumGoroutine() <= before })
}

func TestNodeCloseEndsPeers(t *testing.T) {
	t.Parallel()
	n := newTestNode(t, nil)
	b := join(t, n, "b", browserConfig{slots: 1})
	fresh, err := n.NewPeer("fresh", "room", &events{})
	must(t, err)
	must(t, n.Close())
	<-b.peer.done
	<-fresh.done
	if _, err := n.NewPeer("late", "room", &events{}); err == nil {
		t.Error("a closed node made a peer")
	}
	must(t, n.Close())
}

func TestTooManySSRCs(t *testing.T) {
	t.Parallel()
	n := newTestNode(t, nil)
	p, err := n.NewPeer("p", "room", &events{})
	must(t, err)
	for i := range uint32(maxStreams + 10) {
		_ = p.buffer(0, i+1)
	}
	<-p.done
	if len(p.streams) > maxStreams {
		t.Errorf("%d streams", len(p.streams))
	}
}

func TestReception(t *testing.T) {
	t.Parallel()
	var r reception
	now := time.Unix(1000, 0)
	add := func(seq uint16) { r.add(header{seq: seq, timestamp: uint32(seq) * 3000}, 90000, uint32(seq)*3000+7) }
	for _, seq := range []uint16{65533, 65534, 0, 1, 3, 2} { // one lost, a wrap, one out of order
		add(seq)
	}
	r.lastSR, r.lastSRAt = 5, now.Add(-2*time.Second)
	got, ok := r.block(9, now)
	if !ok || got.SSRC != 9 || got.TotalLost != 1 || got.FractionLost != 256/7 || got.LastSequenceNumber != 65536+3 ||
		got.Jitter != 0 || got.LastSenderReport != 5 || got.Delay != 2*65536 {
		t.Errorf("report %+v", got)
	}
	if _, ok := r.block(9, now); ok {
		t.Error("a report about nothing")
	}
	add(4)
	if got, _ := r.block(9, now); got.FractionLost != 0 || got.TotalLost != 1 {
		t.Errorf("second report %+v", got)
	}
}

func TestParseHeader(t *testing.T) {
	t.Parallel()
	p := rtp.Packet{
		Header: rtp.Header{
			Version: 2, Padding: true, Marker: true, PayloadType: 96, SequenceNumber: 7, Timestamp: 8, SSRC: 9,
			CSRC: []uint32{1, 2}, PaddingSize: 4,
		},
		Payload: []byte("payload"),
	}
	must(t, p.SetExtension(3, []byte("mid")))
	must(t, p.SetExtension(5, []byte{1, 2}))
	raw, err := p.Marshal()
	must(t, err)
	h, ok := parseHeader(raw)
	if !ok || h.payloadType != 96 || h.seq != 7 || h.timestamp != 8 || string(raw[h.payload:h.payloadEnd]) != "payload" {
		t.Fatalf("header %+v", h)
	}
	if got := string(h.extension(raw, 3)); got != "mid" {
		t.Errorf("extension 3: %q", got)
	}
	over := slices.Clone(raw)
	over[h.extEnd-1] = 7<<4 | 3 // an element in the last byte, whose content would lie in the payload
	if h.extension(over, 7) != nil {
		t.Error("an extension reaches into the payload")
	}
	if h.extension(raw, 4) != nil || h.extension(raw, 0) != nil || len(h.extension(raw, 5)) != 2 {
		t.Error("extensions 0, 4, 5")
	}
}

func FuzzParseHeader(f *testing.F) {
	p := rtp.Packet{Header: rtp.Header{Version: 2, PayloadType: 96}, Payload: []byte("x")}
	_ = p.SetExtension(3, []byte("mid"))
	raw, _ := p.Marshal()
	f.Add(raw, uint8(3))
	f.Fuzz(func(t *testing.T, b []byte, id uint8) {
		h, ok := parseHeader(b)
		if !ok {
			return
		}
		if h.payload > h.payloadEnd || h.payloadEnd > len(b) || h.extensions > h.extEnd || h.extEnd > h.payload {
			t.Fatalf("header %+v of %d bytes", h, len(b))
		}
		_ = h.extension(b, id)
	})
}

package sfu

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"runtime/pprof"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/srtp/v3"
	"github.com/pion/webrtc/v4"
)

func newDirectNode(t testing.TB) *Node {
	return newTestNode(t, func(c *Config) { c.Plane = PlaneBatched })
}

// TestOtherCertificateIsRefused guards that the fingerprint of the offer counts: a client whose certificate is another gets
// neither keys nor media.
func TestOtherCertificateIsRefused(t *testing.T) {
	t.Parallel()
	b := newBrowser(t, newDirectNode(t), "b", browserConfig{slots: 1})
	o := b.offer(nil)
	i := strings.Index(o.SDP, "sha-256 ") + len("sha-256 ")
	o.SDP = o.SDP[:i] + fingerprintOf([]byte("another")).String()[len("sha-256 "):] + o.SDP[i+32*3-1:]
	answer, err := b.peer.Negotiate(context.Background(), o)
	must(t, err)
	must(t, b.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: answer}))
	b.waitState(PeerFailed)
	if b.peer.leg.ready.Load() {
		t.Error("the leg is up")
	}
}

// TestCloseNotifyEndsThePeer guards that a client that goes is seen to go at once.
func TestCloseNotifyEndsThePeer(t *testing.T) {
	t.Parallel()
	for _, noData := range []bool{false, true} {
		b := join(t, newDirectNode(t), "b", browserConfig{noData: noData})
		b.waitClient()
		must(t, b.pc.Close())
		b.waitState(PeerClosed)
	}
}

// TestNoAssociationWithoutData guards that who offers no data channels pays for none.
func TestNoAssociationWithoutData(t *testing.T) {
	t.Parallel()
	n := newDirectNode(t)
	without := join(t, n, "without", browserConfig{noData: true, slots: 1})
	with := join(t, n, "with", browserConfig{slots: 1})
	has := func(b *browser) bool {
		d := &b.peer.transport.(*direct).dataState
		d.mu.Lock()
		defer d.mu.Unlock()
		return d.assoc != nil
	}
	eventually(t, "an association", func() bool { return has(with) })
	if has(without) || without.peer.transport.(*direct).dataState.started.Load() {
		t.Error("an association without data channels")
	}
}

// TestFirstMessageOpensTheChannel: neither side has opened a stream before the first message, in either direction.
func TestFirstMessageOpensTheChannel(t *testing.T) {
	t.Parallel()
	b := join(t, newDirectNode(t), "b", browserConfig{noSend: true})
	eventually(t, "open channels", func() bool {
		return b.channels[0].ReadyState() == webrtc.DataChannelStateOpen && b.peer.data.isOpen(unreliableChannel)
	})
	must(t, b.peer.Send(Data{From: "x", Payload: []byte("unreliable")}))
	must(t, b.channels[reliableChannel].Send(clientFrame(nil, "t", "reliable")))
	eventually(t, "both", func() bool {
		b.mu.Lock()
		defer b.mu.Unlock()
		return len(b.data[unreliableChannel]) == 1 && len(b.on.messages()) == 1
	})
	must(t, b.peer.Send(Data{From: "x", Reliable: true, Payload: []byte("back")})) // on the stream that the client opened
	must(t, b.channels[unreliableChannel].Send(clientFrame(nil, "t", "there")))    // on ours
	eventually(t, "both again", func() bool {
		b.mu.Lock()
		defer b.mu.Unlock()
		return len(b.data[reliableChannel]) == 1 && len(b.on.messages()) == 2
	})
}

// TestGoroutinesOfAPeer counts what an idle peer holds: what doc.go and ARCHITECTURE.md say. Goroutines inherit the label of who
// started them, which tells the node's from the client's.
func TestGoroutinesOfAPeer(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		label  string
		config browserConfig
		want   int
	}{{"without data", browserConfig{noData: true, slots: 1}, 3}, {"with data", browserConfig{slots: 1}, 7}} {
		var n *Node
		pprof.Do(context.Background(), pprof.Labels("node", c.label), func(context.Context) { n = newDirectNode(t) })
		before := labelled(t, c.label)
		b := join(t, n, "b", c.config)
		if c.want > 3 {
			eventually(t, "data channels", func() bool { return b.peer.data.isOpen(unreliableChannel) })
			b.peer.transport.(*direct).wantData()
		}
		eventually(t, fmt.Sprint(c.want, " goroutines ", c.label), func() bool { return labelled(t, c.label)-before == c.want })
		if c.want == 3 {
			eventually(t, "RTCP", func() bool { return b.peer.leg.heard.Load() })
			b.peer.transport.(*direct).idleSince.Store(1)
			eventually(t, "none while DTLS is parked", func() bool { return labelled(t, c.label) == before })
		}
	}
}

// labelled counts the goroutines with that label.
func labelled(t *testing.T, label string) int {
	var b strings.Builder
	must(t, pprof.Lookup("goroutine").WriteTo(&b, 1))
	all := 0
	for group := range strings.SplitSeq(b.String(), "\n\n") {
		if strings.Contains(group, fmt.Sprintf("%q", label)) {
			n := 0
			fields := strings.Fields(group)
			for k, w := range fields {
				if w == "@" && k > 0 {
					_, err := fmt.Sscan(fields[k-1], &n)
					must(t, err)
					break
				}
			}
			all += n
		}
	}
	return all
}

// waitClient waits until the client, too, is through with the handshake: before, it does not tell its end.
func (b *browser) waitClient() {
	b.t.Helper()
	deadline := time.After(patience)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for b.pc.ConnectionState() != webrtc.PeerConnectionStateConnected {
		select {
		case <-deadline:
			b.t.Fatal("the client is not connected")
		case <-tick.C:
		}
	}
}

// idle joins a client whose DTLS connection is parked.
func idle(t *testing.T, n *Node, c browserConfig) (*browser, *direct) {
	t.Helper()
	b := join(t, n, "b", c)
	d := b.peer.transport.(*direct)
	eventually(t, "RTCP", func() bool { return b.peer.leg.heard.Load() })
	b.waitClient()
	d.idleSince.Store(1) // for long
	eventually(t, "a parked connection", d.isParked.Load)
	return b, d
}

// TestIdleConnectionIsParked guards that the clients of a parked connection notice nothing, and that both ends are still told of
// the other's.
func TestIdleConnectionIsParked(t *testing.T) {
	t.Parallel()
	n := newDirectNode(t)
	pub := join(t, n, "pub", browserConfig{})
	cam, err := pub.peer.Publish(Camera, false)
	must(t, err)
	pub.sendMedia(10)
	b, d := idle(t, n, browserConfig{slots: 1, noData: true})
	must(t, b.peer.Show([]SlotView{{Video: cam, Width: 640, Height: 360}}))
	eventually(t, "media", func() bool { return len(b.videoPackets(0)) > 20 })
	if !d.isParked.Load() || b.peer.State() != PeerConnected {
		t.Errorf("parked %v, %v", d.isParked.Load(), b.peer.State())
	}
	conn, err := d.live()
	if err != nil || conn == nil || d.isParked.Load() {
		t.Fatalf("it did not come back: %v", err)
	}
	d.idleSince.Store(1)
	eventually(t, "it is parked again", d.isParked.Load)
	must(t, b.pc.Close()) // its close_notify wakes
	b.waitState(PeerClosed)

	other, _ := idle(t, n, browserConfig{slots: 1, noData: true})
	must(t, other.peer.Close())
	eventually(t, "the client is told", func() bool {
		return other.pc.SCTP().Transport().State() == webrtc.DTLSTransportStateClosed
	})
}

// TestEndWhileParking: a close_notify that comes while the connection is being parked is not lost.
func TestEndWhileParking(t *testing.T) {
	t.Parallel()
	n := newDirectNode(t)
	for i := range 4 {
		b := join(t, n, "b", browserConfig{noData: true})
		d := b.peer.transport.(*direct)
		d.idleSince.Store(0) // by hand
		b.waitClient()
		var wg sync.WaitGroup
		wg.Go(func() {
			<-time.After(time.Duration(i) * 150 * time.Microsecond)
			d.park()
		})
		must(t, b.pc.Close())
		wg.Wait()
		b.waitState(PeerClosed)
	}
}

// TestNoParkingOfData guards that a connection with data channels stays.
func TestNoParkingOfData(t *testing.T) {
	t.Parallel()
	b := join(t, newDirectNode(t), "b", browserConfig{slots: 1})
	d := b.peer.transport.(*direct)
	eventually(t, "data channels", func() bool { return b.peer.data.isOpen(unreliableChannel) && b.peer.leg.heard.Load() })
	d.idleSince.Store(1)
	d.tick(time.Now())
	if d.idleSince.Load() != 1 || d.isParked.Load() {
		t.Error("it was parked")
	}
}

// TestForgedRecordsOfTheParked: whoever sends a record from the client's address wakes the connection, and gets nothing else.
func TestForgedRecordsOfTheParked(t *testing.T) {
	t.Parallel()
	b, d := idle(t, newDirectNode(t), browserConfig{slots: 1, noData: true})
	d.record([]byte{recordData, 254, 253, 0, 1, 0, 0, 0, 0, 0, 1, 0, 1, 0})
	eventually(t, "it is awake", func() bool {
		d.mu.Lock()
		defer d.mu.Unlock()
		return d.conn != nil
	})
	for range 50 { // at once again and again: each finds a path that the one before has left
		eventually(t, "a parked connection", func() bool { // not while it works on the record
			d.park()
			return d.isParked.Load()
		})
		conn, err := d.live()
		must(t, err)
		at := time.Now()
		must(t, conn.SetReadDeadline(at.Add(3*time.Millisecond)))
		if _, err := conn.Read(make([]byte, 10)); !isTimeout(err) || time.Since(at) < 2*time.Millisecond {
			t.Fatalf("%v after %v", err, time.Since(at))
		}
	}
	d.idleSince.Store(1)
	eventually(t, "it is parked again", d.isParked.Load)
	if b.peer.State() != PeerConnected {
		t.Error(b.peer.State())
	}
}

func isTimeout(err error) bool {
	var e net.Error
	return errors.As(err, &e) && e.Timeout()
}

// TestEarlyMediaIsKept: SRTP that overtakes the end of our handshake is not lost.
func TestEarlyMediaIsKept(t *testing.T) {
	t.Parallel()
	r := newRawPlane(t, func(c *Config) { c.Plane = PlaneBatched })
	payload := append(vp8Packets(1, true, 640, 360, 1)[0], make([]byte, 100)...)
	for i := range maxEarly + 3 {
		r.pub.leg.keep(r.protect(t, uint16(i), payload), r.from)
	}
	if got := r.pub.Stats().PacketsIn; got != 0 {
		t.Fatalf("%d packets before the keys", got)
	}
	up(t, r.pub, r.from)
	st := r.pub.Stats()
	if st.PacketsIn != maxEarly || st.Dropped[dropEarly] != 3 {
		t.Errorf("%d packets in, %d dropped", st.PacketsIn, st.Dropped[dropEarly])
	}
	r.pub.leg.keep(r.protect(t, 100, payload), r.from) // went past the leg just before it was up
	if got := r.pub.Stats().PacketsIn; got != maxEarly+1 {
		t.Errorf("%d packets in", got)
	}
}

// TestRTCPOfThePlane goes from the datagram to what a receiver asks for, and back out: forged and repeated packets do nothing.
func TestRTCPOfThePlane(t *testing.T) {
	t.Parallel()
	r := newRawPlane(t, func(c *Config) { c.Plane = PlaneBatched })
	v := newBrowser(t, r.node, "v", browserConfig{slots: 1, noSend: true})
	answerOnly(t, v)
	up(t, v.peer, r.from)
	must(t, v.peer.Show([]SlotView{{Video: r.cam, Width: 640, Height: 360}}))
	ssrc := v.peer.send.Load().lines[1].ssrc
	raw, err := rtcp.Marshal([]rtcp.Packet{
		&rtcp.ReceiverReport{SSRC: 5}, &rtcp.PictureLossIndication{SenderSSRC: 5, MediaSSRC: ssrc},
	})
	must(t, err)
	keys := testKeys()
	out, err := srtp.CreateContext(keys.Remote.Key, keys.Remote.Salt, keys.Profile)
	must(t, err)
	sealed, err := out.EncryptRTCP(nil, raw, nil)
	must(t, err)
	in := r.node.plane.readers[0]
	give := func(b []byte) {
		t.Helper()
		if !in.Packet(append([]byte(nil), b...), r.from, netip.Addr{}) {
			t.Fatal("not taken")
		}
		in.Done()
	}
	forged := append([]byte(nil), sealed...)
	forged[len(forged)-6] ^= 1
	give(forged)
	give(raw)
	if got := v.peer.Stats(); got.KeyframesAsked != 0 || got.Dropped[dropUnauthenticated] != 2 {
		t.Fatalf("forged: %+v", got.Counts)
	}
	give(sealed)
	give(sealed)
	got := v.peer.Stats()
	if got.KeyframesAsked != 1 || got.Dropped[dropDuplicate.String()] != 1 {
		t.Errorf("%d keyframes asked for, dropped %v", got.KeyframesAsked, got.Dropped)
	}
}

// TestReportersAreBounded: a client that makes up SSRCs for its RTCP costs no more than others, and is closed.
func TestReportersAreBounded(t *testing.T) {
	t.Parallel()
	r := newRawPlane(t, func(c *Config) { c.Plane = PlaneBatched })
	up(t, r.pub, r.from)
	for i := range maxReporters + 1 {
		raw, err := rtcp.Marshal([]rtcp.Packet{&rtcp.ReceiverReport{SSRC: uint32(i + 1)}})
		must(t, err)
		sealed, err := r.out.EncryptRTCP(nil, raw, nil)
		must(t, err)
		if r.pub.closed.Load() {
			t.Fatalf("closed after %d", i)
		}
		r.node.plane.readers[0].Packet(sealed, r.from, netip.Addr{})
		r.node.plane.readers[0].Done()
	}
	eventually(t, "the end of the peer", r.pub.closed.Load)
}

// TestAddressIsNotStolen: ICE alone does not take an address from who has it.
func TestAddressIsNotStolen(t *testing.T) {
	t.Parallel()
	r := newRawPlane(t, func(c *Config) { c.Plane = PlaneBatched })
	up(t, r.pub, r.from)
	thief := newBrowser(t, r.node, "thief", browserConfig{})
	answerOnly(t, thief)
	keys := testKeys()
	must(t, thief.peer.leg.start(&keys))
	thief.peer.leg.use(via{addr: r.from}, true)
	if got := (*r.node.plane.known.Load())[r.from]; got != r.pub.leg {
		t.Errorf("the address is %p's, not %p's", got, r.pub.leg)
	}
}

// TestInterfacesAreLookedUpAgain: a new address is announced in time.
func TestInterfacesAreLookedUpAgain(t *testing.T) {
	t.Parallel()
	i, err := newInterfaces()
	must(t, err)
	first, err := i.Interfaces()
	must(t, err)
	again, err := i.Interfaces()
	must(t, err)
	if len(first) == 0 || &first[0] != &again[0] {
		t.Error("looked up twice in a row")
	}
	i.mu.Lock()
	i.at = i.at.Add(-interfacesEvery - time.Second)
	i.mu.Unlock()
	if later, err := i.Interfaces(); err != nil || &later[0] == &first[0] {
		t.Errorf("not looked up again: %v", err)
	}
}

// FuzzCompound: whatever RTCP an authenticated client sends, nothing panics and the peer stays.
func FuzzCompound(f *testing.F) {
	r := newRawPlane(f, func(c *Config) {
		c.Plane, c.Log = PlaneBatched, slog.New(slog.DiscardHandler)
	})
	v := newBrowser(f, r.node, "v", browserConfig{slots: 1})
	answerOnly(f, v)
	up(f, v.peer, r.from)
	must(f, v.peer.Show([]SlotView{{Video: r.cam, Width: 640, Height: 360}}))
	const placeholder = 0x01020304 // becomes our line's SSRC
	for _, pkts := range [][]rtcp.Packet{
		{&rtcp.ReceiverReport{SSRC: 5, Reports: []rtcp.ReceptionReport{{SSRC: placeholder, LastSenderReport: 7}}}},
		{&rtcp.SenderReport{SSRC: 5}, &rtcp.PictureLossIndication{SenderSSRC: 5, MediaSSRC: placeholder}},
		{&rtcp.TransportLayerNack{SenderSSRC: 5, MediaSSRC: placeholder, Nacks: []rtcp.NackPair{{PacketID: 9, LostPackets: 0xFFFF}}}},
		{&rtcp.FullIntraRequest{SenderSSRC: 5, MediaSSRC: placeholder, FIR: []rtcp.FIREntry{{SSRC: placeholder}}}},
		{&rtcp.ReceiverEstimatedMaximumBitrate{SenderSSRC: 5, Bitrate: 1e6, SSRCs: []uint32{placeholder}}},
	} {
		b, err := rtcp.Marshal(pkts)
		must(f, err)
		f.Add(b)
	}
	var ours [4]byte
	binary.BigEndian.PutUint32(ours[:], v.peer.send.Load().lines[1].ssrc)
	f.Fuzz(func(t *testing.T, b []byte) {
		b = bytes.ReplaceAll(b, []byte{1, 2, 3, 4}, ours[:])
		v.peer.receiveCompound(b, time.Now())
		if v.peer.count.panics.Load() != 0 || v.peer.closed.Load() {
			t.Fatal("the peer did not survive")
		}
	})
}

package sfu

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"net"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pion/rtp"
	"github.com/pion/srtp/v3"

	"github.com/parley/parley/internal/batch"
	"github.com/parley/parley/sfu/internal/seal"
)

var testKeys = func() seal.Keys {
	return seal.Keys{
		Profile: srtp.ProtectionProfileAeadAes128Gcm,
		Local:   seal.Key{Key: []byte("local key 123456"), Salt: []byte("local salt12")},
		Remote:  seal.Key{Key: []byte("remote key 12345"), Salt: []byte("remote salt1")},
	}
}

// rawPlane is a node's plane with peers that are up without ICE and DTLS: their keys are known.
type rawPlane struct {
	node *Node
	pub  *Peer
	cam  *Source
	out  *srtp.Context // the publisher's
	ssrc uint32
	from netip.AddrPort
}

// up makes p's leg be up at the address.
func up(t testing.TB, p *Peer, at netip.AddrPort) {
	t.Helper()
	keys := testKeys()
	must(t, p.leg.start(&keys))
	p.leg.plane.learn(at, p.leg)
	p.leg.use(via{addr: at}, true)
}

func newRawPlane(t testing.TB, change func(*Config)) *rawPlane {
	t.Helper()
	node := newTestNode(t, func(c *Config) {
		c.MaxPublishBPS = 1 << 30 // tests pour
		change(c)
	})
	r := &rawPlane{node: node, from: netip.MustParseAddrPort("127.0.0.1:9")}
	keys := testKeys()
	var err error
	r.out, err = srtp.CreateContext(keys.Remote.Key, keys.Remote.Salt, keys.Profile)
	must(t, err)
	b := newBrowser(t, r.node, "pub", browserConfig{})
	answerOnly(t, b)
	r.pub = b.peer
	r.ssrc = uint32(b.senders[Camera].GetParameters().Encodings[0].SSRC)
	r.cam, err = b.peer.Publish(Camera, false)
	must(t, err)
	return r
}

// answerOnly negotiates without telling the client: nothing is sent to the node but by the test.
func answerOnly(t testing.TB, b *browser) {
	t.Helper()
	_, err := b.peer.Negotiate(t.Context(), b.offer(nil))
	must(t, err)
}

func (r *rawPlane) protect(t testing.TB, seq uint16, payload []byte) []byte {
	return r.protectAt(t, seq, seq, true, payload)
}

// protectAt is protect for one packet of a frame.
func (r *rawPlane) protectAt(t testing.TB, seq, frame uint16, marker bool, payload []byte) []byte {
	raw, err := (&rtp.Packet{
		Header: rtp.Header{
			Version: 2, PayloadType: 120, SSRC: r.ssrc, SequenceNumber: seq, Timestamp: uint32(frame) * 300, Marker: marker,
		},
		Payload: payload,
	}).Marshal()
	must(t, err)
	sealed, err := r.out.EncryptRTP(nil, raw, nil)
	must(t, err)
	return sealed
}

// TestPlaneAllocatesNothing goes from the datagram to the system call, for one publisher and 20 viewers.
func TestPlaneAllocatesNothing(t *testing.T) {
	r := newRawPlane(t, func(c *Config) { c.Plane = PlaneBatched })
	up(t, r.pub, r.from)
	in := r.node.plane.readers[0]
	sink, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	must(t, err)
	defer sink.Close()
	const viewers = 20
	for i := range viewers {
		v := newBrowser(t, r.node, fmt.Sprint("v", i), browserConfig{slots: 1, noSend: true})
		answerOnly(t, v)
		up(t, v.peer, sink.LocalAddr().(*net.UDPAddr).AddrPort())
		must(t, v.peer.Show([]SlotView{{Video: r.cam, Width: 640, Height: 360}}))
	}
	payload := append(vp8Packets(1, true, 640, 360, 1)[0], make([]byte, 900)...)
	const runs, rounds, burst = 60, 5, 6
	var pkts [][]byte
	for i := range (rounds*(runs+1) + 300) * burst {
		pkts = append(pkts, r.protect(t, uint16(i), payload))
		payload = append(vp8Packets(uint16(i), false, 640, 360, 1)[0], make([]byte, 900)...)
	}
	next := 0
	once := func() {
		for range burst {
			if !in.Packet(pkts[next], r.from, netip.Addr{}) {
				t.Fatal("not taken")
			}
			next++
		}
		in.Done()
	}
	for range 300 {
		once()
	}
	before := r.node.Stats()
	least := math.Inf(1) // what ICE does meanwhile allocates, too
	for range rounds {
		least = min(least, testing.AllocsPerRun(runs, once))
	}
	if least > 0.1 { // of 120 packets
		t.Errorf("%v allocations for %d packets in, %d out", least, burst, burst*viewers)
	}
	after := r.node.Stats()
	received, out := after.PacketsIn-before.PacketsIn, after.PacketsOut-before.PacketsOut
	if received != rounds*(runs+1)*burst || out != received*viewers {
		t.Errorf("%d in, %d out", received, out)
	}
}

// TestCountersAddUp: every packet that came in was forwarded, or dropped for a reason.
func TestCountersAddUp(t *testing.T) {
	t.Parallel()
	r := newRawPlane(t, func(c *Config) { c.Plane = PlaneBatched })
	up(t, r.pub, r.from)
	sink, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	must(t, err)
	defer sink.Close()
	v := newBrowser(t, r.node, "v", browserConfig{slots: 1, noSend: true})
	answerOnly(t, v)
	up(t, v.peer, sink.LocalAddr().(*net.UDPAddr).AddrPort())
	must(t, v.peer.Show([]SlotView{{Video: r.cam, Width: 640, Height: 360}}))
	rng := rand.New(rand.NewPCG(7, 7))
	offered := uint64(0)
	for i := range uint16(400) {
		p := r.protect(t, i, vp8Packets(i, i == 0, 640, 360, 1)[0])
		if rng.IntN(10) == 0 {
			p[len(p)-1] ^= 1 // forged
		}
		offered++
		twice := bytes.Clone(p)
		r.node.plane.readers[0].Packet(p, r.from, netip.Addr{})
		if rng.IntN(10) == 0 {
			offered++
			r.node.plane.readers[0].Packet(twice, r.from, netip.Addr{})
		}
		r.node.plane.readers[0].Done()
	}
	st := r.node.Stats()
	sum := st.PacketsOut - st.RTXOut
	for _, n := range st.Dropped {
		sum += n
	}
	if sum != offered || st.Dropped[dropUnauthenticated] == 0 || st.Dropped["duplicate"] == 0 {
		t.Errorf("offered %d, out and dropped %d: %+v", offered, sum, st.Counts)
	}
}

// TestPlanesAgree drives both planes with the same packets, in a seeded order with losses, duplicates and swaps, and compares
// what a viewer decrypts.
func TestPlanesAgree(t *testing.T) {
	t.Parallel()
	got := map[Plane][]string{}
	for _, plane := range []Plane{PlaneBatched, PlanePion} {
		n := newTestNode(t, func(c *Config) { c.Plane = plane })
		a := join(t, n, "a", browserConfig{simulcast: true})
		cam, err := a.peer.Publish(Camera, false)
		must(t, err)
		v := join(t, n, "v", browserConfig{slots: 1, noSend: true})
		must(t, v.peer.Show([]SlotView{{Video: cam, Width: 10000, Height: 10000}}))
		rng := rand.New(rand.NewPCG(1, 2))
		now := time.Now()
		var order []uint16
		for i := range uint16(300) {
			switch rng.IntN(20) {
			case 0: // lost
				continue
			case 1:
				order = append(order, i)
			}
			order = append(order, i)
			if n := len(order); n > 2 && rng.IntN(10) == 0 && order[n-2] != 0 {
				order[n-1], order[n-2] = order[n-2], order[n-1]
			}
		}
		if order[0] != 0 {
			order = slices.Insert(order, 0, 0)
		}
		mid := v.slotTr[0][1].Mid()
		read := func() []rtp.Packet {
			v.mu.Lock()
			defer v.mu.Unlock()
			return slices.Clone(v.received[mid])
		}
		for step, i := range order {
			raw, err := (&rtp.Packet{
				Header:  rtp.Header{Version: 2, PayloadType: 120, SSRC: 99, SequenceNumber: i, Timestamp: uint32(i) * 3000, Marker: true},
				Payload: vp8Packets(i, i%50 == 0, 1280, 720, byte(i))[0],
			}).Marshal()
			must(t, err)
			cam.Receive(now.Add(time.Duration(i)*33*time.Millisecond), 2, raw)
			if sent := n.Stats().PacketsOut; step%50 == 49 || step == len(order)-1 { // the client's socket holds so many
				eventually(t, "all packets", func() bool { return uint64(len(read())) >= sent })
			}
		}
		var base rtp.Header
		for i, p := range read() {
			if i == 0 {
				base = p.Header
			}
			// Sorted: clients ask again for what is late, and may get it twice, whenever that is.
			got[plane] = append(got[plane], fmt.Sprintf("%05d %v", p.SequenceNumber-base.SequenceNumber, fmt.Sprint(p.Timestamp-base.Timestamp, p.Marker,
				p.PayloadType, len(p.Payload), tagOf(p.Payload))))
		}
		slices.Sort(got[plane])
		got[plane] = slices.Compact(got[plane])
	}
	if d := cmp.Diff(got[PlanePion], got[PlaneBatched]); d != "" || len(got[PlanePion]) < 200 {
		t.Errorf("%d packets; pion, batched: %s", len(got[PlanePion]), d)
	}
}

// TestFullSocketSkipsTheFrame: after a loss the rest of a frame is not sent, the next one is, and sound always.
func TestFullSocketSkipsTheFrame(t *testing.T) {
	t.Parallel()
	p := &Peer{}
	video, audio := &slotLine{peer: p, video: true}, &slotLine{peer: p}
	for _, l := range []*slotLine{video, audio} {
		if l.skips(100) {
			t.Fatal("skips at first")
		}
		l.Dropped(2)
	}
	if !video.skips(100) || video.skips(200) || audio.skips(100) {
		t.Error("the rest of the frame is to be dropped, and nothing else")
	}
	if n := p.count.socketFull.Load(); n != 5 {
		t.Errorf("%d counted", n)
	}
}

// FuzzPlanePacket throws datagrams at the door to the plane, from a publisher's address: nothing panics, nothing is forwarded
// that was not sealed with its key.
func FuzzPlanePacket(f *testing.F) {
	r := newRawPlane(f, func(c *Config) { c.Plane = PlaneBatched })
	up(f, r.pub, r.from)
	good := r.protect(f, 1, []byte("payload"))
	f.Add(good[:len(good)-1])
	f.Add([]byte{0x80})
	f.Add(binary.BigEndian.AppendUint64([]byte{0xBF, 0x78, 0, 1}, 1<<63))
	f.Add([]byte{0x90, 120, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0xBE, 0xDE, 0xFF, 0xFF})
	var _ batch.Tap = r.node.plane.readers[0]
	f.Fuzz(func(t *testing.T, b []byte) {
		before := r.pub.count.packetsIn.Load()
		r.node.plane.readers[0].Packet(bytes.Clone(b), r.from, netip.Addr{})
		r.node.plane.readers[0].Done()
		if r.pub.count.panics.Load() != 0 {
			t.Fatal("panic")
		}
		if r.pub.count.packetsIn.Load() != before {
			t.Fatal("it was taken for the publisher's")
		}
		r.node.plane.learn(r.from, r.pub.leg) // forged packets make the plane forget the address
	})
}

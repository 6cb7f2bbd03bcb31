package sfu

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pion/rtcp"
	"github.com/pion/rtp"

	"github.com/parley/parley/internal/steady"
	"github.com/parley/parley/sfu/internal/bwe"
	"github.com/parley/parley/sfu/internal/red"
)

const testRED = 63

var opusAndRED = []Codec{
	{MimeType: "audio/opus", PayloadType: testOpus},
	{MimeType: "audio/red", Fmtp: "111/111", PayloadType: testRED},
}

// talker sends numbered packets of sound, with the ones before repeated where depth says so.
type talker struct {
	src   *Source
	now   time.Time
	seq   uint16
	depth int
}

func (k *talker) payload(seq uint16) []byte { return fmt.Appendf(nil, "sound %d", seq) }

// next makes the next packet, and returns it instead of sending it.
func (k *talker) next() []byte {
	k.seq++
	k.now = k.now.Add(20 * time.Millisecond)
	h := rtp.Header{Version: 2, PayloadType: testOpus, SequenceNumber: k.seq, Timestamp: 960 * uint32(k.seq), SSRC: 3}
	if k.depth == 0 {
		return marshal(h, k.payload(k.seq))
	}
	h.PayloadType = testRED
	var blocks []red.Block
	for i := k.depth; i > 0; i-- {
		blocks = append(blocks, red.Block{Offset: 960 * uint32(i), Payload: k.payload(k.seq - uint16(i))})
	}
	return marshal(h, red.Append(nil, testOpus, blocks, k.payload(k.seq)))
}

func (k *talker) send() { k.src.Receive(k.now, 0, k.next()) }

// heard plays packets as a receiver does: it returns the sounds by timestamp, those repeated included.
func heard(t *testing.T, pkts []rtp.Packet) map[uint32]string {
	t.Helper()
	got := make(map[uint32]string)
	for _, p := range pkts {
		blocks := []red.Block{{Payload: p.Payload}}
		if p.PayloadType == testRED {
			var into [red.MaxBlocks]red.Block
			var err error
			blocks, err = red.Parse(p.Payload, &into)
			must(t, err)
		}
		for _, b := range blocks {
			at := p.Timestamp - b.Offset
			if old, ok := got[at]; ok && old != string(b.Payload) {
				t.Fatalf("timestamp %d: %q and %q", at, old, b.Payload)
			}
			got[at] = string(b.Payload)
		}
	}
	return got
}

func newTalker(depth int) *talker {
	return &talker{src: NewSource(SourceConfig{Kind: Microphone, Codecs: opusAndRED}), now: epoch, seq: 1000, depth: depth}
}

func (k *talker) viewer(codecs []Codec) (*viewer, *Sink) {
	v := &viewer{}
	return v, k.src.Attach(k.now, NewLine(LineConfig{SSRC: 5, Egress: v, Codecs: codecs}), 0, 0)
}

// Whoever negotiated RED gets it, whether the publisher sends it or not; nobody else does, and misses nothing.
func TestRedundantSound(t *testing.T) {
	t.Parallel()
	for _, depth := range []int{0, 1, 2} {
		k := newTalker(depth)
		k.send()
		plain, _ := k.viewer(opusAndRED[:1])
		with, _ := k.viewer(opusAndRED)
		for range 20 {
			k.send()
		}
		for i, p := range plain.take() {
			if want := string(k.payload(1002 + uint16(i))); p.PayloadType != testOpus || string(p.Payload) != want {
				t.Errorf("depth %d: plain packet %d: type %d, %q", depth, i, p.PayloadType, p.Payload)
			}
		}
		out := with.take()
		if len(out) != 20 || out[0].PayloadType != testOpus {
			t.Fatalf("depth %d: %d packets, the first of type %d: nothing before it was for this line", depth, len(out), out[0].PayloadType)
		}
		for i, p := range out[1:] {
			var into [red.MaxBlocks]red.Block
			blocks, err := red.Parse(p.Payload, &into)
			must(t, err)
			want := []red.Block{
				{PayloadType: testOpus, Offset: 960, Payload: k.payload(1002 + uint16(i))},
				{PayloadType: testOpus, Payload: k.payload(1003 + uint16(i))},
			}
			if d := cmp.Diff(want, blocks); d != "" || p.PayloadType != testRED {
				t.Errorf("depth %d: packet %d: type %d %s", depth, i, p.PayloadType, d)
			}
		}
	}
}

// What the network lost on the way in is made good from what the publisher repeats, in order and once.
func TestLostSoundIsRecovered(t *testing.T) {
	t.Parallel()
	for seed := range uint64(20) {
		rnd := rand.New(rand.NewPCG(seed, 7))
		k := newTalker(2)
		k.send()
		v, _ := k.viewer(opusAndRED[:1])
		lost, row := 0, 0
		var batch [][]byte
		for i := range 300 {
			if pkt := k.next(); rnd.IntN(5) > 0 || row == 2 || i == 299 {
				batch, row = append(batch, pkt), 0
			} else {
				lost, row = lost+1, row+1
			}
			if n := len(batch); n > rnd.IntN(40) {
				if n > 1 && rnd.IntN(3) == 0 {
					batch[n-1], batch[n-2] = batch[n-2], batch[n-1]
				}
				k.src.Receive(k.now, 0, batch...)
				batch = nil
			}
		}
		k.src.Receive(k.now, 0, batch...)
		out := v.take()
		slices.SortStableFunc(out, func(a, b rtp.Packet) int { return int(int16(a.SequenceNumber - b.SequenceNumber)) })
		if len(out) != 300 {
			t.Fatalf("seed %d: %d packets of 300, %d lost", seed, len(out), lost)
		}
		for i, p := range out {
			if want := string(k.payload(1002 + uint16(i))); string(p.Payload) != want || p.Timestamp != out[0].Timestamp+960*uint32(i) {
				t.Fatalf("seed %d: packet %d: %q at %d", seed, i, p.Payload, p.Timestamp)
			}
		}
		if st := k.src.Stats(k.now); int(st.Recovered) < lost {
			t.Errorf("seed %d: %d recovered of %d", seed, st.Recovered, lost)
		}
	}
}

// A receiver that loses much gets more, and hears everything that one packet in three still carries.
func TestRedundancyFollowsLoss(t *testing.T) {
	t.Parallel()
	k := newTalker(0)
	k.send()
	v, sink := k.viewer(opusAndRED)
	sink.SetLoss(k.now, 0.1)
	for range 31 {
		k.send()
	}
	out := v.take()
	var kept []rtp.Packet
	for i := 3; i < len(out); i += 3 {
		kept = append(kept, out[i])
	}
	if got := heard(t, kept); len(got) != 30 {
		t.Errorf("%d of 30 sounds", len(got))
	}
	sink.SetLoss(k.now, 0)
	k.send()
	if p := v.take()[0]; len(heard(t, []rtp.Packet{p})) != 3 {
		t.Error("less at the first good report")
	}
	sink.SetLoss(k.now.Add(redHold), 0)
	k.send()
	if p := v.take()[0]; len(heard(t, []rtp.Packet{p})) != 2 {
		t.Error("more than is needed long after")
	}
}

func TestBadRedundancyIsCounted(t *testing.T) {
	t.Parallel()
	k := newTalker(0)
	v, _ := k.viewer(opusAndRED)
	h := rtp.Header{Version: 2, PayloadType: testRED, SequenceNumber: 1, SSRC: 3}
	for _, payload := range [][]byte{{}, {0x80 | testOpus}, {0x80 | testOpus, 0, 0, 9, testOpus}, {testRED, 1, 2}} {
		h.SequenceNumber++
		k.src.Receive(k.now, 0, marshal(h, payload))
	}
	if st := k.src.Stats(k.now); st.Dropped[dropMalformed] != 4 || len(v.take()) != 0 {
		t.Errorf("%v", st.Dropped)
	}
	k.seq = h.SequenceNumber
	k.send()
	if len(v.take()) != 1 {
		t.Error("the next packet did not come through")
	}
}

// Packets of sound that are too long to be sent twice are sent once.
func TestLongSoundGoesPlain(t *testing.T) {
	t.Parallel()
	k := newTalker(0)
	v, _ := k.viewer(opusAndRED)
	for i := range 3 {
		h := rtp.Header{Version: 2, PayloadType: testOpus, SequenceNumber: uint16(i), Timestamp: 960 * uint32(i), SSRC: 3}
		k.src.Receive(k.now, 0, marshal(h, make([]byte, 600)))
	}
	for i, p := range v.take() {
		if p.PayloadType != testOpus || len(p.Payload) != 600 {
			t.Errorf("packet %d: type %d, %d bytes", i, p.PayloadType, len(p.Payload))
		}
	}
}

// TestRepeatsYieldToThePicture: on a thin link sound goes without what is repeated of it, and what a full queue lost does not bring it back.
func TestRepeatsYieldToThePicture(t *testing.T) {
	t.Parallel()
	n := newDirectNode(t)
	pub, v := join(t, n, "pub", browserConfig{}), join(t, n, "viewer", browserConfig{noSend: true, slots: 1, red: true})
	mic, err := pub.peer.Publish(Microphone, false)
	must(t, err)
	cam, err := pub.peer.Publish(Camera, false)
	must(t, err)
	must(t, v.peer.Show([]SlotView{{Audio: mic, Video: cam, Width: 640, Height: 360}}))
	pub.sendMedia('a')
	d, line := &v.peer.downlink, v.peer.slots[0].audio
	repeats := func(target int64, decreases uint64, lost uint8) func() bool {
		return func() bool {
			now := steady.Now()
			d.loop.Lock()
			f := &fixed{verdict: bwe.Estimate{Target: target, Known: true, Acked: target}, stats: bwe.Stats{Decreases: decreases}}
			d.est, d.verdict, d.video, d.began, d.told = f, f.verdict, true, now.Add(-time.Minute), f.stats
			d.changed()
			d.update(now)
			seq := uint32(line.told.highest) + 100
			total := line.told.total + uint32(lost)
			line.told.begun = true
			d.loop.Unlock()
			d.received(now, line, &rtcp.ReceptionReport{LastSequenceNumber: seq, TotalLost: total}, 0)
			d.loop.Lock()
			defer d.loop.Unlock()
			return d.sound.rate(now) > 20_000 && line.sink.Load().redundancy == [...]uint8{0, 1, 2}[min(target/60_000, 2)]
		}
	}
	eventually(t, "two repeats for loss", repeats(10_000_000, 0, 10))
	eventually(t, "none on a thin link", repeats(30_000, 1, 10))
	d.loop.Lock()
	lossAt := line.sink.Load().lossAt
	d.loop.Unlock()
	eventually(t, "none still", repeats(30_000, 1, 50))
	d.loop.Lock()
	defer d.loop.Unlock()
	if line.sink.Load().lossAt != lossAt {
		t.Error("what was lost in our own queue counts")
	}
}

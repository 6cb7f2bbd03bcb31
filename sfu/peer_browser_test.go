package sfu

import (
	"cmp"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pion/dtls/v3"
	"github.com/pion/ice/v4"
	"github.com/pion/interceptor"
	"github.com/pion/interceptor/pkg/nack"
	"github.com/pion/interceptor/pkg/report"
	"github.com/pion/interceptor/pkg/twcc"
	"github.com/pion/logging"
	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/sdp/v3"
	"github.com/pion/webrtc/v4"

	"github.com/parley/parley/sfu/quality"
)

const patience = 20 * time.Second

// eventually waits until ok is true.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.After(patience)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-deadline:
			t.Fatalf("%s: not within %v", what, patience)
		case <-tick.C:
		}
	}
}

// during fails when ok turns false within d.
func during(t *testing.T, d time.Duration, what string, ok func() bool) {
	t.Helper()
	end := time.After(d)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-end:
			return
		case <-tick.C:
			if !ok() {
				t.Fatalf("%s: no more", what)
			}
		}
	}
}

func newTestNode(t testing.TB, change func(*Config)) *Node {
	t.Helper()
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	cfg := Config{Conn: conn, Lite: true, Log: slog.New(slog.NewTextHandler(testWriter{t}, nil))}
	if change != nil {
		change(&cfg)
	}
	if _, whole := cfg.Conn.(*net.UDPConn); cfg.Plane == "" && (whole || *planeFlag == string(PlanePion)) {
		cfg.Plane = Plane(*planeFlag)
	}
	n, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := n.Close(); err != nil {
			t.Errorf("close node: %v", err)
		}
	})
	return n
}

type testWriter struct{ t testing.TB }

func (w testWriter) Write(b []byte) (int, error) {
	if _, fuzz := w.t.(*testing.F); testing.Verbose() && !fuzz { // a fuzz target must not log with F
		w.t.Log(string(b))
	}
	return len(b), nil
}

// events records what a peer tells.
type events struct {
	mu     sync.Mutex
	data   []Data
	states []PeerState
	onData func(Data)
	held   [][]quality.Held
	layers []string
	scores []int
}

func (e *events) OnData(d Data) {
	e.mu.Lock()
	e.data = append(e.data, d)
	f := e.onData
	e.mu.Unlock()
	if f != nil {
		f(d)
	}
}

func (e *events) OnState(s PeerState) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.states = append(e.states, s)
}

func (e *events) OnVideo(held []quality.Held) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.held = append(e.held, held)
}

func (e *events) OnLayers(kind Kind, watched []string, _ map[string]int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.layers = append(e.layers, fmt.Sprint(kind, watched))
}

func (e *events) OnQuality(score int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.scores = append(e.scores, score)
}

func (e *events) messages() []Data {
	e.mu.Lock()
	defer e.mu.Unlock()
	return append([]Data(nil), e.data...)
}

func (e *events) seen() []PeerState {
	e.mu.Lock()
	defer e.mu.Unlock()
	return append([]PeerState(nil), e.states...)
}

// browser is a pion client that behaves as one: it offers, sends VP8 and Opus, and records what its slots get.
type browser struct {
	t    testing.TB
	pc   *webrtc.PeerConnection
	peer *Peer
	on   *events
	loss *loss

	senders  map[Kind]*webrtc.RTPSender
	sendMID  map[Kind]*webrtc.RTPTransceiver
	slotTr   [][2]*webrtc.RTPTransceiver
	tracks   map[Kind][]*webrtc.TrackLocalStaticRTP
	channels [2]*webrtc.DataChannel

	mu       sync.Mutex
	received map[string][]rtp.Packet // by mid
	data     [2][]string
	answer   string

	mend func(answer string) string // applied to answers; may be nil

	keyframes [maxLayers]atomic.Bool // asked for, by layer of the camera
	plis      atomic.Uint64
	twcc      atomic.Uint64
	limit     atomic.Uint64 // of what it sends, bit/s, as told last; 0: not told
	reports   atomic.Uint64 // sender reports that came in
	wg        sync.WaitGroup
	stop      chan struct{}
}

type browserConfig struct {
	slots     int
	simulcast bool
	noSend    bool
	noData    bool
	video     []string // mime types, empty: VP8
	network   webrtc.NetworkType
	loss      *loss
	group     string // "": the same for all
	oldCipher bool   // AES_CM_128_HMAC_SHA1_80 alone
	remb      bool   // takes limits for what it sends
	uplink    *lossyUplink
	red       bool // sound is sent as RED, and taken
	plain     bool // no browser: without RTX…
	silent    bool // …and without transport-wide feedback
}

func clientAPI(t testing.TB, c browserConfig) *webrtc.API {
	t.Helper()
	m := &webrtc.MediaEngine{}
	must(t, m.RegisterCodec(webrtc.RTPCodecParameters{
		RTPCodecCapability: webrtc.RTPCodecCapability{
			MimeType: webrtc.MimeTypeOpus, ClockRate: 48000, Channels: 2, SDPFmtpLine: "minptime=10;useinbandfec=1",
		}, PayloadType: 109,
	}, webrtc.RTPCodecTypeAudio))
	if c.red {
		must(t, m.RegisterCodec(webrtc.RTPCodecParameters{
			RTPCodecCapability: webrtc.RTPCodecCapability{MimeType: mimeRED, ClockRate: 48000, Channels: 2, SDPFmtpLine: "109/109"}, PayloadType: 63,
		}, webrtc.RTPCodecTypeAudio))
	}
	if len(c.video) == 0 {
		c.video = []string{webrtc.MimeTypeVP8}
	}
	fb := []webrtc.RTCPFeedback{{Type: "nack"}, {Type: "nack", Parameter: "pli"}, {Type: "ccm", Parameter: "fir"}}
	if !c.silent {
		fb = append(fb, webrtc.RTCPFeedback{Type: "transport-cc"})
	}
	if c.remb {
		fb = append(fb, webrtc.RTCPFeedback{Type: "goog-remb"})
	}
	for i, mime := range c.video {
		pt := webrtc.PayloadType(120 - 2*i)
		must(t, m.RegisterCodec(webrtc.RTPCodecParameters{
			RTPCodecCapability: webrtc.RTPCodecCapability{MimeType: mime, ClockRate: 90000, RTCPFeedback: fb}, PayloadType: pt,
		}, webrtc.RTPCodecTypeVideo))
		if c.plain {
			continue
		}
		must(t, m.RegisterCodec(webrtc.RTPCodecParameters{
			RTPCodecCapability: webrtc.RTPCodecCapability{
				MimeType: webrtc.MimeTypeRTX, ClockRate: 90000, SDPFmtpLine: fmt.Sprintf("apt=%d", pt),
			}, PayloadType: pt + 1,
		}, webrtc.RTPCodecTypeVideo))
	}
	reg := &interceptor.Registry{}
	if c.loss != nil {
		reg.Add(c.loss)
	}
	if c.uplink != nil {
		reg.Add(c.uplink)
	}
	must(t, webrtc.ConfigureSimulcastExtensionHeaders(m))
	for _, uri := range []string{sdp.AudioLevelURI, sdp.SDESMidURI} {
		must(t, m.RegisterHeaderExtension(webrtc.RTPHeaderExtensionCapability{URI: uri}, webrtc.RTPCodecTypeAudio))
	}
	for _, k := range []webrtc.RTPCodecType{webrtc.RTPCodecTypeAudio, webrtc.RTPCodecTypeVideo} {
		if !c.silent {
			must(t, m.RegisterHeaderExtension(webrtc.RTPHeaderExtensionCapability{URI: sdp.TransportCCURI}, k))
		}
	}
	if !c.silent {
		ext, err := twcc.NewHeaderExtensionInterceptor()
		must(t, err)
		reg.Add(ext)
		if c.plain {
			rec, err := twcc.NewSenderInterceptor(twcc.SendInterval(50 * time.Millisecond))
			must(t, err)
			reg.Add(rec)
		}
	}
	gen, err := nack.NewGeneratorInterceptor(nack.GeneratorInterval(20 * time.Millisecond))
	must(t, err)
	resp, err := nack.NewResponderInterceptor()
	must(t, err)
	rr, err := report.NewReceiverInterceptor(report.ReceiverInterval(100 * time.Millisecond))
	must(t, err)
	sr, err := report.NewSenderInterceptor(report.SenderInterval(100 * time.Millisecond))
	must(t, err)
	reg.Add(gen)
	reg.Add(resp)
	reg.Add(rr)
	reg.Add(sr)
	s := webrtc.SettingEngine{LoggerFactory: &logging.DefaultLoggerFactory{Writer: io.Discard}}
	s.SetIncludeLoopbackCandidate(true)
	s.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)
	s.SetInterfaceFilter(func(name string) bool { return name == "lo" })
	if c.network == 0 {
		c.network = webrtc.NetworkTypeUDP4
	}
	s.SetNetworkTypes([]webrtc.NetworkType{c.network})
	if c.network == webrtc.NetworkTypeUDP6 { // pion's client does not find ::1 by itself
		conn, err := net.ListenUDP("udp6", &net.UDPAddr{IP: net.IPv6loopback})
		must(t, err)
		mux := ice.NewUDPMuxDefault(ice.UDPMuxParams{UDPConn: conn})
		t.Cleanup(func() { must(t, mux.Close()) })
		s.SetICEUDPMux(mux)
	}
	if c.oldCipher {
		s.SetSRTPProtectionProfiles(dtls.SRTP_AES128_CM_HMAC_SHA1_80)
	}
	return webrtc.NewAPI(webrtc.WithMediaEngine(m), webrtc.WithSettingEngine(s), webrtc.WithInterceptorRegistry(reg))
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// newBrowser makes a client and its peer, not connected yet.
func newBrowser(t testing.TB, n *Node, id string, c browserConfig) *browser {
	t.Helper()
	b := &browser{
		t: t, on: &events{}, loss: c.loss, received: make(map[string][]rtp.Packet), stop: make(chan struct{}),
		senders: make(map[Kind]*webrtc.RTPSender), sendMID: make(map[Kind]*webrtc.RTPTransceiver),
		tracks: make(map[Kind][]*webrtc.TrackLocalStaticRTP),
	}
	var err error
	b.peer, err = n.NewPeer(id, cmp.Or(c.group, "room"), b.on)
	must(t, err)
	b.pc, err = clientAPI(t, c).NewPeerConnection(webrtc.Configuration{})
	must(t, err)
	b.pc.OnTrack(func(tr *webrtc.TrackRemote, r *webrtc.RTPReceiver) { b.read(tr, r) })
	if !c.noData {
		b.openData()
	}
	if !c.noSend {
		if c.red {
			b.addSend(Microphone, mimeRED)
		} else {
			b.addSend(Microphone, webrtc.MimeTypeOpus)
		}
		mime := webrtc.MimeTypeVP8
		if len(c.video) > 0 {
			mime = c.video[0]
		}
		if c.simulcast {
			b.addSend(Camera, mime, "q", "h", "f")
		} else {
			b.addSend(Camera, mime)
		}
	}
	b.addSlots(c.slots)
	t.Cleanup(b.close)
	return b
}

// join makes a client that is connected.
func join(t testing.TB, n *Node, id string, c browserConfig) *browser {
	t.Helper()
	b := newBrowser(t, n, id, c)
	must(t, b.negotiate(nil))
	b.waitState(PeerConnected)
	return b
}

func (b *browser) close() {
	select {
	case <-b.stop:
		return
	default:
	}
	close(b.stop)
	if err := b.pc.GracefulClose(); err != nil {
		b.t.Logf("close client: %v", err)
	}
	b.wg.Wait()
	_ = b.peer.Close()
}

func (b *browser) waitState(s PeerState) {
	b.t.Helper()
	deadline := time.After(patience)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for b.peer.State() != s {
		select {
		case <-deadline:
			b.t.Fatalf("peer %s is %v, not %v", b.peer.id, b.peer.State(), s)
		case <-tick.C:
		}
	}
}

func (b *browser) openData() {
	yes := true
	for i, name := range []string{"reliable", "unreliable"} {
		id := uint16(i)
		ch, err := b.pc.CreateDataChannel(name, &webrtc.DataChannelInit{Negotiated: &yes, ID: &id})
		must(b.t, err)
		ch.OnMessage(func(m webrtc.DataChannelMessage) {
			b.mu.Lock()
			defer b.mu.Unlock()
			b.data[i] = append(b.data[i], string(m.Data))
		})
		b.channels[i] = ch
	}
}

func (b *browser) addSend(k Kind, mime string, rids ...string) {
	b.t.Helper()
	if len(rids) == 0 {
		rids = []string{""}
	}
	var sender *webrtc.RTPSender
	for _, rid := range rids {
		var opts []func(*webrtc.TrackLocalStaticRTP)
		if rid != "" {
			opts = append(opts, webrtc.WithRTPStreamID(rid))
		}
		codec := webrtc.RTPCodecCapability{MimeType: mime}
		if mime == mimeRED { // whose clock pion does not know
			codec.ClockRate, codec.Channels = 48000, 2
		}
		tr, err := webrtc.NewTrackLocalStaticRTP(codec, string(k), "stream", opts...)
		must(b.t, err)
		b.tracks[k] = append(b.tracks[k], tr)
		if sender != nil {
			must(b.t, sender.AddEncoding(tr))
			continue
		}
		t, err := b.pc.AddTransceiverFromTrack(tr, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionSendonly})
		must(b.t, err)
		b.sendMID[k] = t
		sender = t.Sender()
	}
	b.senders[k] = sender
	for i, rid := range rids {
		b.wg.Go(func() { b.readRTCP(sender, rid, i) })
	}
}

// readRTCP takes what the SFU says about one encoding.
func (b *browser) readRTCP(s *webrtc.RTPSender, rid string, layer int) {
	for {
		var pkts []rtcp.Packet
		var err error
		if rid == "" {
			pkts, _, err = s.ReadRTCP()
		} else {
			pkts, _, err = s.ReadSimulcastRTCP(rid)
		}
		if err != nil {
			return
		}
		for _, pkt := range pkts {
			switch pkt := pkt.(type) {
			case *rtcp.ReceiverEstimatedMaximumBitrate:
				b.limit.Store(uint64(pkt.Bitrate))
			case *rtcp.PictureLossIndication, *rtcp.FullIntraRequest:
				b.plis.Add(1)
				b.keyframes[layer].Store(true)
			case *rtcp.TransportLayerCC:
				b.twcc.Add(1)
			}
		}
	}
}

func (b *browser) addSlots(n int) {
	b.t.Helper()
	for range n {
		var pair [2]*webrtc.RTPTransceiver
		for i, k := range []webrtc.RTPCodecType{webrtc.RTPCodecTypeAudio, webrtc.RTPCodecTypeVideo} {
			t, err := b.pc.AddTransceiverFromKind(k, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionRecvonly})
			must(b.t, err)
			pair[i] = t
		}
		b.slotTr = append(b.slotTr, pair)
	}
}

// offer returns what the client offers now.
func (b *browser) offer(opts *webrtc.OfferOptions) Offer {
	b.t.Helper()
	o, err := b.pc.CreateOffer(opts)
	must(b.t, err)
	must(b.t, b.pc.SetLocalDescription(o))
	out := Offer{SDP: o.SDP} // without candidates
	for _, k := range []Kind{Microphone, Camera, Screen, ScreenAudio} {
		if t := b.sendMID[k]; t != nil {
			out.Send = append(out.Send, SendLine{MID: t.Mid(), Kind: k})
		}
	}
	for _, s := range b.slotTr {
		out.Slots = append(out.Slots, SlotLine{Audio: s[0].Mid(), Video: s[1].Mid()})
	}
	return out
}

func (b *browser) negotiate(opts *webrtc.OfferOptions) error {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	answer, err := b.peer.Negotiate(ctx, b.offer(opts))
	if err != nil {
		return err
	}
	b.mu.Lock()
	b.answer = answer
	b.mu.Unlock()
	if b.mend != nil {
		answer = b.mend(answer)
	}
	return b.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: answer})
}

// read records what comes in on a slot.
func (b *browser) read(tr *webrtc.TrackRemote, r *webrtc.RTPReceiver) {
	b.wg.Add(2)
	go func() {
		defer b.wg.Done()
		for {
			pkts, _, err := r.ReadRTCP()
			if err != nil {
				return
			}
			for _, p := range pkts {
				if _, ok := p.(*rtcp.SenderReport); ok {
					b.reports.Add(1)
				}
			}
		}
	}()
	defer b.wg.Done()
	mid := r.RTPTransceiver().Mid()
	for {
		pkt, _, err := tr.ReadRTP()
		if err != nil {
			return
		}
		b.mu.Lock()
		b.received[mid] = append(b.received[mid], *pkt)
		b.mu.Unlock()
	}
}

func (b *browser) slotPackets(slot, medium int) []rtp.Packet {
	mid := b.slotTr[slot][medium].Mid()
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]rtp.Packet(nil), b.received[mid]...)
}

func (b *browser) videoPackets(slot int) []rtp.Packet { return b.slotPackets(slot, 1) }
func (b *browser) audioPackets(slot int) []rtp.Packet { return b.slotPackets(slot, 0) }

// lastTag returns the tag of the newest video packet on a slot, 0: none.
func (b *browser) lastTag(slot int) byte {
	p := b.videoPackets(slot)
	if len(p) == 0 {
		return 0
	}
	return tagOf(p[len(p)-1].Payload)
}

// The pictures that test clients send: VP8 frames of two packets. The last byte of each packet is the tag, which tells
// client and layer apart.
func vp8Packets(pictureID uint16, key bool, width, height int, tag byte) [][]byte {
	desc := []byte{0x90, 0x80, 0x80 | byte(pictureID>>8)&0x7F, byte(pictureID)}
	first := append([]byte(nil), desc...)
	if key {
		first = append(first, 0x10, 0, 0, 0x9D, 0x01, 0x2A, byte(width), byte(width>>8), byte(height), byte(height>>8))
	} else {
		first = append(first, 0x11, 0, 0)
	}
	first = append(first, make([]byte, 200)...)
	second := append([]byte{0x80, 0x80, 0x80 | byte(pictureID>>8)&0x7F, byte(pictureID)}, make([]byte, 100)...)
	return [][]byte{append(first, tag), append(second, tag)}
}

func tagOf(payload []byte) byte {
	if len(payload) == 0 {
		return 0
	}
	return payload[len(payload)-1]
}

// isKey reports whether a VP8 payload begins a keyframe.
func isKey(payload []byte) bool {
	return len(payload) > 4 && payload[0]&0x10 != 0 && payload[4]&1 == 0
}

func (b *browser) extensionID(k Kind, uri string) uint8 {
	for _, e := range b.senders[k].GetParameters().HeaderExtensions {
		if e.URI == uri {
			return uint8(e.ID)
		}
	}
	return 0
}

// sendMedia sends sound and picture until the client closes: Opus of a level, VP8 with tag+layer, a keyframe at the start and
// whenever one is asked for.
func (b *browser) sendMedia(tag byte) {
	b.wg.Go(func() {
		tick := time.NewTicker(10 * time.Millisecond)
		defer tick.Stop()
		layers := b.tracks[Camera]
		var seq [maxLayers]uint16
		midID, ridID := b.extensionID(Camera, sdp.SDESMidURI), b.extensionID(Camera, sdp.SDESRTPStreamIDURI)
		levelID := b.extensionID(Microphone, sdp.AudioLevelURI)
		for n := uint32(0); ; n++ {
			select {
			case <-b.stop:
				return
			case <-tick.C:
			}
			a := rtp.Packet{Header: rtp.Header{Version: 2, SequenceNumber: uint16(n), Timestamp: 480 * n}, Payload: []byte{0xFC, tag}}
			_ = a.SetExtension(levelID, []byte{0x80 | 30})
			_ = b.tracks[Microphone][0].WriteRTP(&a)
			if n%2 != 0 {
				continue
			}
			for i, tr := range layers {
				key := b.keyframes[i].Swap(false) || n == 0
				size := 1 << i
				for j, payload := range vp8Packets(uint16(n/2), key, 320*size, 180*size, tag+byte(i)) {
					p := rtp.Packet{
						Header:  rtp.Header{Version: 2, SequenceNumber: seq[i], Timestamp: 900 * n, Marker: j == 1},
						Payload: payload,
					}
					seq[i]++
					_ = p.SetExtension(midID, []byte(b.sendMID[Camera].Mid()))
					if tr.RID() != "" {
						_ = p.SetExtension(ridID, []byte(tr.RID()))
					}
					_ = tr.WriteRTP(&p)
				}
			}
		}
	})
}

// checkContinuous fails where sequence numbers have holes or repeat, or the SSRC changes.
func checkContinuous(t *testing.T, pkts []rtp.Packet) {
	t.Helper()
	for i := 1; i < len(pkts); i++ {
		if d := pkts[i].SequenceNumber - pkts[i-1].SequenceNumber; d != 1 {
			t.Fatalf("packet %d: sequence number %d after %d", i, pkts[i].SequenceNumber, pkts[i-1].SequenceNumber)
		}
		if pkts[i].SSRC != pkts[0].SSRC {
			t.Fatalf("packet %d: the SSRC changed", i)
		}
		if d := int32(pkts[i].Timestamp - pkts[i-1].Timestamp); d < 0 {
			t.Fatalf("packet %d: the timestamp went back by %d", i, -d)
		}
	}
}

// loss drops packets on the client's side of the network: every nth media packet of video SSRCs, retransmissions never.
type loss struct {
	interceptor.NoOp
	every    uint16 // 0: none
	up, down bool
	dropped  atomic.Uint64
}

func (l *loss) NewInterceptor(string) (interceptor.Interceptor, error) { return l, nil }

func (l *loss) drop(pt uint8, seq uint16) bool {
	if l.every == 0 || pt != 120 || seq%l.every != 3 {
		return false
	}
	l.dropped.Add(1)
	return true
}

func (l *loss) BindLocalStream(_ *interceptor.StreamInfo, w interceptor.RTPWriter) interceptor.RTPWriter {
	return interceptor.RTPWriterFunc(func(h *rtp.Header, payload []byte, a interceptor.Attributes) (int, error) {
		if l.up && l.drop(h.PayloadType, h.SequenceNumber) {
			return len(payload), nil
		}
		return w.Write(h, payload, a)
	})
}

func (l *loss) BindRemoteStream(_ *interceptor.StreamInfo, r interceptor.RTPReader) interceptor.RTPReader {
	return interceptor.RTPReaderFunc(func(b []byte, a interceptor.Attributes) (int, interceptor.Attributes, error) {
		for {
			n, attr, err := r.Read(b, a)
			if err != nil || !l.down || n < 4 || !l.drop(b[1]&0x7F, binary.BigEndian.Uint16(b[2:])) {
				return n, attr, err
			}
		}
	})
}

package sfu

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/pion/datachannel"
	"github.com/pion/dtls/v3"
	"github.com/pion/ice/v4"
	"github.com/pion/interceptor"
	"github.com/pion/rtcp"
	"github.com/pion/webrtc/v4"

	"github.com/parley/parley/internal/steady"
)

const (
	stockKeepalive = 2 * time.Second
	stockReadQueue = 8 // packets per ICE-TCP user name, of up to 8 KiB: when full, the connections wait. Strangers can fill it
)

// stockSettings are what the PeerConnections of a node share.
type stockSettings struct {
	engine   *webrtc.MediaEngine // copied by pion for each peer
	settings webrtc.SettingEngine
}

// startStock lets pion read the sockets.
func (n *Node) startStock() error {
	cfg := n.cfg
	n.udp = ice.NewUDPMuxDefault(ice.UDPMuxParams{UDPConn: cfg.Conn, Logger: n.muxLog.NewLogger("udp"), Net: n.net})
	if cfg.TCP != nil {
		n.tcp = ice.NewTCPMuxDefault(ice.TCPMuxParams{
			Listener: cfg.TCP, Logger: n.muxLog.NewLogger("tcp"),
			ReadBufferSize: stockReadQueue, WriteBufferSize: tcpWriteQueue,
			FirstStunBindTimeout: tcpFirst, AliveDurationForConnFromStun: tcpFirst,
		})
	}
	var err error
	if n.stock, err = n.stockSettings(); err != nil {
		return errors.Join(err, n.closeStock())
	}
	return nil
}

func (n *Node) closeStock() error {
	err := n.udp.Close()
	if n.tcp != nil {
		err = errors.Join(err, n.tcp.Close())
	}
	return err
}

func (n *Node) stockSettings() (*stockSettings, error) {
	engine, err := newMediaEngine()
	if err != nil {
		return nil, err
	}
	st := &stockSettings{engine: engine}
	s := &st.settings
	s.SetICEUDPMux(n.udp)
	types := []webrtc.NetworkType{webrtc.NetworkTypeUDP4, webrtc.NetworkTypeUDP6}
	if n.tcp != nil {
		s.SetICETCPMux(n.tcp)
		types = append(types, webrtc.NetworkTypeTCP4, webrtc.NetworkTypeTCP6)
	}
	s.SetNetworkTypes(types)
	s.DisableActiveTCP(true)
	s.SetLite(n.cfg.Lite)
	s.SetIncludeLoopbackCandidate(n.loopback())
	s.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)
	s.SetICETimeouts(silentAfter, failedAfter, stockKeepalive)
	for _, wait := range []func(time.Duration){
		s.SetHostAcceptanceMinWait, s.SetSrflxAcceptanceMinWait, s.SetPrflxAcceptanceMinWait, s.SetRelayAcceptanceMinWait,
	} {
		wait(0) // clients are known by their checks alone (peer-reflexive): nothing better is to be waited for
	}
	s.SetSRTPProtectionProfiles(dtls.SRTP_AEAD_AES_128_GCM, dtls.SRTP_AES128_CM_HMAC_SHA1_80)
	// The source address has answered ICE checks with our password: a DTLS cookie would prove nothing more.
	s.SetDTLSInsecureSkipHelloVerify(true)
	// Packets are taken in Write, see edge.go: no track waits for a first packet to be read.
	s.SetFireOnTrackBeforeFirstRTP(true)
	s.SetSCTPMaxMessageSize(uint32(n.cfg.MaxDataBytes)) // told to clients; data.go checks it
	s.DetachDataChannels()
	if err := s.SetAnsweringDTLSRole(webrtc.DTLSRoleServer); err != nil {
		return nil, fmt.Errorf("dtls role: %w", err)
	}
	if len(n.cfg.PublicIPs) == 0 {
		return st, nil
	}
	rule := webrtc.ICEAddressRewriteRule{AsCandidateType: webrtc.ICECandidateTypeHost, Mode: webrtc.ICEAddressRewriteReplace}
	for _, ip := range n.cfg.PublicIPs {
		rule.External = append(rule.External, ip.Unmap().String())
	}
	if err := s.SetICEAddressRewriteRules(rule); err != nil {
		return nil, fmt.Errorf("public addresses: %w", err)
	}
	return st, nil
}

// stock is a PeerConnection of pion's.
type stock struct {
	peer *Peer
	pc   *webrtc.PeerConnection
}

func newStock(p *Peer) (*stock, error) {
	n := p.node
	id, err := n.identity(steady.Now())
	if err != nil {
		return nil, err
	}
	s := n.stock.settings
	s.LoggerFactory = newPionLog(p.log, &p.count.unauthenticated)
	s.BufferFactory = p.buffer
	api := webrtc.NewAPI(webrtc.WithMediaEngine(n.stock.engine), webrtc.WithSettingEngine(s),
		webrtc.WithInterceptorRegistry(&interceptor.Registry{}))
	pc, err := api.NewPeerConnection(webrtc.Configuration{
		Certificates: []webrtc.Certificate{webrtc.CertificateFromX509(id.certificate.PrivateKey, id.x509)},
		SDPSemantics: webrtc.SDPSemanticsUnifiedPlan,
	})
	if err != nil {
		return nil, fmt.Errorf("peer connection: %w", err)
	}
	pc.OnTrack(func(*webrtc.TrackRemote, *webrtc.RTPReceiver) {}) // edge.go does this
	t := &stock{p, pc}
	if err := t.openData(); err != nil {
		return nil, errors.Join(err, pc.GracefulClose())
	}
	pc.OnConnectionStateChange(func(webrtc.PeerConnectionState) { p.stateChanged() })
	return t, nil
}

func (t *stock) state() PeerState {
	switch t.pc.ConnectionState() {
	case webrtc.PeerConnectionStateConnecting:
		return PeerConnecting
	case webrtc.PeerConnectionStateConnected:
		return PeerConnected
	case webrtc.PeerConnectionStateDisconnected:
		return PeerDisconnected
	case webrtc.PeerConnectionStateFailed:
		return PeerFailed
	case webrtc.PeerConnectionStateClosed: // also after the client's DTLS close_notify
		return PeerClosed
	}
	return PeerNew
}

func (t *stock) close() error { return t.pc.GracefulClose() }

func (t *stock) wantData() {}

func (t *stock) tick(time.Time) {}

func (t *stock) writeRTCP(pkts []rtcp.Packet) error {
	if err := t.pc.WriteRTCP(pkts); err != nil && !errors.Is(err, io.ErrClosedPipe) {
		return err
	}
	return nil
}

func (t *stock) exchange(ctx context.Context, o *offer, added []*slot) (string, map[string]answered, error) {
	raw, err := o.sdp.Marshal()
	if err != nil {
		return "", nil, badOffer("the SDP cannot be written again: %v", err)
	}
	err = t.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: string(raw)})
	if err != nil {
		return "", nil, badOffer("it was refused: %v", err)
	}
	if err := t.addSlots(o, added); err != nil {
		return "", nil, err
	}
	gathered := webrtc.GatheringCompletePromise(t.pc)
	answer, err := t.pc.CreateAnswer(nil)
	if err != nil {
		return "", nil, fmt.Errorf("create answer: %w", err)
	}
	if err := t.pc.SetLocalDescription(answer); err != nil {
		return "", nil, fmt.Errorf("set answer: %w", err)
	}
	select { // the muxes are there already: this takes well under a millisecond
	case <-gathered:
	case <-ctx.Done():
		return "", nil, fmt.Errorf("gather candidates: %w", ctx.Err())
	case <-t.peer.ctx.Done():
		return "", nil, ErrClosed
	}
	local := t.pc.LocalDescription()
	if local == nil {
		return "", nil, ErrClosed
	}
	for _, s := range added {
		for _, l := range []*slotLine{s.audio, s.video} {
			p := l.stock.sender.GetParameters()
			if len(p.Encodings) != 1 || l.stock.out == nil {
				return "", nil, errors.New("a slot's sender was not started")
			}
			l.ssrc, l.rtx = uint32(p.Encodings[0].SSRC), uint32(p.Encodings[0].RTX.SSRC)
		}
	}
	return finishAnswer(local.SDP, o, t.peer.node.cfg.StartBitrate)
}

// addSlots gives the new slots' transceivers their tracks. pion made one transceiver for each media section in the order of
// the offer, and AddTrack takes the first of its kind that has no track yet: going through the offer in order, each track
// comes to its section. That is checked.
func (t *stock) addSlots(o *offer, added []*slot) error {
	byMID := make(map[string]*stockTrack)
	for _, s := range added {
		for _, l := range []*slotLine{s.audio, s.video} {
			l.stock = &stockTrack{line: l}
			byMID[l.mid] = l.stock
		}
	}
	for _, sec := range o.sections {
		l := byMID[sec.mid]
		if l == nil {
			continue
		}
		sender, err := t.pc.AddTrack(l)
		if err != nil {
			return fmt.Errorf("add track: %w", err)
		}
		l.sender = sender
	}
	for _, tr := range t.pc.GetTransceivers() {
		if l := byMID[tr.Mid()]; l != nil && tr.Sender() != l.sender {
			return badOffer("media section %q could not be made a slot", tr.Mid())
		}
	}
	return nil
}

// stockTrack is the track that pion negotiates for a slot's line.
type stockTrack struct {
	line *slotLine

	// Written once, in Negotiate, before the line is in a send map.
	sender *webrtc.RTPSender
	out    webrtc.TrackLocalWriter
}

var _ webrtc.TrackLocal = (*stockTrack)(nil)

// Bind is called by pion when the answer is set.
func (l *stockTrack) Bind(c webrtc.TrackLocalContext) (webrtc.RTPCodecParameters, error) {
	l.out = c.WriteStream()
	codecs := c.CodecParameters()
	if len(codecs) == 0 {
		return webrtc.RTPCodecParameters{}, webrtc.ErrUnsupportedCodec
	}
	return codecs[0], nil
}

// Unbind is called by pion when the connection closes.
func (l *stockTrack) Unbind(webrtc.TrackLocalContext) error { return nil }

// ID returns the track id, the second half of the msid.
func (l *stockTrack) ID() string { return l.line.id }

// RID returns "": slots are no simulcast.
func (l *stockTrack) RID() string { return "" }

// StreamID returns the stream id, the first half of the msid.
func (l *stockTrack) StreamID() string { return l.line.stream }

// Kind returns the medium.
func (l *stockTrack) Kind() webrtc.RTPCodecType {
	if l.line.video {
		return webrtc.RTPCodecTypeVideo
	}
	return webrtc.RTPCodecTypeAudio
}

func (t *stock) openData() error {
	yes, no, never := true, false, uint16(0)
	for i, c := range []struct {
		name string
		init webrtc.DataChannelInit
	}{
		{"reliable", webrtc.DataChannelInit{Ordered: &yes}},
		{"unreliable", webrtc.DataChannelInit{Ordered: &no, MaxRetransmits: &never}},
	} {
		id := uint16(i)
		c.init.Negotiated, c.init.ID = &yes, &id
		ch, err := t.pc.CreateDataChannel(c.name, &c.init)
		if err != nil {
			return fmt.Errorf("data channel %s: %w", c.name, err)
		}
		ch.OnOpen(func() {
			raw, err := ch.Detach() // pion's own reader would keep 64 KiB for each
			if err != nil {
				t.peer.log.Error("data channel cannot be read", "err", err)
				return
			}
			t.peer.dataOpened(i, ch)
			t.peer.startReading(i, stockReader{raw})
		})
	}
	return nil
}

// stockReader reads a detached channel.
type stockReader struct{ datachannel.ReadWriteCloser }

func (r stockReader) readMessage(b []byte) (int, bool, error) { return r.ReadDataChannel(b) }

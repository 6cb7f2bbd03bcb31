package sfu

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/dtls/v3"
	"github.com/pion/ice/v4"
	"github.com/pion/rtcp"
	"github.com/pion/stun/v4"
)

// direct is a connection without a PeerConnection: an ICE agent, a DTLS connection above it, and, once the client sends SCTP or
// a message waits for it, an association above that. RTP and RTCP pass it by: they are the leg's.
type direct struct {
	// Static after construction.
	peer      *Peer
	id        *identity
	agent     *ice.Agent
	gathered  chan struct{} // one for each time that all local candidates are known
	session   uint64        // of our SDP
	tasks     sync.WaitGroup
	dataState dataState
	checking  atomic.Bool // no pair is in use yet

	// Guarded by Peer.negotiating.
	path    *ice.Conn // nil before the first offer
	remote  transportOffer
	answers int

	parking   sync.Mutex    // held while a connection is parked or brought back; taken before mu
	records   atomic.Uint64 // that came, and may be DTLS
	isParked  atomic.Bool   // parked is there, for who has no lock
	idleSince atomic.Int64  // Unix nanoseconds since which DTLS is up; 0: it is not, or is parked

	mu       sync.Mutex          // taken by itself
	ice      ice.ConnectionState // Guarded by mu.
	dtls     dtlsState           // Guarded by mu.
	conn     *dtls.Conn          // Guarded by mu. nil before the handshake, and while parked
	dtlsPath *dtlsPath           // Guarded by mu: conn's.
	parked   *dtls.State         // Guarded by mu.
	unread   []byte              // Guarded by mu: a record that came while the connection was being parked.
	closing  bool                // Guarded by mu: no task may start.
}

type dtlsState uint8

const (
	dtlsNew dtlsState = iota
	dtlsConnecting
	dtlsConnected
	dtlsFailed
	dtlsClosed
)

func newDirect(p *Peer) (*direct, error) {
	id, err := p.node.identity(time.Now())
	if err != nil {
		return nil, err
	}
	t := &direct{
		peer: p, id: id, gathered: make(chan struct{}, 1), ice: ice.ConnectionStateNew,
		session: uint64(randomSSRC())<<31 | uint64(randomSSRC()), // RFC 8829, section 5.2.1: 63 bits
	}
	t.checking.Store(true)
	n := p.node
	options := append(slices.Clone(n.direct.ice),
		ice.WithUDPMux(&udpMux{UDPMuxDefault: n.udp, leg: p.leg, loopback: onlyLoopback(n.cfg.Conn.LocalAddr())}),
		ice.WithLoggerFactory(newPionLog(p.log, nil)))
	if n.cfg.Lite {
		options = append(options, ice.WithBindingRequestHandler(t.checked))
	}
	if n.tcp != nil {
		options = append(options, ice.WithTCPMux(&tcpMux{TCPMuxDefault: n.tcp, leg: p.leg}))
	}
	if t.agent, err = ice.NewAgentWithOptions(options...); err != nil {
		return nil, fmt.Errorf("ice: %w", err)
	}
	err = errors.Join(
		t.agent.OnCandidate(func(c ice.Candidate) {
			if c == nil {
				t.gathered <- struct{}{}
			}
		}),
		t.agent.OnConnectionStateChange(t.iceChanged),
		t.agent.OnSelectedCandidatePairChange(p.leg.follow),
	)
	if err != nil {
		return nil, fmt.Errorf("ice: %w", errors.Join(err, t.agent.Close()))
	}
	return t, nil
}

// checked is told by the agent of each check that authenticated, and says whether the pair is to be used. A browser nominates
// a pair towards a lite agent with its second check, 50 ms after the first; its DTLS ClientHello comes right after the first.
// As lite we send no checks of our own and the nomination proves nothing more, so the first pair is used until one is nominated.
func (t *direct) checked(_ *stun.Message, _, _ ice.Candidate, _ *ice.CandidatePair) bool {
	return t.checking.CompareAndSwap(true, false)
}

// exchange answers the offer.
func (t *direct) exchange(ctx context.Context, o *offer, added []*slot) (string, map[string]answered, error) {
	first := t.path == nil
	restart := !first && (o.transport.ufrag != t.remote.ufrag || o.transport.password != t.remote.password)
	if restart {
		if err := t.agent.Restart("", ""); err != nil {
			return "", nil, fmt.Errorf("restart ice: %w", err)
		}
		t.checking.Store(true)
	}
	if first || restart {
		if err := t.gather(ctx); err != nil {
			return "", nil, err
		}
	}
	w, err := t.writer(added)
	if err != nil {
		return "", nil, err
	}
	answer, sections, err := w.write(o)
	if err != nil {
		return "", nil, err
	}
	switch {
	case first:
		if t.path, err = t.agent.StartAccept(o.transport.ufrag, o.transport.password); err == nil {
			t.spawn(func() { t.connect(o.transport.fingerprints) })
		}
	case restart:
		err = t.agent.SetRemoteCredentials(o.transport.ufrag, o.transport.password)
	}
	if err != nil {
		return "", nil, fmt.Errorf("start ice: %w", err)
	}
	t.remote = o.transport
	t.dataState.limit.Store(o.transport.maxMessage)
	return answer, sections, nil
}

// gather waits for our candidates: the muxes are there already, so this takes well under a millisecond.
func (t *direct) gather(ctx context.Context) error {
	if err := t.agent.GatherCandidates(); err != nil {
		return fmt.Errorf("gather candidates: %w", err)
	}
	select {
	case <-t.gathered:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("gather candidates: %w", ctx.Err())
	case <-t.peer.ctx.Done():
		return ErrClosed
	}
}

// writer prepares the next answer.
func (t *direct) writer(added []*slot) (*answerWriter, error) {
	n := t.peer.node
	t.answers++
	w := &answerWriter{
		fingerprint: t.id.fingerprint, lite: n.cfg.Lite, maxDataBytes: n.cfg.MaxDataBytes, startBitrate: n.cfg.StartBitrate,
		session: t.session, version: t.answers, lines: make(map[string]*slotLine),
	}
	var err error
	if w.ufrag, w.password, err = t.agent.GetLocalUserCredentials(); err != nil {
		return nil, fmt.Errorf("ice: %w", err)
	}
	candidates, err := t.agent.GetLocalCandidates()
	if err != nil {
		return nil, fmt.Errorf("ice: %w", err)
	}
	for _, c := range candidates {
		w.candidates = append(w.candidates, c.Marshal())
	}
	for _, s := range slices.Concat(t.peer.slots, added) { // written with negotiating held, as it is here
		w.lines[s.audio.mid], w.lines[s.video.mid] = s.audio, s.video
	}
	return w, nil
}

// spawn runs f in a goroutine that close waits for.
func (t *direct) spawn(f func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.closing {
		t.tasks.Go(f)
	}
}

func (t *direct) iceChanged(s ice.ConnectionState) {
	t.mu.Lock()
	t.ice = s
	t.mu.Unlock()
	if s == ice.ConnectionStateFailed {
		t.lost()
	}
	t.peer.stateChanged()
}

// lost is called when ICE has failed. A restart may have found a new pair since.
func (t *direct) lost() {
	if pair, err := t.agent.GetSelectedCandidatePair(); err != nil || pair != nil {
		return
	}
	t.peer.leg.lose()
	if pair, err := t.agent.GetSelectedCandidatePair(); err == nil && pair != nil {
		t.peer.leg.follow(pair.Local, pair.Remote)
	}
}

// dtlsChanged sets the state, which only ever rises.
func (t *direct) dtlsChanged(s dtlsState) {
	t.mu.Lock()
	changed := s > t.dtls
	t.dtls = max(t.dtls, s)
	t.mu.Unlock()
	if changed {
		t.peer.stateChanged()
	}
}

func (t *direct) state() PeerState {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case t.closing || t.dtls == dtlsClosed || t.ice == ice.ConnectionStateClosed:
		return PeerClosed
	case t.dtls == dtlsFailed || t.ice == ice.ConnectionStateFailed:
		return PeerFailed
	case t.ice == ice.ConnectionStateDisconnected:
		return PeerDisconnected
	case t.ice == ice.ConnectionStateNew:
		return PeerNew
	case t.dtls == dtlsConnected && t.ice != ice.ConnectionStateChecking:
		return PeerConnected
	}
	return PeerConnecting
}

func (t *direct) writeRTCP(pkts []rtcp.Packet) error { return t.peer.leg.writeRTCP(pkts) }

// close tells the client, with a close_notify, and ends everything.
func (t *direct) close() error {
	t.mu.Lock()
	t.closing = true
	t.mu.Unlock()
	t.dataState.close()
	if conn, err := t.live(); err == nil && conn != nil {
		_ = conn.Close() // fails where the path is gone already
	}
	err := t.agent.GracefulClose()
	t.tasks.Wait()
	return err
}

// directSettings are what the direct connections of a node share.
type directSettings struct {
	ice  []ice.AgentOption
	dtls []dtls.ServerOption
}

func (n *Node) directSettings() *directSettings {
	types := []ice.NetworkType{ice.NetworkTypeUDP4, ice.NetworkTypeUDP6}
	if n.tcp != nil {
		types = append(types, ice.NetworkTypeTCP4, ice.NetworkTypeTCP6)
	}
	s := &directSettings{
		ice: []ice.AgentOption{
			ice.WithNet(n.net), ice.WithNetworkTypes(types), ice.WithDisableActiveTCP(), ice.WithICELite(n.cfg.Lite),
			ice.WithCandidateTypes([]ice.CandidateType{ice.CandidateTypeHost}),
			ice.WithMulticastDNSMode(ice.MulticastDNSModeDisabled), ice.WithMulticastDNSHostName("unused.local"),
			ice.WithDisconnectedTimeout(iceDisconnected), ice.WithFailedTimeout(iceFailed), ice.WithKeepaliveInterval(iceKeepalive),
			// Clients are known by their checks alone (peer-reflexive): nothing better is to be waited for.
			ice.WithHostAcceptanceMinWait(0), ice.WithPrflxAcceptanceMinWait(0),
		},
		dtls: []dtls.ServerOption{
			dtls.WithSRTPProtectionProfiles(dtls.SRTP_AEAD_AES_128_GCM, dtls.SRTP_AES128_CM_HMAC_SHA1_80),
			dtls.WithInsecureSkipVerify(true), // no authority signed it: the fingerprint is checked
			dtls.WithClientAuth(dtls.RequireAnyClientCert),
			// The source address has answered ICE checks with our password: a cookie would prove nothing more.
			dtls.WithInsecureSkipVerifyHello(true),
			dtls.WithFlightInterval(flightInterval),
		},
	}
	if n.loopback() {
		s.ice = append(s.ice, ice.WithIncludeLoopback())
	}
	if len(n.cfg.PublicIPs) > 0 {
		rule := ice.AddressRewriteRule{AsCandidateType: ice.CandidateTypeHost, Mode: ice.AddressRewriteReplace}
		for _, ip := range n.cfg.PublicIPs {
			rule.External = append(rule.External, ip.Unmap().String())
		}
		s.ice = append(s.ice, ice.WithAddressRewriteRules(rule))
	}
	return s
}

// flightInterval is after how long a lost DTLS flight is sent again the first time. Each repetition doubles it.
const flightInterval = 200 * time.Millisecond

package sfu

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/dtls/v3"
	"github.com/pion/rtcp"

	"github.com/parley/parley/internal/steady"
)

// direct is a connection without a PeerConnection: ICE's lite part, a DTLS connection above it, and, once the client sends SCTP or
// a message waits for it, an association above that. RTP and RTCP pass it by: they are the leg's.
type direct struct {
	// Static after construction.
	peer      *Peer
	id        *identity
	ice       iceAgent
	records   records
	session   uint64 // of our SDP
	tasks     sync.WaitGroup
	dataState dataState

	handshakeTime time.Duration

	prints []fingerprint // of the client's certificate. Static after the first exchange

	// Guarded by Peer.negotiating.
	remote  transportOffer
	answers int

	parking   sync.Mutex   // held while a connection is parked or brought back; taken before mu
	isParked  atomic.Bool  // parked is there, for who has no lock
	idleSince atomic.Int64 // Unix nanoseconds since which DTLS is up; 0: it is not, or is parked

	mu       sync.Mutex  // taken by itself
	dtls     dtlsState   // Guarded by mu.
	conn     *dtls.Conn  // Guarded by mu. nil before the handshake, and while parked
	dtlsPath *dtlsPath   // Guarded by mu: conn's.
	parked   *dtls.State // Guarded by mu.
	closing  bool        // Guarded by mu: no task may start.
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
	id, err := p.node.identity(steady.Now())
	if err != nil {
		return nil, err
	}
	t := &direct{
		peer: p, id: id, handshakeTime: handshakeTime,
		session: uint64(randomSSRC())<<31 | uint64(randomSSRC()), // RFC 8829, section 5.2.1: 63 bits
	}
	t.ice.t, t.ice.table, t.ice.moves = t, p.node.plane.ice, newMoves()
	t.records.arrived.L = &t.records.mu
	return t, nil
}

// exchange answers the offer. Of one that cannot be answered nothing stays.
func (t *direct) exchange(_ context.Context, o *offer, added []*slot) (string, map[string]answered, error) {
	c := t.ice.credentials()
	first := c == nil
	restart := !first && (o.transport.ufrag != t.remote.ufrag || o.transport.password != t.remote.password)
	if first || restart {
		c = newCredentials(o.transport.ufrag, o.transport.password)
	}
	w, err := t.writer(c, added)
	if err != nil {
		return "", nil, err
	}
	answer, sections, err := w.write(o)
	if err != nil {
		return "", nil, err
	}
	if first {
		t.prints = o.transport.fingerprints
	}
	t.remote = o.transport
	t.dataState.limit.Store(o.transport.maxMessage)
	if first || restart {
		t.ice.use(c, steady.Now())
		t.changed() // not here: events may want to negotiate
	}
	return answer, sections, nil
}

// writer prepares the next answer.
func (t *direct) writer(c *credentials, added []*slot) (*answerWriter, error) {
	n := t.peer.node
	candidates, err := n.candidates()
	if err != nil {
		return nil, fmt.Errorf("candidates: %w", err)
	}
	t.answers++
	w := &answerWriter{
		ufrag: c.ufrag, password: c.password, candidates: candidates,
		fingerprint: t.id.fingerprint, maxDataBytes: n.cfg.MaxDataBytes, startBitrate: n.cfg.StartBitrate,
		session: t.session, version: t.answers, lines: make(map[string]*slotLine),
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
		t.tasks.Go(func() {
			defer t.peer.guard("transport")
			f()
		})
	}
}

// changed tells the peer's new state, in a goroutine of its own: its events are others' code, and whoever reads the socket must go on.
func (t *direct) changed() { t.spawn(t.peer.stateChanged) }

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
	ice := iceState(t.ice.state.Load())
	switch {
	case t.closing || t.dtls == dtlsClosed:
		return PeerClosed
	case t.dtls == dtlsFailed || ice == iceFailed:
		return PeerFailed
	case ice == iceDisconnected:
		return PeerDisconnected
	case ice == iceNew:
		return PeerNew
	case t.dtls == dtlsConnected && ice != iceChecking:
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
	t.ice.close()
	t.records.close()
	t.tasks.Wait()
	t.mu.Lock()
	defer t.mu.Unlock()
	t.conn, t.dtlsPath, t.parked = nil, nil, nil // what they know of the keys goes with them
	return nil
}

// dtlsOptions are what the DTLS connections of a node share.
func dtlsOptions() []dtls.ServerOption {
	return []dtls.ServerOption{
		dtls.WithSRTPProtectionProfiles(dtls.SRTP_AEAD_AES_128_GCM, dtls.SRTP_AES128_CM_HMAC_SHA1_80),
		dtls.WithInsecureSkipVerify(true), // no authority signed it: the fingerprint is checked
		dtls.WithClientAuth(dtls.RequireAnyClientCert),
		// The source address has answered ICE checks with our password: a cookie would prove nothing more.
		dtls.WithInsecureSkipVerifyHello(true),
		dtls.WithFlightInterval(flightInterval),
	}
}

// flightInterval is after how long a lost DTLS flight is sent again the first time. Each repetition doubles it.
const flightInterval = 200 * time.Millisecond

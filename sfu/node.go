package sfu

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/dtls/v3"
	"github.com/pion/ice/v4"
	"github.com/pion/interceptor"
	"github.com/pion/webrtc/v4"
)

// certRenewal is how long before its end (a month after it was made) the node's certificate is replaced for new peers.
const certRenewal = 15 * 24 * time.Hour

// Node is the media side of one process: all its peers share one UDP socket and one ICE-TCP listener.
type Node struct {
	// Static after construction.
	cfg      Config
	log      *slog.Logger
	engine   *webrtc.MediaEngine // copied by pion for each peer
	settings webrtc.SettingEngine
	udp      *ice.UDPMuxDefault
	tcp      *ice.TCPMuxDefault // nil without cfg.TCP
	turns    chan struct{}      // one place for each negotiation that may run
	plane    *plane             // nil: pion's own path
	loops    *loops
	stop     chan struct{}
	arrived  chan struct{} // holds one: the ticker is to look who is there
	tasks    sync.WaitGroup
	muxLog   *pionLog

	mu     sync.Mutex
	peers  map[*Peer]struct{}  // Guarded by mu.
	ended  Counts              // Guarded by mu: what closed peers had counted.
	cert   *webrtc.Certificate // Guarded by mu.
	closed bool                // Guarded by mu.

	ticked atomic.Pointer[[]*Peer] // copy of peers for the ticker; written under mu
}

// New starts a node on cfg.Conn and cfg.TCP, which it closes in the end.
func New(cfg Config) (*Node, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	cfg = cfg.withDefaults()
	engine, err := newMediaEngine()
	if err != nil {
		return nil, fmt.Errorf("sfu: %w", err)
	}
	n := &Node{
		cfg: cfg, log: cfg.Log, engine: engine,
		turns: make(chan struct{}, max(runtime.GOMAXPROCS(0)/2, 1)),
		stop:  make(chan struct{}), arrived: make(chan struct{}, 1),
		peers:  make(map[*Peer]struct{}),
		muxLog: newPionLog(cfg.Log, nil),
	}
	n.ticked.Store(&[]*Peer{})
	if _, err := n.certificate(time.Now()); err != nil {
		return nil, fmt.Errorf("sfu: %w", err)
	}
	conn, err := n.startPlane()
	if err != nil {
		return nil, fmt.Errorf("sfu: %w", err)
	}
	n.loops = newLoops(n.plane)
	n.udp = ice.NewUDPMuxDefault(ice.UDPMuxParams{UDPConn: conn, Logger: n.muxLog.NewLogger("udp")})
	if cfg.TCP != nil {
		n.tcp = ice.NewTCPMuxDefault(ice.TCPMuxParams{
			Listener: cfg.TCP, Logger: n.muxLog.NewLogger("tcp"),
			ReadBufferSize: tcpReadQueue, WriteBufferSize: tcpWriteQueue,
			FirstStunBindTimeout: 10 * time.Second, AliveDurationForConnFromStun: 10 * time.Second,
		})
	}
	if err := n.configure(); err != nil {
		_ = n.closeSockets() // the first error is told
		return nil, fmt.Errorf("sfu: %w", err)
	}
	n.tasks.Go(n.tick)
	return n, nil
}

// configure fills the settings that all peers share.
func (n *Node) configure() error {
	s := &n.settings
	s.SetICEUDPMux(n.udp)
	types := []webrtc.NetworkType{webrtc.NetworkTypeUDP4, webrtc.NetworkTypeUDP6}
	if n.tcp != nil {
		s.SetICETCPMux(n.tcp)
		types = append(types, webrtc.NetworkTypeTCP4, webrtc.NetworkTypeTCP6)
	}
	s.SetNetworkTypes(types)
	s.DisableActiveTCP(true)
	s.SetLite(n.cfg.Lite)
	s.SetIncludeLoopbackCandidate(n.cfg.Loopback || onlyLoopback(n.cfg.Conn.LocalAddr()))
	s.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)
	s.SetICETimeouts(iceDisconnected, iceFailed, iceKeepalive)
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
		return fmt.Errorf("dtls role: %w", err)
	}
	if len(n.cfg.PublicIPs) == 0 {
		return nil
	}
	rule := webrtc.ICEAddressRewriteRule{AsCandidateType: webrtc.ICECandidateTypeHost, Mode: webrtc.ICEAddressRewriteReplace}
	for _, ip := range n.cfg.PublicIPs {
		rule.External = append(rule.External, ip.Unmap().String())
	}
	if err := s.SetICEAddressRewriteRules(rule); err != nil {
		return fmt.Errorf("public addresses: %w", err)
	}
	return nil
}

// onlyLoopback reports whether loopback is all that a socket at addr can be reached by.
func onlyLoopback(addr net.Addr) bool {
	u, ok := addr.(*net.UDPAddr)
	if !ok || !u.IP.IsUnspecified() {
		return ok && u.IP.IsLoopback()
	}
	all, err := net.InterfaceAddrs()
	if err != nil {
		return false
	}
	for _, a := range all {
		p, err := netip.ParsePrefix(a.String())
		if err == nil && !p.Addr().IsLoopback() && !p.Addr().IsLinkLocalUnicast() {
			return false
		}
	}
	return true
}

// certificate returns the node's certificate, a new one where the old one ends soon.
func (n *Node) certificate(now time.Time) (webrtc.Certificate, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.cert == nil || now.Add(certRenewal).After(n.cert.Expires()) {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			return webrtc.Certificate{}, fmt.Errorf("certificate key: %w", err)
		}
		if n.cert, err = webrtc.GenerateCertificate(key); err != nil {
			return webrtc.Certificate{}, fmt.Errorf("certificate: %w", err)
		}
	}
	return *n.cert, nil
}

func (n *Node) newPeerConnection(p *Peer) (*webrtc.PeerConnection, error) {
	cert, err := n.certificate(time.Now())
	if err != nil {
		return nil, err
	}
	s := n.settings
	s.LoggerFactory = newPionLog(p.log, &p.count.unauthenticated)
	s.BufferFactory = p.buffer
	if p.leg != nil {
		p.leg.install(&s)
	}
	api := webrtc.NewAPI(webrtc.WithMediaEngine(n.engine), webrtc.WithSettingEngine(s),
		webrtc.WithInterceptorRegistry(&interceptor.Registry{}))
	pc, err := api.NewPeerConnection(webrtc.Configuration{
		Certificates: []webrtc.Certificate{cert},
		SDPSemantics: webrtc.SDPSemanticsUnifiedPlan,
	})
	if err != nil {
		return nil, fmt.Errorf("peer connection: %w", err)
	}
	if p.leg != nil {
		pc.SCTP().Transport().ICETransport().OnSelectedCandidatePairChange(p.leg.follow)
	}
	pc.OnTrack(func(*webrtc.TrackRemote, *webrtc.RTPReceiver) {}) // edge.go does this
	return pc, nil
}

func (n *Node) add(p *Peer) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closed {
		return ErrClosed
	}
	n.peers[p] = struct{}{}
	p.loop.ticks.add(p)
	n.publishPeers()
	select {
	case n.arrived <- struct{}{}:
	default:
	}
	return nil
}

func (n *Node) remove(p *Peer) {
	counts := p.Stats().Counts // not under mu: it enters the sources' loops, from which spawn is called
	n.mu.Lock()
	defer n.mu.Unlock()
	if _, ok := n.peers[p]; ok {
		delete(n.peers, p)
		p.loop.ticks.remove(p)
		n.ended.add(counts)
		n.publishPeers()
	}
}

// publishPeers gives the ticker its list. The caller holds mu.
func (n *Node) publishPeers() {
	list := make([]*Peer, 0, len(n.peers))
	for p := range n.peers {
		list = append(list, p)
	}
	n.ticked.Store(&list)
}

// spawn runs f in a goroutine that Close waits for.
func (n *Node) spawn(f func()) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.tasks.Go(f) // Close has not begun to wait while a peer is left, and every caller is a peer
}

// Close ends all peers and waits for every goroutine. It must not be called from a peer's events.
func (n *Node) Close() error {
	n.mu.Lock()
	already := n.closed
	n.closed = true
	peers := *n.ticked.Load()
	n.mu.Unlock()
	if already {
		n.tasks.Wait()
		return nil
	}
	for _, p := range peers {
		p.shut()
	}
	for _, p := range peers {
		<-p.done
	}
	close(n.stop)
	n.tasks.Wait()
	if err := n.closeSockets(); err != nil {
		return fmt.Errorf("close node: %w", err)
	}
	return nil
}

func (n *Node) closeSockets() error {
	err := n.udp.Close()
	if n.tcp != nil {
		err = errors.Join(err, n.tcp.Close())
	}
	return err
}

func randomSSRC() uint32 {
	var b [4]byte
	for {
		_, _ = rand.Read(b[:]) // never fails
		if v := binary.BigEndian.Uint32(b[:]); v != 0 {
			return v
		}
	}
}

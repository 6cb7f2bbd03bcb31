package loadgen

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/pion/dtls/v3"
	"github.com/pion/dtls/v3/pkg/crypto/selfsign"
	dtlsnet "github.com/pion/dtls/v3/pkg/net"
	"github.com/pion/ice/v4"
	"github.com/pion/logging"
	"github.com/pion/sctp"
	"github.com/pion/srtp/v3"
	"github.com/pion/transport/v5"
	"github.com/pion/transport/v5/stdnet"
)

// identity is what all clients of a run share, made once: no server can tell that from a browser that joins often.
type identity struct {
	certificate tls.Certificate
	fingerprint string
	net         transport.Net
	logs        logging.LoggerFactory
}

func newIdentity() (*identity, error) {
	c, err := selfsign.GenerateSelfSigned()
	if err != nil {
		return nil, fmt.Errorf("certificate: %w", err)
	}
	n, err := stdnet.NewNet()
	if err != nil {
		return nil, fmt.Errorf("interfaces: %w", err)
	}
	logs := logging.NewDefaultLoggerFactory()
	logs.Writer = io.Discard // what matters comes back as an error
	logs.DefaultLogLevel = logging.LogLevelDisabled
	return &identity{certificate: c, fingerprint: fingerprint(c.Certificate[0]), net: n, logs: logs}, nil
}

func fingerprint(der []byte) string {
	sum := sha256.Sum256(der)
	var parts []string
	for _, b := range sum {
		parts = append(parts, hex.EncodeToString([]byte{b}))
	}
	return strings.ToUpper(strings.Join(parts, ":"))
}

// link is one client's way to the server: ICE and DTLS, then SRTP past both.
type link struct {
	// Static after construction.
	id    *identity
	sock  *socket
	agent *ice.Agent

	// Set by connect.
	remote netip.AddrPort
	dtls   *dtls.Conn
	sctp   *sctp.Association // with data channels only

	sendMu  sync.Mutex    // taken by itself
	encrypt *srtp.Context // Guarded by sendMu. nil: no keys yet
	scratch []byte        // Guarded by sendMu.
}

const (
	checkEvery  = 10 * time.Millisecond // while ICE has no pair, and nominates by a second check
	flightAfter = 100 * time.Millisecond
)

// newLink opens the socket and makes the agent: what a page has done before somebody clicks on join.
func newLink(id *identity, sock *socket) (*link, error) {
	agent, err := ice.NewAgentWithOptions(
		ice.WithUDPMux(sock), ice.WithNet(id.net), ice.WithLoggerFactory(id.logs), ice.WithIncludeLoopback(),
		ice.WithNetworkTypes([]ice.NetworkType{ice.NetworkTypeUDP4, ice.NetworkTypeUDP6}),
		ice.WithCandidateTypes([]ice.CandidateType{ice.CandidateTypeHost}),
		ice.WithMulticastDNSMode(ice.MulticastDNSModeDisabled),
		ice.WithInterfaceFilter(func(string) bool { return false }), // the mux has the only candidate
		ice.WithCheckInterval(checkEvery), ice.WithFailedTimeout(0),
		ice.WithHostAcceptanceMinWait(0), ice.WithPrflxAcceptanceMinWait(0),
	)
	if err != nil {
		return nil, fmt.Errorf("ice: %w", err)
	}
	gathered := make(chan struct{})
	err = agent.OnCandidate(func(c ice.Candidate) {
		if c == nil {
			close(gathered)
		}
	})
	if err == nil {
		err = agent.GatherCandidates()
	}
	if err != nil {
		return nil, fmt.Errorf("ice: %w", errors.Join(err, agent.Close()))
	}
	<-gathered
	return &link{id: id, sock: sock, agent: agent, scratch: make([]byte, 0, 2048)}, nil
}

// connect does ICE and DTLS and returns the context that decrypts what comes. From then on write works.
func (l *link) connect(ctx context.Context, a answer, data bool) (*srtp.Context, error) {
	for _, c := range a.candidates {
		if err := l.agent.AddRemoteCandidate(c); err != nil {
			return nil, fmt.Errorf("ice: %w", err)
		}
	}
	conn, err := l.agent.Dial(ctx, a.ufrag, a.password)
	if err != nil {
		return nil, fmt.Errorf("ice: %w", err)
	}
	pair, err := l.agent.GetSelectedCandidatePair()
	if err != nil || pair == nil {
		return nil, fmt.Errorf("ice: no candidate pair: %w", err)
	}
	ip, err := netip.ParseAddr(pair.Remote.Address())
	if err != nil {
		return nil, fmt.Errorf("ice: %w", err)
	}
	l.remote = netip.AddrPortFrom(ip, uint16(pair.Remote.Port()))
	l.dtls, err = dtls.ClientWithOptions(dtlsnet.PacketConnFromConn(conn), conn.RemoteAddr(),
		dtls.WithCertificates(l.id.certificate), dtls.WithLoggerFactory(l.id.logs), dtls.WithFlightInterval(flightAfter),
		dtls.WithExtendedMasterSecret(dtls.RequireExtendedMasterSecret),
		dtls.WithSRTPProtectionProfiles(dtls.SRTP_AEAD_AES_128_GCM, dtls.SRTP_AES128_CM_HMAC_SHA1_80),
		dtls.WithInsecureSkipVerify(true), // WebRTC's certificates are known by the fingerprint in the SDP
		dtls.WithVerifyPeerCertificate(func(raw [][]byte, _ [][]*x509.Certificate) error {
			if len(raw) == 0 || fingerprint(raw[0]) != a.fingerprint {
				return errors.New("the server's certificate is not the one of its answer")
			}
			return nil
		}))
	if err != nil {
		return nil, fmt.Errorf("dtls: %w", err)
	}
	if err := l.dtls.HandshakeContext(ctx); err != nil {
		return nil, fmt.Errorf("dtls: %w", err)
	}
	decrypt, err := l.keys()
	if err != nil {
		return nil, fmt.Errorf("srtp: %w", err)
	}
	if data {
		if l.sctp, err = sctp.ClientWithOptions(sctp.WithNetConn(l.dtls), sctp.WithLoggerFactory(l.id.logs)); err != nil {
			return nil, fmt.Errorf("sctp: %w", err)
		}
	}
	return decrypt, nil
}

func (l *link) keys() (*srtp.Context, error) {
	profile, ok := l.dtls.SelectedSRTPProtectionProfile()
	if !ok {
		return nil, errors.New("no protection profile was agreed on")
	}
	state, ok := l.dtls.ConnectionState()
	if !ok {
		return nil, errors.New("no DTLS state")
	}
	cfg := srtp.Config{Profile: srtp.ProtectionProfile(profile)}
	if err := cfg.ExtractSessionKeysFromDTLS(&state, true); err != nil {
		return nil, err
	}
	encrypt, err := srtp.CreateContext(cfg.Keys.LocalMasterKey, cfg.Keys.LocalMasterSalt, cfg.Profile)
	if err != nil {
		return nil, err
	}
	l.sendMu.Lock()
	l.encrypt = encrypt
	l.sendMu.Unlock()
	return srtp.CreateContext(cfg.Keys.RemoteMasterKey, cfg.Keys.RemoteMasterSalt, cfg.Profile,
		srtp.SRTPReplayProtection(1<<10), srtp.SRTCPReplayProtection(64))
}

// errNoKeys reports a packet before the handshake or after the end.
var errNoKeys = errors.New("loadgen: not connected")

// write encrypts and sends one RTP or RTCP packet.
func (l *link) write(pkt []byte, rtcp bool) error {
	l.sendMu.Lock()
	defer l.sendMu.Unlock()
	if l.encrypt == nil {
		return errNoKeys
	}
	var out []byte
	var err error
	if rtcp {
		out, err = l.encrypt.EncryptRTCP(l.scratch, pkt, nil)
	} else {
		out, err = l.encrypt.EncryptRTP(l.scratch, pkt, nil)
	}
	if err != nil {
		return err
	}
	_, err = l.sock.WriteToAddrPort(out, l.remote)
	return err
}

// close ends everything and waits for pion's goroutines.
func (l *link) close() error {
	l.sendMu.Lock()
	l.encrypt = nil
	l.sendMu.Unlock()
	var errs []error
	if l.sctp != nil {
		errs = append(errs, l.sctp.Close())
	}
	if l.dtls != nil {
		errs = append(errs, l.dtls.Close())
	}
	errs = append(errs, l.agent.Close(), l.sock.Close())
	return errors.Join(errs...)
}

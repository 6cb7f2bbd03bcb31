package sfu

import (
	"crypto/x509"
	"errors"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/pion/dtls/v3"
	"github.com/pion/ice/v4"

	"github.com/parley/parley/sfu/internal/seal"
)

var (
	errFingerprint = errors.New("the client's certificate is not the one of its offer")
	errNoProfile   = errors.New("no SRTP protection profile in common")
)

// connect waits for ICE, does the DTLS handshake and gives the keys to the leg.
func (t *direct) connect(prints []fingerprint) {
	p := t.peer
	if t.agent.AwaitConnect(p.ctx) != nil {
		return // the peer has closed
	}
	t.dtlsChanged(dtlsConnecting)
	if err := t.handshake(prints); err != nil {
		if p.ctx.Err() == nil {
			p.log.Debug("DTLS handshake", "err", err)
		}
		t.dtlsChanged(dtlsFailed)
		return
	}
	t.dtlsChanged(dtlsConnected)
	t.idleSince.Store(time.Now().UnixNano())
	if p.data.isWaiting() {
		t.wantData()
	}
}

func (t *direct) handshake(prints []fingerprint) error {
	p := t.peer
	verify := func(raw [][]byte, _ [][]*x509.Certificate) error {
		if len(raw) == 0 || !slices.ContainsFunc(prints, func(f fingerprint) bool { return f.matches(raw[0]) }) {
			return errFingerprint
		}
		return nil
	}
	options := append(slices.Clone(p.node.direct.dtls), dtls.WithCertificates(t.id.certificate),
		dtls.WithVerifyPeerCertificate(verify), dtls.WithLoggerFactory(newPionLog(p.log, nil)))
	path := &dtlsPath{Conn: t.path, t: t}
	conn, err := dtls.ServerWithOptions(path, dtlsAddr{}, options...)
	if err != nil {
		return err
	}
	t.mu.Lock()
	t.conn, t.dtlsPath = conn, path
	closing := t.closing
	t.mu.Unlock()
	if closing {
		return errors.Join(ErrClosed, conn.Close())
	}
	if err := conn.HandshakeContext(p.ctx); err != nil {
		t.dtlsChanged(dtlsFailed) // before the path hears that it is closed
		return errors.Join(err, conn.Close())
	}
	profile, ok := conn.SelectedSRTPProtectionProfile()
	state, ok2 := conn.ConnectionState()
	if !ok || !ok2 {
		t.dtlsChanged(dtlsFailed)
		return errors.Join(errNoProfile, conn.Close())
	}
	keys, err := seal.Export(&state, profile)
	if err == nil {
		err = p.leg.start(&keys)
	}
	if err != nil {
		t.dtlsChanged(dtlsFailed)
		return errors.Join(err, conn.Close())
	}
	return nil
}

// dtlsPath is the ICE connection as DTLS sees it. What is no DTLS does not get through.
type dtlsPath struct {
	*ice.Conn
	t *direct

	reading   sync.Mutex // held by ReadFrom
	deadlines sync.Mutex // taken by itself
	gone      bool       // Guarded by deadlines: the next path's deadline is none of this one's.

	mu    sync.Mutex // taken by itself
	muted bool       // Guarded by mu: the connection is being parked, and is given nothing any more.
	busy  bool       // Guarded by mu: DTLS works on a record.
	first []byte     // Guarded by mu: what came meanwhile, to be read by the next connection first.
}

// mute ends the path for its connection, without a word to the client. It is false while DTLS works on a record, which may be the
// client's close_notify.
func (d *dtlsPath) mute() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.muted = !d.busy
	return d.muted
}

func (d *dtlsPath) unmute() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.muted = false
}

func (d *dtlsPath) isMuted() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.muted
}

// begin is called by the reader who wants the next record. It returns what came while a connection before was parked.
func (d *dtlsPath) begin() (first []byte, muted bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.muted {
		return nil, true // what came is the next connection's
	}
	first, d.first = d.first, nil
	d.busy = first != nil
	return first, false
}

// take is false for a record that came after mute, which it keeps.
func (d *dtlsPath) take(b []byte) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.muted {
		d.first = append([]byte(nil), b...)
		return false
	}
	d.busy = true
	return true
}

// dtlsAddr is the client's address for DTLS, which does not need it: the path leads to one client.
type dtlsAddr struct{}

// Network names the path.
func (dtlsAddr) Network() string { return "ice" }

// String names the path.
func (dtlsAddr) String() string { return "client" }

var _ net.PacketConn = (*dtlsPath)(nil)

// First bytes of datagrams and records (RFC 7983, section 7; RFC 6347, section 4.1).
const (
	firstDTLS, lastDTLS = 20, 63
	recordData          = 23
)

// ReadFrom reads a DTLS record. RTP and RTCP that come before the leg is up are kept for it.
func (d *dtlsPath) ReadFrom(b []byte) (int, net.Addr, error) {
	d.reading.Lock()
	defer d.reading.Unlock()
	if first, muted := d.begin(); muted {
		return 0, nil, net.ErrClosed
	} else if first != nil {
		return copy(b, first), dtlsAddr{}, nil
	}
	for {
		n, err := d.Conn.Read(b)
		if err != nil {
			return 0, nil, err
		}
		switch {
		case n == 0:
		case b[0] >= firstDTLS && b[0] <= lastDTLS:
			if !d.take(b[:n]) {
				return 0, nil, net.ErrClosed
			}
			if b[0] != recordData || d.t.dataArrived() {
				return n, dtlsAddr{}, nil
			}
			d.begin() // nobody would read it, and DTLS would wait for ever
		case isRTP(b[:n]) || isRTCP(b[:n]):
			d.t.peer.leg.keep(b[:n])
		}
	}
}

// WriteTo sends a record to the client.
func (d *dtlsPath) WriteTo(b []byte, _ net.Addr) (int, error) {
	if d.isMuted() {
		return len(b), nil
	}
	return d.Conn.Write(b)
}

// SetReadDeadline is how DTLS wakes its reader.
func (d *dtlsPath) SetReadDeadline(t time.Time) error {
	d.deadlines.Lock()
	defer d.deadlines.Unlock()
	if d.gone {
		return nil
	}
	return d.Conn.SetReadDeadline(t)
}

// leave waits for the reader of a muted path whose connection was closed, and leaves the path to the next, with what that has to
// read first.
func (d *dtlsPath) leave() (first []byte) {
	d.reading.Lock()
	defer d.reading.Unlock()
	d.deadlines.Lock()
	defer d.deadlines.Unlock()
	d.gone = true
	if err := d.Conn.SetReadDeadline(time.Time{}); err != nil {
		d.t.peer.log.Debug("park DTLS", "err", err) // ICE has ended
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.first
}

// Close is called by DTLS when it ends: after the client's close_notify, after a fatal alert, or after ours. ICE stays.
func (d *dtlsPath) Close() error {
	if d.isMuted() {
		return nil
	}
	d.t.mu.Lock()
	state := dtlsClosed
	if d.t.dtls < dtlsConnected || d.t.dtls == dtlsFailed {
		state = dtlsFailed
	}
	d.t.mu.Unlock()
	d.t.dtlsChanged(state)
	return nil
}

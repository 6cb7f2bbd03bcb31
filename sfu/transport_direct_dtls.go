package sfu

import (
	"context"
	"crypto/x509"
	"errors"
	"net"
	"slices"
	"time"

	"github.com/pion/dtls/v3"

	"github.com/parley/parley/internal/steady"
	"github.com/parley/parley/sfu/internal/seal"
)

var (
	errFingerprint = errors.New("the client's certificate is not the one of its offer")
	errNoProfile   = errors.New("no SRTP protection profile in common")
)

// handshakeTime is what a client has for the handshake, and handshakeBytes what it may send meanwhile: pion keeps fragments.
const (
	handshakeTime  = 15 * time.Second
	handshakeBytes = 64 << 10
)

// connect does the DTLS handshake and gives the keys to the leg. It starts with the first check.
func (t *direct) connect() {
	p := t.peer
	t.dtlsChanged(dtlsConnecting)
	if err := t.handshake(); err != nil {
		if p.ctx.Err() == nil {
			p.log.Debug("DTLS handshake", "err", err)
		}
		t.dtlsChanged(dtlsFailed)
		return
	}
	t.dtlsChanged(dtlsConnected)
	t.idleSince.Store(steady.Now().UnixNano())
	if p.data.isWaiting() {
		t.wantData()
	}
}

func (t *direct) handshake() error {
	p := t.peer
	verify := func(raw [][]byte, _ [][]*x509.Certificate) error {
		if len(raw) == 0 || !slices.ContainsFunc(t.prints, func(f fingerprint) bool { return f.matches(raw[0]) }) {
			return errFingerprint
		}
		return nil
	}
	options := append(dtlsOptions(), dtls.WithCertificates(t.id.certificate),
		dtls.WithVerifyPeerCertificate(verify), dtls.WithLoggerFactory(newPionLog(p.log, nil)))
	path := &dtlsPath{t: t}
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
	ctx, cancel := context.WithTimeout(p.ctx, t.handshakeTime)
	defer cancel()
	if err := conn.HandshakeContext(ctx); err != nil {
		t.dtlsChanged(dtlsFailed) // before the path hears that it is closed
		return errors.Join(err, conn.Close())
	}
	profile, ok := conn.SelectedSRTPProtectionProfile()
	state, ok2 := conn.ConnectionState()
	if !ok || !ok2 {
		t.dtlsChanged(dtlsFailed)
		return errors.Join(errNoProfile, conn.Close())
	}
	t.records.open()
	t.ice.established(steady.Now())
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

// dtlsAddr is an address for DTLS, which does not need one: the path leads to one client.
type dtlsAddr struct{}

// Network names the path.
func (dtlsAddr) Network() string { return "ice" }

// String names the path.
func (dtlsAddr) String() string { return "client" }

// First bytes of datagrams and records (RFC 7983, section 7; RFC 6347, section 4.1).
const (
	lastSTUN            = 3
	firstDTLS, lastDTLS = 20, 63
	recordData          = 23
)

// dtlsPath is the way to the client as one DTLS connection sees it. It is given DTLS alone.
type dtlsPath struct {
	// Static after construction.
	t *direct

	// Guarded by t.records.mu.
	muted       bool // the connection is being parked, and is given nothing any more
	busy        bool // DTLS works on a record
	interrupted bool // its reader is to come back
}

var _ net.PacketConn = (*dtlsPath)(nil)

// mute ends the path for its connection, without a word to the client. It is false while DTLS works on a record or one waits, which
// may be the client's close_notify.
func (d *dtlsPath) mute() bool {
	r := &d.t.records
	r.mu.Lock()
	defer r.mu.Unlock()
	d.muted = !d.busy && len(r.waiting) == 0
	r.arrived.Broadcast()
	return d.muted
}

func (d *dtlsPath) unmute() {
	d.t.records.mu.Lock()
	defer d.t.records.mu.Unlock()
	d.muted = false
}

func (d *dtlsPath) isMuted() bool {
	d.t.records.mu.Lock()
	defer d.t.records.mu.Unlock()
	return d.muted
}

// ReadFrom waits for a datagram of DTLS.
func (d *dtlsPath) ReadFrom(b []byte) (int, net.Addr, error) {
	for {
		rec, err := d.t.records.take(d)
		if err != nil {
			return 0, nil, err
		}
		if rec[0] == recordData && !d.t.dataArrived() {
			continue // nobody would read it, and DTLS would wait for ever
		}
		return copy(b, rec), dtlsAddr{}, nil
	}
}

// WriteTo sends a record to the client. Like any datagram it may be lost.
func (d *dtlsPath) WriteTo(b []byte, _ net.Addr) (int, error) {
	if !d.isMuted() {
		d.t.ice.sendDTLS(b)
	}
	return len(b), nil
}

// LocalAddr names the path.
func (d *dtlsPath) LocalAddr() net.Addr { return dtlsAddr{} }

// SetReadDeadline is how DTLS calls its reader back: with a deadline that is over. It sets no other.
func (d *dtlsPath) SetReadDeadline(t time.Time) error {
	r := &d.t.records
	r.mu.Lock()
	defer r.mu.Unlock()
	d.interrupted = !t.IsZero()
	r.arrived.Broadcast()
	return nil
}

// SetDeadline is SetReadDeadline: writes do not wait.
func (d *dtlsPath) SetDeadline(t time.Time) error { return d.SetReadDeadline(t) }

// SetWriteDeadline does nothing: writes do not wait.
func (d *dtlsPath) SetWriteDeadline(time.Time) error { return nil }

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

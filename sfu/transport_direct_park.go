package sfu

import (
	"fmt"
	"time"

	"github.com/pion/dtls/v3"

	"github.com/parley/parley/internal/steady"
)

// parkAfter is how long a DTLS connection is kept that nothing is sent over. After that it is parked: its state stays, without the
// three goroutines, the buffer of 8 KiB and what the handshake left, which are a fifth of what a viewer costs. The next record
// brings it back. Most clients that watch only never send one.
const parkAfter = time.Second

// tick sees whether the client is still there, and parks an idle connection.
func (t *direct) tick(now time.Time) {
	t.ice.tick(now)
	t.peer.leg.listen(now)
	since := t.idleSince.Load()
	if since == 0 || now.UnixNano()-since < int64(parkAfter) {
		return
	}
	// SRTCP from the client tells that it has our last flight: DTLS will not have to repeat it.
	if t.peer.leg.heard.Load() && !t.dataState.started.Load() && t.idleSince.CompareAndSwap(since, 0) {
		t.spawn(t.park)
	}
}

func (t *direct) park() {
	t.parking.Lock()
	defer t.parking.Unlock()
	t.mu.Lock()
	conn, path, ok := t.conn, t.dtlsPath, t.dtls == dtlsConnected && !t.closing && t.conn != nil
	t.mu.Unlock()
	if !ok || t.dataState.started.Load() {
		return
	}
	if !path.mute() { // something has come
		t.idleSince.Store(steady.Now().UnixNano())
		return
	}
	state, ok := conn.ConnectionState() // nothing is sent after this: no number is used twice
	if !ok {
		path.unmute() // never: the handshake is through
		return
	}
	state.PeerCertificates = nil // it was verified
	_ = conn.Close()             // nobody is to hear of it, since the connection goes on
	t.mu.Lock()
	t.conn, t.dtlsPath, t.parked = nil, nil, &state
	t.mu.Unlock()
	t.isParked.Store(true)
	if t.records.any() { // the next connection has something to read
		t.wake()
	}
}

// wake brings a parked connection back, in the background.
func (t *direct) wake() {
	if t.isParked.CompareAndSwap(true, false) {
		t.spawn(func() {
			if _, err := t.live(); err != nil {
				t.peer.log.Debug("DTLS does not come back", "err", err) // mostly the client's close_notify, which ends the peer
			}
		})
	}
}

// live returns the DTLS connection, brought back if it was parked; nil: there is none yet.
func (t *direct) live() (*dtls.Conn, error) {
	t.parking.Lock()
	defer t.parking.Unlock()
	t.mu.Lock()
	conn, state := t.conn, t.parked
	t.mu.Unlock()
	if state == nil {
		return conn, nil
	}
	path := &dtlsPath{t: t}
	conn, err := dtls.ResumeWithOptions(state, path, dtlsAddr{}, dtls.WithCertificates(t.id.certificate),
		dtls.WithInsecureSkipVerify(true), dtls.WithLoggerFactory(newPionLog(t.peer.log, nil)))
	if err != nil {
		return nil, fmt.Errorf("resume: %w", err)
	}
	t.mu.Lock()
	t.conn, t.dtlsPath, t.parked = conn, path, nil
	t.mu.Unlock()
	t.isParked.Store(false)
	if err := conn.Handshake(); err != nil { // there is none: it starts to read
		return nil, fmt.Errorf("resume: %w", err)
	}
	t.idleSince.Store(steady.Now().UnixNano())
	return conn, nil
}

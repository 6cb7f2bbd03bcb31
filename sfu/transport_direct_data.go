package sfu

import (
	"math"
	"net"
	"sync"
	"sync/atomic"

	"github.com/pion/sctp"
)

// dataState is what carries a direct connection's data channels. Nothing of it is there before the client sends its first SCTP
// packet, or a reliable message waits: a viewer without data channels pays nothing.
type dataState struct {
	started atomic.Bool
	limit   atomic.Uint32 // bytes of a message that the client takes, 0: any

	mu      sync.Mutex             // taken by itself
	assoc   *sctp.Association      // Guarded by mu.
	streams [channels]*sctp.Stream // Guarded by mu.
	ended   bool                   // Guarded by mu: no association may be set.
}

// dataArrived is called for every record of data, which has not authenticated yet. False: there is nobody to read it.
func (t *direct) dataArrived() bool {
	if !t.peer.hasData.Load() {
		return false
	}
	t.startData(false)
	return true
}

// wantData starts the association from our side.
func (t *direct) wantData() {
	t.mu.Lock()
	up := t.dtls == dtlsConnected
	t.mu.Unlock()
	if up && t.peer.hasData.Load() {
		t.startData(true)
	}
}

func (t *direct) startData(active bool) {
	if t.dataState.started.CompareAndSwap(false, true) {
		t.spawn(func() { t.runData(active) })
	}
}

// runData makes the association, and then takes the streams that the client opens by sending on them.
func (t *direct) runData(active bool) {
	d := &t.dataState
	live, err := t.live()
	if err != nil || live == nil {
		t.peer.log.Warn("no DTLS for data channels", "err", err)
		return
	}
	conn := &dataConn{Conn: live}
	if !active {
		b := make([]byte, maxRecord)
		n, err := conn.Conn.Read(b) // it has authenticated now
		if err != nil {
			return
		}
		conn.first = append([]byte(nil), b[:n]...)
	}
	limit := d.limit.Load()
	if limit == 0 {
		limit = math.MaxUint32
	}
	config := sctp.Config{NetConn: conn, LoggerFactory: newPionLog(t.peer.log, nil), MaxMessageSize: limit}
	var assoc *sctp.Association
	if active {
		assoc, err = sctp.ClientWithOptions(config)
	} else {
		assoc, err = sctp.ServerWithOptions(config)
	}
	if err != nil {
		t.peer.log.Debug("SCTP handshake", "err", err)
		return
	}
	if !d.set(assoc) {
		_ = assoc.Close()
		return
	}
	for i := range channels {
		t.peer.dataOpened(i, &dataStream{t, i})
	}
	for {
		s, err := assoc.AcceptStream()
		if err != nil {
			return
		}
		id := int(s.StreamIdentifier())
		if id >= channels {
			t.peer.count.dataBad.Add(1)
			_ = s.Close()
			continue
		}
		t.adopt(id, s)
	}
}

// adopt uses a stream as the channel of that id.
func (t *direct) adopt(id int, s *sctp.Stream) {
	d := &t.dataState
	d.mu.Lock()
	old := d.streams[id]
	d.streams[id] = s
	d.mu.Unlock()
	if id == unreliableChannel {
		s.SetReliabilityParams(true, sctp.ReliabilityTypeRexmit, 0)
	}
	if old != s {
		t.peer.startReading(id, dataReader{s})
	}
}

// stream returns the channel's stream, opened if it is not.
func (t *direct) stream(id int) (*sctp.Stream, error) {
	d := &t.dataState
	d.mu.Lock()
	s, assoc := d.streams[id], d.assoc
	d.mu.Unlock()
	if s != nil {
		return s, nil
	}
	s, err := assoc.OpenStream(uint16(id), sctp.PayloadTypeWebRTCBinary)
	if err != nil {
		return nil, err
	}
	t.adopt(id, s)
	return s, nil
}

func (d *dataState) set(a *sctp.Association) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.ended {
		return false
	}
	d.assoc = a
	return true
}

// close ends the association, if there is one: its end ends the DTLS connection.
func (d *dataState) close() {
	d.mu.Lock()
	d.ended = true
	a := d.assoc
	d.mu.Unlock()
	if a != nil {
		_ = a.Close() // fails where the connection is gone already
	}
}

// maxRecord is the longest DTLS record that is taken, in bytes.
const maxRecord = 8 << 10

// dataConn is the DTLS connection, read from the packet on that was read already.
type dataConn struct {
	net.Conn
	first []byte // Owned by the association's reader.
}

// Read reads one record.
func (c *dataConn) Read(b []byte) (int, error) {
	if c.first != nil {
		n := copy(b, c.first)
		c.first = nil
		return n, nil
	}
	return c.Conn.Read(b)
}

// dataStream is a channel to send on.
type dataStream struct {
	t  *direct
	id int
}

// Send queues a message.
func (s *dataStream) Send(b []byte) error {
	st, err := s.t.stream(s.id)
	if err != nil {
		return err
	}
	_, err = st.WriteSCTP(b, sctp.PayloadTypeWebRTCBinary)
	return err
}

// BufferedAmount returns the bytes that wait.
func (s *dataStream) BufferedAmount() uint64 {
	d := &s.t.dataState
	d.mu.Lock()
	st := d.streams[s.id]
	d.mu.Unlock()
	if st == nil {
		return 0
	}
	return st.BufferedAmount()
}

// dataReader reads a stream.
type dataReader struct{ *sctp.Stream }

func (r dataReader) readMessage(b []byte) (int, bool, error) {
	n, kind, err := r.ReadSCTP(b)
	return n, kind != sctp.PayloadTypeWebRTCBinary, err // text, empty or DCEP: none is spoken here
}

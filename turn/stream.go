package turn

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"time"
)

const (
	// startTimeout is how long a TCP client may be without an allocation.
	startTimeout = 10 * time.Second
	// idleTimeout is how long one with an allocation may be silent: an allocation lasts 10 minutes by default, and is
	// refreshed before that.
	idleTimeout = 11 * time.Minute
	// frameTimeout is how long a message may take from its first byte to its last.
	frameTimeout = 10 * time.Second
	// writeTimeout is how long a client may leave no room for one message.
	writeTimeout = 5 * time.Second
)

var errBadFrame = errors.New("turn: neither STUN nor ChannelData, or too long")

// stream is a TCP connection as a net.PacketConn: STUN messages and ChannelData follow each other without framing of
// their own, ChannelData padded to 4 bytes (RFC 8656 section 12.5).
type stream struct {
	net.Conn
	refuse func(Reason)
	busy   func() bool // there is an allocation; set before the first read

	// Owned by the reader.
	r     *bufio.Reader
	start time.Time // the end of startTimeout

	closing  sync.Once
	errClose error
}

var _ net.PacketConn = (*stream)(nil)

func newStream(c net.Conn, refuse func(Reason), now time.Time) *stream {
	return &stream{Conn: c, refuse: refuse, r: bufio.NewReaderSize(c, 2*inboundMTU), start: now.Add(startTimeout)}
}

// ReadFrom reads one message. An error is the end of the connection.
func (s *stream) ReadFrom(b []byte) (int, net.Addr, error) {
	n, err := s.read(b)
	switch {
	case errors.Is(err, errBadFrame):
		s.refuse(BadFrame)
	case errors.Is(err, os.ErrDeadlineExceeded):
		s.refuse(Idle)
	}
	if err != nil {
		return 0, nil, err
	}
	return n, s.RemoteAddr(), nil
}

func (s *stream) read(b []byte) (int, error) {
	now := time.Now()
	limit := s.deadline(now)
	if s.r.Buffered() == 0 {
		if err := s.SetReadDeadline(limit); err != nil {
			return 0, err
		}
		if _, err := s.r.Peek(1); err != nil {
			return 0, err
		}
		now = time.Now()
	} else if !now.Before(limit) { // who always has a piece of the next message here ends in time, too
		return 0, os.ErrDeadlineExceeded
	}
	if s.r.Buffered() < inboundMTU {
		if next := now.Add(frameTimeout); next.Before(limit) {
			limit = next
		}
		if err := s.SetReadDeadline(limit); err != nil {
			return 0, err
		}
	}
	head, err := s.r.Peek(4)
	if err != nil {
		return 0, err
	}
	size, padded, err := frame(head)
	if err != nil {
		return 0, err
	}
	if padded > len(b) || padded >= inboundMTU {
		return 0, errBadFrame
	}
	if _, err := io.ReadFull(s.r, b[:padded]); err != nil {
		return 0, err
	}
	if _, ok := stunType(b[:size]); b[0] < 0x40 && !ok {
		return 0, errBadFrame
	}
	return size, nil
}

// deadline is when the next message must have begun.
func (s *stream) deadline(now time.Time) time.Time {
	if s.busy() {
		s.start = now.Add(startTimeout)
		return now.Add(idleTimeout)
	}
	return s.start
}

// frame reads the length of a message from its first 4 bytes: of the message, and with padding.
func frame(head []byte) (size, padded int, err error) {
	length := int(binary.BigEndian.Uint16(head[2:]))
	switch {
	case head[0] < 0x40: // STUN
		if length%4 != 0 {
			return 0, 0, errBadFrame
		}
		return stunHeader + length, stunHeader + length, nil
	case head[0] < 0x80: // ChannelData
		return 4 + length, (4 + length + 3) &^ 3, nil
	}
	return 0, 0, errBadFrame
}

// WriteTo writes one message. A client that leaves no room for it in time is closed: half a message cannot be taken back.
func (s *stream) WriteTo(b []byte, _ net.Addr) (int, error) {
	if err := s.SetWriteDeadline(time.Now().Add(writeTimeout)); err != nil {
		return 0, err
	}
	n, err := s.Write(b)
	if err != nil {
		if errors.Is(err, os.ErrDeadlineExceeded) {
			s.refuse(SlowReader)
		}
		return n, errors.Join(err, s.Close())
	}
	return n, nil
}

// Close closes the connection; the second time it does nothing.
func (s *stream) Close() error {
	s.closing.Do(func() { s.errClose = s.Conn.Close() })
	return s.errClose
}

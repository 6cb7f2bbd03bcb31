package sfu

import (
	"encoding/binary"
	"errors"
	"io"
	"net"
	"testing"
	"time"

	"github.com/pion/stun/v4"
)

func newTCPChecker(t *testing.T) *checker {
	t.Helper()
	n := newTestNode(t, func(c *Config) {
		l, err := net.Listen("tcp4", "127.0.0.1:0")
		must(t, err)
		c.TCP, c.Plane = l, PlaneBatched
	})
	b := newBrowser(t, n, "b", browserConfig{slots: 1})
	answerOnly(t, b)
	return &checker{t: t, node: n, peer: b.peer, ice: &b.peer.transport.(*direct).ice, now: time.Now()}
}

func (c *checker) dial() net.Conn {
	c.t.Helper()
	conn, err := net.Dial("tcp", c.node.cfg.TCP.Addr().String())
	must(c.t, err)
	c.t.Cleanup(func() { _ = conn.Close() })
	return conn
}

func sendFrame(t *testing.T, conn net.Conn, b []byte) {
	t.Helper()
	_, err := conn.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(b))), b...))
	must(t, err)
}

func readFrame(t *testing.T, conn net.Conn) []byte {
	t.Helper()
	must(t, conn.SetReadDeadline(time.Now().Add(patience)))
	var head [2]byte
	_, err := io.ReadFull(conn, head[:])
	must(t, err)
	b := make([]byte, binary.BigEndian.Uint16(head[:]))
	_, err = io.ReadFull(conn, b)
	must(t, err)
	return b
}

// isClosed waits until the other side has closed.
func isClosed(t *testing.T, conn net.Conn) {
	t.Helper()
	must(t, conn.SetReadDeadline(time.Now().Add(patience)))
	_, err := conn.Read(make([]byte, 1))
	var timeout net.Error
	if err == nil || errors.As(err, &timeout) && timeout.Timeout() {
		t.Errorf("it is open: %v", err)
	}
}

// TestTCPIsForChecksFirst: a connection belongs to whom its first check names, and who does not know a password has none.
func TestTCPIsForChecksFirst(t *testing.T) {
	t.Parallel()
	c := newTCPChecker(t)
	cred := c.ice.credentials()
	for name, b := range map[string][]byte{
		"media": make([]byte, 40), "nothing": {}, "forged": message(t, &credentials{user: cred.user, password: "x"}),
		"DTLS": {firstDTLS}, "an answer": {1, 1, 0, 0, 0x21, 0x12, 0xA4, 0x42, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0},
	} {
		conn := c.dial()
		sendFrame(t, conn, b)
		isClosed(t, conn)
		c.expect(name, iceChecking, nil)
	}
	conn := c.dial()
	sendFrame(t, conn, message(t, cred))
	m := &stun.Message{Raw: readFrame(t, conn)}
	must(t, m.Decode())
	if m.Type != stun.BindingSuccess {
		t.Error(m)
	}
	used := c.ice.path.Load()
	if used == nil || used.tcp == nil {
		t.Fatalf("path %v", used)
	}
	sendFrame(t, conn, nil)                                                                 // a keepalive
	sendFrame(t, conn, message(t, &credentials{user: cred.user, password: "x"}))            // counted
	sendFrame(t, conn, []byte{200, 1})                                                      // ignored
	sendFrame(t, conn, message(t, cred, stun.RawAttribute{Type: 0xC000, Value: []byte{1}})) // answered
	readFrame(t, conn)
	_, err := conn.Write([]byte{0xFF, 0xFF})
	must(t, err)
	isClosed(t, conn)
	eventually(t, "no path", func() bool { return c.ice.path.Load() == nil })
	c.expect("the connection is gone", iceConnected, nil)
	next := udpVia(9)
	c.check(cred, next)
	c.expect("the next check", iceConnected, &next)
}

// TestTCPIsNotStolen: a connection stays with its first owner.
func TestTCPIsNotStolen(t *testing.T) {
	t.Parallel()
	c := newTCPChecker(t)
	conn := c.dial()
	sendFrame(t, conn, message(t, c.ice.credentials()))
	readFrame(t, conn)
	other := newBrowser(t, c.node, "other", browserConfig{})
	answerOnly(t, other)
	ice := &other.peer.transport.(*direct).ice
	sendFrame(t, conn, message(t, ice.credentials(), nominating))
	sendFrame(t, conn, message(t, c.ice.credentials()))
	readFrame(t, conn) // to the latter
	if ice.path.Load() != nil || ice.state.Load() != uint32(iceChecking) {
		t.Error("the other has a path")
	}
}

// TestTCPDropsWhatDoesNotFit: a client that does not read costs a bounded queue, and nobody waits for it.
func TestTCPDropsWhatDoesNotFit(t *testing.T) {
	t.Parallel()
	server, client := net.Pipe()
	defer client.Close()
	c := &tcpConn{conn: server, wake: make(chan struct{}, 1)}
	packet := make([]byte, 1200)
	n := 0
	for c.write(packet) == nil {
		n++
	}
	if err := c.write(packet); !errors.Is(err, errFull) || n != tcpWriteQueue/1202 {
		t.Errorf("%d packets, then %v", n, err)
	}
	done := make(chan struct{})
	go func() { defer close(done); c.flush() }()
	c.finish()
	read, err := io.Copy(io.Discard, client) // what waits is sent before the end
	if err != nil || read != int64(n*1202) {
		t.Errorf("%d bytes, %v", read, err)
	}
	<-done
	if err := c.write(packet); !errors.Is(err, net.ErrClosed) {
		t.Error(err)
	}
}

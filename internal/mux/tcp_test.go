package mux

import (
	"bytes"
	"errors"
	"io"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func listenTCP(t *testing.T, cfg TCPConfig) *TCP {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	m := NewTCP(l, cfg)
	t.Cleanup(func() { closed(t, m) })
	return m
}

func dialTCP(t *testing.T, m *TCP) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", m.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func accept(t *testing.T, l net.Listener) net.Conn {
	t.Helper()
	c, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// refused waits until the server closed c.
func refused(t *testing.T, c net.Conn) {
	t.Helper()
	if err := c.SetReadDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	if n, err := c.Read(make([]byte, 1)); n != 0 || err == nil || isTimeout(err) {
		t.Errorf("not closed: read %d, %v", n, err)
	}
}

var packetFramed = cat([]byte{0, byte(len(packetCheck))}, packetCheck)

func TestTCPDealsConnections(t *testing.T) {
	t.Parallel()
	m := listenTCP(t, TCPConfig{})
	silent := dialTCP(t, m) // says nothing, and holds nobody up
	ice, turn, web := dialTCP(t, m), dialTCP(t, m), dialTCP(t, m)
	send(t, web, []byte("GET / HTTP/1.1\r\n\r\n"))
	send(t, ice, packetFramed[:3])
	send(t, turn, packetAllocate)

	for _, tt := range []struct {
		name   string
		l      net.Listener
		client net.Conn
		rest   []byte
		want   []byte
	}{
		{"TURN", m.TURN(), turn, nil, packetAllocate},
		{"ICE", m.ICE(), ice, packetFramed[3:], packetFramed},
	} {
		send(t, tt.client, tt.rest)
		c := accept(t, tt.l)
		got := make([]byte, len(tt.want))
		if _, err := io.ReadFull(c, got); err != nil || !bytes.Equal(got, tt.want) {
			t.Errorf("%s: %x, %v", tt.name, got, err)
		}
		if c.RemoteAddr().String() != tt.client.LocalAddr().String() {
			t.Errorf("%s: from %v", tt.name, c.RemoteAddr())
		}
		if tt.l.Addr().String() != m.Addr().String() {
			t.Errorf("%s listens on %v", tt.name, tt.l.Addr())
		}
		closed(t, c)
		refused(t, tt.client)
	}
	refused(t, web)
	closed(t, silent)
	eventually(t, "every connection is forgotten", func() bool { return m.Stats().Open == 0 })
	s := m.Stats()
	if s.Accepted["ice"] != 1 || s.Accepted["turn"] != 1 || s.Dropped["unknown"] != 1 || s.Dropped["no_bytes"] != 1 {
		t.Errorf("stats: %+v", s)
	}
}

func TestTCPLimits(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		reason string
		cfg    TCPConfig
	}{
		{"too_many_undecided", TCPConfig{MaxUndecided: 8}}, // a quarter of them for one address
		{"too_many_of_ip", TCPConfig{MaxPerIP: 2}},
		{"too_many_open", TCPConfig{MaxOpen: 2}},
	} {
		t.Run(tt.reason, func(t *testing.T) {
			t.Parallel()
			m := listenTCP(t, tt.cfg)
			first := dialTCP(t, m)
			dialTCP(t, m)
			eventually(t, "two are admitted", func() bool { return m.Stats().Open == 2 })
			refused(t, dialTCP(t, m))
			if n := m.Stats().Dropped[tt.reason]; n != 1 {
				t.Errorf("%d refused: %+v", n, m.Stats())
			}
			closed(t, first)
			eventually(t, "one is gone", func() bool { return m.Stats().Open == 1 })
			again := dialTCP(t, m)
			send(t, again, packetAllocate)
			accept(t, m.TURN())
		})
	}
}

// poisoned is a connection at which reading panics.
type poisoned struct{ net.Conn }

func (poisoned) Read([]byte) (int, error) { panic("boom") }

type poisoner struct{ net.Listener }

// Accept implements net.Listener.
func (p poisoner) Accept() (net.Conn, error) {
	c, err := p.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return poisoned{c}, nil
}

func TestTCPPanicEndsOneConnection(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	m := NewTCP(poisoner{l}, TCPConfig{})
	t.Cleanup(func() { closed(t, m) })
	for range 2 {
		refused(t, dialTCP(t, m))
	}
	eventually(t, "both are forgotten", func() bool { return m.Stats().Open == 0 })
	if n := m.Stats().Dropped["panic"]; n != 2 {
		t.Errorf("%d counted", n)
	}
}

// TestTCPForgetsAddresses guards that the table of addresses does not grow with every one ever seen.
func TestTCPForgetsAddresses(t *testing.T) {
	t.Parallel()
	m := listenTCP(t, TCPConfig{})
	c := dialTCP(t, m)
	eventually(t, "it is admitted", func() bool { return m.Stats().Open == 1 })
	closed(t, c)
	eventually(t, "it is forgotten", func() bool { return m.Stats().Open == 0 })
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.perIP) != 0 || len(m.undecided) != 0 {
		t.Errorf("left: %v, %v", m.perIP, m.undecided)
	}
}

// TestTCPSilentAddress guards that one address that says nothing does not keep others out.
func TestTCPSilentAddress(t *testing.T) {
	t.Parallel()
	m := listenTCP(t, TCPConfig{MaxUndecided: 8})
	for range 12 {
		dialTCP(t, m)
	}
	eventually(t, "the silent ones are refused", func() bool { return m.Stats().Dropped["too_many_undecided"] == 10 })
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 2)}}
	other, err := d.Dial("tcp", m.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { other.Close() })
	send(t, other, packetAllocate)
	accept(t, m.TURN())
}

func TestTCPBacklog(t *testing.T) {
	t.Parallel()
	m := listenTCP(t, TCPConfig{MaxUndecided: 8 * branchBacklog})
	clients := make([]net.Conn, branchBacklog+1)
	for i := range clients {
		clients[i] = dialTCP(t, m)
		send(t, clients[i], packetAllocate)
	}
	eventually(t, "one too many is closed", func() bool { return m.Stats().Dropped["backlog"] == 1 })
	closed(t, m.TURN())
	for _, c := range clients {
		refused(t, c)
	}
	late := dialTCP(t, m) // the port is still open, for ICE
	send(t, late, packetAllocate)
	refused(t, late)
	if _, err := m.TURN().Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("accept after close: %v", err)
	}
	closed(t, m.ICE())
	if _, err := net.Dial("tcp", m.Addr().String()); err == nil {
		t.Error("the port is still open after both sides closed")
	}
}

func TestTCPCloseWithUndecided(t *testing.T) {
	t.Parallel()
	m := listenTCP(t, TCPConfig{PeekTimeout: time.Hour})
	c := dialTCP(t, m)
	send(t, c, packetAllocate[:3])
	eventually(t, "it is admitted", func() bool { return m.Stats().Open == 1 })
	closed(t, m)
	refused(t, c)
	if s := m.Stats(); s.Open != 0 || s.Dropped["closing"] != 1 {
		t.Errorf("stats: %+v", s)
	}
}

// pipeListener hands out in-memory connections, and errors.
type pipeListener struct {
	conns  chan any // net.Conn or error
	once   sync.Once
	closed chan struct{}
}

func newPipeListener() *pipeListener {
	return &pipeListener{conns: make(chan any), closed: make(chan struct{})}
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case v := <-l.conns:
		if err, ok := v.(error); ok {
			return nil, err
		}
		return v.(net.Conn), nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) Addr() net.Addr { return &net.TCPAddr{} }

func (l *pipeListener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

func TestTCPSlowFirstBytes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newPipeListener()
		m := NewTCP(l, TCPConfig{})
		start := time.Now()
		client, server := net.Pipe()
		l.conns <- server
		done := make(chan struct{})
		go func() { // a byte every 900 ms: never silent for long, and still closed after 5 s
			defer close(done)
			for _, b := range packetAllocate {
				<-time.After(900 * time.Millisecond) // on the bubble's clock
				if _, err := client.Write([]byte{b}); err != nil {
					return
				}
			}
		}()
		<-done
		if took := time.Since(start); took < 5*time.Second || took > 6*time.Second {
			t.Errorf("closed after %v", took)
		}
		if n := m.Stats().Dropped["peek_timeout"]; n != 1 {
			t.Errorf("stats: %+v", m.Stats())
		}
		closed(t, m)
	})
}

func TestTCPAcceptErrorsAreNotTheEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newPipeListener()
		m := NewTCP(l, TCPConfig{})
		for range 3 {
			l.conns <- errors.New("too many open files")
		}
		client, server := net.Pipe()
		l.conns <- server
		if _, err := client.Write(packetAllocate[:streamPeek]); err != nil {
			t.Fatal(err)
		}
		closed(t, accept(t, m.TURN()))
		if n := m.Stats().Dropped["accept_error"]; n != 3 {
			t.Errorf("%d errors counted", n)
		}
		l.conns <- errors.New("too many open files")
		closed(t, m) // while it pauses
	})
}

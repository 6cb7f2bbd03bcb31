package gate

import (
	"bytes"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// fake is a connection from an address, and whether it was closed.
type fake struct {
	net.Conn
	from   string
	closed int
}

func (f *fake) Close() error { f.closed++; return nil }

// RemoteAddr implements net.Conn.
func (f *fake) RemoteAddr() net.Addr { return net.TCPAddrFromAddrPort(netip.MustParseAddrPort(f.from)) }

// queue is a listener that accepts what is put into it; an error, or in the end net.ErrClosed.
type queue []any

// Accept implements net.Listener.
func (q *queue) Accept() (net.Conn, error) {
	if len(*q) == 0 {
		return nil, net.ErrClosed
	}
	first := (*q)[0]
	*q = (*q)[1:]
	if err, ok := first.(error); ok {
		return nil, err
	}
	return first.(*fake), nil
}
func (q *queue) Close() error   { return nil }
func (q *queue) Addr() net.Addr { return &net.TCPAddr{} }

// door is a gate and who came.
type door struct {
	*Gate
	t  *testing.T
	in map[*fake]net.Conn
}

func newDoor(t *testing.T, cfg Config) *door { return &door{New(cfg), t, map[*fake]net.Conn{}} }

// come is a connection from the address; nil: it was refused.
func (d *door) come(from string) *fake {
	f := &fake{from: from + ":1"}
	if strings.Contains(from, "::") {
		f.from = "[" + from + "]:1"
	}
	c, err := d.Listener(&queue{f}).Accept()
	if err != nil {
		if !errors.Is(err, net.ErrClosed) || f.closed != 1 {
			d.t.Errorf("refused with %v, closed %d times", err, f.closed)
		}
		return nil
	}
	d.in[f] = c
	return f
}

func (d *door) busy(from string) *fake {
	f := d.come(from)
	if f == nil {
		d.t.Fatalf("%s is refused", from)
	}
	d.Busy(d.in[f])
	return f
}

func TestBusyOnesStay(t *testing.T) {
	t.Parallel()
	d := newDoor(t, Config{Max: 2})
	a, b := d.busy("192.0.2.1"), d.busy("192.0.2.2")
	if d.come("192.0.2.3") != nil {
		t.Error("a third is let in")
	}
	for range 2 { // net/http closes more than once
		d.in[a].Close()
	}
	if d.come("192.0.2.3") == nil {
		t.Error("a free place is not given")
	}
	if s := d.Stats(); s.Open != 2 || s.Accepted != 3 || s.Refused["too_many"] != 1 || s.Displaced != 0 || b.closed != 0 {
		t.Errorf("%+v", s)
	}
}

func TestIdleOnesGiveWay(t *testing.T) {
	t.Parallel()
	d := newDoor(t, Config{Max: 3})
	first, kept, last := d.come("192.0.2.1"), d.busy("192.0.2.2"), d.come("192.0.2.3")
	d.Busy(tls.Server(d.in[first], nil)) // was asked something and has answered
	d.Idle(tls.Server(d.in[first], nil))
	if d.come("192.0.2.4") == nil || last.closed != 1 || first.closed != 0 || kept.closed != 0 {
		t.Error("the one that was idle for longest should go")
	}
	if d.come("192.0.2.5") == nil || first.closed != 1 {
		t.Error("then the next")
	}
	d.in[first].Close() // its handler notices: no place is given back twice
	if s := d.Stats(); s.Open != 3 || s.Displaced != 2 {
		t.Errorf("%+v", s)
	}
	d.Idle(d.in[first])
	d.in[kept].Close()
	if s := d.Stats(); s.Open != 2 || d.idle.Len() != 2 {
		t.Errorf("%+v, %d idle", s, d.idle.Len())
	}
}

func TestOneAddress(t *testing.T) {
	t.Parallel()
	d := newDoor(t, Config{Max: 100, MaxPerAddress: 2, Exempt: netip.Addr.IsLoopback})
	d.busy("192.0.2.1")
	mine := d.come("192.0.2.1")
	other := d.come("192.0.2.2")
	if d.come("192.0.2.1") == nil || mine.closed != 1 || other.closed != 0 {
		t.Error("an address at its bound should lose an idle one of its own")
	}
	for range 2 {
		d.busy("2001:db8:0:1::1")
	}
	if d.come("2001:db8:0:1::2") != nil || d.come("2001:db8:0:2::1") == nil {
		t.Error("an IPv6 address counts by its /64")
	}
	for range 10 {
		d.busy("127.0.0.1")
	}
	if s := d.Stats(); s.Refused["too_many_of_address"] != 1 || s.Refused["too_many"] != 0 {
		t.Errorf("%+v", s)
	}
	for _, c := range d.in {
		c.Close()
	}
	if len(d.of) != 0 || d.idle.Len() != 0 || d.Stats().Open != 0 {
		t.Errorf("left: %v, %d idle, %d open", d.of, d.idle.Len(), d.Stats().Open)
	}
}

// TestFloodDisplacesItself: where all places are taken, who opens many idle connections loses these, not those of others.
func TestFloodDisplacesItself(t *testing.T) {
	t.Parallel()
	d := newDoor(t, Config{Max: 10, MaxPerAddress: 8})
	quiet := d.come("192.0.2.1")
	for range 50 {
		if d.come("192.0.2.66") == nil {
			t.Fatal("refused")
		}
	}
	d.busy("192.0.2.2")
	if quiet.closed != 0 {
		t.Error("a stranger's flood displaced a quiet connection")
	}
}

func TestRefusalsAreSaidRarely(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	d := newDoor(t, Config{Name: "listen", Max: 1, Log: slog.New(slog.NewTextHandler(&log, nil))})
	d.busy("192.0.2.1")
	now := time.Now()
	for _, after := range []time.Duration{0, time.Second, 59 * time.Second, 61 * time.Second} {
		if d.admit(&fake{from: "192.0.2.2:1"}, now.Add(after)) != nil {
			t.Error("let in")
		}
	}
	if n := strings.Count(log.String(), "level=WARN"); n != 2 {
		t.Errorf("said %d times:\n%s", n, log.String())
	}
}

func TestShortage(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		none := &net.OpError{Op: "accept", Err: os.NewSyscallError("accept4", syscall.EMFILE)}
		var log bytes.Buffer
		s := &Shortage{Log: slog.New(slog.NewTextHandler(&log, nil))}
		broken := errors.New("broken")
		ln := s.Listener(&queue{none, none, none, &fake{from: "192.0.2.1:1"}, broken})
		if c, err := ln.Accept(); c == nil || err != nil {
			t.Fatal(c, err)
		}
		if _, err := ln.Accept(); !errors.Is(err, broken) {
			t.Error(err)
		}
		if s.Count() != 3 || strings.Count(log.String(), "level=WARN") != 1 || !strings.Contains(log.String(), "too many open files") {
			t.Errorf("%d times:\n%s", s.Count(), log.String())
		}
	})
}

func TestStrangersStayOut(t *testing.T) {
	t.Parallel()
	d := newDoor(t, Config{Max: 1, Admits: func(a netip.Addr) bool { return a == netip.MustParseAddr("192.168.1.9") }})
	if d.come("203.0.113.1") != nil || d.come("fe80::1") != nil {
		t.Error("a stranger was let in")
	}
	if d.busy("192.168.1.9") == nil {
		t.Error("a neighbour was refused")
	}
	if s := d.Stats(); s.Refused["not_here"] != 2 || s.Refused["too_many"] != 0 || s.Open != 1 {
		t.Errorf("%+v", s)
	}
}

//go:build linux

package lab

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// build makes a lab of this process's own.
func build(t *testing.T, prefix string) *Lab {
	t.Helper()
	Require(t)
	const digits = 36 * 36 * 36 * 36
	l, err := New(prefix + strconv.FormatInt(int64(os.Getpid()%digits), 36)) // at most 8 characters
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Down(context.Background()); err != nil {
			t.Error(err)
		}
	})
	if err := l.Up(t.Context()); err != nil {
		t.Fatal(err)
	}
	return l
}

// udp opens a socket in a node, until the test ends.
func udp(t *testing.T, l *Lab, n Node, address string) *net.UDPConn {
	t.Helper()
	var c net.PacketConn
	err := l.Do(n, func() (err error) {
		c, err = (&net.ListenConfig{}).ListenPacket(context.Background(), "udp4", address)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c.(*net.UDPConn)
}

// echo answers every datagram with the address that it came from, as STUN does, and a space and its content.
type echo struct {
	*net.UDPConn
	heard atomic.Int64
}

func newEcho(t *testing.T, l *Lab, n Node, address string) *echo {
	t.Helper()
	e := &echo{UDPConn: udp(t, l, n, address)}
	var task sync.WaitGroup
	task.Go(func() {
		b := make([]byte, 2048)
		for {
			n, from, err := e.ReadFromUDPAddrPort(b)
			if err != nil {
				return
			}
			e.heard.Add(1)
			if _, err := e.WriteToUDPAddrPort(fmt.Appendf(nil, "%v %s", from, b[:n]), from); err != nil {
				t.Error(err)
			}
		}
	})
	t.Cleanup(func() {
		e.Close()
		task.Wait()
	})
	return e
}

// hear reads one datagram's text within a time, "" if none came.
func hear(t *testing.T, c *net.UDPConn, within time.Duration) string {
	t.Helper()
	if err := c.SetReadDeadline(time.Now().Add(within)); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 2048)
	n, _, err := c.ReadFromUDPAddrPort(b)
	if err != nil {
		return ""
	}
	return string(b[:n])
}

// ask sends to an echo and returns the address that it saw, and what else came before the answer.
func ask(t *testing.T, c *net.UDPConn, to *echo) (reflexive string, others []string) {
	t.Helper()
	question := "from " + t.Name()
	say(t, c, question, to.LocalAddr().String())
	for {
		text := hear(t, c, 5*time.Second)
		if text == "" {
			t.Fatalf("no answer from %v", to.LocalAddr())
		}
		if address, rest, _ := strings.Cut(text, " "); rest == question {
			return address, others
		}
		others = append(others, text)
	}
}

func say(t *testing.T, c *net.UDPConn, text, to string) {
	t.Helper()
	address, err := net.ResolveUDPAddr("udp4", to)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.WriteToUDP([]byte(text), address); err != nil {
		t.Fatal(err)
	}
}

// greet accepts TCP connections in a node and says hello on each.
func greet(t *testing.T, l *Lab, n Node, address string) {
	t.Helper()
	var listener net.Listener
	if err := l.Do(n, func() (err error) {
		listener, err = (&net.ListenConfig{}).Listen(context.Background(), "tcp4", address)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	var task sync.WaitGroup
	task.Go(func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			if _, err := io.WriteString(c, "hello"); err != nil {
				t.Error(err)
			}
			c.Close()
		}
	})
	t.Cleanup(func() {
		listener.Close()
		task.Wait()
	})
}

// greeted says whether a node gets a hello from an address over TCP.
func greeted(l *Lab, n Node, address string, within time.Duration) bool {
	err := l.Do(n, func() error {
		ctx, cancel := context.WithTimeout(context.Background(), within)
		defer cancel()
		c, err := (&net.Dialer{}).DialContext(ctx, "tcp4", address)
		if err != nil {
			return err
		}
		defer c.Close()
		if err := c.SetDeadline(time.Now().Add(5 * time.Second)); err != nil {
			return err
		}
		_, err = io.ReadFull(c, make([]byte, len("hello")))
		return err
	})
	return err == nil
}

func TestNewChecksThePrefix(t *testing.T) {
	t.Parallel()
	for _, prefix := range []string{"", "1a", "A", "a-b", "abcdefghi", "a/", "../a"} {
		if _, err := New(prefix); err == nil {
			t.Errorf("%q was taken", prefix)
		}
	}
	l, err := New("abcdefg_")
	if err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{
		l.SetNAT(t.Context(), "C", Full),
		l.SetNAT(t.Context(), A, "cone"),
		func() error { _, err := l.Wire(t.Context(), "", 1); return err }(),
		l.Do(SFU, func() error { t.Error("ran outside"); return nil }),
	} {
		if err == nil {
			t.Error("no error")
		}
	}
	if err := l.Down(t.Context()); err != nil {
		t.Errorf("down of a lab that never was: %v", err)
	}
}

// verdict is what happened to a test, seen by Require.
type verdict struct{ said string }

func (v *verdict) Helper()                          {}
func (v *verdict) Skipf(format string, args ...any) { v.said = "skip: " + fmt.Sprintf(format, args...) }

func (v *verdict) Fatalf(format string, args ...any) {
	v.said = "fail: " + fmt.Sprintf(format, args...)
}

func TestRequire(t *testing.T) {
	for _, test := range []struct{ value, begins string }{{"", "skip: "}, {"0", "skip: "}, {"1", "fail: "}} {
		t.Setenv(RequireEnv, test.value)
		var v verdict
		Require(&v, "no-such-tool")
		if !strings.HasPrefix(v.said, test.begins) || !strings.Contains(v.said, "no-such-tool") {
			t.Errorf("%s=%q: %q", RequireEnv, test.value, v.said)
		}
	}
}

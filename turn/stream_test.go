package turn

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// tally counts refusals.
type tally map[Reason]int

func (c tally) refuse(r Reason) { c[r]++ }

func pipeStream(busy bool) (*stream, net.Conn, tally) {
	client, server := net.Pipe()
	counts := tally{}
	s := newStream(server, counts.refuse, time.Now())
	s.busy = func() bool { return busy }
	return s, client, counts
}

func TestStreamFrames(t *testing.T) {
	t.Parallel()
	s, client, _ := pipeStream(false)
	allocate := append([]byte{0, 3, 0, 4, 0x21, 0x12, 0xA4, 0x42}, make([]byte, 16)...)
	sent := bytes.Join([][]byte{
		allocate,
		{0x40, 1, 0, 5, 'h', 'e', 'l', 'l', 'o', 0, 0, 0}, // padded to 4
		{0x40, 1, 0, 0},
		allocate,
	}, nil)
	go func() {
		for _, b := range sent { // byte by byte
			if _, err := client.Write([]byte{b}); err != nil {
				return
			}
		}
		client.Close()
	}()
	b := make([]byte, inboundMTU)
	for i, want := range [][]byte{allocate, []byte("\x40\x01\x00\x05hello"), {0x40, 1, 0, 0}, allocate} {
		if n, _, err := s.ReadFrom(b); err != nil || !bytes.Equal(b[:n], want) {
			t.Errorf("message %d: %x, %v", i, b[:n], err)
		}
	}
	if n, _, err := s.ReadFrom(b); err == nil { // which error depends on when the pipe notices
		t.Errorf("after the end: %x", b[:n])
	}
	closed(t, s)
}

func TestStreamBadFrames(t *testing.T) {
	t.Parallel()
	for name, in := range map[string]string{
		"HTTP":                         "GET / HTTP/1.1\r\n\r\n",
		"RTP":                          "\x80\x60\x00\x01" + strings.Repeat("x", 20),
		"no cookie":                    "\x00\x01\x00\x00" + strings.Repeat("x", 16),
		"a length that is no multiple": "\x00\x01\x00\x03\x21\x12\xa4\x42" + strings.Repeat("x", 15),
		"too long":                     "\x00\x01\xff\xfc\x21\x12\xa4\x42",
		"channel data too long":        "\x40\x01\xff\xff",
	} {
		s, client, counts := pipeStream(false)
		written := make(chan struct{})
		go func() {
			defer close(written)
			io.WriteString(client, in) //nolint:errcheck // the other side hangs up
		}()
		if _, _, err := s.ReadFrom(make([]byte, inboundMTU)); !errors.Is(err, errBadFrame) || counts[BadFrame] != 1 {
			t.Errorf("%s: %v, %v", name, err, counts)
		}
		closed(t, s)
		<-written
		client.Close()
	}
}

func TestStreamTimeouts(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		busy bool
		say  string        // sent at once
		then time.Duration // a STUN Binding request that often; 0: silence
		want time.Duration
	}{
		{"nothing", false, "", 0, startTimeout},
		{"half a message", false, "\x00\x03\x00", 0, frameTimeout},
		{"half a message with an allocation", true, "\x00\x03\x00", 0, frameTimeout},
		{"talk without an allocation", false, "", 3 * time.Second, startTimeout},
		{"talk that always has begun its next word", false, "\x00", 3 * time.Second, startTimeout},
		{"silence with an allocation", true, "", 0, idleTimeout},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s, client, counts := pipeStream(tt.busy)
				start := time.Now()
				binding := append([]byte{0, 1, 0, 0, 0x21, 0x12, 0xA4, 0x42}, make([]byte, 12)...)
				whole := binding
				done := make(chan struct{})
				go func() {
					io.WriteString(client, tt.say) //nolint:errcheck // as below
					for tt.then > 0 {
						select {
						case <-time.After(tt.then):
						case <-done:
							return
						}
						if tt.say == "\x00" { // the rest of a message, and the first byte of the next
							binding = append(append([]byte(nil), whole[1:]...), whole[0])
						}
						if _, err := client.Write(binding); err != nil {
							return
						}
					}
				}()
				var err error
				for err == nil {
					_, _, err = s.ReadFrom(make([]byte, inboundMTU))
				}
				if took := time.Since(start); !errors.Is(err, os.ErrDeadlineExceeded) || took != tt.want || counts[Idle] != 1 {
					t.Errorf("%v after %v, want %v; %v", err, took, tt.want, counts)
				}
				closed(t, s)
				close(done)
			})
		})
	}
}

func TestStreamSlowReader(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, client, counts := pipeStream(true)
		start := time.Now()
		if _, err := s.WriteTo([]byte("nobody reads this"), nil); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("write: %v", err)
		}
		if took := time.Since(start); took != writeTimeout || counts[SlowReader] != 1 {
			t.Errorf("after %v: %v", took, counts)
		}
		if _, err := client.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
			t.Errorf("the client is still connected: %v", err)
		}
	})
}

func TestConnQuotas(t *testing.T) {
	t.Parallel()
	for reason, limits := range map[Reason]Limits{ConnQuota: {Conns: 1}, ConnIPQuota: {ConnsPerIP: 1}} {
		t.Run(reason.String(), func(t *testing.T) {
			t.Parallel()
			r := newRig(t, func(c *Config) { c.Limits = limits })
			first, err := net.Dial("tcp4", r.tcp.String())
			if err != nil {
				t.Fatal(err)
			}
			eventually(t, "the first is in", func() bool { return r.Stats().Conns == 1 })
			second, err := net.Dial("tcp4", r.tcp.String())
			if err != nil {
				t.Fatal(err)
			}
			defer closed(t, second)
			if err := second.SetReadDeadline(time.Now().Add(patience)); err != nil {
				t.Fatal(err)
			}
			if _, err := second.Read(make([]byte, 1)); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("the second is connected: %v", err)
			}
			wantRefused(t, r.Server, reason, 1)
			closed(t, first)
			eventually(t, "the first is out", func() bool { return r.Stats().Conns == 0 })
			relayOf(t, r.client(t, "tcp", "ann"))
		})
	}
}

// memConn is a connection that was sent some bytes and then closed.
type memConn struct {
	net.Conn
	io.Reader
}

func (c memConn) Read(b []byte) (int, error)     { return c.Reader.Read(b) }
func (memConn) SetReadDeadline(time.Time) error  { return nil }
func (memConn) RemoteAddr() net.Addr             { return &net.TCPAddr{} }
func (memConn) Close() error                     { return nil }
func (memConn) Write(b []byte) (int, error)      { return len(b), nil }
func (memConn) SetWriteDeadline(time.Time) error { return nil }
func (memConn) LocalAddr() net.Addr              { return &net.TCPAddr{} }

func FuzzStream(f *testing.F) {
	f.Add([]byte("\x00\x01\x00\x00\x21\x12\xa4\x42transaction!\x40\x01\x00\x05hello\x00\x00\x00"))
	f.Add([]byte("GET / HTTP/1.1\r\n"))
	f.Fuzz(func(t *testing.T, in []byte) {
		s := newStream(memConn{Reader: bytes.NewReader(in)}, func(Reason) {}, time.Now())
		s.busy = func() bool { return true }
		b := make([]byte, inboundMTU)
		total := 0
		for {
			n, _, err := s.ReadFrom(b)
			if err != nil {
				return
			}
			if n < 4 || n >= inboundMTU {
				t.Fatalf("a message of %d bytes", n)
			}
			if total += n; total > len(in) {
				t.Fatalf("%d bytes out of %d", total, len(in))
			}
		}
	})
}

package sfu

import (
	"context"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"log/slog"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/pion/dtls/v3"
	"github.com/pion/stun/v4"
)

func newQuietNode(f *testing.F) *Node {
	f.Helper()
	return newTestNode(f, func(c *Config) { c.Plane, c.Log = PlaneBatched, slog.New(slog.DiscardHandler) })
}

// FuzzICETCP: whatever a stranger writes to an ICE-TCP connection, and in whatever pieces, nothing is sent to him, and the connection ends
// with his.
func FuzzICETCP(f *testing.F) {
	n := newQuietNode(f)
	check, err := stun.Build(stun.BindingRequest, stun.TransactionID, stun.NewUsername("nobody:here"), stun.NewShortTermIntegrity("x"))
	must(f, err)
	frame := func(b []byte) []byte { return append(binary.BigEndian.AppendUint16(nil, uint16(len(b))), b...) }
	f.Add(frame(check.Raw), uint8(3))
	f.Add(append(frame(check.Raw), frame([]byte{firstDTLS, 254, 253})...), uint8(200))
	f.Add(frame(append([]byte{0x80, 96}, make([]byte, 30)...)), uint8(1))
	f.Add([]byte{0xff, 0xff, 0, 1}, uint8(1))
	f.Add([]byte{0, 0, 0, 0}, uint8(0))
	f.Fuzz(func(t *testing.T, b []byte, piece uint8) {
		theirs, ours := net.Pipe()
		c := &tcpConn{node: n, conn: ours, wake: make(chan struct{}, 1)}
		var tasks sync.WaitGroup
		tasks.Go(c.read)
		tasks.Go(c.flush)
		var got int64
		tasks.Go(func() { got, _ = io.Copy(io.Discard, theirs) })
		for part := range slices.Chunk(b, max(int(piece), 1)) {
			if _, err := theirs.Write(part); err != nil {
				break // ours has ended it
			}
		}
		_ = theirs.Close()
		tasks.Wait() // or the fuzzer says that it hangs
		if got != 0 {
			t.Fatalf("a stranger was sent %d bytes", got)
		}
		if c.owner.Load() != nil || n.panics.Load() != 0 {
			t.Fatal("it is somebody's, or a mistake of ours was met")
		}
	})
}

// FuzzRenegotiate: the second offer is answered, or refused as a bad one, and then nothing of it stays.
func FuzzRenegotiate(f *testing.F) {
	n := newQuietNode(f)
	f.Add(chromiumOffer().SDP, 0, 0)
	f.Add("a=ice-ufrag:other\r\n", 300, 40)
	f.Add("m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n", 900, 0)
	f.Add("", 0, 1500)
	f.Fuzz(func(t *testing.T, patch string, at, cut int) {
		p, err := n.NewPeer("p", "room", &events{})
		must(t, err)
		defer func() {
			must(t, p.Close())
			<-p.done
		}()
		o := chromiumOffer()
		_, err = p.Negotiate(t.Context(), o)
		must(t, err)
		ice, receive, send, slots := &p.transport.(*direct).ice, p.receive.Load(), p.send.Load(), len(p.slots)
		cred := ice.credentials()
		if at < 0 || at > len(o.SDP) || cut < 0 || cut > len(o.SDP)-at {
			at, cut = 0, len(o.SDP) // the whole is replaced
		}
		o.SDP = o.SDP[:at] + patch + o.SDP[at+cut:]
		_, err = p.Negotiate(t.Context(), o)
		switch {
		case p.closed.Load() || p.count.panics.Load() != 0:
			t.Fatalf("the second offer ended the peer: %v", err)
		case err == nil:
			return
		case !errors.Is(err, ErrBadOffer):
			t.Fatalf("it is no bad offer: %v", err)
		}
		if p.receive.Load() != receive || p.send.Load() != send || len(p.slots) != slots || ice.credentials() != cred {
			t.Error("something of a bad offer stays")
		}
		if _, err := p.Negotiate(t.Context(), chromiumOffer()); err != nil {
			t.Errorf("after a bad offer the good one fails: %v", err)
		}
	})
}

// wire is a client's end of a path to the node's socket, for DTLS. It spoils what it sends.
type wire struct {
	*net.UDPConn
	to    net.Addr
	sent  int
	spoil func(n int, b []byte) []byte
}

func (w *wire) WriteTo(b []byte, _ net.Addr) (int, error) {
	out := slices.Clone(b)
	if w.spoil != nil {
		out = w.spoil(w.sent, out)
	}
	w.sent++
	if len(out) > 0 {
		_, _ = w.Write(out)
	}
	return len(b), nil
}

func (w *wire) ReadFrom(b []byte) (int, net.Addr, error) {
	for {
		n, err := w.Read(b)
		if err != nil || n > 0 && b[0] >= firstDTLS && b[0] <= lastDTLS {
			return n, w.to, err
		}
	}
}

// secure makes a peer, and a client that is through with ICE and has begun DTLS. The peer knows the client's certificate.
func secure(t *testing.T, n *Node, spoil func(int, []byte) []byte) (*Peer, *dtls.Conn) {
	t.Helper()
	p, err := n.NewPeer("p", "room", &events{})
	must(t, err)
	t.Cleanup(func() {
		must(t, p.Close())
		<-p.done
	})
	_, err = p.Negotiate(t.Context(), chromiumOffer())
	must(t, err)
	id, err := n.identity(time.Now())
	must(t, err)
	d := p.transport.(*direct)
	d.prints = []fingerprint{fingerprintOf(id.certificate.Certificate[0])} // the client's is the node's, too
	d.handshakeTime = 200 * time.Millisecond
	socket, err := net.DialUDP("udp4", nil, n.cfg.Conn.LocalAddr().(*net.UDPAddr))
	must(t, err)
	t.Cleanup(func() { _ = socket.Close() })
	n.plane.ice.check(message(t, d.ice.credentials(), nominating), via{addr: socket.LocalAddr().(*net.UDPAddr).AddrPort()}, time.Now())
	d.ice.mu.Lock()
	d.ice.prove(socket.LocalAddr().(*net.UDPAddr).AddrPort().Addr().Unmap(), time.Now())
	d.ice.mu.Unlock()
	conn, err := dtls.ClientWithOptions(&wire{UDPConn: socket, to: socket.RemoteAddr(), spoil: spoil}, socket.RemoteAddr(),
		dtls.WithCertificates(id.certificate), dtls.WithInsecureSkipVerify(true), dtls.WithFlightInterval(20*time.Millisecond),
		dtls.WithSRTPProtectionProfiles(dtls.SRTP_AEAD_AES_128_GCM), dtls.WithLoggerFactory(newPionLog(n.log, nil)))
	must(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	return p, conn
}

// FuzzDTLS: a client that is through with ICE spoils its flights. Its goroutines are pion's: a panic there would end the process.
func FuzzDTLS(f *testing.F) {
	n := newQuietNode(f)
	for _, script := range []string{"", "\x00\x00\x1e\x07", "\x01\x00\x3c\xff\x81\x00\x3d\x01", "\x40\x00\x0e\x00\x02\x00\x14\x09", "\x80\x00\x28\x00"} {
		f.Add([]byte(script))
	}
	f.Fuzz(func(t *testing.T, script []byte) {
		spoil := func(n int, b []byte) []byte {
			for op := range slices.Chunk(script, 4) { // which datagram and how, where (16 bits), with what
				if len(op) < 4 || int(op[0]&0x1f) != n || len(b) == 0 {
					continue
				}
				switch at := int(binary.BigEndian.Uint16(op[1:])) % len(b); op[0] >> 6 {
				case 0:
					b[at] = op[3]
				case 1:
					b = slices.Insert(b, at, op[3])
				case 2:
					b = b[:at]
				case 3: // twice the same
					b = append(b, b[at:min(at+int(op[3]), len(b))]...)
				}
			}
			return b[:min(len(b), 1400)]
		}
		p, conn := secure(t, n, spoil)
		ctx, cancel := context.WithTimeout(t.Context(), 40*time.Millisecond)
		defer cancel()
		if conn.HandshakeContext(ctx) == nil {
			_, _ = conn.Write(script)
		}
		if p.count.panics.Load() != 0 {
			t.Fatal("a mistake of ours was met")
		}
	})
}

// FuzzSCTP: a client whose certificate was verified sends any chunks, before its association stands and after.
func FuzzSCTP(f *testing.F) {
	n := newQuietNode(f)
	for _, chunks := range []string{
		"\x00\x03\x00\x14\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x35\x01\x02\x03\x04", // data
		"\x03\x00\x00\x10\x00\x00\x00\x09\x00\x01\x00\x00\x00\x00\x00\x00",                 // acknowledged
		"\x06\x00\x00\x04", "\x07\x00\x00\x08\x00\x00\x00\x01", "\x04\x00\x00\x0c\x00\x01\x00\x08\x01\x02\x03\x04", // abort, shutdown, heartbeat
		"\x82\x00\x00\x14\x00\x0d\x00\x10\x00\x00\x00\x01\x00\x00\x00\x01\x00\x00\x00\x64", "\xc0\x00\x00\x0c\x00\x00\x00\x69\x00\x00\x00\x01",
	} {
		f.Add([]byte(chunks), uint8(0))
		f.Add([]byte(chunks), uint8(1))
	}
	const initiate = "\x01\x00\x00\x14\x00\x00\x00\x07\x00\x01\x00\x00\xff\xff\xff\xff\x00\x00\x00\x01"
	f.Fuzz(func(t *testing.T, chunks []byte, how uint8) {
		p, conn := secure(t, n, nil)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if conn.HandshakeContext(ctx) != nil {
			t.Skip("the machine is too busy for a handshake")
		}
		send := func(tag uint32, chunks []byte) {
			b := binary.BigEndian.AppendUint32([]byte("\x13\x88\x13\x88"), tag)
			b = append(append(b, 0, 0, 0, 0), chunks[:min(len(chunks), 1100)]...)
			binary.LittleEndian.PutUint32(b[8:], crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli)))
			_, _ = conn.Write(b)
		}
		tag := uint32(0)
		if how&1 != 0 { // the association stands
			send(0, []byte(initiate))
			_ = conn.SetReadDeadline(time.Now().Add(time.Second))
			b := make([]byte, 2000)
			for cookie := false; !cookie; {
				k, err := conn.Read(b)
				if err != nil {
					t.Skip("no answer")
				}
				if cookie = k >= 32 && b[12] == 2; cookie {
					tag = binary.BigEndian.Uint32(b[16:])
					if i := slices.Index(b[32:k-1], 7); i > 0 && b[32+i-1] == 0 { // the state cookie's parameter
						size := min(int(binary.BigEndian.Uint16(b[32+i+1:])), k-32-i+1)
						echo := append([]byte{10, 0, byte(size >> 8), byte(size)}, b[32+i+3:32+i-1+size]...)
						send(tag, echo)
					}
				}
			}
		}
		for part := range slices.Chunk(chunks, max(int(how&^1)*4, 16)) {
			send(tag, part)
		}
		send(tag, chunks)
		if p.count.panics.Load() != 0 {
			t.Fatal("a mistake of ours was met")
		}
	})
}

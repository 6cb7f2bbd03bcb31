package ws

import (
	"bufio"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/parley/parley/sfu"
	"github.com/parley/parley/signaling"
	"github.com/parley/parley/signaling/token"
)

// noMedia is a media node that nobody in these tests asks for a peer.
type noMedia struct{}

func (noMedia) NewPeer(string, string, sfu.PeerEvents) (signaling.Peer, error) {
	return nil, errors.New("no media")
}
func (noMedia) NewSpeakers() signaling.Speakers { return noSpeakers{} }

type noSpeakers struct{}

func (noSpeakers) Add(string, *sfu.Source)           {}
func (noSpeakers) Remove(string)                     {}
func (noSpeakers) Update(time.Time) ([]string, bool) { return nil, false }

// site is a server that listens on loopback.
type site struct {
	t     testing.TB
	rooms *signaling.Server
	ws    *Handler
	addr  string
	log   *logBook
}

// logBook keeps what is logged.
type logBook struct {
	mu   sync.Mutex
	text strings.Builder
}

func (b *logBook) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *logBook) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

func newSite(t testing.TB, change func(*signaling.Config)) *site {
	t.Helper()
	book := &logBook{}
	tokens, err := token.New(token.Config{})
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.NewTextHandler(book, &slog.HandlerOptions{Level: slog.LevelDebug}))
	cfg := signaling.Config{Media: noMedia{}, Tokens: tokens, Log: log}
	if change != nil {
		change(&cfg)
	}
	rooms, err := signaling.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	h, err := New(Config{Rooms: rooms, Origins: []string{"https://app.example.org"}, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	h.cut = 2 * time.Second
	mux := http.NewServeMux()
	mux.Handle(Pattern, h)
	server := httptest.NewServer(mux)
	s := &site{t: t, rooms: rooms, ws: h, addr: server.Listener.Addr().String(), log: book}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		if err := rooms.Shutdown(ctx); err != nil {
			t.Errorf("shutdown: %v", err)
		}
		h.Wait()
		server.Close()
	})
	return s
}

// until waits for a condition of the server's figures.
func (s *site) until(what string, cond func(signaling.Stats) bool) {
	s.t.Helper()
	deadline := time.After(15 * time.Second)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !cond(s.rooms.Stats()) {
		select {
		case <-tick.C:
		case <-deadline:
			s.t.Fatalf("%s: not within 15 s: %+v", what, s.rooms.Stats())
		}
	}
}

// wire is a client that writes its frames itself (RFC 6455 section 5).
type wire struct {
	t    testing.TB
	conn net.Conn
	r    *bufio.Reader
	resp *http.Response
}

// dial sends an upgrade request with these headers, as "Name: value".
func (s *site) dial(room string, headers ...string) *wire {
	s.t.Helper()
	conn, err := net.Dial("tcp", s.addr)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		s.t.Fatal(err)
	}
	fmt.Fprintf(conn, "GET /v1/rooms/%s/ws HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"+
		"Sec-WebSocket-Extensions: permessage-deflate\r\n%s\r\n\r\n", room, s.addr, strings.Join(headers, "\r\n"))
	w := &wire{t: s.t, conn: conn, r: bufio.NewReader(conn)}
	if w.resp, err = http.ReadResponse(w.r, nil); err != nil {
		s.t.Fatal(err)
	}
	return w
}

const speaks = "Sec-WebSocket-Protocol: parley.v1"

// open dials and wants a WebSocket.
func (s *site) open(room string) *wire {
	s.t.Helper()
	w := s.dial(room, speaks)
	if w.resp.StatusCode != http.StatusSwitchingProtocols {
		s.t.Fatalf("status %d", w.resp.StatusCode)
	}
	return w
}

const (
	opText   = 0x1
	opBinary = 0x2
	opClose  = 0x8
	opPing   = 0x9
	opPong   = 0xA
	fin      = 0x80
)

// frame writes one frame, masked with zeroes. head is the first byte; length may differ from the payload's, for a frame that
// is cut short.
func (w *wire) frame(head byte, length int, payload []byte) {
	w.t.Helper()
	b := []byte{head}
	switch {
	case length < 126:
		b = append(b, 0x80|byte(length))
	case length < 1<<16:
		b = binary.BigEndian.AppendUint16(append(b, 0x80|126), uint16(length))
	default:
		b = binary.BigEndian.AppendUint64(append(b, 0x80|127), uint64(length))
	}
	b = append(append(b, 0, 0, 0, 0), payload...)
	if _, err := w.conn.Write(b); err != nil {
		w.t.Logf("write: %v", err) // the server may have gone: the test finds out by reading
	}
}

func (w *wire) send(text string) { w.frame(fin|opText, len(text), []byte(text)) }

// next reads one frame.
func (w *wire) next() (op byte, payload []byte, err error) {
	var head [2]byte
	if _, err := io.ReadFull(w.r, head[:]); err != nil {
		return 0, nil, err
	}
	length := uint64(head[1])
	if length&0x80 != 0 {
		w.t.Error("the server masks its frames")
	}
	wide := map[uint64]int{126: 2, 127: 8}[length]
	if wide > 0 {
		var b [8]byte
		if _, err := io.ReadFull(w.r, b[8-wide:]); err != nil {
			return 0, nil, err
		}
		length = binary.BigEndian.Uint64(b[:])
	}
	payload = make([]byte, length)
	_, err = io.ReadFull(w.r, payload)
	return head[0] & 0xF, payload, err
}

// read wants a text message and returns it decoded.
func (w *wire) read() map[string]any {
	w.t.Helper()
	op, payload, err := w.next()
	if err != nil || op != opText {
		w.t.Fatalf("opcode %d %q, %v", op, payload, err)
	}
	var m map[string]any
	if err := json.Unmarshal(payload, &m); err != nil {
		w.t.Fatalf("%q: %v", payload, err)
	}
	return m
}

// closed reads up to the close frame, answers it and returns its code and reason; 1006 where the connection just ended.
func (w *wire) closed() (code int, reason string) {
	w.t.Helper()
	for {
		op, payload, err := w.next()
		switch {
		case err != nil:
			return 1006, err.Error()
		case op == opClose && len(payload) >= 2:
			w.frame(fin|opClose, len(payload), payload)
			return int(binary.BigEndian.Uint16(payload)), string(payload[2:])
		case op == opClose:
			return 1005, ""
		}
	}
}

func (w *wire) close(code uint16) {
	w.frame(fin|opClose, 2, binary.BigEndian.AppendUint16(nil, code))
}

// join joins without media and returns the participant's id.
func (w *wire) join() string {
	w.t.Helper()
	w.send(`{"type":"join","id":1,"name":"Ann"}`)
	m := w.read()
	if m["type"] != "welcome" {
		w.t.Fatalf("%v", m)
	}
	return m["participant"].(string)
}

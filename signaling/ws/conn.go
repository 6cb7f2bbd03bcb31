package ws

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"nhooyr.io/websocket" // deprecated (SA1019): the module has moved; this is the one file to change when we follow

	"github.com/parley/parley/signaling"
)

const (
	// unproven is what a connection may send at once before it has shown a token that is good, in bytes: the beginning of a join has one.
	unproven = 16 << 10

	// strangerTimeout is closeTimeout where nobody has joined: it is not waited for long.
	strangerTimeout = time.Second
)

// closeTimeout bounds a close: the library waits 5 s to write its frame and 5 s for the answer, but without any bound for
// the rest of a frame that the peer had begun.
const closeTimeout = 8 * time.Second

// Of each connection, in bytes.
const (
	readBuffer  = 512
	writeBuffer = 1 << 10
)

// conn is one WebSocket. Write and Close belong to the link's writer, read to the handler.
type conn struct {
	ws  *websocket.Conn
	raw *onceClosed
	cut atomic.Int64 // nanoseconds: a close that takes longer cuts the socket
}

var _ signaling.Conn = (*conn)(nil)

// accept takes over the connection of a request. Where that fails the response has been written.
func accept(w http.ResponseWriter, r *http.Request) (*conn, error) {
	h := &hijacker{ResponseWriter: w}
	ws, err := websocket.Accept(h, r, &websocket.AcceptOptions{
		Subprotocols:       []string{protocol},
		InsecureSkipVerify: true, // the origin has been checked, scheme included; the library's check leaves that out
		CompressionMode:    websocket.CompressionDisabled,
	})
	if err != nil {
		return nil, fmt.Errorf("accept websocket: %w", err)
	}
	ws.SetReadLimit(-1) // read has its own
	c := &conn{ws: ws, raw: h.conn}
	c.cut.Store(int64(strangerTimeout))
	return c, nil
}

// hijacker keeps hold of the network connection, to cut it when a close takes too long.
type hijacker struct {
	http.ResponseWriter
	conn *onceClosed
}

// Hijack implements http.Hijacker.
func (h *hijacker) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	c, rw, err := http.NewResponseController(h.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	h.conn = &onceClosed{Conn: c}
	return h.conn, small(h.conn, rw), nil
}

// small replaces the HTTP server's buffers of 4 KiB each, which the connection would keep: usual messages are shorter, and a longer one
// goes past them.
func small(c net.Conn, rw *bufio.ReadWriter) *bufio.ReadWriter {
	if rw.Reader.Buffered() == 0 { // else a client has sent frames before it was answered
		rw.Reader = bufio.NewReaderSize(c, readBuffer)
	}
	rw.Writer = bufio.NewWriterSize(c, writeBuffer)
	return rw
}

// onceClosed lets one close frame out. The library answers the peer's answer to our close with another one, which RFC 6455
// (section 5.5.1) forbids and for which Chromium reports 1006 instead of our code.
//
// It also holds frames back that are to leave in one system call with the next one.
type onceClosed struct {
	net.Conn
	closing atomic.Bool // set before our close: no message is written after it, so a write begins with a frame
	sent    atomic.Bool
	holding atomic.Bool // by the link's writer, while more messages follow

	held []byte // Owned by Write, which the library calls with its lock held.
}

// maxHeld bounds what is held back.
const maxHeld = 64 << 10

const closeFrame = 0x88 // FIN and opcode 8

// Write implements net.Conn.
func (c *onceClosed) Write(b []byte) (int, error) {
	if len(b) > 0 && b[0] == closeFrame && c.closing.Load() && c.sent.Swap(true) {
		return len(b), nil
	}
	if c.holding.Load() && len(c.held)+len(b) <= maxHeld {
		c.held = append(c.held, b...)
		return len(b), nil
	}
	if len(c.held) == 0 {
		return c.Conn.Write(b)
	}
	before := len(c.held)
	n, err := c.Conn.Write(append(c.held, b...))
	c.held = nil // seldom needed: no memory is kept for it
	return max(n-before, 0), err
}

// errTooBig reports a message over the limit. The connection cannot be read any further.
var errTooBig = errors.New("ws: message too big")

// read waits for the next message of at most limit bytes. Where it has more than first, vouch is asked whether the rest may come. text is
// false for a binary one, whose content is dropped. The error is errTooBig, with the beginning of the message, or that of a connection that has ended.
func (c *conn) read(ctx context.Context, first, limit int, vouch func(begin []byte) bool) (msg []byte, text bool, err error) {
	typ, r, err := c.ws.Reader(ctx)
	if err != nil {
		return nil, false, fmt.Errorf("read: %w", err)
	}
	msg, err = io.ReadAll(io.LimitReader(r, int64(first)+1))
	if err == nil && len(msg) > first && first < limit && vouch(msg) {
		var rest []byte
		rest, err = io.ReadAll(io.LimitReader(r, int64(limit-first)))
		msg, first = append(msg, rest...), limit
	}
	if err != nil {
		return nil, false, fmt.Errorf("read: %w", err)
	}
	if len(msg) > first {
		return msg, false, errTooBig
	}
	return msg, typ == websocket.MessageText, nil
}

// graceful reports whether a read ended because the peer closed for good: it left, or its page was closed.
func graceful(err error) bool {
	status := websocket.CloseStatus(err)
	return status == websocket.StatusNormalClosure || status == websocket.StatusGoingAway
}

// Write implements signaling.Conn.
func (c *conn) Write(ctx context.Context, msgs ...[]byte) (err error) {
	for i, msg := range msgs {
		c.raw.holding.Store(i < len(msgs)-1)
		if err = c.ws.Write(ctx, websocket.MessageText, msg); err != nil {
			c.raw.holding.Store(false)
			break
		}
	}
	if err != nil && ctx.Err() != nil {
		return fmt.Errorf("write: %w", ctx.Err()) // the library closes the connection, and says only that
	}
	return err
}

// Close implements signaling.Conn. The errors say only that the peer has gone already.
func (c *conn) Close(code signaling.CloseCode, reason string) {
	late := time.AfterFunc(time.Duration(c.cut.Load()), func() { _ = c.raw.Close() })
	defer late.Stop()
	if code == 0 {
		_ = c.ws.CloseNow()
		return
	}
	c.raw.closing.Store(true)
	_ = c.ws.Close(websocket.StatusCode(code), reason)
}

// Client is the other end of a conn: for the load tool and for tests.
type Client struct{ ws *websocket.Conn }

// maxServerMessage bounds what a client reads: the snapshot of a large room is the largest message.
const maxServerMessage = 16 << 20

// Dial opens the WebSocket at url, as ws://127.0.0.1:8080/v1/rooms/standup/ws.
func Dial(ctx context.Context, url string) (*Client, error) {
	c, _, err := websocket.Dial(ctx, url, &websocket.DialOptions{ //nolint:bodyclose // the library closes it
		Subprotocols: []string{protocol}, CompressionMode: websocket.CompressionDisabled,
	})
	if err != nil {
		return nil, fmt.Errorf("dial: %w", err)
	}
	c.SetReadLimit(maxServerMessage)
	return &Client{c}, nil
}

// Read waits for the next message.
func (c *Client) Read(ctx context.Context) ([]byte, error) {
	_, msg, err := c.ws.Read(ctx)
	return msg, err
}

// Write sends a text message. Several goroutines may write at once.
func (c *Client) Write(ctx context.Context, msg []byte) error {
	return c.ws.Write(ctx, websocket.MessageText, msg)
}

// Close closes the connection at once, without a code: say leave before.
func (c *Client) Close() error {
	_ = c.ws.CloseNow() // it says only that the peer has gone already
	return nil
}

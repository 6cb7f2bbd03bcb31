package ws

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/parley/parley/internal/clientip"
	"github.com/parley/parley/signaling"
)

// Pattern is where the handler belongs in an http.ServeMux.
const Pattern = "GET /v1/rooms/{room}/ws"

// Config describes a handler. Rooms is required.
type Config struct {
	Rooms   *signaling.Server
	Origins []string     // pages of these origins may connect besides the server's own: "https://example.org", "https://*.example.org", or "*"
	Log     *slog.Logger // default slog.Default()
}

// Validate reports the first thing in c that makes no sense.
func (c Config) Validate() error {
	if c.Rooms == nil {
		return errors.New("ws: no Rooms")
	}
	for _, o := range c.Origins {
		if err := checkOrigin(o); err != nil {
			return err
		}
	}
	return nil
}

// Handler answers GET /v1/rooms/{room}/ws.
type Handler struct {
	rooms   *signaling.Server
	origins origins
	log     *slog.Logger
	cut     time.Duration // for tests; 0: closeTimeout
	readers sync.WaitGroup
	panics  atomic.Uint64
}

// New makes a handler. The error is that of Validate.
func New(cfg Config) (*Handler, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	return &Handler{rooms: cfg.Rooms, origins: newOrigins(cfg.Origins), log: cfg.Log}, nil
}

// Wait returns when the last connection has ended. Call it when the rooms are shut down.
func (h *Handler) Wait() { h.readers.Wait() }

// ServeHTTP opens one connection, which a goroutine of the handler's reads from then on: the request's own would keep the request, and a
// stack that has the HTTP server's frames on it, for as long as the connection lasts.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if retryAfter, draining := h.rooms.Draining(); draining {
		drain(w, retryAfter)
		return
	}
	if !h.origins.allow(r) {
		deny(w, http.StatusForbidden, "forbidden", "Pages of this origin may not connect here.")
		return
	}
	bearer, err := subprotocols(r.Header.Values("Sec-WebSocket-Protocol"))
	if err != nil {
		deny(w, http.StatusBadRequest, "bad_request", err.Error())
		return
	}
	c, err := accept(w, r)
	if err != nil {
		h.log.Debug("no websocket", "err", err)
		return
	}
	if h.cut > 0 {
		c.cut.Store(int64(h.cut))
	}
	link, err := h.rooms.Open(r.PathValue("room"), bearer, clientip.Of(r), c)
	if err != nil { // draining began just now
		c.Close(0, "")
		return
	}
	h.readers.Go(func() {
		end := false
		defer func() { link.End(end) }() // also should the library panic
		defer h.guard()
		end = h.pump(link, c)
	})
}

// guard keeps a panic of the library to the connection whose reader met it. Use it with defer.
func (h *Handler) guard() {
	if p := recover(); p != nil {
		h.panics.Add(1)
		h.log.Error("panic at a websocket", "panic", p, "stack", string(debug.Stack()))
	}
}

// Panics is how many connections a panic has ended.
func (h *Handler) Panics() uint64 { return h.panics.Load() }

// pump reads until the connection has ended. It reports whether the client closed it for good.
func (h *Handler) pump(link *signaling.Link, c *conn) bool {
	limit := h.rooms.MaxMessage()
	first, joined := min(unproven, limit), false
	for {
		if !joined && link.Joined() {
			joined, first = true, limit
			if h.cut == 0 {
				c.cut.Store(int64(closeTimeout))
			}
		}
		msg, text, err := c.read(context.Background(), first, limit, link.Vouch) // Link.End and conn.Close end it
		switch {
		case errors.Is(err, errTooBig):
			link.TooBig(msg)
			return false
		case err != nil:
			h.log.Debug("websocket ended", "err", err)
			return graceful(err)
		case !text:
			link.Receive(nil) // a bad message, as any that is no JSON object
		default:
			link.Receive(msg)
		}
	}
}

// drain sends a client away that came during shutdown.
func drain(w http.ResponseWriter, retryAfter time.Duration) {
	w.Header().Set("Retry-After", strconv.Itoa(int(max(retryAfter.Seconds(), 1))))
	deny(w, http.StatusServiceUnavailable, "draining", "The server is shutting down.")
}

// deny answers instead of upgrading. A client that is gone by then is no error of ours.
func deny(w http.ResponseWriter, status int, code, message string) {
	body, err := json.Marshal(map[string]any{"error": map[string]string{"code": code, "message": message}})
	if err != nil {
		panic(err) // strings alone: cannot fail
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

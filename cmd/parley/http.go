package main

import (
	"errors"
	"log/slog"
	"net"
	"net/http"
	"runtime/debug"
	"sync/atomic"
	"time"

	"github.com/parley/parley/internal/gate"
)

// Bounds on what somebody holds who has shown no token, in bytes.
const (
	headerBytes = 12 << 10 // net/http reads 4 KiB more; a token may have 8 KiB
	frameBytes  = 16 << 10 // of HTTP/2, the least that there is; net/http would make room for 1 MiB at a frame's first bytes
	bodyWindow  = 16 << 10 // of HTTP/2: nothing here reads a body
)

// idleTimeout is how long a connection is kept that nothing is asked on. Proxies should let theirs go sooner.
const idleTimeout = 30 * time.Second

// newHTTPServer sets the timeouts that suit streams: none for a whole request or response. Every handler that writes for
// long bounds each write itself. The gate is told which connections are idle.
func newHTTPServer(handler http.Handler, door *gate.Gate, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    headerBytes,
		HTTP2: &http.HTTP2Config{
			MaxReadFrameSize: frameBytes, MaxReceiveBufferPerStream: bodyWindow, MaxReceiveBufferPerConnection: 64 << 10,
		},
		ConnState: func(c net.Conn, state http.ConnState) {
			switch state {
			case http.StateActive, http.StateHijacked:
				door.Busy(c)
			case http.StateIdle:
				door.Idle(c)
			case http.StateNew, http.StateClosed: // the gate knows by itself
			}
		},
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
}

// Bounds on one request: for its body, which nothing here reads but net/http waits for, and for taking the response. Streams
// and long-polls set their own.
const (
	bodyTimeout     = 15 * time.Second
	responseTimeout = time.Minute
)

// bounded keeps a client that sends its request's body slowly, or does not take the response, from holding its connection
// for ever.
func bounded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		now, rc := time.Now(), http.NewResponseController(w)
		if err := errors.Join(rc.SetReadDeadline(now.Add(bodyTimeout)), rc.SetWriteDeadline(now.Add(responseTimeout))); err != nil &&
			!errors.Is(err, http.ErrNotSupported) {
			return // the connection is closed
		}
		next.ServeHTTP(w, r)
	})
}

// routes puts the handlers of all parts on one mux. The WebSocket route has the bare ResponseWriter: its upgrade takes over the
// connection, which a wrapped one would hide. Panics are counted.
func routes(p parts, panics *atomic.Uint64, log *slog.Logger) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/v1/", guard(p.presence, panics, log))
	mux.Handle("/", guard(p.pages, panics, log))
	mux.Handle("/v1/rooms/{room}/ws", alone(p.ws, panics, log))
	// It tells pages of other origins apart by itself: some may exchange an invitation.
	mux.Handle("/v1/access", watched(p.access, panics, log))
	mux.Handle("/v1/access/", watched(p.access, panics, log))
	for _, of := range []string{"invitations", "bans", "waiting"} {
		mux.Handle("/v1/rooms/{room}/"+of, guard(p.doors, panics, log))
	}
	return bounded(mux)
}

// parts are what answers HTTP.
type parts struct {
	ws, presence, access, pages http.Handler

	doors http.Handler // a room's invitations, bans and who waits
}

// alone keeps a panic to its connection, as net/http does, and counts it.
func alone(next http.Handler, panics *atomic.Uint64, log *slog.Logger) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			if p := recover(); p != nil {
				note(p, r, panics, log)
				panic(http.ErrAbortHandler)
			}
		}()
		next.ServeHTTP(w, r)
	})
}

// note counts and logs a panic. One that only ends its request on purpose goes on.
func note(p any, r *http.Request, panics *atomic.Uint64, log *slog.Logger) {
	if err, ok := p.(error); ok && errors.Is(err, http.ErrAbortHandler) {
		panic(p)
	}
	panics.Add(1)
	log.Error("a request failed", "path", r.URL.Path, "panic", p, "stack", string(debug.Stack()))
}

// thisMachineOnly refuses host names other than this machine's own. A web page could otherwise point its name at 127.0.0.1,
// and would be of our own origin then, on a server that asks for no token.
func thisMachineOnly(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !isLoopback(hostOf(r.Host)) {
			http.Error(w, "Without a secret this server answers to localhost and 127.0.0.1 alone.", http.StatusMisdirectedRequest)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// guard is watched, and refuses writes from pages of other origins.
func guard(next http.Handler, panics *atomic.Uint64, log *slog.Logger) http.Handler {
	return watched(http.NewCrossOriginProtection().Handler(next), panics, log)
}

// watched keeps a panic to its request, and logs requests at debug.
func watched(next http.Handler, panics *atomic.Uint64, log *slog.Logger) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began := time.Now()
		rec := &recorder{ResponseWriter: w}
		defer func() {
			if p := recover(); p != nil {
				note(p, r, panics, log)
				if rec.status == 0 {
					http.Error(rec, "internal error", http.StatusInternalServerError)
				} else {
					panic(http.ErrAbortHandler) // the response is cut short, and must look so
				}
			}
			// No query: it may hold an access token.
			log.Debug("request", "method", r.Method, "path", r.URL.Path, "status", rec.status, "took", time.Since(began))
		}()
		next.ServeHTTP(rec, r)
	})
}

// recorder remembers the status of a response.
type recorder struct {
	http.ResponseWriter
	status int
}

// WriteHeader notes the final status; those below 200 are announcements.
func (r *recorder) WriteHeader(status int) {
	if r.status == 0 && status >= 200 {
		r.status = status
	}
	r.ResponseWriter.WriteHeader(status)
}

// Write sends 200 where no status was.
func (r *recorder) Write(b []byte) (int, error) {
	if r.status == 0 {
		r.status = http.StatusOK
	}
	return r.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController flush and set deadlines.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

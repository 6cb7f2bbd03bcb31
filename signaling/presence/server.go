package presence

import (
	"context"
	"log/slog"
	"net/http"
	"sync"

	"github.com/rs/cors"
)

// Server answers the presence requests. It is an http.Handler for /v1/rooms and what is below it, save the WebSocket,
// which is mounted beside it.
type Server struct {
	// Static after construction.
	cfg     Config
	log     *slog.Logger
	handler http.Handler
	count   counters
	drain   chan struct{} // closed by Shutdown: streams end within Timing.Drain, polls at once
	halt    chan struct{} // closed when Shutdown runs out of time: streams end at once

	mu sync.Mutex

	// Guarded by mu.
	watchers int
	shares   map[sharer]int // of these, by token and by address
	draining bool
	halted   bool
	idle     chan struct{} // made by Shutdown; closed when the last watcher has gone
}

var _ http.Handler = (*Server)(nil)

// New makes a server. End its streams with Shutdown before the HTTP server's own.
func New(cfg Config) (*Server, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	cfg = cfg.withDefaults()
	s := &Server{cfg: cfg, log: cfg.Log, shares: map[sharer]int{}, drain: make(chan struct{}), halt: make(chan struct{})}
	mux := http.NewServeMux()
	mux.HandleFunc("/v1/rooms", reading(s.serveList))
	mux.HandleFunc("/v1/rooms/{room}", reading(s.serveRoom))
	mux.HandleFunc("/v1/rooms/{room}/events", reading(s.serveEvents))
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { refuse(w, errNotFound) })
	s.handler = mux
	if len(cfg.Origins) > 0 { // an empty list would mean all origins to cors
		s.handler = cors.New(cors.Options{
			AllowedOrigins: cfg.Origins,
			AllowedMethods: []string{http.MethodGet, http.MethodHead},
			AllowedHeaders: []string{"Authorization", "Accept", "Cache-Control", "If-None-Match", "Last-Event-ID"},
			ExposedHeaders: []string{"ETag", "Retry-After", "WWW-Authenticate"},
			MaxAge:         3600,
		}).Handler(mux)
	}
	return s, nil
}

// ServeHTTP answers one request. Streams last until the client goes, the token expires, or Shutdown.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

// reading answers every method that only reads, and refuses the others.
func reading(next http.HandlerFunc) http.HandlerFunc {
	const allow = "GET, HEAD, OPTIONS"
	return func(w http.ResponseWriter, r *http.Request) {
		switch r.Method {
		case http.MethodGet, http.MethodHead:
			next(w, r)
		case http.MethodOptions:
			w.Header().Set("Allow", allow)
			w.WriteHeader(http.StatusNoContent)
		default:
			w.Header().Set("Allow", allow)
			refuse(w, errMethod)
		}
	}
}

// Shutdown ends all streams, spread over Timing.Drain, and answers the long-polls, and waits for them until ctx ends;
// then the streams that are left end without a word, and the error is ctx's. Later requests for a feed are told to come
// back. The HTTP server should stop accepting first.
func (s *Server) Shutdown(ctx context.Context) error {
	idle := s.beginDrain()
	select {
	case <-idle:
		return nil
	case <-ctx.Done():
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.halted {
		s.halted = true
		close(s.halt)
	}
	return ctx.Err()
}

func (s *Server) beginDrain() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.draining {
		s.draining = true
		s.idle = make(chan struct{})
		close(s.drain)
		if s.watchers == 0 {
			close(s.idle)
		}
	}
	return s.idle
}

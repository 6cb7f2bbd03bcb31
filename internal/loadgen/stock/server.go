package stock

import (
	"bufio"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/pion/interceptor"
	"github.com/pion/webrtc/v4"

	"github.com/parley/parley/internal/loadgen"
)

// Server is the forwarder.
type Server struct {
	// Static after construction.
	log      *slog.Logger
	api      *webrtc.API
	listener net.Listener
	media    net.PacketConn
	tasks    sync.WaitGroup

	mu     sync.Mutex
	rooms  map[string]*room   // Guarded by mu.
	peers  map[*peer]struct{} // Guarded by mu.
	lastID int                // Guarded by mu.
	closed bool               // Guarded by mu.

	in, out, bytesOut atomic.Uint64
}

// room is who is in it, and what they publish.
type room struct {
	peers   []*peer
	sources map[sourceKey]*source
}

type sourceKey struct {
	participant string
	kind        webrtc.RTPCodecType
}

// source is one track that somebody publishes.
type source struct {
	from    *peer
	ssrc    webrtc.SSRC
	track   *webrtc.TrackLocalStaticRTP
	viewers atomic.Int64 // that are connected
}

// Stats counts RTP packets and bytes since the start.
type Stats struct{ PacketsIn, PacketsOut, BytesOut uint64 }

// New serves signaling on listener and media on media, both of which it closes in the end.
func New(listener net.Listener, media net.PacketConn, log *slog.Logger) (*Server, error) {
	engine := &webrtc.MediaEngine{}
	registry := &interceptor.Registry{}
	if err := errors.Join(engine.RegisterDefaultCodecs(), webrtc.RegisterDefaultInterceptors(engine, registry)); err != nil {
		return nil, fmt.Errorf("stock: %w", err)
	}
	var settings webrtc.SettingEngine
	settings.SetICEUDPMux(webrtc.NewICEUDPMux(nil, media))
	settings.SetIncludeLoopbackCandidate(true)
	// Clients of this package take no other role than theirs; it is the role that Parley has too.
	if err := settings.SetAnsweringDTLSRole(webrtc.DTLSRoleServer); err != nil {
		return nil, fmt.Errorf("stock: %w", err)
	}
	s := &Server{
		log: log, listener: listener, media: media, rooms: map[string]*room{}, peers: map[*peer]struct{}{},
		api: webrtc.NewAPI(webrtc.WithMediaEngine(engine), webrtc.WithInterceptorRegistry(registry), webrtc.WithSettingEngine(settings)),
	}
	s.tasks.Go(s.accept)
	return s, nil
}

func (s *Server) accept() {
	for {
		conn, err := s.listener.Accept()
		if err != nil {
			if !errors.Is(err, net.ErrClosed) {
				s.log.Error("accept", "err", err)
			}
			return
		}
		s.tasks.Go(func() {
			if err := s.serve(conn); err != nil {
				s.log.Warn("a client ended", "err", err)
			}
		})
	}
}

// serve speaks with one client until it leaves.
func (s *Server) serve(conn net.Conn) error {
	defer conn.Close()
	in := bufio.NewReaderSize(conn, loadgen.MaxLine)
	name, err := in.ReadString('\n')
	if err != nil {
		return fmt.Errorf("the room's name: %w", err)
	}
	p, err := s.enter(strings.TrimSpace(name), conn)
	if err != nil {
		return err
	}
	defer s.leave(p)
	for {
		line, err := in.ReadSlice('\n')
		if err != nil || s.isClosed() {
			return nil // it has gone
		}
		if done, err := p.hear(line); done || err != nil {
			return err
		}
	}
}

func (s *Server) enter(name string, conn net.Conn) (*peer, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, net.ErrClosed
	}
	r := s.rooms[name]
	if r == nil {
		r = &room{sources: map[sourceKey]*source{}}
		s.rooms[name] = r
	}
	s.lastID++
	p := &peer{server: s, room: r, id: fmt.Sprintf("p%d", s.lastID), conn: conn}
	r.peers = append(r.peers, p)
	s.peers[p] = struct{}{}
	return p, nil
}

func (s *Server) isClosed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closed
}

// Stats returns a snapshot.
func (s *Server) Stats() Stats {
	return Stats{PacketsIn: s.in.Load(), PacketsOut: s.out.Load(), BytesOut: s.bytesOut.Load()}
}

// Close ends all connections and waits for all goroutines.
func (s *Server) Close() error {
	s.mu.Lock()
	s.closed = true
	for p := range s.peers {
		_ = p.conn.Close() // it ends the reader, which does the rest
	}
	s.mu.Unlock()
	err := s.listener.Close()
	s.tasks.Wait()
	if closing := s.media.Close(); !errors.Is(closing, net.ErrClosed) {
		err = errors.Join(err, closing)
	}
	return err
}

package main

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/parley/parley/internal/audit"
	"github.com/parley/parley/internal/gate"
	"github.com/parley/parley/internal/lan"
	"github.com/parley/parley/internal/mux"
	"github.com/parley/parley/internal/state"
	"github.com/parley/parley/sfu"
	"github.com/parley/parley/signaling"
	"github.com/parley/parley/signaling/access"
	"github.com/parley/parley/signaling/access/guests"
	"github.com/parley/parley/signaling/access/hosts"
	"github.com/parley/parley/signaling/access/oidc"
	"github.com/parley/parley/signaling/presence"
	"github.com/parley/parley/signaling/ws"
	"github.com/parley/parley/turn"
	"github.com/parley/parley/web"
)

// server is a running Parley.
type server struct {
	// Static after construction.
	log     *slog.Logger
	timeout time.Duration // for shutdown
	places  places
	door    *gate.Gate    // of the HTTP listeners
	certs   *certificates // nil: no TLS
	near    *neighbours   // whom --lan serves; nil: not asked for
	sockets *sockets
	reach   reach
	url     string // where to point a browser
	data    *state.Dir

	tcp      *mux.TCP     // nil: off
	turn     *turn.Server // nil: off
	sfu      *sfu.Node
	audit    *audit.Trail
	rooms    *signaling.Server
	ws       *ws.Handler
	presence *presence.Server
	book     *guests.Book   // nil: no secret
	hosts    *hosts.Hosts   // nil: nobody signs in
	oidc     *oidc.Provider // nil: nobody signs in elsewhere
	access   *access.Server
	http     *http.Server
	admin    *http.Server // nil: off

	panics atomic.Uint64 // of HTTP handlers
	failed chan error    // from Serve, when a listener breaks
	ready  atomic.Bool
	reload chan struct{} // asks certificates.watch to load; nil without TLS
	cancel context.CancelFunc
	tasks  sync.WaitGroup // goroutines of serve
}

// start opens the sockets, starts the parts on them, and serves. What is started when something fails is stopped again.
func start(ctx context.Context, l *loaded, log *slog.Logger) (*server, error) {
	s := &server{log: log, timeout: l.ShutdownTimeout, data: state.New(l.folder, log)}
	if l.TLSCert != "" {
		var err error
		if s.certs, err = newCertificates(l.TLSCert, l.TLSKey, l.publicHost(), log); err != nil {
			return nil, usageError{err}
		}
	}
	var err error
	if l.LAN {
		if s.near, err = l.newNeighbours(lan.This(), s.data, log, time.Now()); err != nil {
			return nil, errors.Join(err, s.data.Close())
		}
	}
	s.places = l.fit(fileLimit())
	trusted := l.proxies()
	s.door = gate.New(gate.Config{
		Name: "listen", Max: s.places.http, MaxPerAddress: s.places.perAddress, Admits: s.near.filter(), Log: log,
		Exempt: func(a netip.Addr) bool { return a.IsLoopback() || trusted.Trust(a) },
	})
	if s.sockets, err = l.openSockets(ctx, s.near, log); err != nil {
		return nil, errors.Join(err, s.data.Close())
	}
	s.reach = newReach(l.PublicIP, s.sockets.udp.LocalAddr())
	if l.udpHere {
		s.reach.bound = netip.AddrFrom4([4]byte{127, 0, 0, 1})
	}
	if s.near != nil {
		s.reach.local = s.near.View().Addrs
	}
	handler, err := s.startParts(l)
	if err != nil {
		if s.rooms != nil {
			err = errors.Join(err, s.rooms.Shutdown(ctx))
		}
		s.closeMedia()
		s.sockets.close()
		if s.book != nil {
			s.book.Close()
		}
		return nil, errors.Join(err, s.data.Close())
	}
	s.url = s.address(l)
	s.serve(ctx, handler)
	s.ready.Store(true)
	return s, nil
}

// startParts starts media, then what controls it, and returns what answers HTTP. Whoever was started is in s, also after
// an error.
func (s *server) startParts(l *loaded) (http.Handler, error) {
	ice, err := s.startMedia(l)
	if err != nil {
		return nil, err
	}
	if err := s.startRooms(l, ice); err != nil {
		return nil, err
	}
	s.ws, err = ws.New(ws.Config{Rooms: s.rooms, Origins: l.allOrigins(), Log: s.log})
	if err != nil {
		return nil, err
	}
	pages, err := web.Handler()
	if err != nil {
		return nil, err
	}
	handler := routes(parts{s.ws, s.presence, s.access, pages, s.access.Rooms()}, &s.panics, s.log)
	switch {
	case s.near != nil:
		handler = neighboursOnly(handler, s.near)
	case !l.open():
		handler = thisMachineOnly(handler)
	}
	return l.behindProxies(handler, s.log), nil
}

// startMedia starts the relay and the SFU, and tells where clients find the relay.
func (s *server) startMedia(l *loaded) (ice signaling.ICE, err error) {
	udp := s.sockets.udp
	if hint := udp.BufferHint(); hint != "" {
		s.log.Warn(hint)
	}
	var iceTCP, turnTCP net.Listener
	if s.sockets.tcp != nil {
		s.tcp = mux.NewTCP(s.sockets.tcp, mux.TCPConfig{
			MaxOpen: s.places.tcp, MaxPerIP: min(l.Connections.TCPPerAddress, s.places.tcp), Admits: s.near.filter(), Log: s.log,
		})
		iceTCP, turnTCP = s.tcp.ICE(), s.tcp.TURN()
	}
	if l.Turn.Enabled {
		if s.turn, err = l.newRelay(udp.TURN(), turnTCP, s.reach, s.near, s.places.relays, s.log); err != nil {
			return nil, err
		}
		var tcpAddr net.Addr
		if s.tcp != nil {
			tcpAddr = s.tcp.Addr()
		}
		ice = newIssuer(s.turn, s.reach, udp.LocalAddr(), tcpAddr)
	} else if err := closeUnused(udp.TURN(), turnTCP); err != nil {
		return nil, err
	}
	s.sfu, err = sfu.New(sfu.Config{
		Conn: udp.Media(), TCP: iceTCP, PublicIPs: s.reach.public, Loopback: l.udpHere, Lite: s.reach.lite(l.Media.ICELite),
		MaxDataBytes: l.Limits.DataBytes, StartBitrate: l.Media.StartBitrate, MaxPublishBPS: l.Media.MaxPublish,
		Plane: sfu.Plane(l.Media.Plane), Log: s.log,
	})
	return ice, err
}

// startRooms starts signaling and presence on top of media.
func (s *server) startRooms(l *loaded, ice signaling.ICE) error {
	tokens, err := l.verifier()
	if err != nil {
		return err
	}
	s.audit = audit.New(s.log, l.Log.Addresses)
	if s.book, err = l.openBook(s.data, s.log); err != nil {
		return err
	}
	cfg := signaling.Config{
		Media: mediaNode{s.sfu}, ICE: ice, Tokens: tokens, Limits: l.Limits.limits(), Timing: l.Timing.timing(),
		Log: s.log, Audit: s.audit,
	}
	if s.book != nil {
		cfg.Invitations, cfg.Bans = bookOfLinks{s.book}, bookOfBans{s.book}
	}
	if s.rooms, err = signaling.New(cfg); err != nil {
		return err
	}
	if err := s.startAccess(l, tokens); err != nil {
		return err
	}
	s.presence, err = presence.New(presence.Config{
		Rooms: watchedRooms{s.rooms}, Tokens: tokens, Origins: l.allOrigins(), MaxWatchers: s.places.watchers,
		PerToken: l.Presence.PerToken, PerAddress: l.Presence.PerAddress,
		Timing: presence.Timing{Heartbeat: l.Presence.Heartbeat}, Log: s.log, Audit: s.audit,
	})
	return err
}

// closeUnused gives up the TURN sides of the sockets, so that what arrives for them is dropped and counted.
func closeUnused(udp net.PacketConn, tcp net.Listener) error {
	err := udp.Close()
	if tcp != nil {
		err = errors.Join(err, tcp.Close())
	}
	return err
}

// stop ends everything within the shutdown timeout: not ready any more, clients are told to come back, and so is who comes meanwhile; when
// they have gone or the time is up, media and sockets are closed. What remained then is logged.
func (s *server) stop(ctx context.Context) {
	s.ready.Store(false)
	began := time.Now()
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()

	var drains sync.WaitGroup
	var left atomic.Bool
	drain := func(name string, shutdown func(context.Context) error) {
		drains.Go(func() {
			if err := shutdown(ctx); err != nil {
				left.Store(true)
				s.log.Warn("not everybody left in time", "part", name, "err", err)
			}
		})
	}
	s.http.SetKeepAlivesEnabled(false)
	drain("signaling", s.rooms.Shutdown)
	drain("presence", s.presence.Shutdown)
	drains.Wait()
	drain("http", s.http.Shutdown) // closes the listeners: a proxy before us that is refused says so to clients in its own words
	drains.Wait()
	if left.Load() {
		s.http.Close()
	} else {
		s.ws.Wait()
	}
	s.closeMedia()
	s.cancel()
	if s.admin != nil {
		s.admin.Close()
	}
	s.tasks.Wait()
	s.sockets.close()
	if s.book != nil {
		s.book.Close()
	}
	if err := s.data.Close(); err != nil {
		s.log.Warn("closing the data folder", "err", err)
	}
	s.log.Info("stopped", "took", time.Since(began).Round(time.Millisecond).String())
}

// closeMedia closes what startParts started below signaling. An error leaves nothing to do but to say it.
func (s *server) closeMedia() {
	var errs []error
	if s.sfu != nil {
		errs = append(errs, s.sfu.Close())
	}
	if s.turn != nil {
		errs = append(errs, s.turn.Close())
	}
	if s.tcp != nil {
		errs = append(errs, s.tcp.Close())
	}
	errs = append(errs, s.sockets.udp.Close())
	for _, err := range errs {
		if err != nil && !errors.Is(err, net.ErrClosed) {
			s.log.Warn("closing media", "err", err)
		}
	}
}

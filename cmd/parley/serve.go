package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"runtime"
	"syscall"
	"time"

	"github.com/parley/parley/internal/gate"
)

// runServe runs the server until a signal ends it.
func runServe(ctx context.Context, c console, args []string) error {
	flags := newFlagSet("serve", "parley [serve] [flags]", "Runs the server. Without any flags it serves this machine alone.\n"+
		"Each flag is an environment variable too (--turn-relay-ip: PARLEY_TURN_RELAY_IP) and a key of the configuration\n"+
		"file (turn.relay_ip); in brackets: defaults.")
	flags.config(func(field) bool { return true })
	flags.Var(flags.Lookup("media-plane").Value, "plane", "Short for --media-plane.")
	if err := flags.parse(args, c.stdout); err != nil {
		return err
	}
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer signal.Stop(signals)

	l, err := load(c.environ, flags.file, flags.settings)
	if err != nil {
		return err
	}
	if err := l.exposed(); err != nil {
		return err
	}
	log := newLogger(c.stderr, l.Log)
	for _, w := range l.warnings {
		log.Warn(w)
	}
	s, err := start(ctx, l, log)
	if err != nil {
		return err
	}
	s.places.say(ctx, l, fileLimit(), log)
	if !soundHTTP2(runtime.Version()) {
		log.Warn("this binary was built by a Go whose HTTP/2 lets anybody end the process (CVE-2026-97032): TLS is served without HTTP/2; "+
			"build it with Go 1.26.9 or later", "go", runtime.Version())
	}
	s.announce(c, l)
	return s.wait(ctx, signals)
}

// announce says where to go: a line for a person on standard output, and one for the log.
func (s *server) announce(c console, l *loaded) {
	switch {
	case s.near != nil:
		s.announceLAN(c.stdout, l)
	case !l.open():
		fmt.Fprintf(c.stdout, "Parley is ready: open %s\n"+
			"There is no secret, so only this machine is served, and everybody on it may enter every room; the first in a room moderates it. "+
			"To serve others set PARLEY_SECRET.\n", s.url)
	case !l.guarded():
		fmt.Fprintf(c.stdout, "Parley is ready: open %s\nINSECURE: whoever reaches this address may enter every room; the first in a room moderates it.\n", s.url)
	default:
		fmt.Fprintf(c.stdout, "Parley is ready: open %s\n%s", s.url, s.wayIn(l, time.Now()))
	}
	admin := off
	if s.sockets.admin != nil {
		admin = s.sockets.admin.Addr().String()
		if !isLoopback(hostOf(admin)) {
			s.log.Warn("the admin address can be reached from other machines and has no password: a firewall must guard it",
				"admin", admin)
		}
	}
	tcp := off
	if s.tcp != nil {
		tcp = s.tcp.Addr().String()
	}
	s.log.Info("ready", "url", s.url, "version", buildVersion(), "http", s.sockets.http[0].Addr().String(),
		"udp", s.sockets.udp.LocalAddr().String(), "tcp", tcp, "admin", admin,
		"secret", l.guarded(), "lan", l.LAN, "ice_lite", s.reach.lite(l.Media.ICELite), "turn", l.Turn.Enabled)
}

// wayIn says how one gets into rooms where there is a secret.
func (s *server) wayIn(l *loaded, now time.Time) string {
	switch {
	case l.hostsByLink():
		return fmt.Sprintf("To open rooms, sign in as a host with this link. It is good for a day, and once:\n\n  %s/sign-in#key=%s\n\n"+
			"You can invite guests from inside a room. For more hosts set a passphrase (parley passphrase).\n", s.url, s.hosts.NewLink(now))
	case l.openTo() == openHosts:
		return "Hosts sign in there, open rooms and invite guests.\n"
	case l.openTo() == openAnyone:
		return "Whoever opens a room's address is in; the first in a room moderates it.\n"
	default:
		return fmt.Sprintf("Entering a room takes a token: parley token --room ROOM --identity WHO --link %s\n", s.url)
	}
}

// wait serves until a signal or a broken listener. The first SIGTERM or SIGINT stops in order; the second ends the
// process at once, with the goroutine that stops still at work.
func (s *server) wait(ctx context.Context, signals <-chan os.Signal) error {
	var cause error
	for stopping := false; !stopping; {
		select {
		case sig := <-signals:
			if sig == syscall.SIGHUP {
				s.hangup()
				continue
			}
			s.log.Info("stopping", "signal", sig.String(), "timeout", s.timeout.String())
		case cause = <-s.failed:
		case <-ctx.Done():
		}
		stopping = true
	}
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		s.stop(context.WithoutCancel(ctx))
	}()
	for {
		select {
		case <-stopped:
			return cause
		case sig := <-signals:
			if sig != syscall.SIGHUP {
				return fmt.Errorf("stopped at once by a second signal (%v)", sig)
			}
		}
	}
}

// hangup has the certificates read again.
func (s *server) hangup() {
	if s.reload == nil {
		s.log.Info("SIGHUP: there is no certificate to read again")
		return
	}
	select {
	case s.reload <- struct{}{}:
	default: // it is about to
	}
}

// serve starts the HTTP servers and what watches the certificates.
func (s *server) serve(ctx context.Context, handler http.Handler) {
	s.failed = make(chan error, len(s.sockets.http)+1)
	ctx, s.cancel = context.WithCancel(ctx)
	s.http = newHTTPServer(handler, s.door, s.log)
	s.tasks.Go(func() { tidy(ctx) })
	switch {
	case s.certs != nil:
		s.http.TLSConfig = s.certs.config()
	case s.near != nil:
		s.http.TLSConfig = s.near.config()
	}
	encrypted := s.http.TLSConfig != nil
	if encrypted {
		s.http.Protocols = protocols(runtime.Version())
	}
	if s.certs != nil {
		s.reload = make(chan struct{}, 1)
		s.tasks.Go(func() { s.certs.watch(ctx, s.reload) })
	}
	if s.near != nil {
		s.tasks.Go(func() { s.near.watch(ctx, portOf(s.sockets.http[0].Addr())) })
	}
	for _, ln := range s.sockets.http {
		if s.near != nil {
			ln = httpsInstead{ln}
		}
		s.serveHTTP(s.http, s.door.Listener(ln), encrypted)
	}
	if ln := s.sockets.admin; ln != nil {
		door := gate.New(gate.Config{Name: "admin", Max: s.places.admin, Log: s.log})
		s.admin = newHTTPServer(alone(adminHandler(&s.ready, s.metrics(), isLoopback(hostOf(ln.Addr().String())), s.log), &s.panics, s.log), door, s.log)
		s.serveHTTP(s.admin, door.Listener(ln), false)
	}
}

// serveHTTP serves one listener until its server is shut down.
func (s *server) serveHTTP(srv *http.Server, ln net.Listener, encrypted bool) {
	s.tasks.Go(func() {
		var err error
		if encrypted {
			err = srv.ServeTLS(ln, "", "")
		} else {
			err = srv.Serve(ln)
		}
		if !errors.Is(err, http.ErrServerClosed) {
			s.failed <- fmt.Errorf("serve %s: %w", ln.Addr(), err)
		}
	})
}

package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"syscall"

	"github.com/parley/parley/internal/gate"
	"github.com/parley/parley/internal/mux"
	"github.com/parley/parley/internal/rawtcp"
)

// sockets are all that the process listens on.
type sockets struct {
	udp   *mux.UDP
	tcp   net.Listener   // nil: off
	http  []net.Listener // one, or two with the other loopback address
	admin net.Listener   // nil: off

	shortage gate.Shortage
}

// openSockets opens all of them or none. near are those who are served; nil: everybody whom the addresses let in.
func (l *loaded) openSockets(ctx context.Context, near *neighbours, log *slog.Logger) (*sockets, error) {
	s := &sockets{shortage: gate.Shortage{Log: log}}
	if err := l.fill(ctx, near, s); err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

func (l *loaded) fill(ctx context.Context, near *neighbours, s *sockets) error {
	var err error
	listenUDP := mux.ListenUDP
	switch {
	case near != nil:
		listenUDP = near.listenUDP
	case l.udpHere:
		listenUDP = mux.ListenUDPHere
	}
	if s.udp, err = listenUDP(l.UDP, l.Media.sockets()); err != nil {
		return l.socketError("udp", l.UDP, err)
	}
	if s.tcp, err = l.listen(ctx, s, "tcp", l.TCP); err != nil {
		return err
	}
	first, err := l.listen(ctx, s, "listen", l.Listen)
	if err != nil {
		return err
	}
	s.http = []net.Listener{first}
	if l.listenToo != "" {
		_, port, err := net.SplitHostPort(first.Addr().String())
		if err != nil {
			return err
		}
		// Not every machine has IPv6, and 127.0.0.1 is enough: only a port in use is worth stopping for.
		second, err := l.listen(ctx, s, "listen", net.JoinHostPort(l.listenToo, port))
		switch {
		case err == nil:
			s.http = append(s.http, second)
		case errors.Is(err, syscall.EADDRINUSE):
			return err
		}
	}
	s.admin, err = l.listen(ctx, s, "admin", l.Admin)
	return err
}

// listenUDP opens a port for neighbours.
func (n *neighbours) listenUDP(addr string, sockets int) (*mux.UDP, error) {
	return mux.ListenUDPFrom(addr, sockets, n.admits)
}

func (l *loaded) listen(ctx context.Context, s *sockets, key, addr string) (net.Listener, error) {
	if addr == off {
		return nil, nil
	}
	var lc net.ListenConfig
	ln, err := lc.Listen(ctx, "tcp", addr)
	if err != nil {
		return nil, l.socketError(key, addr, err)
	}
	return s.shortage.Listener(rawtcp.Listener(ln)), nil
}

// socketError says why an address cannot be used, and how to mend it.
func (l *loaded) socketError(key, addr string, err error) error {
	_, port, _ := net.SplitHostPort(addr) // validated
	var dns *net.DNSError
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("%s: port %s is in use at %s: stop the program that has it, or choose another port with --%s: %w",
			key, port, addr, key, syscall.EADDRINUSE)
	case errors.Is(err, syscall.EACCES):
		return fmt.Errorf("%s: no permission to listen at %s: ports below 1024 need CAP_NET_BIND_SERVICE "+
			"(see deploy/parley.service), or choose another with --%s", key, addr, key)
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return fmt.Errorf("%s: %s is not an address of this machine: leave the host out, or use one that \"ip address\" shows "+
			"(behind a NAT the outer address goes into --public-ip)", key, addr)
	case errors.As(err, &dns):
		return fmt.Errorf("%s: no address is known for the host in %s: write it as :%s or with an IP address", key, addr, port)
	default:
		return fmt.Errorf("%s: cannot listen at %s: %w", key, addr, err)
	}
}

// close closes what is open. Closing a listener twice does no harm.
func (s *sockets) close() {
	if s.udp != nil {
		_ = s.udp.Close() // nothing is left to lose
	}
	for _, ln := range append(s.http, s.tcp, s.admin) {
		if ln != nil {
			ln.Close()
		}
	}
}

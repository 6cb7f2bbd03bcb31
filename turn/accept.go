package turn

import (
	"errors"
	"net"
	"time"
)

// accept serves the connections of one listener. When the system refuses to hand one over (too many files), it waits
// 5 ms, doubling to 1 s.
func (s *Server) accept(l net.Listener) {
	const first, most = 5 * time.Millisecond, time.Second
	for pause := first; ; {
		c, err := l.Accept()
		if err != nil {
			if errors.Is(err, net.ErrClosed) || s.isClosed() {
				return
			}
			s.cfg.Log.Debug("accept failed", "err", err, "pause", pause)
			select {
			case <-time.After(pause):
			case <-s.closed:
				return
			}
			pause = min(2*pause, most)
			continue
		}
		pause = first
		s.admitConn(c)
	}
}

// admitConn serves c, or closes it where a limit is reached.
func (s *Server) admitConn(c net.Conn) {
	ip := client(c.RemoteAddr())
	defer s.guard(func() { c.Close() })
	s.mu.Lock()
	var reason Reason
	ok := true
	switch {
	case s.conns >= s.cfg.Limits.Conns:
		reason, ok = ConnQuota, false
	case s.connsByIP[ip] >= s.cfg.Limits.ConnsPerIP:
		reason, ok = ConnIPQuota, false
	default:
		s.conns++
		s.connsByIP[ip]++
	}
	s.mu.Unlock()
	if !ok {
		s.refuse(reason)
		if err := c.Close(); err != nil {
			s.cfg.Log.Debug("close", "err", err)
		}
		return
	}
	err := s.serve(newStream(c, s.refuse, time.Now()), func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.conns--
		if s.connsByIP[ip]--; s.connsByIP[ip] == 0 {
			delete(s.connsByIP, ip)
		}
	})
	if err != nil && !errors.Is(err, net.ErrClosed) {
		s.cfg.Log.Debug("serve", "err", err)
	}
}

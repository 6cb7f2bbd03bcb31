package gate

import (
	"errors"
	"log/slog"
	"net"
	"sync"
	"syscall"
	"time"
)

// Shortage waits where the system has no file or memory left for a connection, says so at times, and counts. One is for all listeners of
// the process. The zero value is ready.
type Shortage struct {
	Log *slog.Logger // nil: none

	// Guarded by mu.
	mu    sync.Mutex
	count uint64
	said  rarely
}

// Count is how often there was nothing left.
func (s *Shortage) Count() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.count
}

// Listener returns ln, whose Accept goes on after a shortage.
func (s *Shortage) Listener(ln net.Listener) net.Listener { return &patient{ln, s} }

type patient struct {
	net.Listener
	shortage *Shortage
}

// Accept implements net.Listener. It waits 5 ms, doubling to 100 ms.
func (p *patient) Accept() (net.Conn, error) {
	for pause := 5 * time.Millisecond; ; pause = min(2*pause, 100*time.Millisecond) {
		c, err := p.Listener.Accept()
		if err == nil || !scarce(err) {
			return c, err
		}
		p.shortage.note(err, p.Addr(), time.Now())
		<-time.After(pause)
	}
}

func scarce(err error) bool {
	for _, e := range []syscall.Errno{syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

func (s *Shortage) note(err error, at net.Addr, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.count++
	if s.said.due(now) && s.Log != nil {
		s.Log.Warn("a connection cannot be accepted: raise the limit of open files (LimitNOFILE, ulimit -n), or lower the limits of connections",
			"listener", at.String(), "err", err, "times", s.count)
	}
}

// rarely is due at first, and once a minute then.
type rarely struct{ last time.Time }

func (r *rarely) due(now time.Time) bool {
	if !r.last.IsZero() && now.Sub(r.last) < time.Minute {
		return false
	}
	r.last = now
	return true
}

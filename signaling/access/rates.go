package access

import (
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

const (
	perSecond    = 10  // requests of an address, sustained: a school behind one NAT comes at once…
	burst        = 300 // …and at the same minute
	maxAddresses = 4096
)

// rates bounds how often an address asks. Of more addresses than it remembers some begin anew.
type rates struct {
	mu sync.Mutex
	by map[netip.Prefix]*rate.Limiter // Guarded by mu.
}

func newRates() *rates { return &rates{by: map[netip.Prefix]*rate.Limiter{}} }

// take counts a request at now; wait is when the next is welcome, or 0: this one is. This machine is not bound: it may be a proxy.
func (r *rates) take(from netip.Prefix, now time.Time) (wait time.Duration) {
	if !from.IsValid() || from.Addr().IsLoopback() {
		return 0
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	l := r.by[from]
	if l == nil {
		if len(r.by) >= maxAddresses {
			for old, limiter := range r.by {
				if limiter.TokensAt(now) >= burst || len(r.by) >= maxAddresses {
					delete(r.by, old)
				}
			}
		}
		l = rate.NewLimiter(perSecond, burst)
		r.by[from] = l
	}
	if l.AllowN(now, 1) {
		return 0
	}
	return time.Second / perSecond
}

package turn

import (
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// budgetEntries bounds how many client addresses have a budget of their own (about 150 bytes each). Under a flood from
// more addresses than that, new ones share one budget: memory stays bounded, and those known before are not hurt.
const budgetEntries = 16384

// budget is a rate per client address.
type budget struct {
	rate  rate.Limit
	burst int

	mu       sync.Mutex
	byIP     map[netip.Addr]*rate.Limiter
	overflow *rate.Limiter
	swept    time.Time
}

func newBudget(perSecond int) *budget {
	b := &budget{rate: rate.Limit(perSecond), burst: 20 * perSecond, byIP: map[netip.Addr]*rate.Limiter{}}
	b.overflow = rate.NewLimiter(b.rate, b.burst)
	return b
}

func (b *budget) allow(ip netip.Addr, now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	l := b.byIP[ip]
	if l == nil {
		if len(b.byIP) >= budgetEntries {
			b.sweep(now)
		}
		if len(b.byIP) >= budgetEntries {
			return b.overflow.AllowN(now, 1)
		}
		l = rate.NewLimiter(b.rate, b.burst)
		b.byIP[ip] = l
	}
	return l.AllowN(now, 1)
}

// sweep forgets those whose budget is whole again, at most once a second.
func (b *budget) sweep(now time.Time) {
	if now.Sub(b.swept) < time.Second {
		return
	}
	b.swept = now
	for ip, l := range b.byIP {
		if l.TokensAt(now) >= float64(b.burst) {
			delete(b.byIP, ip)
		}
	}
}

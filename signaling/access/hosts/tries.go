package hosts

import (
	"fmt"
	"net/netip"
	"time"

	"golang.org/x/time/rate"
)

const (
	freeTries    = 3                // wrong ones of an address, before it has to wait
	longestWait  = 5 * time.Minute  // between two tries of an address
	forgetAfter  = 30 * time.Minute // an address that has not been wrong for so long begins anew
	maxAddresses = 4096             // that are remembered; then the one that was wrong first is forgotten

	allPerSecond = 1 // wrong tries of all addresses together, sustained…
	allBurst     = 60
)

// TooMany reports that somebody tried too often.
type TooMany struct {
	Wait time.Duration // before he may try again
}

func (e *TooMany) Error() string {
	return fmt.Sprintf("too many wrong tries: wait %v", e.Wait.Round(time.Second))
}

// tries counts wrong ones, by address and in all. Its methods need the Hosts' lock.
type tries struct {
	by  map[netip.Prefix]*record
	all *rate.Limiter
}

type record struct {
	wrong int
	last  time.Time
	until time.Time // no try before
}

func newTries() tries {
	return tries{by: map[netip.Prefix]*record{}, all: rate.NewLimiter(allPerSecond, allBurst)}
}

// wait is how long an address must wait before its next try.
func (t *tries) wait(from netip.Prefix, now time.Time) time.Duration {
	var wait time.Duration
	if r := t.by[from]; r != nil {
		wait = r.until.Sub(now)
	}
	if t.all.TokensAt(now) < 1 {
		wait = max(wait, time.Second/allPerSecond)
	}
	return max(wait, 0)
}

// failed counts a wrong try. Each one more of an address doubles its wait.
func (t *tries) failed(from netip.Prefix, now time.Time) {
	t.all.AllowN(now, 1)
	r := t.by[from]
	if r == nil || now.Sub(r.last) > forgetAfter {
		t.makeRoom(now)
		r = &record{}
		t.by[from] = r
	}
	r.wrong++
	r.last = now
	if over := r.wrong - freeTries; over >= 0 {
		r.until = now.Add(min(time.Second<<min(over, 16), longestWait))
	}
}

// passed forgets the wrong tries of an address that got it right.
func (t *tries) passed(from netip.Prefix) { delete(t.by, from) }

// makeRoom keeps the list bounded.
func (t *tries) makeRoom(now time.Time) {
	if len(t.by) < maxAddresses {
		return
	}
	var oldest netip.Prefix
	at := now
	for from, r := range t.by {
		if now.Sub(r.last) > forgetAfter {
			delete(t.by, from)
		} else if !r.last.After(at) {
			oldest, at = from, r.last
		}
	}
	if len(t.by) >= maxAddresses {
		delete(t.by, oldest)
	}
}

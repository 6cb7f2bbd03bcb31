package sfu

import (
	"sync"
	"time"

	"github.com/parley/parley/sfu/internal/ntp"
)

// clock maps a publisher's NTP time to this machine's. The sources of one publisher share one, so that the same offset shifts
// sound and picture. Safe for concurrent use; touched once per sender report, not per packet.
type clock struct {
	mu     sync.Mutex
	offset ntp.Offset // guarded by mu
}

func newClock() *clock { return &clock{} }

func (c *clock) observe(now time.Time, ntpTime uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.offset.Observe(now, ntpTime)
}

func (c *clock) local(ntpTime uint64) time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.offset.Local(ntpTime)
}

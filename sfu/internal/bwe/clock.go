package bwe

import "time"

// clock turns times into microseconds that never run backward, whatever the machine's clock does.
type clock struct {
	epoch time.Time
	now   int64 // µs since epoch: the latest that was seen
}

// at is now in µs. It starts well above 0, so that no difference of times is below.
func (c *clock) at(now time.Time) int64 {
	if c.epoch.IsZero() {
		c.epoch = now.Add(-time.Hour)
	}
	c.now = max(c.now, now.Sub(c.epoch).Microseconds())
	return c.now
}

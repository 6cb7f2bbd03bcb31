package ntp

import "time"

const (
	epoch = 2208988800 // seconds from 1900 to 1970
	drift = 16         // a later arrival counts one 16th: it is mostly queueing, a little clock drift
	jump  = 5 * time.Second
)

// FromTime returns t in NTP format: 32 bits of seconds since 1900, 32 bits of fraction.
func FromTime(t time.Time) uint64 {
	return uint64(t.Unix()+epoch)<<32 | uint64(t.Nanosecond())<<32/1e9
}

// Since returns the time from b to a, both in NTP format. Times are taken to be less than 68 years apart.
func Since(a, b uint64) time.Duration {
	d := int64(a - b)
	return time.Duration(d>>32)*time.Second + time.Duration((d&0xffffffff)*1e9>>32)
}

// Ticks converts a duration to RTP clock ticks.
func Ticks(d time.Duration, rate uint32) int64 {
	s := d / time.Second
	return int64(s)*int64(rate) + int64(d-s*time.Second)*int64(rate)/int64(time.Second)
}

// Offset estimates the difference between a publisher's clock and ours from the arrival of its reports. The zero value is
// ready.
type Offset struct {
	known   bool
	ntp     uint64    // a publisher's time…
	arrival time.Time // …and ours that we take for the same moment
}

// Observe takes a report's NTP time and its arrival. The earliest arrivals are the truest.
func (o *Offset) Observe(now time.Time, ntp uint64) {
	if !o.known {
		*o = Offset{known: true, ntp: ntp, arrival: now}
		return
	}
	late := now.Sub(o.Local(ntp))
	switch {
	case late > jump || late < -jump: // the clock was set
		o.arrival = now
	case late < 0:
		o.arrival = now
	default:
		o.arrival = now.Add(-late + late/drift)
	}
	o.ntp = ntp
}

// Local returns our time for the publisher's, or the zero time when nothing is known.
func (o *Offset) Local(ntp uint64) time.Time {
	if !o.known {
		return time.Time{}
	}
	return o.arrival.Add(Since(ntp, o.ntp))
}

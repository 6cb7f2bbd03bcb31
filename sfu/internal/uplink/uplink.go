package uplink

import "time"

const (
	window  = 20 * time.Millisecond
	windows = 64 // 1.28 s

	// A collapse: in each of the last three spans something came, the newest so much later than what came a moment before that, ever
	// later or with a part missing, and no more than a share of the usual rate.
	span       = 2 // windows
	lateness   = 80 * time.Millisecond
	rising     = 5 * time.Millisecond
	torn       = 0.2 // of the packets
	share      = 0.65
	beforeFrom = 8 // windows back…
	beforeFor  = 12
	usualFrom  = 15 // …before the collapse began
	usualFor   = 40

	// It is over when the queue has drained, and was none where it does not.
	drained   = 40 * time.Millisecond
	drainedIn = 5 // windows
	patience  = 700 * time.Millisecond
	shrunk    = 0.8
	longest   = 3 * time.Second

	keep       = 0.85            // of the rate that comes through: the rest drains the queue
	measureFor = 10              // windows
	least      = 1e5             // bit/s
	again      = 2 * time.Second // from the end of a collapse to the next: one is made of the same queue, and of the keyframes after it

	baseFor = 5 * time.Second // a clock's base is the least of this time and of the one before
	young   = time.Second     // until a clock's base is one
	wild    = 10 * time.Second
)

// Clock compares a stream's RTP timestamps with their packets' arrival. The zero value is ready.
type Clock struct {
	started   bool
	since     int64 // arrival of the first packet, Unix nanoseconds
	last      uint32
	media     int64 // nanoseconds of media since then
	base      [2]int64
	turn      int64 // when base was turned over
	remainder int64
}

// late returns how much later than the quickest of the last seconds a packet is, and false while that is not known.
func (c *Clock) late(at int64, timestamp, hz uint32) (time.Duration, bool) {
	if c.started {
		ticks := int64(int32(timestamp-c.last))*int64(time.Second) + c.remainder
		c.media += ticks / int64(hz)
		c.remainder = ticks % int64(hz)
		c.last = timestamp
	}
	way := at - c.since - c.media
	if !c.started || way > c.least()+int64(wild) || way < c.least()-int64(wild) {
		*c = Clock{started: true, since: at, last: timestamp, turn: at}
		return 0, false
	}
	if at-c.turn >= int64(baseFor) || at < c.turn {
		c.base[1], c.base[0], c.turn = c.base[0], way, at
	}
	c.base[0] = min(c.base[0], way)
	return time.Duration(way - c.least()), at-c.since >= int64(young)
}

func (c *Clock) least() int64 { return min(c.base[0], c.base[1]) }

// Gauge is a publisher's. The zero value is ready.
type Gauge struct {
	cells     [windows]cell
	collapsed bool
	since     time.Time     // the collapse, or its end
	peak      time.Duration // of the lateness since then
	measured  bool          // limit, after the collapse
	limit     float64
}

type cell struct {
	number        int64
	bytes         int
	packets, lost int
	late          time.Duration // the least of the window's packets, -1: not known
}

func (g *Gauge) at(n int64) *cell {
	c := &g.cells[n&(windows-1)]
	if c.number != n {
		*c = cell{number: n, late: -1}
	}
	return c
}

func number(now time.Time) int64 { return now.UnixNano() / int64(window) }

// Came notes a packet of so many bytes, retransmissions and padding included, and how many went missing just before it.
func (g *Gauge) Came(now time.Time, bytes, lost int) {
	c := g.at(number(now))
	c.bytes += bytes
	c.packets++
	c.lost += lost
}

// Media notes the timestamp of a packet that was sent for the first time.
func (g *Gauge) Media(now time.Time, c *Clock, timestamp, hz uint32) {
	if late, ok := c.late(now.UnixNano(), timestamp, hz); ok {
		if w := g.at(number(now)); w.late < 0 || late < w.late {
			w.late = late
		}
	}
}

// sum adds up n windows, the newest of which is to.
func (g *Gauge) sum(to int64, n int) (out cell) {
	out.late = -1
	for i := range int64(n) {
		c := &g.cells[(to-i)&(windows-1)]
		if c.number != to-i {
			continue
		}
		out.bytes += c.bytes
		out.packets += c.packets
		out.lost += c.lost
		if c.late >= 0 && (out.late < 0 || c.late < out.late) {
			out.late = c.late
		}
	}
	return out
}

func rate(bytes, n int) float64 { return 8 * float64(bytes) / (float64(n) * window.Seconds()) }

// Collapsed reports whether the publisher's network carries far less than is sent, and what it should send for now, in bit/s. Call it
// every 20 to 50 ms.
func (g *Gauge) Collapsed(now time.Time) (limit float64, yes bool) {
	to := number(now) - 1 // the last that is over
	if g.collapsed {
		g.follow(now, to)
	} else if carries, yes := g.collapses(to); yes && (now.Sub(g.since) > again || now.Before(g.since)) {
		g.collapsed, g.since, g.peak, g.measured, g.limit = true, now, 0, false, max(keep*carries, least)
	}
	return g.limit, g.collapsed
}

// follow measures again what comes through, as long as there is a queue: it leaves at the network's rate.
func (g *Gauge) follow(now time.Time, to int64) {
	late, age := g.sum(to, drainedIn).late, now.Sub(g.since)
	g.peak = max(g.peak, late)
	stays := age > patience && float64(late) > shrunk*float64(g.peak)
	if late >= 0 && late < drained || stays || age > longest || age < 0 {
		g.collapsed, g.since = false, now
		return
	}
	n := min(int(age/window), measureFor)
	if n < measureFor/2 || g.sum(to, n).late < drained {
		return
	}
	limit := max(keep*rate(g.sum(to, n).bytes, n), least)
	if g.measured { // less may be the sender's doing: it waits for the queue to drain
		limit = max(limit, g.limit)
	}
	g.limit, g.measured = limit, true
}

// collapses reports whether the publisher's network has just collapsed, and what it carries, in bit/s.
func (g *Gauge) collapses(to int64) (carries float64, yes bool) {
	var s [3]cell
	all := cell{}
	for i := range s {
		s[i] = g.sum(to-int64((2-i)*span), span)
		if s[i].packets == 0 {
			return 0, false
		}
		all.packets += s[i].packets
		all.lost += s[i].lost
	}
	later := s[2].late > s[1].late+rising && s[1].late > s[0].late+rising
	before := g.sum(to-beforeFrom, beforeFor).late
	if before < 0 || s[2].late < before+lateness || !later && float64(all.lost) < torn*float64(all.lost+all.packets) {
		return 0, false
	}
	carries, usual := rate(s[1].bytes+s[2].bytes, 2*span), rate(g.sum(to-usualFrom, usualFor).bytes, usualFor)
	return carries, carries < share*usual
}

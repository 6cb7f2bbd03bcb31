package bwe

import "math"

const (
	lossSpan    = 200_000   // µs: the least time a sample covers
	lossPackets = 20        // the least number it covers
	lossSamples = 8         // recent ones that are judged together
	lossEnough  = 12        // packets to be lost in a test if the loss stays
	lossLongest = 2_500_000 // µs of a test
	lossAnswer  = 0.02      // excess that is answered
	lossBorne   = 0.12      // excess that is not tried while less is sent than may be
)

// losses tells loss that comes with congestion from loss that is the path's own. The test is what happens when less is sent
// than arrived: congestion's loss goes away, the path's own stays.
type losses struct {
	began         int64
	packets, lost int

	samples [lossSamples]lossSample
	n       int

	smoothed float64
	run      float64 // mean length of runs of lost packets
	own      float64 // the path's, as far as known

	testing bool
	tested  int64   // since when less is sent
	before  float64 // loss before
	restore float64 // target before
	count   int     // packets in the test
	gone    int
}

type lossSample struct{ packets, lost int }

// report takes what one feedback message said, and reports whether a sample is complete. Runs are those of lost packets.
func (l *losses) report(at int64, packets, lost, runs int) bool {
	if runs > 0 && lost > 0 {
		l.run += (float64(lost)/float64(runs) - l.run) / 8
	}
	if l.packets == 0 && l.lost == 0 {
		l.began = at
	}
	l.packets += packets
	l.lost += lost
	if l.testing {
		l.count += packets
		l.gone += lost
	}
	if l.packets < lossPackets || at-l.began < lossSpan {
		return false
	}
	s := lossSample{l.packets, max(l.lost, 0)}
	l.samples[l.n%lossSamples] = s
	l.n++
	share := float64(s.lost) / float64(s.packets)
	l.smoothed += (share - l.smoothed) / 4
	if r, _ := l.recent(); !l.testing && l.excess() == 0 {
		l.own += (r - l.own) / 80 // over some fifteen seconds
	}
	l.packets, l.lost, l.began = 0, 0, at
	return true
}

// recent is the loss of the last samples, and its uncertainty: two standard deviations, of as many events as there are runs.
func (l *losses) recent() (share, doubt float64) {
	var p, g int
	for i := range min(l.n, lossSamples) {
		p += l.samples[i].packets
		g += l.samples[i].lost
	}
	if p == 0 {
		return 0, 1
	}
	share = float64(g) / float64(p)
	return share, 2 * math.Sqrt(max(share*(1-share), 0.01)*max(2*l.run-1, 1)/float64(p))
}

// forget drops the samples: they are of a full queue.
func (l *losses) forget() { l.n, l.packets, l.lost = 0, 0, 0 }

// latest is the loss of the last sample.
func (l *losses) latest() float64 {
	if l.n == 0 {
		return 0
	}
	s := l.samples[(l.n-1)%lossSamples]
	return float64(s.lost) / float64(s.packets)
}

// excess is the loss beyond the path's own, as far as that is certain.
func (l *losses) excess() float64 {
	share, doubt := l.recent()
	return max(share-doubt-l.own, 0)
}

// test starts to find out whose the loss is.
func (l *losses) test(now int64, target float64) {
	share, _ := l.recent()
	l.testing, l.tested, l.before, l.restore, l.count, l.gone = true, now, share, target, 0, 0
}

// verdict ends the test when it can: own means that sending less changed nothing.
func (l *losses) verdict(now, rtt int64) (done, own bool) {
	since := now - l.tested
	if since < rtt+lossSpan/2 {
		l.count, l.gone = 0, 0 // still from before
		return false, false
	}
	if since < rtt+800_000 || l.count < 2*lossPackets || since < rtt+lossLongest && float64(l.count)*l.before < lossEnough*max(l.run, 1) {
		return false, false
	}
	l.testing = false
	share := float64(max(l.gone, 0)) / float64(l.count)
	l.n = 0
	if share > l.before/2 {
		l.own = max(l.own, (share+l.before)/2)
		return true, true
	}
	return true, false
}

package loadgen

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/srtp/v3"
)

// meter takes the measurements of all clients.
type meter struct {
	open atomic.Bool // a window is being measured

	mu     sync.Mutex
	sample histogram // Guarded by mu: latency of an even sample over all viewers.
	full   histogram // Guarded by mu: latency of all packets of full viewers.
	recent histogram // Guarded by mu: like sample, since somebody last looked.
	span   histogram // Guarded by mu: like recent, for Report.Series.
	delay  histogram // Guarded by mu: from the kernel's arrival to our reading.
}

func (m *meter) add(latency, delay time.Duration, sampled, full bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if sampled {
		m.recent.add(latency)
	}
	if !m.open.Load() {
		return
	}
	if sampled {
		m.sample.add(latency)
		m.span.add(latency)
	}
	if full {
		m.full.add(latency)
	}
	m.delay.add(delay)
}

func (m *meter) begin() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.sample.reset()
	m.full.reset()
	m.span.reset()
	m.delay.reset()
	m.open.Store(true)
}

func (m *meter) end() { m.open.Store(false) }

// inbound is one RTP stream that a client receives.
type inbound struct {
	video    bool
	sequence sequence
	report   uint32    // middle bits of the last sender report's time
	reportAt time.Time // when it came

	told    [2]uint64 // received and expected at our last report
	lost    uint32
	transit uint32 // of the packet before, in clock ticks
	jitter  float64
}

// receiver takes one client's RTP and RTCP. Its methods but snapshot run in the goroutine that reads the socket.
type receiver struct {
	// Static after construction.
	every    uint16 // of the sample
	full     bool
	meter    *meter
	codec    *Codec
	keyframe func(ssrc uint32) // the server asks for one
	lighten  func()            // called once, with the first picture; nil for full viewers

	mu      sync.Mutex
	decrypt *srtp.Context       // Guarded by mu; nil: no keys yet.
	early   [][]byte            // Guarded by mu: what came before the keys.
	streams map[uint32]*inbound // Guarded by mu.
	scratch []byte              // Guarded by mu.
	tally   tally               // Guarded by mu.

	feedback *feedback // Guarded by mu; nil: it sends none.

	began   time.Time     // Guarded by mu: when the join began.
	media   time.Duration // Guarded by mu: time to the first packet, 0: none yet.
	picture time.Duration // Guarded by mu: time to the first packet of a keyframe.

	seen chan struct{} // closed with the first picture
}

// tally counts a client's packets since it joined.
type tally struct {
	packets, bytes uint64 // RTP, decrypted
	bad            uint64 // did not decrypt
	resent         uint64 // over RTX
}

// maxEarly bounds the packets kept until the handshake is through; more are dropped, as a browser does.
const maxEarly = 256

// begin starts the clock of the join.
func (r *receiver) begin() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.began = time.Now()
}

// start opens the receiver: what has come so far is handled.
func (r *receiver) start(decrypt *srtp.Context) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.decrypt = decrypt
	for _, pkt := range r.early {
		r.handle(pkt, time.Now())
	}
	r.early = nil
}

func (r *receiver) receive(pkt []byte, arrived time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.decrypt != nil {
		r.handle(pkt, arrived)
		return
	}
	if len(r.early) < maxEarly {
		r.early = append(r.early, append([]byte(nil), pkt...))
	}
}

// handle takes one packet. The caller holds mu.
func (r *receiver) handle(pkt []byte, arrived time.Time) {
	if len(pkt) < 12 {
		return
	}
	if pkt[1] >= 192 && pkt[1] < 224 {
		r.handleRTCP(pkt)
		return
	}
	var h rtp.Header
	plain, err := r.decrypt.DecryptRTP(r.scratch, pkt, &h)
	if err != nil {
		r.tally.bad++
		return
	}
	payload := payloadOf(plain, &h)
	r.tally.packets++
	r.tally.bytes += uint64(len(plain))
	if r.feedback != nil {
		r.feedback.add(&h, arrived)
	}
	if h.PayloadType == payloadRTX {
		r.tally.resent++
		return
	}
	in := r.streams[h.SSRC]
	if in == nil {
		in = &inbound{video: h.PayloadType == payloadVideo, sequence: sequence{every: r.every}}
		if r.full {
			in.sequence.every = 1
		}
		r.streams[h.SSRC] = in
	}
	in.sequence.add(h.SequenceNumber)
	in.time(h.Timestamp, arrived)
	r.first(in, payload)
	sampled := r.every <= 1 || h.SequenceNumber%r.every == 0
	if !sampled && !r.full {
		return // from before the filter
	}
	if _, sent, ok := stampOf(payload); ok {
		r.meter.add(arrived.Sub(sent), time.Since(arrived), sampled, r.full)
	}
}

// payloadOf cuts the header and the padding (RFC 3550, section 5.1) off a packet.
func payloadOf(plain []byte, h *rtp.Header) []byte {
	n, err := h.Unmarshal(plain)
	if err != nil {
		return nil // it was read before
	}
	payload := plain[n:]
	if h.Padding && len(payload) > 0 {
		payload = payload[:max(len(payload)-int(payload[len(payload)-1]), 0)]
	}
	return payload
}

// first notes how long the join took. The caller holds mu.
func (r *receiver) first(in *inbound, payload []byte) {
	if r.media == 0 {
		r.media = time.Since(r.began)
	}
	if r.picture != 0 || !in.video || !r.codec.keyframe(payload) {
		return
	}
	r.picture = time.Since(r.began)
	close(r.seen)
	if r.lighten != nil {
		r.lighten()
	}
}

// handleRTCP takes what the server says about us and to us. The caller holds mu.
func (r *receiver) handleRTCP(pkt []byte) {
	plain, err := r.decrypt.DecryptRTCP(nil, pkt, nil)
	if err != nil {
		r.tally.bad++
		return
	}
	pkts, err := rtcp.Unmarshal(plain)
	if err != nil {
		r.tally.bad++
		return
	}
	for _, p := range pkts {
		switch p := p.(type) {
		case *rtcp.PictureLossIndication:
			r.keyframe(p.MediaSSRC)
		case *rtcp.FullIntraRequest:
			for _, e := range p.FIR {
				r.keyframe(e.SSRC)
			}
		case *rtcp.SenderReport:
			if in := r.streams[p.SSRC]; in != nil {
				in.report, in.reportAt = uint32(p.NTPTime>>16), time.Now()
			}
		}
	}
}

// mark begins a window.
func (r *receiver) mark() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, in := range r.streams {
		in.sequence.mark()
		in.told = [2]uint64{}
	}
}

// snapshot returns the counts, and what came and should have come of the streams since mark.
func (r *receiver) snapshot() (t tally, received, expected uint64, silent int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, in := range r.streams {
		received += in.sequence.received
		expected += in.sequence.expected()
		if in.sequence.received == 0 {
			silent++
		}
	}
	return r.tally, received, expected, silent
}

// joined returns how long the first packet and the first picture took.
func (r *receiver) joined() (media, picture time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.media, r.picture
}

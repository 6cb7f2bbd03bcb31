package sfu

import (
	"fmt"
	"time"

	"github.com/parley/parley/internal/steady"
)

// sendLine is one of the client's send lines and its source, which lives as long as the peer. It is the source's Upstream.
type sendLine struct {
	peer   *Peer
	offer  sendOffer
	agreed answered // codecs, header extension ids and feedback of this line
	source *Source
	pli    bool  // the client takes PLI; else FIR
	fir    uint8 // Owned by the source's loop: sequence number of the last FIR (RFC 5104, section 4.3.1.1)
}

// Publish opens the gate of a send line and returns its source. The same line may be published again after Unpublish: it is
// the same source. The error is ErrNoLine where the offer had no such line.
func (p *Peer) Publish(kind Kind, muted bool) (*Source, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed.Load() {
		return nil, ErrClosed
	}
	l := p.receive.Load().byKind(kind)
	if l == nil {
		return nil, fmt.Errorf("%w: %s", ErrNoLine, kind)
	}
	l.source.SetMuted(muted)
	l.source.forgetTold()
	return l.source, nil
}

// Unpublish closes the gate of a send line.
func (p *Peer) Unpublish(kind Kind) { p.Mute(kind, true) }

// Mute closes or opens the gate of a send line: of a muted source nothing is forwarded, whatever the client sends. A line that
// the offer did not have is ignored.
func (p *Peer) Mute(kind Kind, muted bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if l := p.receive.Load().byKind(kind); l != nil {
		l.source.SetMuted(muted)
	}
}

// Use says which simulcast ids of a video the client uses, where its picture is too small for all: the first ones, of which the
// last has the whole picture.
func (p *Peer) Use(kind Kind, rids []string) {
	l := p.receive.Load().byKind(kind)
	if l == nil {
		return
	}
	used := 0
	for _, rid := range rids {
		used = max(used, l.source.Layer(rid)+1)
	}
	l.source.use(used, steady.Now())
}

// tick does what is due for the peer. See ticks.
func (p *Peer) tick(now time.Time) {
	defer p.guard("tick")
	if p.closed.Load() {
		return
	}
	for _, l := range p.receive.Load().lines {
		l.source.Tick(now)
	}
	p.sendFeedback(now)
	p.downlink.tick(now)
	p.sendSenderReports(now)
	p.transport.tick(now)
	p.look(now)
}

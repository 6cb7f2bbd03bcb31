package sfu

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
)

// Negotiate answers the client's offer: the first, one with a new ICE user name (a restart), or one with more sections. The
// answer holds all our candidates. An error that is ErrBadOffer says in words what is wrong with the offer. After an error the
// connection is as it was, or, where the mistake was found too late, the peer is closed.
func (p *Peer) Negotiate(ctx context.Context, o Offer) (string, error) {
	p.negotiating.Lock()
	defer p.negotiating.Unlock()
	if p.closed.Load() {
		return "", ErrClosed
	}
	leave, err := p.takeTurn(ctx)
	if err != nil {
		return "", err
	}
	defer leave()
	checked, err := checkOffer(o, p.offered)
	if err != nil {
		return "", err
	}
	answer, err := p.exchange(ctx, checked)
	if err == nil {
		checked.sdp = nil
		p.offered = checked
		return answer, nil
	}
	if p.closed.Load() {
		return "", ErrClosed
	}
	level := slog.LevelWarn
	if errors.Is(err, ErrBadOffer) {
		level = slog.LevelDebug // the client's mistake, and it is told
	}
	p.log.Log(ctx, level, "negotiation failed late: peer is closed", "err", err)
	p.shut()
	return "", err
}

// takeTurn waits until fewer negotiations run than half the processors: they take milliseconds, and media, which takes
// microseconds, must find one free however many clients join at once.
func (p *Peer) takeTurn(ctx context.Context) (leave func(), err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	select {
	case p.node.turns <- struct{}{}:
		return func() { <-p.node.turns }, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("wait for other negotiations: %w", ctx.Err())
	case <-p.ctx.Done():
		return nil, ErrClosed
	}
}

// exchange answers an offer, and then installs what it says.
func (p *Peer) exchange(ctx context.Context, o *offer) (string, error) {
	first := 0
	if p.offered != nil {
		first = len(p.offered.slots)
	}
	var added []*slot
	for i, l := range o.slots[first:] {
		added = append(added, newSlot(p, first+i, l))
	}
	answer, sections, err := p.transport.exchange(ctx, o, added)
	if err != nil {
		return "", err
	}
	return answer, p.install(o, sections, added)
}

// install puts into effect what was negotiated: sources for send lines, lines for slots.
func (p *Peer) install(o *offer, sections map[string]answered, added []*slot) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed.Load() {
		return ErrClosed
	}
	p.receive.Store(p.receive.Load().next(p, o, sections))
	for _, s := range added {
		for _, l := range []*slotLine{s.audio, s.video} {
			l.start(sections[l.mid])
		}
	}
	p.slots = append(p.slots, added...)
	p.send.Store(newSendMap(p.slots))
	p.hasData.Store(o.hasData)
	return nil
}

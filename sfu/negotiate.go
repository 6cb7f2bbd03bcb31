package sfu

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/pion/webrtc/v4"
)

// Negotiate answers the client's offer: the first, one with a new ICE user name (a restart), or one with more sections. The
// answer holds all our candidates. An error that is ErrBadOffer says in words what is wrong with the offer. After an error the
// connection is as it was, or, where the mistake was found too late (pion cannot take an offer back), the peer is closed.
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
		checked.sdp = "" // pion has it
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

// exchange does the offer and the answer in pion, and then installs what they say.
func (p *Peer) exchange(ctx context.Context, o *offer) (string, error) {
	err := p.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: o.sdp})
	if err != nil {
		return "", badOffer("it was refused: %v", err)
	}
	added, err := p.addSlots(o)
	if err != nil {
		return "", err
	}
	gathered := webrtc.GatheringCompletePromise(p.pc)
	answer, err := p.pc.CreateAnswer(nil)
	if err != nil {
		return "", fmt.Errorf("create answer: %w", err)
	}
	if err := p.pc.SetLocalDescription(answer); err != nil {
		return "", fmt.Errorf("set answer: %w", err)
	}
	select { // the muxes are there already: this takes well under a millisecond
	case <-gathered:
	case <-ctx.Done():
		return "", fmt.Errorf("gather candidates: %w", ctx.Err())
	case <-p.ctx.Done():
		return "", ErrClosed
	}
	local := p.pc.LocalDescription()
	if local == nil {
		return "", ErrClosed
	}
	raw, sections, err := finishAnswer(local.SDP, o, p.node.cfg.StartBitrate)
	if err != nil {
		return "", err
	}
	if err := p.install(o, sections, added); err != nil {
		return "", err
	}
	return raw, nil
}

// addSlots gives the new slots' transceivers their tracks. pion made one transceiver for each media section in the order of
// the offer, and AddTrack takes the first of its kind that has no track yet: going through the offer in order, each track
// comes to its section. That is checked.
func (p *Peer) addSlots(o *offer) ([]*slot, error) {
	first := 0
	if p.offered != nil {
		first = len(p.offered.slots)
	}
	byMID := make(map[string]*slotLine)
	var added []*slot
	for i, l := range o.slots[first:] {
		s := newSlot(p, first+i, l)
		added = append(added, s)
		byMID[l.Audio], byMID[l.Video] = s.audio, s.video
	}
	for _, sec := range o.sections {
		l := byMID[sec.mid]
		if l == nil {
			continue
		}
		sender, err := p.pc.AddTrack(l)
		if err != nil {
			return nil, fmt.Errorf("add track: %w", err)
		}
		l.sender = sender
	}
	for _, t := range p.pc.GetTransceivers() {
		if l := byMID[t.Mid()]; l != nil && t.Sender() != l.sender {
			return nil, badOffer("media section %q could not be made a slot", t.Mid())
		}
	}
	return added, nil
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
			if err := l.start(sections[l.mid]); err != nil {
				return err
			}
		}
	}
	p.slots = append(p.slots, added...)
	p.send.Store(newSendMap(p.slots))
	p.hasData.Store(o.hasData)
	return nil
}

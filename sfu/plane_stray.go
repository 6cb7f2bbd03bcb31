package sfu

import (
	"encoding/binary"
	"net/netip"
	"slices"
	"time"
)

// A client's NAT may forget its mapping and choose another port in the midst of a call. ICE learns of it with the client's next
// check, in Chromium up to 2.5 s later. So a packet from a port that nobody is known by is tried with the keys of those who are
// known by that IP address: if it authenticates, the client has moved there, and is sent to there as well. Only the port may
// change so: its IP address has consented by answering on it (RFC 7675), another one could be a victim's.

const (
	maxStrays = 4 // of one batch: a flood of strangers must not cost others much
	maxTries  = 8 // legs of one packet
)

// stray is RTP or RTCP from a port that nobody is known by.
type stray struct {
	b    []byte
	from netip.AddrPort
	legs []*leg // whose it may be
}

// stray notes a packet for Done, if it may be somebody's.
func (r *reader) stray(b []byte, from netip.AddrPort) bool {
	if len(r.strays) == maxStrays {
		return false
	}
	here := (*r.plane.hosts.Load())[from.Addr()] // not a walk through all that are known: anybody may send these
	if len(here) == 0 {
		return false
	}
	r.turn++
	var legs []*leg
	for i := range min(len(here), maxTries) {
		if k := here[(r.turn+i)%len(here)]; k.ready.Load() {
			legs = append(legs, k)
		}
	}
	if len(legs) == 0 {
		return false
	}
	r.strays = append(r.strays, stray{b: b, from: from, legs: legs})
	return true
}

// place finds whose the strays are.
func (r *reader) place(now time.Time) {
	for _, s := range r.strays {
		for _, k := range s.legs {
			if r.adopt(k, s, now) {
				break
			}
		}
	}
	clear(r.strays)
	r.strays = r.strays[:0]
}

// adopt tries a stray with a leg's keys. If it is the leg's, it is taken, and the leg moves.
func (r *reader) adopt(k *leg, s stray, now time.Time) bool {
	l := k.loop
	l.enter(r.out)
	defer l.Unlock()
	defer k.peer.guard("receive")
	if !k.takes || k.to == nil {
		return false
	}
	l.now = now
	if !k.takeStray(r, append([]byte(nil), s.b...)) { // a copy: a failure spoils it for the next
		return false
	}
	// Of another address of the client's, or too often, it is taken, and moves nothing.
	if to := k.to.Addr(); to != s.from && to.Addr() == s.from.Addr() && k.moves.Take(now, 1) {
		k.plane.learn(s.from, k)
		k.to = k.plane.dest(s.from, k.to.From())
		k.peer.count.moved.Add(1)
	}
	k.heardFrom(s.from, now)
	l.deliver()
	return true
}

// takeStray takes the packet if it authenticates. Its SSRC must be known: the contexts keep state for every SSRC that they meet.
// The caller is in the loop.
func (k *leg) takeStray(r *reader, b []byte) bool {
	if isRTCP(b) {
		if !k.reported || k.reporter != binary.BigEndian.Uint32(b[4:]) {
			return false
		}
		plain, err := k.in.DecryptRTCP(b, b, nil)
		if err != nil {
			return false
		}
		r.reports = append(r.reports, told{k.peer, plain})
		return true
	}
	ssrc := binary.BigEndian.Uint32(b[8:])
	if !slices.ContainsFunc(k.streams, func(s *inStream) bool { return s.ssrc == ssrc }) {
		return false
	}
	plain, err := k.in.DecryptRTP(b, b, &k.header)
	if err != nil {
		return false
	}
	k.accept(plain)
	return true
}

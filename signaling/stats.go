package signaling

import (
	"strconv"
	"sync/atomic"
)

// Stats are the server's figures. Maps hold every key from the start, so that a metric is there before it first counts.
type Stats struct {
	Rooms        int // with somebody in them
	RoomsKept    int // all that are held, those watched or kept for a return included
	Sessions     int
	Away         int               // sessions that nothing comes from
	Replaced     uint64            // away sessions whose seat their identity took anew
	Unseated     map[string]uint64 // joins refused because of other seats, by whose: "identity", "address"
	Detached     int               // sessions that wait for their client to resume
	Watchers     int
	Connections  int
	Opened       uint64            // connections
	Joined       uint64            // sessions
	Resumed      uint64            // resumes that found their session
	ResumesGone  uint64            // resumes that did not
	Repeated     uint64            // requests answered from memory
	Renewed      uint64            // times that a client was given new credentials unasked
	Waiting      int               // to be let in
	Knocks       map[string]uint64 // by outcome: how they ended, or why they were refused
	Promoted     uint64            // participants who became moderators because the last had left
	Invited      uint64            // invitations made in a room
	ShowFailures uint64            // slot maps that the media node refused
	Messages     map[string]uint64 // from clients, by type; "unknown" is any other
	Errors       map[string]uint64 // told to clients, by code
	Closes       map[string]uint64 // by code; "1000" to "4511", "0" where the transport just ended
	Data         map[string]uint64 // data channel messages to one peer each, by outcome
}

// counters are what the server counts. The maps do not change after they are made.
type counters struct {
	opened, joined, resumed, resumesFailed, repeated, renewed, showFailed atomic.Uint64
	replaced, fullIdentity, fullAddress                                   atomic.Uint64

	dataSent, dataSlow, dataFailed, dataNobody, dataForbidden, dataNotJoined atomic.Uint64

	promoted, invited atomic.Uint64
	knocks            map[string]*atomic.Uint64

	messages map[string]*atomic.Uint64
	errors   map[errorCode]*atomic.Uint64
	closes   map[CloseCode]*atomic.Uint64
}

// knockOutcomes are how knocks end, and why they are refused but for who may not join at all.
func knockOutcomes() []string {
	return []string{
		string(knockAdmitted), string(knockDeclined), string(knockLeft), string(knockTimeout), "room_full", "address_full", "too_often", "held",
	}
}

const unknownType = "unknown"

func newCounters() *counters {
	c := &counters{
		messages: map[string]*atomic.Uint64{unknownType: {}},
		knocks:   map[string]*atomic.Uint64{},
		errors:   map[errorCode]*atomic.Uint64{},
		closes:   map[CloseCode]*atomic.Uint64{closeGone: {}},
	}
	for _, outcome := range knockOutcomes() {
		c.knocks[outcome] = new(atomic.Uint64)
	}
	for _, typ := range messageTypes() {
		c.messages[typ] = new(atomic.Uint64)
	}
	for _, row := range errorTable() {
		c.errors[row.code] = new(atomic.Uint64)
	}
	for _, row := range closeTable() {
		c.closes[row.Code] = new(atomic.Uint64)
	}
	return c
}

func (c *counters) message(typ string) {
	n := c.messages[typ]
	if n == nil {
		n = c.messages[unknownType]
	}
	n.Add(1)
}

func (c *counters) knock(outcome string)   { c.knocks[outcome].Add(1) }
func (c *counters) failure(code errorCode) { c.errors[code].Add(1) }
func (c *counters) close(code CloseCode)   { c.closes[code].Add(1) }

// Stats returns the figures as they are now.
func (s *Server) Stats() Stats {
	c := s.count
	stats := Stats{
		Opened: c.opened.Load(), Joined: c.joined.Load(), Resumed: c.resumed.Load(), ResumesGone: c.resumesFailed.Load(),
		Repeated: c.repeated.Load(), Renewed: c.renewed.Load(), ShowFailures: c.showFailed.Load(),
		Replaced: c.replaced.Load(), Promoted: c.promoted.Load(), Invited: c.invited.Load(),
		Knocks:   map[string]uint64{},
		Unseated: map[string]uint64{"identity": c.fullIdentity.Load(), "address": c.fullAddress.Load()},
		Messages: map[string]uint64{}, Errors: map[string]uint64{}, Closes: map[string]uint64{},
		Data: map[string]uint64{
			"sent": c.dataSent.Load(), "slow": c.dataSlow.Load(), "failed": c.dataFailed.Load(),
			"no_recipient": c.dataNobody.Load(), "forbidden": c.dataForbidden.Load(), "not_joined": c.dataNotJoined.Load(),
		},
	}
	for how, n := range c.knocks {
		stats.Knocks[how] = n.Load()
	}
	for typ, n := range c.messages {
		stats.Messages[typ] = n.Load()
	}
	for code, n := range c.errors {
		stats.Errors[string(code)] = n.Load()
	}
	for code, n := range c.closes {
		stats.Closes[strconv.Itoa(int(code))] = n.Load()
	}
	s.mu.Lock()
	stats.Waiting = s.waiting
	stats.Rooms, stats.RoomsKept, stats.Connections = s.occupied, len(s.rooms), len(s.links)
	rooms := make([]*room, 0, len(s.rooms))
	for _, r := range s.rooms {
		rooms = append(rooms, r)
		stats.Watchers += r.watchers - r.waiting
	}
	s.mu.Unlock()
	for _, r := range rooms {
		r.mu.Lock()
		stats.Sessions += len(r.sessions)
		for _, sess := range r.sessions {
			if sess.away {
				stats.Away++
			}
			if sess.link == nil {
				stats.Detached++
			}
		}
		r.mu.Unlock()
	}
	return stats
}

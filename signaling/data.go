package signaling

import (
	"errors"

	"github.com/parley/parley/sfu"
	"github.com/parley/parley/signaling/token"
)

// OnData routes a data channel message to those in the room that it is for. It is called on the peer's goroutine and
// takes no lock: who there is comes from a list that is copied on write.
func (s *session) OnData(d sfu.Data) {
	count := s.room.srv.count
	if !s.can.has(token.Message) {
		count.dataForbidden.Add(1)
		return
	}
	recipients := *s.room.recipients.Load()
	if _, in := recipients[s.id]; !in {
		count.dataNotJoined.Add(1)
		return
	}
	out := sfu.Data{From: s.id, Topic: d.Topic, Payload: d.Payload, Reliable: d.Reliable}
	if len(d.To) == 0 {
		for id, peer := range recipients {
			if id != s.id {
				count.data(peer.Send(out))
			}
		}
		return
	}
	for _, id := range d.To {
		peer := recipients[id]
		if peer == nil {
			count.dataNobody.Add(1)
			continue
		}
		count.data(peer.Send(out))
	}
}

// OnState notes what becomes of the media connection. A session outlives it: the client may negotiate anew.
func (s *session) OnState(state sfu.PeerState) {
	if state == sfu.PeerClosed {
		s.mediaGone.Store(true)
	}
	s.log.Debug("media", "state", state.String())
}

// data counts one message to one peer.
func (c *counters) data(err error) {
	switch {
	case err == nil:
		c.dataSent.Add(1)
	case errors.Is(err, sfu.ErrSlow):
		c.dataSlow.Add(1)
	default:
		c.dataFailed.Add(1)
	}
}

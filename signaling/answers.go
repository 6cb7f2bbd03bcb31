package signaling

const (
	// rememberedAnswers is how many answers a session keeps, for requests that come again after a resume.
	rememberedAnswers = 64

	// rememberedBytes bounds what they hold together, the newest one excepted: an SDP answer has up to 150 KB.
	rememberedBytes = 256 << 10
)

// answers is a session's memory of what it answered to which request. Ids rise, so that an id at or below the newest one
// is either remembered or too old.
type answers struct {
	newest uint64
	ring   [rememberedAnswers]struct {
		id    uint64
		reply []byte // nil: forgotten for its length
	}
	next  int
	bytes int // in ring
}

// find returns the answer to request id. known is true where the request was answered before, even if so long ago that
// the reply is forgotten and nil.
func (a *answers) find(id uint64) (reply []byte, known bool) {
	if id > a.newest {
		return nil, false
	}
	for i := range a.ring {
		if a.ring[i].id == id {
			return a.ring[i].reply, true
		}
	}
	return nil, true
}

// add remembers the reply to request id, which is higher than all before, and forgets the oldest that are too many or too
// much.
func (a *answers) add(id uint64, reply []byte) {
	a.newest = id
	newest := &a.ring[a.next]
	a.bytes += len(reply) - len(newest.reply)
	newest.id, newest.reply = id, reply
	a.next = (a.next + 1) % len(a.ring)
	for i := a.next; a.bytes > rememberedBytes && &a.ring[i] != newest; i = (i + 1) % len(a.ring) {
		a.bytes -= len(a.ring[i].reply)
		a.ring[i].reply = nil
	}
}

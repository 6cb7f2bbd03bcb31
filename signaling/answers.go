package signaling

// rememberedAnswers is how many answers a session keeps, for requests that come again after a resume.
const rememberedAnswers = 64

// answers is a session's memory of what it answered to which request. Ids rise, so that an id at or below the newest one
// is either remembered or too old.
type answers struct {
	newest uint64
	ring   [rememberedAnswers]struct {
		id    uint64
		reply []byte
	}
	next int
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

// add remembers the reply to request id, which is higher than all before.
func (a *answers) add(id uint64, reply []byte) {
	a.newest = id
	a.ring[a.next].id, a.ring[a.next].reply = id, reply
	a.next = (a.next + 1) % len(a.ring)
}

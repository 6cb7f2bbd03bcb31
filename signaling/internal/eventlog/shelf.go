package eventlog

import (
	"cmp"
	"slices"
)

// shelf is a list of entries, oldest first.
type shelf struct {
	entries []*Entry
	bytes   int // of their JSON
}

func (s *shelf) len() int { return len(s.entries) }

func (s *shelf) over(entries, bytes int) bool {
	return len(s.entries) > 1 && (len(s.entries) > entries || s.bytes > bytes)
}

func (s *shelf) add(e *Entry) {
	s.entries = append(s.entries, e)
	s.bytes += len(e.JSON)
}

// behind returns what came after seq.
func (s *shelf) behind(seq uint64) []*Entry {
	i, found := s.find(seq)
	if found {
		i++
	}
	return s.entries[i:]
}

func (s *shelf) find(seq uint64) (index int, found bool) {
	return slices.BinarySearchFunc(s.entries, seq, func(e *Entry, seq uint64) int { return cmp.Compare(e.Seq, seq) })
}

// remove takes an entry out; nil: it is not here.
func (s *shelf) remove(seq uint64) *Entry {
	i, found := s.find(seq)
	if !found {
		return nil
	}
	e := s.entries[i]
	s.bytes -= len(e.JSON)
	if i == 0 {
		s.entries[0] = nil // append moves what is left when it needs room
		s.entries = s.entries[1:]
	} else {
		s.entries = slices.Delete(s.entries, i, i+1)
	}
	return e
}

// shares are what is kept of talk, by addressee and author.
type shares map[shareKey]*share

// shareKey has the addressee "" where talk is for all.
type shareKey struct{ to, author string }

type share struct{ entries, bytes int }

// weight makes many small entries as heavy as few large ones.
func (s *share) weight() int { return max(s.entries*bytesPerEntry, s.bytes) }

func keyOf(e *Entry) shareKey {
	k := shareKey{author: e.Audience.author}
	for _, id := range e.Audience.ids {
		if id != k.author {
			k.to = id
		}
	}
	return k
}

func (s shares) add(e *Entry) {
	k := keyOf(e)
	if s[k] == nil {
		s[k] = &share{}
	}
	s[k].entries++
	s[k].bytes += len(e.JSON)
}

func (s shares) drop(e *Entry) {
	k := keyOf(e)
	s[k].entries--
	s[k].bytes -= len(e.JSON)
	if s[k].entries == 0 {
		delete(s, k)
	}
}

// oldestOfLargest finds what gives way when talk is over its bound: of the addressee for whom most is kept, of the author who has most of
// that, the oldest. So whoever sends much pushes out his own, and what floods others leaves a third one's alone. What has just come stays:
// its readers have had no time for it.
func (s shares) oldestOfLargest(talk *shelf) (seq uint64) {
	inboxes := map[string]int{}
	for k, sh := range s {
		inboxes[k.to] += sh.weight()
	}
	var largest shareKey
	most, part := -1, -1
	for k, sh := range s {
		inbox, own := inboxes[k.to], sh.weight()
		if inbox > most || inbox == most && (own > part || own == part && k.author < largest.author) {
			largest, most, part = k, inbox, own
		}
	}
	for _, e := range talk.entries[:len(talk.entries)-1] {
		if keyOf(e) == largest {
			return e.Seq
		}
	}
	return talk.entries[0].Seq
}

// maxLost bounds the participants for whom it is remembered separately.
const maxLost = 4096

// lost has the newest entries that were evicted, by who may see them.
type lost struct {
	public  uint64
	members uint64 // those for everybody included
	talk    uint64 // those for listeners
	only    map[string]uint64

	moderators uint64 // those for moderators
}

func (l *lost) note(e *Entry) {
	switch e.Audience.kind {
	case everybody:
		l.public, l.members = max(l.public, e.Seq), max(l.members, e.Seq)
	case participants:
		l.members = max(l.members, e.Seq)
	case listeners:
		l.talk = max(l.talk, e.Seq)
	case moderators:
		l.moderators = max(l.moderators, e.Seq)
	case only:
		for _, id := range e.Audience.ids {
			l.only[id] = max(l.only[id], e.Seq)
		}
		if len(l.only) > maxLost {
			for _, seq := range l.only {
				l.members = max(l.members, seq)
			}
			clear(l.only)
		}
	}
}

// of is the oldest place that r can go on from.
func (l *lost) of(r Reader) uint64 {
	if r.participant == "" {
		return l.public
	}
	oldest := max(l.members, l.only[r.participant])
	if r.listens {
		oldest = max(oldest, l.talk)
	}
	return oldest
}

package eventlog

import "slices"

// Audience says who may see an entry. The zero value is everybody, watchers included.
type Audience struct {
	kind      audienceKind
	ids       []string
	unhurried bool
	subject   string // of what the newest entry says all
	author    string // of talk
}

type audienceKind uint8

const (
	everybody audienceKind = iota
	participants
	listeners
	moderators
	only
)

// Participants is every session in the room, but no watcher.
func Participants() Audience { return Audience{kind: participants} }

// Listeners is every session in the room that may read what is said there.
func Listeners() Audience { return Audience{kind: listeners} }

// Moderators is every session that may moderate (Log.Appoint), and every watcher that may (Reader.Moderating).
func Moderators() Audience { return Audience{kind: moderators} }

// Only is the participants with these ids, and nobody else.
func Only(ids ...string) Audience { return Audience{kind: only, ids: slices.Clone(ids)} }

// Unhurried is the same audience, for what can wait: where more than 50 participants are in the room they hear of it up to 100 ms later,
// together with what follows. Something urgent brings it along.
func (a Audience) Unhurried() Audience {
	a.unhurried = true
	return a
}

// About is the same audience, for an entry that says all there is to say about its subject: it replaces the one before, so that whoever
// comes late gets the newest alone.
func (a Audience) About(subject string) Audience {
	a.subject = subject
	return a
}

// By is the same audience, for what a participant says to others. Of that a log keeps half at most, and whoever has most gives way.
func (a Audience) By(author string) Audience {
	a.author = author
	return a
}

// Public reports whether watchers see it.
func (a Audience) Public() bool { return a.kind == everybody }

// includes reports whether r may see it. Whether a session moderates is the log's to say.
func (a Audience) includes(r Reader) bool {
	switch a.kind {
	case everybody:
		return true
	case participants:
		return r.participant != ""
	case listeners:
		return r.listens
	case moderators:
		return r.moderates
	default:
		return r.participant != "" && slices.Contains(a.ids, r.participant)
	}
}

// Reader says as whom a log is read. The zero value is a watcher, who sees what is for everybody.
type Reader struct {
	participant string
	listens     bool
	moderates   bool // of a watcher
}

// Watcher reads what is for everybody.
func Watcher() Reader { return Reader{} }

// Moderating is the same watcher, who sees what is for moderators, too. Sessions come to see it by Log.Appoint.
func (r Reader) Moderating() Reader {
	r.moderates = r.participant == ""
	return r
}

// Participant reads as the participant with this id, which must not be empty.
func Participant(id string) Reader { return Reader{participant: id} }

// Listening is the same reader, who may also read what is for listeners.
func (r Reader) Listening() Reader {
	r.listens = true
	return r
}

package eventlog

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

// ErrClosed reports that the log has been closed and that everything in it was read.
var ErrClosed = errors.New("eventlog: closed")

// ErrGone reports a position that the log cannot continue from: of another epoch, beyond the newest entry, or so old
// that something the reader should see has been evicted. The reader starts over from a snapshot.
var ErrGone = errors.New("eventlog: position is gone")

const (
	// DefaultCapacity is the number of entries New keeps when it is told none.
	DefaultCapacity = 1024

	// bytesPerEntry times the capacity bounds the JSON that a log keeps, so that a few large entries cannot hold
	// more memory than many small ones. A typical event has 100 to 400 bytes.
	bytesPerEntry = 1024

	// pace is the least time between two wake-ups of the watchers of one log. The first entry after a pause is
	// announced at once; entries that follow within the pace are announced together, which turns a burst of N
	// events for W watchers from N*W writes into W. Sessions are not paced.
	pace = 5 * time.Millisecond
)

// Entry is one thing that happened. Its Position is embedded: e.Seq is its sequence number.
type Entry struct {
	Position
	Type     string // as in the JSON: "joined", "left", ...
	JSON     []byte // the whole event object, with "type" and "position"; read-only
	Audience Audience
}

// Log is the ordered, bounded log of one room. Its methods are safe for concurrent use.
type Log struct {
	// Static after construction.
	epoch    string
	capacity int
	maxBytes int

	// writing serialises appends: it is held while an event is encoded. Lock order: writing, then mu.
	writing sync.Mutex

	mu sync.Mutex

	// Guarded by mu.
	news     shelf             // what the server says
	talk     shelf             // what participants say to each other
	shares   shares            // of talk
	next     uint64            // the sequence number to come
	newest   map[string]uint64 // by subject: the entry that the next one about it replaces
	lost     lost
	closed   bool
	sessions map[string][]*Cursor // open cursors of participants, by participant id
	crowds   beat                 // wake-ups of all participants

	public     bell              // of watchers
	moderated  bell              // of watchers who may moderate
	moderators map[string]uint64 // participants who may, each with the entry behind which it sees what is for them

	// opened is a closed channel: what Ready returns when there is no need to wait.
	opened chan struct{}
}

// New makes an empty log with a random epoch of its own, which keeps at most capacity entries (0: DefaultCapacity)
// and a KiB of JSON for each on average. An empty log costs about 1 KiB.
func New(capacity int) *Log {
	if capacity <= 0 {
		capacity = DefaultCapacity
	}
	l := &Log{
		epoch:    strings.ToLower(rand.Text()[:12]), // 60 random bits
		capacity: capacity,
		maxBytes: capacity * bytesPerEntry,
		shares:   shares{},
		next:     1,
		newest:   map[string]uint64{},
		lost:     lost{only: map[string]uint64{}},
		sessions: map[string][]*Cursor{},
		opened:   make(chan struct{}),

		moderators: map[string]uint64{},
	}
	close(l.opened)
	return l
}

// Append adds an entry. It calls event once with the entry's position, encodes what that returns as JSON, and wakes
// those readers that may see it. event must put typ and the position into the object as "type" and "position", must not
// call into the log, and may not be called at all: the error is ErrClosed, or that of the encoder, and then nothing was
// added. Append never waits for a reader, so it may be called with the room's lock held.
func (l *Log) Append(typ string, to Audience, event func(Position) any) (Entry, error) {
	l.writing.Lock()
	defer l.writing.Unlock()
	l.mu.Lock()
	pos, closed := Position{Epoch: l.epoch, Seq: l.next}, l.closed
	l.mu.Unlock()
	if closed {
		return Entry{}, ErrClosed
	}
	encoded, err := json.Marshal(event(pos))
	if err != nil {
		return Entry{}, fmt.Errorf("eventlog: encode %s: %w", typ, err)
	}
	e := Entry{Position: pos, Type: typ, JSON: encoded, Audience: to}

	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return Entry{}, ErrClosed
	}
	l.addLocked(e)
	l.announceLocked(e)
	return e, nil
}

func (l *Log) addLocked(e Entry) {
	if subject := e.Audience.subject; subject != "" {
		if old, ok := l.newest[subject]; ok {
			l.replaceLocked(old)
		}
		l.newest[subject] = e.Seq
	}
	if e.Audience.author == "" {
		l.news.add(&e)
	} else {
		l.talk.add(&e)
		l.shares.add(&e)
		for l.talk.over(l.capacity/2, l.maxBytes/2) {
			l.loseLocked(l.talk.remove(l.shares.oldestOfLargest(&l.talk)))
		}
	}
	l.next++
	if e.Audience.Public() {
		l.public.newest = e.Seq
	}
	if e.Audience.Public() || e.Audience.kind == moderators {
		l.moderated.newest = e.Seq
	}
	for l.news.len() > 1 && (l.news.len()+l.talk.len() > l.capacity || l.news.bytes+l.talk.bytes > l.maxBytes) {
		l.loseLocked(l.news.remove(l.news.entries[0].Seq))
	}
}

// replaceLocked removes an entry for one that says all that it did.
func (l *Log) replaceLocked(seq uint64) {
	if l.news.remove(seq) != nil {
		return
	}
	if e := l.talk.remove(seq); e != nil {
		l.shares.drop(e)
	}
}

// loseLocked notes who may have needed an entry that is not kept any more.
func (l *Log) loseLocked(e *Entry) {
	l.lost.note(e)
	if e.Audience.author != "" {
		l.shares.drop(e)
	}
	if subject := e.Audience.subject; subject != "" && l.newest[subject] == e.Seq {
		delete(l.newest, subject)
	}
}

// Position is the newest place in the log: a session's snapshot is taken at it, under the room's lock.
func (l *Log) Position() Position {
	l.mu.Lock()
	defer l.mu.Unlock()
	return Position{Epoch: l.epoch, Seq: l.next - 1}
}

// PublicPosition is the place behind the newest entry for everybody: a watcher's snapshot is taken at it. To a watcher
// it is the same place as Position, and it does not move when something private happens, so that what is cached by it
// (an ETag, an encoded snapshot) stays good.
func (l *Log) PublicPosition() Position {
	l.mu.Lock()
	defer l.mu.Unlock()
	return Position{Epoch: l.epoch, Seq: l.public.newest}
}

// ModeratorPosition is PublicPosition for watchers who may moderate.
func (l *Log) ModeratorPosition() Position {
	l.mu.Lock()
	defer l.mu.Unlock()
	return Position{Epoch: l.epoch, Seq: l.moderated.newest}
}

// Appoint lets a participant see what is for moderators from now on. What came before it is told otherwise.
func (l *Log) Appoint(participant string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, already := l.moderators[participant]; !already {
		l.moderators[participant] = l.next - 1
	}
}

// Dismiss takes back what Appoint gave, what was not read yet included.
func (l *Log) Dismiss(participant string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.moderators, participant)
}

// Since returns the entries behind pos that r may see, oldest first; none is a valid answer. ok is false when the log
// cannot continue from pos (see ErrGone).
func (l *Log) Since(pos Position, r Reader) (entries []Entry, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.knownLocked(pos, r) {
		return nil, false
	}
	return l.readLocked(nil, pos.Seq, r), true
}

func (l *Log) knownLocked(pos Position, r Reader) bool {
	if pos.Epoch != l.epoch || pos.Seq >= l.next {
		return false
	}
	return pos.Seq >= max(l.lost.of(r), l.lostToModeratorLocked(r))
}

// lostToModeratorLocked is the oldest place that r can go on from, for what is for moderators.
func (l *Log) lostToModeratorLocked(r Reader) uint64 {
	since, appointed := l.moderators[r.participant]
	if r.moderates || appointed && l.lost.moderators > since {
		return l.lost.moderators
	}
	return 0
}

// seesLocked reports whether r may see e.
func (l *Log) seesLocked(r Reader, e *Entry) bool {
	if e.Audience.includes(r) {
		return true
	}
	since, appointed := l.moderators[r.participant]
	return appointed && e.Audience.kind == moderators && e.Seq > since
}

// readLocked merges what is due of the two shelves.
func (l *Log) readLocked(dst []Entry, after uint64, r Reader) []Entry {
	news, talk := l.news.behind(after), l.talk.behind(after)
	for len(news) > 0 || len(talk) > 0 {
		from := &news
		if len(news) == 0 || len(talk) > 0 && talk[0].Seq < news[0].Seq {
			from = &talk
		}
		if e := (*from)[0]; l.seesLocked(r, e) {
			dst = append(dst, *e)
		}
		*from = (*from)[1:]
	}
	return dst
}

// Take removes the entries of a type behind pos that are for this participant alone, and returns them: for a reader whose place is lost,
// and to whom a snapshot does not tell them.
func (l *Log) Take(pos Position, typ, participant string) []Entry {
	l.mu.Lock()
	defer l.mu.Unlock()
	if pos.Epoch != l.epoch {
		return nil
	}
	var taken []Entry
	for _, e := range slices.Clone(l.talk.behind(pos.Seq)) {
		if a := e.Audience; e.Type == typ && a.kind == only && len(a.ids) == 1 && a.ids[0] == participant {
			l.shares.drop(l.talk.remove(e.Seq))
			taken = append(taken, *e)
		}
	}
	return taken
}

// Close ends the log: appends fail, and readers get ErrClosed once they have read what there is. It is safe to call
// more than once.
func (l *Log) Close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return
	}
	l.closed = true
	l.crowds.stop()
	for _, b := range []*bell{&l.public, &l.moderated} {
		b.rings.stop()
		if ring := b.wake(); ring != nil {
			close(ring)
		}
	}
	for _, cursors := range l.sessions {
		for _, c := range cursors {
			c.wakeLocked()
		}
	}
}

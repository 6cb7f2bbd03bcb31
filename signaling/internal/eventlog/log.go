package eventlog

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
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
	capacity uint64
	maxBytes int

	// writing serialises appends: it is held while an event is encoded. Lock order: writing, then mu.
	writing sync.Mutex

	mu sync.Mutex

	// Guarded by mu.
	ring          []Entry // the entry with sequence number s is at s modulo its length, a power of two
	first, next   uint64  // the oldest kept, and the one to come
	bytes         int     // of JSON kept
	public        uint64  // the newest entry for everybody
	evictedPublic uint64  // the newest evicted entry for everybody
	closed        bool
	sessions      map[string][]*Cursor // open cursors of participants, by participant id
	watchers      int                  // open cursors of watchers
	bell          chan struct{}        // closed to wake the waiting watchers; nil when nobody waits
	rung          uint64               // the newest public entry that watchers were told of
	rings         beat                 // of the bell
	crowds        beat                 // wake-ups of all participants

	// opened is a closed channel: what Ready returns when there is no need to wait.
	opened chan struct{}
}

// New makes an empty log with a random epoch of its own, which keeps at most capacity entries (0: DefaultCapacity)
// and a KiB of JSON for each on average. An empty log costs under 1 KiB; the ring grows as it fills.
func New(capacity int) *Log {
	if capacity <= 0 {
		capacity = DefaultCapacity
	}
	l := &Log{
		epoch:    strings.ToLower(rand.Text()[:12]), // 60 random bits
		capacity: uint64(capacity),
		maxBytes: capacity * bytesPerEntry,
		first:    1,
		next:     1,
		sessions: map[string][]*Cursor{},
		opened:   make(chan struct{}),
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
	kept := l.next - l.first
	if kept == l.capacity {
		l.evictLocked()
	} else if kept == uint64(len(l.ring)) {
		l.growLocked()
	}
	*l.slotLocked(e.Seq) = e
	l.next++
	l.bytes += len(e.JSON)
	for l.bytes > l.maxBytes && l.next-l.first > 1 {
		l.evictLocked()
	}
	if e.Audience.Public() {
		l.public = e.Seq
	}
}

func (l *Log) evictLocked() {
	old := l.slotLocked(l.first)
	if old.Audience.Public() {
		l.evictedPublic = old.Seq
	}
	l.bytes -= len(old.JSON)
	*old = Entry{}
	l.first++
}

func (l *Log) growLocked() {
	old := l.ring
	l.ring = make([]Entry, max(8, 2*len(old)))
	for i := range old {
		*l.slotLocked(old[i].Seq) = old[i]
	}
}

func (l *Log) slotLocked(seq uint64) *Entry {
	return &l.ring[seq&uint64(len(l.ring)-1)]
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
	return Position{Epoch: l.epoch, Seq: l.public}
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
	if r.participant == "" {
		return pos.Seq >= l.evictedPublic
	}
	return pos.Seq+1 >= l.first
}

func (l *Log) readLocked(dst []Entry, after uint64, r Reader) []Entry {
	for seq := max(after+1, l.first); seq < l.next; seq++ {
		if e := l.slotLocked(seq); e.Audience.Includes(r) {
			dst = append(dst, *e)
		}
	}
	return dst
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
	l.rings.stop()
	l.crowds.stop()
	l.rung = l.public
	if l.bell != nil {
		close(l.bell)
		l.bell = nil
	}
	for _, cursors := range l.sessions {
		for _, c := range cursors {
			c.wakeLocked()
		}
	}
}

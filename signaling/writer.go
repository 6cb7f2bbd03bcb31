package signaling

import (
	"context"
	"errors"
	"time"

	"github.com/parley/parley/internal/steady"
	"github.com/parley/parley/signaling/internal/eventlog"
)

// relayBatch and relayBytes are how many events are written at once, about, before replies and the clock get their turn.
const (
	relayBatch = 32
	relayBytes = 32 << 10
)

// stream is a link's place in the room's log.
type stream struct {
	cursor  *eventlog.Cursor  // nil: not joined
	pending []eventlog.Entry  // read, not yet written
	buffer  []eventlog.Entry  // what pending is a part of
	msgs    [][]byte          // of pending, that are being written
	told    eventlog.Position // the newest that was written
}

// ready returns a channel that is readable when there is something to relay.
func (s *stream) ready() <-chan struct{} {
	switch {
	case s.cursor == nil:
		return nil
	case len(s.pending) > 0:
		more := make(chan struct{})
		close(more)
		return more
	default:
		return s.cursor.Ready()
	}
}

func (s *stream) close() {
	if s.cursor != nil {
		s.cursor.Close()
		s.cursor = nil
	}
}

// write runs for the life of the link. It alone writes to the connection: replies, which are queued, and the events of
// the room, which it reads from the log at its own pace. It also watches the clock.
func (l *Link) write() {
	defer close(l.written)
	var events stream
	defer events.close()
	alarm := time.NewTimer(l.patience(steady.Now()))
	defer alarm.Stop()
	for l.isOpen() {
		l.replies(&events)
		if l.full.Load() {
			l.shut(closeTooSlow, "")
		}
		select {
		case m := <-l.out:
			l.reply(&events, m)
		case <-events.ready():
			l.relay(&events)
		case <-alarm.C:
			l.checkSilence(steady.Now())
			alarm.Reset(l.patience(steady.Now()))
		case <-l.stopping:
		}
	}
	l.finish(&events)
}

// replies writes the replies that wait, ahead of events, but not so many that events never get their turn.
func (l *Link) replies(events *stream) {
	for range relayBatch {
		select {
		case m := <-l.out:
			l.reply(events, m)
		default:
			return
		}
	}
}

// reply writes a reply, and begins the event stream where that is behind it.
func (l *Link) reply(events *stream, m outgoing) {
	if l.deliver(m.encode(events)) && m.follow != nil {
		l.follow(events, m.follow)
	}
}

// encode returns the bytes of m. A pong names the newest event that the client was sent, for it to see that none is missing.
func (m outgoing) encode(events *stream) []byte {
	if !m.pong {
		return m.msg
	}
	pong := pongReply{Type: "pong"}
	if events.cursor != nil {
		pong.Position = &events.told
	}
	return encode(pong)
}

// follow begins the event stream.
func (l *Link) follow(events *stream, f *following) {
	cursor, err := f.log.Follow(f.from, f.as)
	if err != nil {
		l.lost(err)
		return
	}
	events.cursor, events.told = cursor, f.from
}

// relay writes the events that are due, or a part of them.
func (l *Link) relay(events *stream) {
	if len(events.pending) == 0 {
		due, err := events.cursor.Next(events.buffer[:0])
		if err != nil {
			events.close()
			l.lost(err)
			return
		}
		events.buffer, events.pending = due, due
	}
	if n := events.batch(); n > 0 {
		if !l.isOpen() || !l.deliver(events.msgs...) {
			return
		}
		clear(events.msgs)
		events.told = events.pending[n-1].Position
		events.pending = events.pending[n:]
	}
	if len(events.pending) == 0 {
		clear(events.buffer) // the log may let go of them
	}
}

// batch puts into msgs what is written next, of pending, and returns how many those are.
func (s *stream) batch() (n int) {
	s.msgs = s.msgs[:0]
	for size := 0; n < len(s.pending) && n < relayBatch && size < relayBytes; n++ {
		msg := s.pending[n].JSON
		s.msgs, size = append(s.msgs, msg), size+len(msg)
	}
	return n
}

// lost closes a link that cannot go on from its place in the log.
func (l *Link) lost(err error) {
	if errors.Is(err, eventlog.ErrClosed) {
		l.shut(closeDraining, l.srv.drainReason())
		return
	}
	l.shut(closeTooSlow, "")
}

// deliver writes messages. Where that fails the link is shut.
func (l *Link) deliver(msgs ...[]byte) bool {
	if err := l.put(msgs...); err != nil {
		code := closeGone
		if errors.Is(err, context.DeadlineExceeded) {
			code = closeTooSlow
		}
		l.shut(code, "")
		return false
	}
	return true
}

// ending is the code for a connection that has ended. A transport may end it when a write takes too long, and its reader
// may hear of that before the writer does.
func (l *Link) ending(now time.Time) CloseCode {
	if by := l.writeBy.Load(); by != 0 && now.UnixNano() >= by {
		return closeTooSlow
	}
	return closeGone
}

// put writes messages with a deadline. The link's own context does not bound it: what was queued before a close is
// still sent.
func (l *Link) put(msgs ...[]byte) error {
	wait := l.srv.cfg.Timing.Write
	l.writeBy.Store(steady.Now().Add(wait).UnixNano())
	ctx, cancel := context.WithTimeout(context.Background(), wait)
	defer cancel()
	if err := l.conn.Write(ctx, msgs...); err != nil {
		return err
	}
	l.writeBy.Store(0)
	return nil
}

// finish sends the replies that are still queued and closes the connection.
func (l *Link) finish(events *stream) {
	l.mu.Lock()
	code, reason := l.code, l.reason
	l.mu.Unlock()
	flush := code != closeGone && code != closeTooSlow
	for flush {
		select {
		case m := <-l.out:
			flush = l.put(m.encode(events)) == nil
		default:
			flush = false
		}
	}
	l.conn.Close(code, reason)
}

// patience is how long the link may stay as it is before the clock must be looked at again.
func (l *Link) patience(now time.Time) time.Duration {
	left, _ := l.silence(now)
	return max(left, time.Millisecond)
}

// silence is the time left before the link is closed for want of a join or of any message, and the code for it.
func (l *Link) silence(now time.Time) (left time.Duration, code CloseCode) {
	timing := l.srv.cfg.Timing
	if l.busy.Load() {
		return time.Second, closeTimeout
	}
	if l.current() == nil {
		since, waits := l.joining()
		if !waits {
			return since.Add(timing.Join).Sub(now), closeJoinTimeout
		}
	}
	return timing.Silence - time.Duration(now.UnixNano()-l.heard.Load()), closeTimeout
}

// joining is since when the client, which has not joined, should. One that waits to be let in need not.
func (l *Link) joining() (since time.Time, waits bool) {
	k := l.waits()
	if k == nil {
		return l.opened, false
	}
	ended := k.over.Load()
	return l.opened.Add(max(time.Duration(ended-l.opened.UnixNano()), 0)), ended == 0
}

func (l *Link) checkSilence(now time.Time) {
	if left, code := l.silence(now); left <= 0 {
		l.shut(code, "")
	}
}

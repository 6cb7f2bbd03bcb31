package presence

import (
	"errors"

	"github.com/parley/parley/signaling/internal/eventlog"
	"github.com/parley/parley/signaling/token"
)

// errUnsettled reports a room that kept starting anew while it was being opened.
var errUnsettled = errors.New("presence: the room does not stand still")

// start is where a watcher starts to read: behind the position it named, or behind a snapshot.
type start struct {
	cursor   *eventlog.Cursor
	at       eventlog.Position // the snapshot's, or the one named
	snapshot []byte            // nil when the watcher goes on from the position it named
}

// open finds the start. The cursor begins at exactly the position that the watcher has or is given, so nothing falls in
// between; where the log cannot go on from there (the room started anew since, or the log moved on by more than it
// keeps) another snapshot is taken.
func (s *Server) open(feed Feed, claims token.Claims, after eventlog.Position, named bool) (start, error) {
	reader, look := eventlog.Watcher(), feed.Snapshot
	if claims.May(token.Moderate) && !claims.Knock {
		reader, look = reader.Moderating(), feed.FullSnapshot
	}
	if named {
		cursor, err := feed.Log().Follow(after, reader)
		if err == nil {
			s.count.resumed.Add(1)
			return start{cursor: cursor, at: after}, nil
		}
		s.count.lost.Add(1)
	}
	for range 16 {
		snapshot, at := look()
		cursor, err := feed.Log().Follow(at, reader)
		if err == nil {
			s.count.snapshots.Add(1)
			return start{cursor: cursor, at: at, snapshot: snapshot}, nil
		}
	}
	return start{}, errUnsettled
}

package presence

import (
	"cmp"
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"github.com/parley/parley/signaling/internal/names"
	"github.com/parley/parley/signaling/token"
)

// serveList answers GET /v1/rooms: {"rooms":[…]}, by name. A token for one room lists that room.
func (s *Server) serveList(w http.ResponseWriter, r *http.Request) {
	claims, err := s.authorize(r, "", token.List, "")
	if err != nil {
		fail(w, err)
		return
	}
	list := slices.DeleteFunc(slices.Clone(s.cfg.Rooms.List()), func(m RoomSummary) bool { return !claims.For(m.Room) })
	slices.SortFunc(list, func(a, b RoomSummary) int { return cmp.Compare(a.Room, b.Room) })
	if list == nil {
		list = []RoomSummary{}
	}
	body, err := json.Marshal(map[string]any{"rooms": list})
	if err != nil {
		fail(w, err)
		return
	}
	w.Header().Set("Cache-Control", "no-cache")
	writeJSON(w, http.StatusOK, body)
}

// serveRoom answers GET /v1/rooms/{room}: the snapshot, or 304.
func (s *Server) serveRoom(w http.ResponseWriter, r *http.Request) {
	room := r.PathValue("room")
	claims, err := s.authorize(r, room, token.Watch, "")
	if err != nil {
		fail(w, err)
		return
	}
	if !names.Room(room) {
		fail(w, errRoom)
		return
	}
	feed, err := s.cfg.Rooms.Feed(room)
	if err != nil {
		s.sendAway(w, errNotNow)
		return
	}
	look, kind := feed.Snapshot, ""
	if claims.May(token.Moderate) && !claims.Knock {
		look, kind = feed.FullSnapshot, ".m" // at the same position it is another one
	}
	snapshot, at := look()
	feed.Release()
	tag := `"` + at.String() + kind + `"`
	w.Header().Set("ETag", tag)
	w.Header().Set("Cache-Control", "no-cache")
	if matches(r.Header.Values("If-None-Match"), tag) {
		s.count.unchanged.Add(1)
		w.WriteHeader(http.StatusNotModified)
		return
	}
	s.count.snapshots.Add(1)
	writeJSON(w, http.StatusOK, snapshot)
}

// matches reports whether an If-None-Match header names tag, by weak comparison (RFC 9110 section 13.1.2). Our tags hold
// no comma, so the list needs no more than splitting.
func matches(header []string, tag string) bool {
	for _, value := range header {
		for item := range strings.SplitSeq(value, ",") {
			item = strings.TrimSpace(item)
			if item == "*" || strings.TrimPrefix(item, "W/") == tag {
				return true
			}
		}
	}
	return false
}

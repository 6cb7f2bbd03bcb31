package signaling

import (
	"github.com/parley/parley/internal/steady"
	"github.com/parley/parley/sfu"
	"github.com/parley/parley/signaling/token"
)

// anticipated is how many videos a room may have for a newcomer to be expected to want them all, and large.
const anticipated = 4

// anticipate has the videos ready that s will see once its connection stands, where there are so few that it has slots for all: a
// keyframe takes as long to come as the connection to be made, 50 to 100 ms.
func (r *room) anticipate(s *session, slots int) {
	if slots == 0 || !s.can.has(token.Subscribe) {
		return
	}
	now := steady.Now()
	for _, video := range r.videos(min(slots, anticipated)) {
		video.Anticipate(now)
	}
}

// videos returns the videos that are published and not muted, none where there are more than most.
func (r *room) videos(most int) []*sfu.Source {
	r.mu.Lock()
	defer r.mu.Unlock()
	var found []*sfu.Source
	for _, s := range r.sessions {
		for kind, p := range s.sources {
			if !kind.Video() || p.muted {
				continue
			}
			if len(found) == most {
				return nil
			}
			found = append(found, p.source)
		}
	}
	return found
}

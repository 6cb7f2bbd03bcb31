package sfu

import (
	"sync"
	"time"

	"github.com/parley/parley/sfu/internal/loudness"
)

// Speakers orders the sources of a room by loudness. All methods may be called from any goroutine; none waits for packets.
type Speakers struct {
	mu      sync.Mutex
	sources map[string]*Source // guarded by mu
	order   loudness.Order     // guarded by mu
	voices  []loudness.Voice   // guarded by mu, reused
}

// NewSpeakers returns an empty list.
func NewSpeakers() *Speakers { return &Speakers{sources: make(map[string]*Source)} }

// Add listens to src under id (the participant's, say). It replaces an earlier source of that id.
func (s *Speakers) Add(id string, src *Source) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sources[id] = src
}

// Remove forgets id.
func (s *Speakers) Remove(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.sources, id)
}

// Update returns the ids of who speaks, the loudest first, and whether that differs from the last call's. Call it every 100 to
// 300 ms. The slice is the caller's.
func (s *Speakers) Update(now time.Time) (loudest []string, changed bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.voices = s.voices[:0]
	for id, src := range s.sources {
		s.voices = append(s.voices, src.voice(id, now))
	}
	changed = s.order.Update(now, s.voices)
	return s.order.IDs(), changed
}

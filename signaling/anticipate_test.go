package signaling

import "testing"

// Videos are made ready for a newcomer where there are few of them, and none is muted.
func TestVideosOfANewcomer(t *testing.T) {
	bubble(t, nil, func(t *testing.T, r *rig) {
		ann, ben := r.joined("a", "Ann", 1), r.joined("a", "Ben", 1)
		room := r.srv.rooms["a"]
		count := func(most, want int) {
			t.Helper()
			if got := room.videos(most); len(got) != want {
				t.Errorf("%d videos of at most %d, not %d", len(got), most, want)
			}
		}
		count(4, 0)
		ann.must("publish", fields{"kind": "camera"})
		ann.must("publish", fields{"kind": "microphone"})
		count(1, 1)
		ben.must("publish", fields{"kind": "camera"})
		count(1, 0)
		count(4, 2)
		ann.must("mute", fields{"kind": "camera", "muted": true})
		count(1, 1)
		r.joined("a", "Cem", 4)
	})
}

package signaling

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/parley/parley/sfu"
)

func TestPlanOfReturns(t *testing.T) {
	t.Parallel()
	crowd := func(rooms, each int) (links []*Link) {
		for i := range rooms * each {
			links = append(links, &Link{room: fmt.Sprint(i % rooms)})
		}
		return links
	}
	for name, c := range map[string]struct {
		rooms, each int
		last        time.Duration
	}{
		"nobody":           {0, 0, 0},
		"a call of two":    {1, 2, 0},
		"two calls":        {2, 2, 20 * time.Millisecond},
		"a hundred calls":  {100, 3, 2970 * time.Millisecond},
		"very many":        {2000, 5, 20*time.Second - 10*time.Millisecond},
		"one large room":   {1, 1000, 9500 * time.Millisecond},
		"one larger still": {1, 10_000, 19_900 * time.Millisecond},
	} {
		plan := plan(crowd(c.rooms, c.each), 20*time.Second)
		if len(plan) != c.rooms*c.each {
			t.Errorf("%s: %d returns", name, len(plan))
		}
		times := map[string][]time.Duration{}
		last := time.Duration(0)
		for _, r := range plan {
			last = max(last, r.after)
			if seen := times[r.link.room]; !slices.Contains(seen, r.after) {
				times[r.link.room] = append(seen, r.after)
			}
		}
		if last != c.last {
			t.Errorf("%s: the last after %v, want %v", name, last, c.last)
		}
		for room, seen := range times {
			if want := (c.each + together - 1) / together; len(seen) != want {
				t.Errorf("%s: room %s in %d parts, want %d", name, room, len(seen), want)
			}
		}
	}
}

// Media goes on until the clients are back elsewhere, or have had the time for it; nobody is told that they are away meanwhile.
func TestMediaOutlivesTheDrain(t *testing.T) {
	for name, leave := range map[string]bool{"elsewhere": true, "nowhere": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, nil)
				ann, ben := r.joined("a", "Ann", 1), r.joined("a", "Ben", 1)
				peers := []*fakePeer{r.media.peer(ann.me), r.media.peer(ben.me)}
				stop := make(chan struct{})
				go func() {
					for {
						select {
						case <-time.After(20 * time.Millisecond):
							peers[0].hear()
							peers[1].hear()
						case <-stop:
							return
						}
					}
				}()
				time.Sleep(time.Second)
				began, done := time.Now(), make(chan error, 1)
				go func() { done <- r.srv.Shutdown(context.Background()) }()
				ann.closedWith(closeDraining)
				time.Sleep(time.Second)
				if n := r.media.open(); n != 2 {
					t.Errorf("%d of 2 peers are open", n)
				}
				if leave {
					peers[0].on.OnState(sfu.PeerClosed)
					peers[1].on.OnState(sfu.PeerClosed)
				}
				if err := <-done; err != nil {
					t.Error(err)
				}
				took := time.Since(began)
				if leave && took > 1200*time.Millisecond || !leave && (took < settle || took > settle+time.Second) {
					t.Errorf("took %v", took)
				}
				if n := r.media.open(); n != 0 {
					t.Errorf("%d peers are left", n)
				}
				if got := r.srv.Stats().Away; got != 0 {
					t.Errorf("%d were told to be away", got)
				}
				close(stop)
			})
		})
	}
}

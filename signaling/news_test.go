package signaling

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/parley/parley/sfu"
	"github.com/parley/parley/sfu/quality"
)

func TestHeldVideosAndWatchedLayersArePrivate(t *testing.T) {
	bubble(t, nil, func(t *testing.T, r *rig) {
		ann, ben := r.joined("a", "Ann", 1), r.joined("a", "Ben", 1)
		ann.events()
		ben.events()
		on := r.media.peer(ann.me).on
		on.OnVideo([]quality.Held{{Slot: 0, State: "paused", Reason: quality.Bandwidth}})
		on.OnLayers(sfu.Camera, []string{"q"}, nil)
		synctest.Wait()
		want := []any{map[string]any{"slot": 0.0, "state": "paused", "reason": "bandwidth"}}
		got := ann.events("video", "layers")
		if len(got) != 2 || !cmp.Equal(got[0]["slots"], want) || got[1]["kind"] != "camera" || !cmp.Equal(got[1]["wanted"], []any{"q"}) {
			t.Errorf("%v", got)
		}
		on.OnVideo(nil)
		on.OnLayers(sfu.Camera, []string{}, nil)
		got = ann.events("video", "layers") // empty lists are no nulls
		if len(got) != 2 || !cmp.Equal(got[0]["slots"], []any{}) || !cmp.Equal(got[1]["wanted"], []any{}) {
			t.Errorf("%v", got)
		}
		if got := ben.events("video", "layers"); len(got) != 0 {
			t.Errorf("told to others: %v", got)
		}
	})
}

func TestQualityIsCoalesced(t *testing.T) {
	bubble(t, nil, func(t *testing.T, r *rig) {
		ann, ben := r.joined("a", "Ann", 1), r.joined("a", "Ben", 1)
		annPeer, benPeer := r.media.peer(ann.me).on, r.media.peer(ben.me).on
		annPeer.OnQuality(5) // what everybody counts as
		synctest.Wait()
		if got := ben.events("quality"); len(got) != 0 {
			t.Errorf("%v", got)
		}
		annPeer.OnQuality(3)
		synctest.Wait()
		if e := ben.event("quality"); !cmp.Equal(e["participants"], map[string]any{ann.me: 3.0}) {
			t.Errorf("%v", e)
		}
		annPeer.OnQuality(2)
		benPeer.OnQuality(4)
		synctest.Wait()
		annPeer.OnQuality(1)
		synctest.Wait()
		if got := ben.events("quality"); len(got) != 0 {
			t.Errorf("twice in 2 s: %v", got)
		}
		time.Sleep(qualityEvery)
		synctest.Wait()
		got := ben.events("quality")
		if len(got) != 1 || !cmp.Equal(got[0]["participants"], map[string]any{ann.me: 1.0, ben.me: 4.0}) {
			t.Errorf("%v", got)
		}
		cem := r.joined("a", "Cem", 1)
		cem.read = 0
		if e := cem.event("quality"); !cmp.Equal(e["participants"], map[string]any{ann.me: 1.0, ben.me: 4.0}) {
			t.Errorf("who joins is told the scores so far: %v", e)
		}
	})
}

func TestStatsOfAConnection(t *testing.T) {
	bubble(t, nil, func(t *testing.T, r *rig) {
		ann, ben := r.joined("a", "Ann", 1), r.joined("a", "Ben", 1)
		ben.must("publish", fields{"kind": "camera"})
		ben.must("publish", fields{"kind": "microphone"})
		ann.must("subscribe", fields{"tiles": []fields{{"participant": ben.me, "stream": "camera", "width": 0, "height": 0}}})
		reply := ann.must("stats", nil)
		if reply["type"] != "stats" || reply["downlink"].(map[string]any)["source"] != "none" {
			t.Errorf("%v", reply)
		}
		slots := reply["slots"].([]any)
		if len(slots) != 1 || slots[0].(map[string]any)["reason"] != "hidden" || slots[0].(map[string]any)["video"] != ben.me+".camera" {
			t.Errorf("%v", slots)
		}
		r.joined("a", "Cem", 0).refused(codeNoMedia, "stats", nil)
	})
}

// TestImportanceOfSlots: the order of the tiles, who is pinned and who speaks reach the media node.
func TestImportanceOfSlots(t *testing.T) {
	bubble(t, nil, func(t *testing.T, r *rig) {
		ann := r.joined("a", "Ann", 2)
		var ids []string
		for _, name := range []string{"Ben", "Cem"} {
			c := r.joined("a", name, 1)
			c.must("publish", fields{"kind": "camera"})
			c.must("publish", fields{"kind": "microphone"})
			ids = append(ids, c.me)
		}
		tile := func(id string, pinned bool) fields {
			return fields{"participant": id, "stream": "camera", "width": 640, "height": 360, "pinned": pinned}
		}
		ann.must("subscribe", fields{"tiles": []fields{tile(ids[1], false), tile(ids[0], true)}})
		r.media.speak(ids[1])
		time.Sleep(time.Second)
		synctest.Wait()
		type weight struct {
			Rank             int
			Pinned, Speaking bool
		}
		got := map[*sfu.Source]weight{}
		for _, v := range r.media.peer(ann.me).shows() {
			got[v.Video] = weight{v.Rank, v.Pinned, v.Speaking}
		}
		for id, want := range map[string]weight{ids[0]: {1, true, false}, ids[1]: {0, false, true}} {
			if w := got[r.media.peer(id).published[sfu.Camera]]; w != want {
				t.Errorf("%s: %+v, want %+v", r.name(id), w, want)
			}
		}
	})
}

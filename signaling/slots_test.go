package signaling

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// parseWants reads "ann ben/screen -": a participant's camera, another's screen, an empty slot.
func parseWants(s string) []want {
	var wants []want
	for f := range strings.FieldsSeq(s) {
		if f == "-" {
			wants = append(wants, want{})
			continue
		}
		who, stream, found := strings.Cut(f, "/")
		if !found {
			stream = streamCamera
		}
		wants = append(wants, want{streamKey: streamKey{who, stream}})
	}
	return wants
}

func showWants(wants []want) string {
	var s []string
	for _, w := range wants {
		switch {
		case w.participant == "":
			s = append(s, "-")
		case w.stream == streamCamera:
			s = append(s, w.participant)
		default:
			s = append(s, w.participant+"/"+w.stream)
		}
	}
	return strings.Join(s, " ")
}

// parseSpeakers reads "ann! ben": ann speaks now, ben did.
func parseSpeakers(s string) []speaker {
	var all []speaker
	for f := range strings.FieldsSeq(s) {
		who, loud := strings.CutSuffix(f, "!")
		all = append(all, speaker{who, loud})
	}
	return all
}

func TestAssign(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, before, wants, speakers, after string }{
		{"nothing", "- -", "", "", "- -"},
		{"no slots", "", "a b", "c!", ""},
		{"fill in order", "- - -", "a b", "", "a b -"},
		{"stay", "a b -", "b a", "", "a b -"},
		{"the first ones win", "- -", "a b c", "", "a b"},
		{"a newcomer at the head takes the slot of who fell out", "a b", "c a b", "", "a c"},
		{"one goes, the others stay", "a b c", "a c", "", "a - c"},
		{"into the hole", "a - c", "a c d", "", "a d c"},
		{"two streams of one", "- - -", "a a/screen b", "", "a a/screen b"},
		{"leftovers", "a - -", "a", "c! b", "a c b"},
		{"from heard to shown in its slot", "a b -", "b a", "", "a b -"},
		{"heard gives way to shown", "a b", "a c", "b!", "a c"},
		{"from shown to heard in its slot", "a b -", "a", "b", "a b -"},
		{"more speakers than slots: who speaks now", "- -", "", "c! a b", "c a"},
		{"a holder stays while nobody else speaks", "a b", "", "c b a", "a b"},
		{"who speaks takes the slot of who does not", "a b", "", "c! b a", "c b"},
		{"one place louder is not enough", "a b", "", "c! a! b!", "a c"},
		{"one place is not enough (2)", "a", "", "b! a!", "a"},
		{"two places are", "a", "", "b! c! a!", "b"},
		{"screens are no voices", "a/screen -", "a/screen", "a!", "a/screen a"},
	} {
		before := parseWants(c.before)
		got := assign(before, parseWants(c.wants), parseSpeakers(c.speakers))
		if showWants(got) != c.after {
			t.Errorf("%s: %q wants %q hears %q: got %q, want %q", c.name, c.before, c.wants, c.speakers, showWants(got), c.after)
		}
		if showWants(before) != c.before {
			t.Errorf("%s: the map before was changed to %q", c.name, showWants(before))
		}
	}
}

// What must hold for any input.
func TestAssignProperties(t *testing.T) {
	t.Parallel()
	for seed := range uint64(200) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		slots := make([]want, rnd.IntN(6))
		for step := range 60 {
			var wants []want
			listed := map[string]bool{}
			for _, i := range rnd.Perm(10)[:rnd.IntN(8)] {
				id := fmt.Sprint("p", i)
				if rnd.IntN(5) == 0 {
					wants = append(wants, want{streamKey: streamKey{id, streamScreen}})
					continue
				}
				listed[id] = true
				wants = append(wants, want{streamKey: streamKey{id, streamCamera}, width: rnd.IntN(2)})
			}
			var speakers []speaker
			loud := rnd.IntN(4)
			for i, n := range rnd.Perm(10)[:rnd.IntN(10)] {
				if id := fmt.Sprint("p", n); !listed[id] {
					speakers = append(speakers, speaker{id, i < loud})
				}
			}
			after := assign(slots, wants, speakers)
			if msg := breach(slots, wants, speakers, after); msg != "" {
				t.Fatalf("seed %d step %d: %s\nbefore %q\nwants %q\nspeakers %v\nafter %q",
					seed, step, msg, showWants(slots), showWants(wants), speakers, showWants(after))
			}
			slots = after
		}
	}
}

// breach says which rule a result of assign breaks, or nothing.
func breach(before, wants []want, speakers []speaker, after []want) string {
	if len(after) != len(before) {
		return "another number of slots"
	}
	at := map[streamKey]int{}
	used := 0
	for i, w := range after {
		if w.participant == "" {
			continue
		}
		used++
		if _, twice := at[w.streamKey]; twice {
			return "a stream in two slots"
		}
		at[w.streamKey] = i
	}
	for i, w := range wants {
		slot, shown := at[w.streamKey]
		if shown != (i < len(after)) {
			return "not the first wants"
		}
		if shown && after[slot] != w {
			return "not the size that is wanted"
		}
	}
	for i, w := range before {
		if w.participant == "" {
			continue
		}
		if now, kept := at[w.streamKey]; kept && now != i {
			return "a stream has moved"
		}
	}
	if want := min(len(after), len(wants)+len(speakers)); used != want {
		return fmt.Sprintf("%d slots used, not %d", used, want)
	}
	quiet := slices.ContainsFunc(speakers, func(s speaker) bool {
		_, heard := at[streamKey{s.participant, streamCamera}]
		return heard && !s.speaking
	})
	for _, s := range speakers {
		if _, heard := at[streamKey{s.participant, streamCamera}]; s.speaking && !heard && quiet {
			return "somebody silent has a slot that a speaker needs"
		}
	}
	if again := assign(after, wants, speakers); !slices.Equal(again, after) {
		return "not stable: " + showWants(again)
	}
	return ""
}

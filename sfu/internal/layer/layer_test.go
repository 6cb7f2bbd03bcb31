package layer

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func options(live ...bool) []Option {
	sizes := []Size{{320, 180}, {640, 360}, {1280, 720}}
	var o []Option
	for i, l := range live {
		o = append(o, Option{sizes[i], l})
	}
	return o
}

func TestPick(t *testing.T) {
	t.Parallel()
	all := options(true, true, true)
	for _, c := range []struct {
		name    string
		options []Option
		shown   Size
		current int
		want    int
	}{
		{"thumbnail", all, Size{160, 90}, -1, 0},
		{"exactly q", all, Size{320, 180}, -1, 0},
		{"exactly q, from f", all, Size{320, 180}, 2, 0},
		{"exactly h", all, Size{640, 360}, 0, 1},
		{"exactly f", all, Size{1280, 720}, 0, 2},
		{"wall", all, Size{3840, 2160}, -1, 2},
		{"audio only", all, Size{}, -1, 0},
		{"a little too big", all, Size{700, 394}, 1, 1},
		{"too big", all, Size{900, 506}, 1, 2},
		{"between, from below", all, Size{760, 428}, 1, 1},
		{"between, from above", all, Size{760, 428}, 2, 2},
		{"portrait tile", all, Size{360, 640}, -1, 1},
		{"f is silent", options(true, true, false), Size{1280, 720}, 2, 1},
		{"h is silent", options(true, false, true), Size{640, 360}, 1, 2},
		{"only q", options(true, false, false), Size{640, 360}, 1, 0},
		{"none", options(false, false, false), Size{640, 360}, 1, -1},
		{"no layers", nil, Size{640, 360}, -1, -1},
	} {
		if got := Pick(c.options, c.shown, c.current); got != c.want {
			t.Errorf("%s: %d, want %d", c.name, got, c.want)
		}
	}
}

// A size that shakes by 5 % never makes the layer flap, whatever the size.
func TestPickIsStable(t *testing.T) {
	t.Parallel()
	all := options(true, true, true)
	for w := 20; w < 3000; w += 3 {
		current, changes := -1, 0
		for i := range 20 {
			width := w
			if i%2 == 1 {
				width = w * 105 / 100
			}
			if got := Pick(all, Size{width, width * 9 / 16}, current); got != current {
				current = got
				changes++
			}
		}
		if changes > 2 { // the first, and one more
			t.Fatalf("width %d: %d changes", w, changes)
		}
	}
}

func TestEstimate(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ in, want []Size }{
		{[]Size{{}, {}, {}}, []Size{{320, 180}, {640, 360}, {1280, 720}}},
		{[]Size{{}}, []Size{{1280, 720}}},
		{[]Size{{}, {}, {1920, 1080}}, []Size{{480, 270}, {960, 540}, {1920, 1080}}},
		{[]Size{{160, 90}, {}, {}}, []Size{{160, 90}, {320, 180}, {640, 360}}},
		{[]Size{{200, 100}, {}, {640, 360}}, []Size{{200, 100}, {320, 180}, {640, 360}}},
		{[]Size{{}, {}, {1, 1}}, []Size{{1, 1}, {1, 1}, {1, 1}}},
	} {
		got := append([]Size(nil), c.in...)
		Estimate(got)
		if d := cmp.Diff(c.want, got); d != "" {
			t.Errorf("%v: %s", c.in, d)
		}
	}
}

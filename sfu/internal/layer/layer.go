package layer

// Size is in pixels.
type Size struct{ Width, Height int }

func (s Size) area() int { return s.Width * s.Height }

// Option is a layer to choose from.
type Option struct {
	Size Size
	Live bool // packets flow
}

const (
	// Both are ratios of shown to sent length, squared because areas are compared: it makes orientation and cropping
	// matter little.
	blurry = 1.25 * 1.25 // more is visibly blurred
	ample  = 1.1 * 1.1   // a step down must be less blurred than this
)

// Pick returns the index of the option to show, of options ordered by rising size, or -1 when none is live. Shown is the size
// on the viewer's screen, the zero Size means the smallest. Current is the choice so far, or -1.
func Pick(options []Option, shown Size, current int) int {
	best := -1
	for i, o := range options {
		if !o.Live {
			continue
		}
		best = i
		limit := blurry
		if i < current {
			limit = ample
		}
		if float64(shown.area()) <= limit*float64(o.Size.area()) {
			break
		}
	}
	return best
}

// Estimate fills the sizes that are not known (zero) from those that are, each layer having half the length of the next; with
// none known the highest is 1280 by 720.
func Estimate(sizes []Size) {
	known := -1
	for i, s := range sizes {
		if s.area() > 0 {
			known = i
		}
	}
	base := Size{1280, 720}
	if known >= 0 {
		base = sizes[known]
	} else {
		known = len(sizes) - 1
	}
	for i := range sizes {
		if sizes[i].area() > 0 {
			continue
		}
		if i <= known {
			sizes[i] = Size{max(base.Width>>(known-i), 1), max(base.Height>>(known-i), 1)}
		} else {
			sizes[i] = Size{base.Width << (i - known), base.Height << (i - known)}
		}
	}
}

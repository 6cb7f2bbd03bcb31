package codec

// The dependency descriptor (AV1 RTP payload format, appendix A) names a frame's template: which layer it is, what it refers to
// (frame differences) and, for each decode target, an indication (DTI). Templates come with keyframes.

const (
	maxTemplates = 64
	maxTargets   = 32

	absent   = 0 // the frame is not part of the target
	switches = 2 // from a frame that is decodable on, the target is

	mandatory = 3 // bytes: flags and template, frame number
)

// layers is what a template, or a frame with its own definitions, says to forwarding.
type layers struct {
	spatial, temporal uint8
	needed, up        uint8
	raise             bool
}

// structure is a template dependency structure, as far as forwarding needs it.
type structure struct {
	offset                        uint8 // id of the first template
	templates, targets, chains    uint8 // counts; no targets: there is no structure
	spatials                      uint8
	generation                    uint8
	keyed                         bool
	number                        uint16 // of the frame that it came with
	active                        uint32 // decode targets that the publisher sends, bit by target
	of                            [maxTemplates]layers
	targetSpatial, targetTemporal [maxTargets]uint8
	sizes                         [MaxSpatial]Size
}

func (s *structure) forget() *structure {
	if s != nil {
		s.targets = 0
	}
	return s
}

func (s *structure) known() bool { return s != nil && s.targets > 0 }

// descriptor is what one dependency descriptor says.
type descriptor struct {
	number                                uint16
	template                              uint8
	begin, end                            bool
	structured, activated                 bool // it brings a structure; it brings active decode targets
	customDTIs, customDiffs, customChains bool
}

func (d *descriptor) parse(b *bits) {
	d.begin, d.end, d.template = b.flag(), b.flag(), uint8(b.u(6))
	d.number = uint16(b.u(16))
	if len(b.p) > mandatory {
		d.structured, d.activated = b.flag(), b.flag()
		d.customDTIs, d.customDiffs, d.customChains = b.flag(), b.flag(), b.flag()
	}
}

// describe reads a dependency descriptor into info. Where it is broken, or its structure was not seen, info stays as it is, but
// for what the first three bytes say.
func (s *Stream) describe(p []byte, info *Info) {
	if len(p) < mandatory {
		return
	}
	b := bits{p: p}
	var d descriptor
	d.parse(&b)
	if d.structured && !s.restructure(&b, d.number) {
		return
	}
	info.PictureID, info.HasPictureID, info.Described, info.Begin, info.End = d.number, true, true, d.begin, d.end
	st := s.now
	if st.known() && int16(d.number-st.number) < 0 && s.old.known() {
		st = s.old // a late packet from before the keyframe
	}
	if !st.known() {
		return
	}
	if d.activated {
		if active := b.u(int(st.targets)); !b.short && st == s.now {
			st.active = active
		}
	}
	i := (d.template - st.offset) & (maxTemplates - 1)
	if i >= st.templates {
		return
	}
	l := st.of[i]
	if d.customDTIs || d.customDiffs {
		l = st.frame(&b, &d, l)
	}
	if b.short {
		return
	}
	info.Spatial, info.Temporal, info.Needed, info.Up = l.spatial, l.temporal, l.needed, l.up
	info.Raise, info.structure = l.raise, st.generation
	info.Sync = false // Up tells
}

// restructure takes the structure that a keyframe brings. The one before is kept for packets that come late.
func (s *Stream) restructure(b *bits, number uint16) bool {
	was := *b
	if s.now.known() && s.now.number == number { // another packet of the same frame
		var again structure
		ok := again.parse(b)
		return ok && again.targets == s.now.targets
	}
	if s.old == nil {
		s.old = new(structure)
	}
	next := s.old
	generation := uint8(1)
	if s.now != nil {
		generation = s.now.generation + 1
	}
	var probe structure
	if !probe.parse(b) {
		*b = was
		return false
	}
	*next = probe
	next.number, next.generation = number, generation
	s.old, s.now = s.now, next
	s.spatials, s.keyed, s.sizes = max(s.spatials, next.spatials), next.keyed, next.sizes
	return true
}

// parse reads a template dependency structure.
func (s *structure) parse(b *bits) bool {
	s.offset = uint8(b.u(6))
	s.targets = uint8(b.u(5)) + 1
	s.active = uint32(1)<<s.targets - 1
	s.parseLayers(b)
	var dtis [maxTemplates][maxTargets]uint8
	for i := range s.templates {
		for t := range s.targets {
			dtis[i][t] = uint8(b.u(2))
		}
		if b.short {
			return false
		}
	}
	s.nameTargets(&dtis)
	var inter [maxTemplates]bool
	for i := range s.templates {
		n, far := 0, false
		for b.flag() && !b.short {
			far = b.u(4)+1 > uint32(s.of[i].spatial) || far
			n++
		}
		inter[i] = n > 0 && far
		s.of[i].raise = s.of[i].spatial > 0 && n > 0 && !far
	}
	s.parseChains(b)
	if b.flag() { // resolutions_present_flag
		for i := range s.spatials {
			size := Size{uint16(b.u(16)) + 1, uint16(b.u(16)) + 1}
			s.sizes[min(i, MaxSpatial-1)] = size
		}
	}
	for i := range s.templates {
		l := &s.of[i]
		s.judge(l, dtis[i][:s.targets])
		if inter[i] && l.temporal == 0 && l.needed == 1<<l.spatial && l.spatial+1 < min(s.spatials, MaxSpatial) {
			s.keyed = true
		}
		l.spatial, l.temporal = min(l.spatial, MaxSpatial-1), min(l.temporal, MaxTemporal-1)
	}
	s.spatials = min(s.spatials, MaxSpatial)
	return !b.short
}

func (s *structure) parseLayers(b *bits) {
	var spatial, temporal uint8
	for !b.short && s.templates < maxTemplates {
		s.of[s.templates] = layers{spatial: spatial, temporal: temporal}
		s.templates++
		switch b.u(2) {
		case 1:
			temporal++
		case 2:
			temporal = 0
			spatial++
		case 3:
			s.spatials = spatial + 1
			return
		}
	}
	b.short = true // more templates than ids
}

// nameTargets finds the layers that each decode target has.
func (s *structure) nameTargets(dtis *[maxTemplates][maxTargets]uint8) {
	for i := range s.templates {
		for t := range s.targets {
			if dtis[i][t] != absent {
				s.targetSpatial[t] = max(s.targetSpatial[t], min(s.of[i].spatial, MaxSpatial-1))
				s.targetTemporal[t] = max(s.targetTemporal[t], min(s.of[i].temporal, MaxTemporal-1))
			}
		}
	}
}

func (s *structure) parseChains(b *bits) {
	s.chains = uint8(b.ns(uint32(s.targets) + 1))
	if s.chains == 0 {
		return
	}
	for range s.targets {
		b.ns(uint32(s.chains))
	}
	for range s.templates {
		for range s.chains {
			b.u(4)
		}
		if b.short {
			return
		}
	}
}

// judge derives from a frame's indications who needs it, and who may show more from here on.
func (s *structure) judge(l *layers, dtis []uint8) {
	l.needed, l.up = 0, 0
	for t, dti := range dtis {
		if dti == absent {
			continue
		}
		l.needed |= 1 << s.targetSpatial[t]
		if dti == switches && s.targetSpatial[t] == min(l.spatial, MaxSpatial-1) {
			l.up |= 1 << s.targetTemporal[t]
		}
	}
}

// frame reads the definitions that a frame has of its own, in place of its template's.
func (s *structure) frame(b *bits, d *descriptor, l layers) layers {
	if d.customDTIs {
		var dtis [maxTargets]uint8
		for t := range s.targets {
			dtis[t] = uint8(b.u(2))
		}
		s.judge(&l, dtis[:s.targets])
	}
	if d.customDiffs {
		n, far := 0, false
		for size := b.u(2); size > 0 && !b.short; size = b.u(2) {
			far = b.u(4*int(size))+1 > uint32(l.spatial) || far
			n++
		}
		l.raise = l.spatial > 0 && n > 0 && !far
	}
	return l
}

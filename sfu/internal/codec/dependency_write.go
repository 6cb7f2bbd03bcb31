package codec

// MaxDescriptor is the longest dependency descriptor that is understood, in bytes: what an RTP header extension element holds.
const MaxDescriptor = 255

// AppendDescriptor appends to dst the dependency descriptor that f was read from, with another frame number, and with the decode
// targets that a receiver of the layers up to spatial and temporal still gets. Spatial -1: it gets all spatial layers.
func (s *Stream) AppendDescriptor(dst, p []byte, f *Frame, number uint16, spatial, temporal int) []byte {
	if len(p) < mandatory {
		return dst
	}
	at := len(dst)
	st := s.now
	if st != nil && st.generation != f.structure {
		st = s.old
	}
	limited := st.known() && st.generation == f.structure
	var active uint32
	if limited {
		active = st.reachable(spatial, temporal)
		limited = active != uint32(1)<<st.targets-1
	}
	if !limited || !appendActive(&dst, p, active, int(st.targets)) {
		dst = append(dst[:at], p...)
	}
	dst[at+1], dst[at+2] = byte(number>>8), byte(number)
	return dst
}

// reachable returns the decode targets whose frames a receiver of these layers gets.
func (s *structure) reachable(spatial, temporal int) (active uint32) {
	for t := range s.targets {
		ts, tt := int(s.targetSpatial[t]), int(s.targetTemporal[t])
		if tt <= temporal && (spatial < 0 || ts == spatial || ts < spatial && !s.keyed) {
			active |= 1 << t
		}
	}
	return active & s.active
}

// appendActive writes p with its active decode targets set. They stand after the structure, where there is one, and push
// what follows to the right.
func appendActive(dst *[]byte, p []byte, active uint32, targets int) bool {
	b := bits{p: p}
	var d descriptor
	d.parse(&b)
	w := bitWriter{p: append(*dst, p[:mandatory]...)}
	w.u(flags(d.structured, true, d.customDTIs, d.customDiffs, d.customChains), 5)
	if d.structured {
		from := b.at
		var st structure
		if !st.parse(&b) || int(st.targets) != targets {
			return false
		}
		w.copy(p, from, b.at)
	}
	if d.activated {
		b.u(targets)
	}
	// Bit 0 is target 0, which is written last: f(n) of a mask.
	w.u(active, targets)
	if d.customDTIs || d.customDiffs || d.customChains {
		w.copy(p, b.at, 8*len(p))
	}
	if b.short || len(w.p)-len(*dst) > MaxDescriptor {
		return false
	}
	*dst = w.p
	return true
}

func flags(all ...bool) (v uint32) {
	for _, f := range all {
		v <<= 1
		if f {
			v |= 1
		}
	}
	return v
}

// copy appends the bits of p from one position up to another.
func (w *bitWriter) copy(p []byte, from, to int) {
	b := bits{p: p, at: from}
	for from < to {
		n := min(to-from, 32)
		w.u(b.u(n), n)
		from += n
	}
}

package sfu

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/pion/sdp/v3"
)

// Limits on what a client may offer.
const (
	maxOfferBytes = 256 << 10
	maxSections   = 128 // media sections: 49 slots, 4 send lines and data fit
	maxCandidates = 256
	maxMIDLength  = 32 // bytes
	maxSSRCLines  = 64 // of a media section: browsers write up to 12
)

// offer is an offer that was checked, in the terms of this package.
type offer struct {
	sdp        *sdp.SessionDescription // trimmed, see prepare; forgotten once it was answered
	sections   []section
	transport  transportOffer
	send       []sendOffer
	slots      []SlotLine
	extensions extensionIDs
	hasData    bool
}

// transportOffer is what the client says of ICE, DTLS and SCTP in the tagged section, whose transport all use.
type transportOffer struct {
	mid             string // of the tagged section
	ufrag, password string
	fingerprints    []fingerprint
	maxMessage      uint32 // bytes of a data message that the client takes; 0: any (RFC 8841, section 6)
}

// section is one m-line. They never change place nor kind in a connection's life (RFC 8829, section 5.2.2).
type section struct{ mid, media string }

// sendOffer is what the client says about one send line.
type sendOffer struct {
	SendLine
	rids  []string          // simulcast ids, the lowest resolution first; empty: a single stream
	ssrcs map[uint32]uint32 // the SSRCs it declares, and their RTX SSRCs or 0; empty in simulcast
}

// extensionIDs are RTP header extension ids. One that is in several sections is the same in all (RFC 8843, section 9.2); 0: it
// is not there.
type extensionIDs struct {
	mid, rid, repairedRID, audioLevel, transportCC, absSendTime, dependencyDescriptor uint8
}

const dependencyDescriptorURI = "https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension"

func badOffer(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrBadOffer, fmt.Sprintf(format, args...))
}

// checkOffer parses o and reports what is wrong with it. before is the connection's last offer, or nil.
func checkOffer(o Offer, before *offer) (*offer, error) {
	if len(o.SDP) > maxOfferBytes {
		return nil, badOffer("the SDP is larger than %d bytes", maxOfferBytes)
	}
	var d sdp.SessionDescription
	if err := d.UnmarshalString(o.SDP); err != nil {
		return nil, badOffer("the SDP does not parse: %v", err)
	}
	p := &offer{slots: slices.Clone(o.Slots), sdp: &d}
	byMID, err := p.readSections(&d)
	if err != nil {
		return nil, err
	}
	used := make(map[string]bool, len(byMID))
	if err := p.readSend(o.Send, byMID, used); err != nil {
		return nil, err
	}
	if err := p.checkSlots(byMID, used); err != nil {
		return nil, err
	}
	for _, s := range p.sections {
		if s.media != "application" && !used[s.mid] {
			return nil, badOffer("media section %q is in neither send nor slots", s.mid)
		}
	}
	if err := p.follows(before); err != nil {
		return nil, err
	}
	return p, p.prepare(&d)
}

// readSections checks the session as a whole and returns its media sections by mid.
func (p *offer) readSections(d *sdp.SessionDescription) (map[string]*sdp.MediaDescription, error) {
	switch n := len(d.MediaDescriptions); {
	case n == 0:
		return nil, badOffer("there is no media section")
	case n > maxSections:
		return nil, badOffer("there are more than %d media sections", maxSections)
	}
	group, _ := d.Attribute("group")
	words := strings.Fields(group)
	if len(words) < 2 || words[0] != "BUNDLE" {
		return nil, badOffer("the media sections are not bundled (a=group:BUNDLE)")
	}
	bundle := words[1:]
	first, err := tagged(d, bundle)
	if err != nil {
		return nil, err
	}
	if err := p.readTransport(d, first); err != nil {
		return nil, err
	}
	byMID := make(map[string]*sdp.MediaDescription, len(d.MediaDescriptions))
	candidates := 0
	for i, m := range d.MediaDescriptions {
		mid, _ := m.Attribute("mid")
		_, bundleOnly := m.Attribute("bundle-only")
		switch {
		case mid == "" || len(mid) > maxMIDLength:
			return nil, badOffer("media section %d has no mid, or a mid over %d bytes", i, maxMIDLength)
		case byMID[mid] != nil:
			return nil, badOffer("two media sections have the mid %q", mid)
		case !slices.Contains(bundle, mid):
			return nil, badOffer("media section %q is not in the BUNDLE group", mid)
		case m.MediaName.Port.Value == 0 && !bundleOnly:
			return nil, badOffer("media section %q is rejected (port 0)", mid)
		}
		for _, a := range m.Attributes {
			if a.IsICECandidate() {
				candidates++
			}
		}
		media := m.MediaName.Media
		if media == "application" {
			if p.hasData {
				return nil, badOffer("there are two data sections")
			}
			p.hasData = true
			p.transport.maxMessage = maxMessageSize(m)
		}
		byMID[mid] = m
		p.sections = append(p.sections, section{strings.Clone(mid), strings.Clone(media)}) // or they would hold the whole SDP
	}
	if candidates > maxCandidates {
		return nil, badOffer("there are more than %d candidates", maxCandidates)
	}
	return byMID, nil
}

// claim returns the section of that mid, and checks that it is of the right media and direction and not claimed yet.
func claim(byMID map[string]*sdp.MediaDescription, used map[string]bool, mid, media, direction string) (
	*sdp.MediaDescription, error,
) {
	m := byMID[mid]
	switch {
	case m == nil:
		return nil, badOffer("there is no media section %q", mid)
	case used[mid]:
		return nil, badOffer("media section %q is named twice", mid)
	case m.MediaName.Media != media:
		return nil, badOffer("media section %q is of %s, not %s", mid, m.MediaName.Media, media)
	}
	for _, d := range []string{"sendonly", "recvonly", "sendrecv", "inactive"} {
		if _, ok := m.Attribute(d); ok != (d == direction) {
			return nil, badOffer("media section %q is not %s, or not that alone", mid, direction)
		}
	}
	used[mid] = true
	return m, nil
}

func (p *offer) readSend(lines []SendLine, byMID map[string]*sdp.MediaDescription, used map[string]bool) error {
	kinds := make(map[Kind]bool, len(lines))
	for _, l := range lines {
		if !l.Kind.Valid() {
			return badOffer("%q is not a kind of source", l.Kind)
		}
		if kinds[l.Kind] {
			return badOffer("two send lines are of kind %s", l.Kind)
		}
		kinds[l.Kind] = true
		media := "audio"
		if l.Kind.Video() {
			media = "video"
		}
		m, err := claim(byMID, used, l.MID, media, "sendonly")
		if err != nil {
			return err
		}
		s := sendOffer{SendLine: l}
		if s.rids, err = simulcastRIDs(m, l.MID); err != nil {
			return err
		}
		if len(s.rids) == 0 {
			if s.ssrcs, err = declaredSSRCs(m, l.MID); err != nil {
				return err
			}
		}
		p.send = append(p.send, s)
		if err := p.extensions.read(m, l.MID); err != nil {
			return err
		}
	}
	return nil
}

func (p *offer) checkSlots(byMID map[string]*sdp.MediaDescription, used map[string]bool) error {
	for _, s := range p.slots {
		for _, l := range []struct{ mid, media string }{{s.Audio, "audio"}, {s.Video, "video"}} {
			m, err := claim(byMID, used, l.mid, l.media, "recvonly")
			if err != nil {
				return err
			}
			if err := p.extensions.read(m, l.mid); err != nil {
				return err
			}
		}
	}
	return nil
}

// follows checks that p changes nothing of the offer before: it may add media sections at the end.
func (p *offer) follows(before *offer) error {
	if before == nil {
		return nil
	}
	if len(p.sections) < len(before.sections) || !slices.Equal(p.sections[:len(before.sections)], before.sections) {
		return badOffer("the media sections of the offer before must stay, in their order")
	}
	if len(p.slots) < len(before.slots) || !slices.Equal(p.slots[:len(before.slots)], before.slots) {
		return badOffer("the slots of the offer before must stay, in their order")
	}
	for _, old := range before.send {
		i := slices.IndexFunc(p.send, func(s sendOffer) bool { return s.SendLine == old.SendLine })
		if i < 0 || !slices.Equal(p.send[i].rids, old.rids) {
			return badOffer("the send line %s of the offer before must stay as it was", old.Kind)
		}
	}
	if !slices.Equal(p.transport.fingerprints, before.transport.fingerprints) {
		return badOffer("the DTLS fingerprint of the offer before must stay: it is another connection's")
	}
	return nil
}

// prepare takes out of the SDP what must not be answered, or what pion must not see. What we do not know goes. Candidates go:
// clients are learned from their checks, and nobody can make the server send to addresses of his choice. In simulcast sections
// SSRCs go, because pion takes several in one section for Plan B.
func (p *offer) prepare(d *sdp.SessionDescription) error {
	for _, m := range d.MediaDescriptions {
		_, simulcast := m.Attribute("simulcast")
		m.Attributes = slices.DeleteFunc(m.Attributes, func(a sdp.Attribute) bool {
			return a.IsICECandidate() || a.Key == "end-of-candidates" || a.Key == "remote-candidates" ||
				simulcast && (a.Key == "ssrc" || a.Key == "ssrc-group")
		})
		if m.MediaName.Media != "application" && !trim(m) {
			mid, _ := m.Attribute("mid")
			return badOffer("media section %q has no codec in common with the server", mid)
		}
	}
	return nil
}

// simulcastRIDs returns the ids that a=simulcast says are sent (RFC 8853), the lowest resolution first: q, h, f where they
// are called so, else in the order of the offer.
func simulcastRIDs(m *sdp.MediaDescription, mid string) ([]string, error) {
	v, ok := m.Attribute("simulcast")
	if !ok {
		return nil, nil
	}
	fields := strings.Fields(v)
	i := slices.Index(fields, "send")
	if i < 0 || i+1 >= len(fields) {
		return nil, badOffer("media section %q: a=simulcast sends nothing", mid)
	}
	var rids []string
	for alternatives := range strings.SplitSeq(fields[i+1], ";") {
		rid, _, _ := strings.Cut(alternatives, ",")
		rid = strings.TrimPrefix(rid, "~")
		if rid == "" || len(rid) > maxMIDLength || slices.Contains(rids, rid) {
			return nil, badOffer("media section %q: a=simulcast is malformed", mid)
		}
		rids = append(rids, strings.Clone(rid))
	}
	if len(rids) > maxLayers {
		return nil, badOffer("media section %q has more than %d simulcast layers", mid, maxLayers)
	}
	const known = "qhf"
	size := func(rid string) int {
		if len(rid) != 1 {
			return -1
		}
		return strings.Index(known, rid)
	}
	if !slices.ContainsFunc(rids, func(r string) bool { return size(r) < 0 }) {
		slices.SortFunc(rids, func(a, b string) int { return size(a) - size(b) })
	}
	return rids, nil
}

// declaredSSRCs returns the SSRC of a section, with its RTX SSRC or 0 (RFC 5576, RFC 4588). What does not parse is left out:
// the stream is then known by its mid. Two streams in one section are an error (they are Plan B), and so are very many lines:
// what pion does with them is quadratic, 8000 took 100 ms.
func declaredSSRCs(m *sdp.MediaDescription, mid string) (map[uint32]uint32, error) {
	all := make(map[uint32]uint32)
	var repairs []uint32
	lines := 0
	for _, a := range m.Attributes {
		if a.Key == "ssrc" || a.Key == "ssrc-group" {
			if lines++; lines > maxSSRCLines {
				return nil, badOffer("media section %q has more than %d lines about SSRCs", mid, maxSSRCLines)
			}
		}
		fields := strings.Fields(a.Value)
		switch {
		case a.Key == "ssrc" && len(fields) > 0:
			if v, err := strconv.ParseUint(fields[0], 10, 32); err == nil && v != 0 {
				all[uint32(v)] += 0
			}
		case a.Key == "ssrc-group" && len(fields) == 3 && fields[0] == "FID":
			media, err1 := strconv.ParseUint(fields[1], 10, 32)
			repair, err2 := strconv.ParseUint(fields[2], 10, 32)
			if err1 == nil && err2 == nil && media != repair {
				all[uint32(media)] = uint32(repair)
				repairs = append(repairs, uint32(repair))
			}
		case a.Key == "ssrc-group" && len(fields) == 3 && fields[0] == "FEC-FR":
			if v, err := strconv.ParseUint(fields[2], 10, 32); err == nil {
				repairs = append(repairs, uint32(v)) // we negotiate no FEC
			}
		}
	}
	for _, r := range repairs {
		delete(all, r)
	}
	if len(all) > 1 {
		return nil, badOffer("media section %q has more than one stream, and is not simulcast", mid)
	}
	return all, nil
}

// read adds the extensions of one section and checks that it agrees with those before.
func (e *extensionIDs) read(m *sdp.MediaDescription, mid string) error {
	for _, a := range m.Attributes {
		if a.Key != sdp.AttrKeyExtMap {
			continue
		}
		var x sdp.ExtMap
		if err := x.Unmarshal(a.Key + ":" + a.Value); err != nil || x.URI == nil {
			return badOffer("media section %q: a=extmap:%s is malformed", mid, a.Value)
		}
		id := e.byURI(x.URI.String())
		if id == nil {
			continue
		}
		if x.Value < 1 || x.Value > 255 || *id != 0 && *id != uint8(x.Value) {
			return badOffer("media section %q: header extension id %d is out of range or differs from the others", mid, x.Value)
		}
		*id = uint8(x.Value)
	}
	return nil
}

// byURI returns where the id of an extension is kept, nil for one that is not known here.
func (e *extensionIDs) byURI(uri string) *uint8 {
	switch uri {
	case sdp.SDESMidURI:
		return &e.mid
	case sdp.SDESRTPStreamIDURI:
		return &e.rid
	case sdp.SDESRepairRTPStreamIDURI:
		return &e.repairedRID
	case sdp.AudioLevelURI:
		return &e.audioLevel
	case sdp.TransportCCURI:
		return &e.transportCC
	case sdp.ABSSendTimeURI:
		return &e.absSendTime
	case dependencyDescriptorURI:
		return &e.dependencyDescriptor
	}
	return nil
}

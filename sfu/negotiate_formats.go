package sfu

import (
	"slices"
	"strconv"
	"strings"

	"github.com/pion/sdp/v3"
)

// format is what a media section says of one payload type.
type format struct {
	payloadType uint8
	name        string // without the clock rate
	clock       uint32 // Hz
	fmtp        string
	feedback    []string
}

// formatsOf reads the formats of a media section in the order of its m-line. Those without a=rtpmap are left out.
func formatsOf(m *sdp.MediaDescription) []format {
	var index [128]uint8 // by payload type: where in all it is, from 1 on
	all := make([]format, 0, len(m.MediaName.Formats))
	for _, f := range m.MediaName.Formats {
		if n, err := strconv.ParseUint(f, 10, 7); err == nil && index[n] == 0 {
			all = append(all, format{payloadType: uint8(n)})
			index[n] = uint8(len(all))
		}
	}
	at := func(pt string) *format {
		if n, err := strconv.ParseUint(pt, 10, 7); err == nil && index[n] != 0 {
			return &all[index[n]-1]
		}
		return nil
	}
	var everywhere []string
	for _, a := range m.Attributes {
		pt, rest, _ := strings.Cut(a.Value, " ")
		switch a.Key {
		case "rtpmap":
			f := at(pt)
			if f == nil {
				continue
			}
			name, rate, _ := strings.Cut(rest, "/")
			rate, _, _ = strings.Cut(rate, "/") // channels
			if hz, err := strconv.ParseUint(rate, 10, 32); err == nil {
				f.name, f.clock = name, uint32(hz)
			}
		case "fmtp":
			if f := at(pt); f != nil {
				f.fmtp = rest
			}
		case "rtcp-fb":
			if f := at(pt); f != nil {
				f.feedback = append(f.feedback, rest)
			} else if pt == "*" {
				everywhere = append(everywhere, rest)
			}
		}
	}
	all = slices.DeleteFunc(all, func(f format) bool { return f.name == "" })
	for i := range all {
		all[i].feedback = append(all[i].feedback, everywhere...)
	}
	return all
}

// readAnswered reads what a media section says: its codecs in the order of its m-line, RED behind what it repeats, its feedback
// and its extensions. Nothing in the result refers to the SDP's memory.
func readAnswered(m *sdp.MediaDescription) answered {
	a := answered{clocks: make(map[uint8]uint32), rtx: make(map[uint8]uint8)}
	var red []format
	for _, f := range formatsOf(m) {
		a.clocks[f.payloadType] = f.clock
		switch {
		case strings.EqualFold(f.name, "rtx"):
			if apt, err := strconv.ParseUint(fmtpValue(f.fmtp, "apt"), 10, 7); err == nil {
				a.rtx[f.payloadType] = uint8(apt)
			}
			continue
		case isRED(m, f):
			red = append(red, f)
			continue
		}
		a.codecs = append(a.codecs, Codec{
			MimeType: m.MediaName.Media + "/" + f.name, Fmtp: strings.Clone(f.fmtp), PayloadType: f.payloadType,
		})
		a.nack = a.nack || slices.Contains(f.feedback, "nack")
		a.pli = a.pli || slices.Contains(f.feedback, "nack pli")
		a.fir = a.fir || slices.Contains(f.feedback, "ccm fir")
		a.transportCC = a.transportCC || slices.Contains(f.feedback, "transport-cc")
		a.remb = a.remb || slices.Contains(f.feedback, "goog-remb")
	}
	for i := range a.codecs {
		for pt, apt := range a.rtx {
			if a.codecs[i].PayloadType == apt {
				a.codecs[i].RTX = pt
			}
		}
	}
	for _, f := range red {
		if slices.ContainsFunc(a.codecs, func(c Codec) bool { return repeats(f, c) }) {
			a.codecs = append(a.codecs, Codec{MimeType: mimeRED, Fmtp: strings.Clone(f.fmtp), PayloadType: f.payloadType})
			break
		}
	}
	a.readExtensions(m)
	return a
}

func (a *answered) readExtensions(m *sdp.MediaDescription) {
	for _, at := range m.Attributes {
		if at.Key == sdp.AttrKeyExtMap {
			uri, id := extensionOf(at)
			if p := a.ext.byURI(uri); p != nil {
				*p = id
			}
		}
	}
}

// isRED reports whether f is redundant audio. Of video it would be for FEC, which is not spoken here.
func isRED(m *sdp.MediaDescription, f format) bool {
	return m.MediaName.Media == "audio" && strings.EqualFold(f.name, "red") && f.clock == 48000
}

// repeats reports whether RED of format f is of Opus c: its blocks are, e.g. "111/111" (RFC 2198, section 5).
func repeats(f format, c Codec) bool {
	if !strings.EqualFold(c.MimeType, mimeOpus) {
		return false
	}
	pt := strconv.Itoa(int(c.PayloadType))
	for block := range strings.SplitSeq(f.fmtp, "/") {
		if block != pt {
			return false
		}
	}
	return true
}

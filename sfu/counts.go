package sfu

import (
	"time"
)

// SourceStats is a snapshot of a source's counters, and of why its packets went where they did.
type SourceStats struct {
	ID               string
	Kind             Kind
	Muted            bool
	Level            float64 // loudness now, 0 to 1
	Layers           []LayerStats
	Sinks            []SinkStats
	Forwarded        uint64 // packets, all sinks, those detached included
	ForwardedBytes   uint64 // of payload
	Resent           uint64
	Due              uint64 // packets that were stored, times the sinks that were attached then
	Replayed         uint64 // packets that were sent though they came before the join: recent keyframes and what follows them
	Filled           uint64 // packets that nobody published: empty ones in the place of late ones, silence before another source
	Queued           uint64 // packets that wait for receivers' links now
	KeyframeRequests uint64 // sent to the publisher
	Nacks            uint64 // sequence numbers asked for
	Recovered        uint64 // lost packets of sound that the publisher's redundancy brought back
	Dropped          map[DropReason]uint64
	LeftOut          map[LeftReason]uint64 // what no sink was to have; with Forwarded, Queued and the sinks' drops all that is Due or Replayed
}

// LayerStats is one simulcast layer's part.
type LayerStats struct {
	RID            string
	Codec          string
	SSRC           uint32
	Width, Height  int // of the last keyframe, 0: unknown
	Live           bool
	Sinks          int
	Packets, Bytes uint64 // stored; bytes with RTP headers
	Keyframes      uint64
}

// SinkStats tells what a sink shows and why. Layers are indices, -1: none.
type SinkStats struct {
	SSRC           uint32
	Width, Height  int // as the viewer shows it
	Current        int
	Target         int
	Waiting        time.Duration // for a keyframe of Target, 0: not
	Unsupported    bool          // the receiver did not negotiate the source's codec
	Packets, Bytes uint64
	Resent         uint64
}

// Stats returns a snapshot. It costs as much as there are sinks: call it every few seconds.
func (s *Source) Stats(now time.Time) SourceStats {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := SourceStats{ID: s.cfg.ID, Kind: s.cfg.Kind, Muted: s.muted.Load(), Level: s.loudness(now)}
	total := s.gone
	total.drops.add(&s.drops)
	for _, l := range s.streams {
		st.KeyframeRequests += l.requests
		st.Nacks += l.nacks
		st.Recovered += l.recovered
		st.Layers = append(st.Layers, s.layerStats(l))
	}
	for _, k := range s.sinks {
		k.settleUp()
		total.add(&k.sinkCounts)
		st.Queued += k.queued
		st.Sinks = append(st.Sinks, k.stats(now))
	}
	st.count(&total)
	return st
}

func (s *Source) layerStats(l *stream) LayerStats {
	st := LayerStats{
		Codec: l.codec.MimeType, SSRC: l.ssrc, Width: l.size.Width, Height: l.size.Height, Live: l.live,
		Sinks: len(*l.sinks.Load()), Packets: l.packets, Bytes: l.bytes, Keyframes: l.keyframes,
	}
	if len(s.cfg.RIDs) > 0 {
		st.RID = s.cfg.RIDs[l.index]
	}
	return st
}

func (k *Sink) stats(now time.Time) SinkStats {
	st := SinkStats{
		SSRC: k.line.cfg.SSRC, Width: k.shown.Width, Height: k.shown.Height,
		Current: k.current, Target: k.target, Unsupported: k.unsupported,
		Packets: k.packets, Bytes: k.bytes, Resent: k.resent,
	}
	if k.current < 0 || k.current != k.target {
		st.Waiting = now.Sub(k.since)
	}
	return st
}

package stock

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"

	"github.com/pion/rtcp"
	"github.com/pion/webrtc/v4"
)

// peer is one client.
type peer struct {
	// Static after construction.
	server *Server
	room   *room
	id     string
	conn   net.Conn

	pc        *webrtc.PeerConnection // Static after join, which is in the goroutine of serve.
	published bool                   // Guarded by Server.mu.
	connected bool                   // Guarded by Server.mu.
	slots     []*slot                // Guarded by Server.mu.
}

// slot is a pair of senders, which show one participant.
type slot struct {
	of      string // participant; "": nobody yet
	senders [2]*webrtc.RTPSender
	shows   [2]*source
}

var kinds = [2]webrtc.RTPCodecType{webrtc.RTPCodecTypeAudio, webrtc.RTPCodecTypeVideo}

// message is what clients say, as far as it is looked at.
type message struct {
	Type  string `json:"type"`
	ID    int    `json:"id"`
	Media struct {
		SDP   string            `json:"sdp"`
		Slots []json.RawMessage `json:"slots"`
	} `json:"media"`
	Tiles []struct {
		Participant string `json:"participant"`
	} `json:"tiles"`
}

// hear does what a client asks for. True: it leaves.
func (p *peer) hear(line []byte) (bool, error) {
	var m message
	if err := json.Unmarshal(line, &m); err != nil {
		return false, fmt.Errorf("a message: %w", err)
	}
	switch m.Type {
	case "join":
		if err := p.join(&m); err != nil {
			return true, errors.Join(err, p.say(map[string]any{"type": "error", "id": m.ID, "code": "bad_request", "message": err.Error()}))
		}
		return false, nil
	case "publish":
		p.publish()
	case "subscribe":
		p.subscribe(&m)
	case "ping":
		return false, p.say(map[string]any{"type": "pong"})
	case "leave":
		return true, nil
	}
	return false, p.say(map[string]any{"type": "ok", "id": m.ID})
}

// say writes a message. Several goroutines may: a line is one write.
func (p *peer) say(m map[string]any) error {
	b, err := json.Marshal(m)
	if err == nil {
		_, err = p.conn.Write(append(b, '\n'))
	}
	return err
}

// join answers the client's offer.
func (p *peer) join(m *message) error {
	if p.pc != nil {
		return errors.New("joined already")
	}
	if strings.Contains(m.Media.SDP, "a=simulcast:") {
		return errors.New("a stock forwarder has no simulcast")
	}
	pc, err := p.server.api.NewPeerConnection(webrtc.Configuration{})
	if err != nil {
		return err
	}
	p.pc = pc
	pc.OnTrack(p.forward)
	pc.OnConnectionStateChange(func(s webrtc.PeerConnectionState) {
		if s == webrtc.PeerConnectionStateConnected {
			p.up()
		}
	})
	var slots []*slot
	for range m.Media.Slots {
		one := &slot{}
		for i, mime := range []string{webrtc.MimeTypeOpus, videoOf(m.Media.SDP)} {
			if one.senders[i], err = p.sender(mime); err != nil {
				return err
			}
		}
		slots = append(slots, one)
	}
	if err := pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: m.Media.SDP}); err != nil {
		return err
	}
	answer, err := pc.CreateAnswer(nil)
	if err != nil {
		return err
	}
	gathered := webrtc.GatheringCompletePromise(pc)
	if err := pc.SetLocalDescription(answer); err != nil {
		return err
	}
	<-gathered
	return p.say(map[string]any{
		"type": "welcome", "id": m.ID, "participant": p.id, "media": map[string]any{"sdp": pc.LocalDescription().SDP},
		"room": map[string]any{"participants": p.server.install(p, slots)},
	})
}

// videoOf is the codec that an offer has, the only one.
func videoOf(sdp string) string {
	for line := range strings.Lines(sdp) {
		if name, ok := strings.CutSuffix(strings.TrimSpace(line), "/90000"); ok && !strings.HasSuffix(name, " rtx") {
			return "video/" + name[strings.LastIndexByte(name, ' ')+1:]
		}
	}
	return webrtc.MimeTypeVP8
}

// sender adds one half of a slot. It shows nothing until somebody is mapped there.
func (p *peer) sender(mime string) (*webrtc.RTPSender, error) {
	silent, err := webrtc.NewTrackLocalStaticRTP(webrtc.RTPCodecCapability{MimeType: mime}, "silent", "silent")
	if err != nil {
		return nil, err
	}
	t, err := p.pc.AddTransceiverFromTrack(silent, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionSendonly})
	if err != nil {
		return nil, err
	}
	sender := t.Sender()
	p.server.tasks.Go(func() { p.listen(sender) })
	return sender, nil
}

// listen reads RTCP, which is what makes the interceptors see it, and passes on requests for keyframes.
func (p *peer) listen(sender *webrtc.RTPSender) {
	for {
		pkts, _, err := sender.ReadRTCP()
		if err != nil {
			return
		}
		for _, pkt := range pkts {
			switch pkt.(type) {
			case *rtcp.PictureLossIndication, *rtcp.FullIntraRequest:
				p.refresh(sender)
			}
		}
	}
}

// refresh asks for a keyframe of what a sender shows.
func (p *peer) refresh(sender *webrtc.RTPSender) {
	p.server.mu.Lock()
	defer p.server.mu.Unlock()
	for _, s := range p.slots {
		if i := slices.Index(s.senders[:], sender); i >= 0 && s.shows[i] != nil {
			s.shows[i].keyframe(p.server)
		}
	}
}

// keyframe asks the publisher for one.
func (s *source) keyframe(server *Server) {
	err := s.from.pc.WriteRTCP([]rtcp.Packet{&rtcp.PictureLossIndication{MediaSSRC: uint32(s.ssrc)}})
	if err != nil && !errors.Is(err, io.ErrClosedPipe) {
		server.log.Warn("keyframe", "err", err)
	}
}

// forward is the loop of a published track.
func (p *peer) forward(remote *webrtc.TrackRemote, _ *webrtc.RTPReceiver) {
	s, err := p.server.open(p, remote)
	if err != nil {
		p.server.log.Error("track", "err", err)
		return
	}
	b := make([]byte, 1500)
	for {
		n, _, err := remote.Read(b)
		if err != nil {
			return
		}
		p.server.in.Add(1)
		if _, err := s.track.Write(b[:n]); err != nil && !errors.Is(err, io.ErrClosedPipe) {
			p.server.log.Warn("forward", "err", err)
		}
		viewers := uint64(s.viewers.Load())
		p.server.out.Add(viewers)
		p.server.bytesOut.Add(viewers * uint64(n))
	}
}

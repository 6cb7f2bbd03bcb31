//go:build linux

package sfu

import (
	"context"
	"net"
	"testing"
	"time"

	"github.com/pion/ice/v4"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"
	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// costClient is a client of the other process.
type costClient struct {
	t      *testing.T
	pc     *webrtc.PeerConnection
	mux    *ice.UDPMuxDefault
	tracks [2]*webrtc.TrackLocalStaticRTP
}

// dropRTP lets the kernel drop what is RTP (RFC 7983, RFC 5761).
func dropRTP(t *testing.T, conn *net.UDPConn) {
	prog, err := bpf.Assemble([]bpf.Instruction{
		bpf.LoadAbsolute{Off: 8, Size: 1}, // behind the UDP header
		bpf.JumpIf{Cond: bpf.JumpLessThan, Val: 128, SkipTrue: 5},
		bpf.JumpIf{Cond: bpf.JumpGreaterThan, Val: 191, SkipTrue: 4},
		bpf.LoadAbsolute{Off: 9, Size: 1},
		bpf.JumpIf{Cond: bpf.JumpLessThan, Val: 192, SkipTrue: 1},
		bpf.JumpIf{Cond: bpf.JumpLessOrEqual, Val: 223, SkipTrue: 1},
		bpf.RetConstant{Val: 0},
		bpf.RetConstant{Val: 65535},
	})
	must(t, err)
	raw, err := conn.SyscallConn()
	must(t, err)
	filter := make([]unix.SockFilter, len(prog))
	for i, p := range prog {
		filter[i] = unix.SockFilter{Code: p.Op, Jt: p.Jt, Jf: p.Jf, K: p.K}
	}
	must(t, raw.Control(func(fd uintptr) {
		must(t, unix.SetsockoptSockFprog(int(fd), unix.SOL_SOCKET, unix.SO_ATTACH_FILTER,
			&unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}))
	}))
}

func newCostClient(t *testing.T, r *remoteNode, room int, viewer bool) *costClient {
	t.Helper()
	c := &costClient{t: t}
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	must(t, err)
	if viewer {
		dropRTP(t, conn)
	}
	c.mux = ice.NewUDPMuxDefault(ice.UDPMuxParams{UDPConn: conn})
	m := &webrtc.MediaEngine{}
	must(t, m.RegisterDefaultCodecs())
	s := webrtc.SettingEngine{}
	s.SetIncludeLoopbackCandidate(true)
	s.SetICEUDPMux(c.mux)
	s.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)
	s.SetNetworkTypes([]webrtc.NetworkType{webrtc.NetworkTypeUDP4})
	c.pc, err = webrtc.NewAPI(webrtc.WithMediaEngine(m), webrtc.WithSettingEngine(s)).NewPeerConnection(webrtc.Configuration{})
	must(t, err)
	up := make(chan struct{}, 1)
	c.pc.OnConnectionStateChange(func(s webrtc.PeerConnectionState) {
		if s == webrtc.PeerConnectionStateConnected {
			up <- struct{}{}
		}
	})
	if *costData {
		yes, id := true, uint16(0)
		_, err = c.pc.CreateDataChannel("reliable", &webrtc.DataChannelInit{Negotiated: &yes, ID: &id})
		must(t, err)
	}
	var o Offer
	kinds := []webrtc.RTPCodecType{webrtc.RTPCodecTypeAudio, webrtc.RTPCodecTypeVideo}
	if viewer {
		for _, k := range kinds {
			_, err = c.pc.AddTransceiverFromKind(k, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionRecvonly})
			must(t, err)
		}
	} else {
		mimes := []string{webrtc.MimeTypeOpus, webrtc.MimeTypeVP8}
		for i := range kinds {
			c.tracks[i], err = webrtc.NewTrackLocalStaticRTP(webrtc.RTPCodecCapability{MimeType: mimes[i]}, mimes[i], "s")
			must(t, err)
			_, err = c.pc.AddTransceiverFromTrack(c.tracks[i], webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionSendonly})
			must(t, err)
		}
	}
	offer, err := c.pc.CreateOffer(nil)
	must(t, err)
	must(t, c.pc.SetLocalDescription(offer))
	o.SDP = offer.SDP
	tr := c.pc.GetTransceivers()
	if viewer {
		o.Slots = []SlotLine{{Audio: tr[0].Mid(), Video: tr[1].Mid()}}
	} else {
		o.Send = []SendLine{{MID: tr[0].Mid(), Kind: Microphone}, {MID: tr[1].Mid(), Kind: Camera}}
	}
	a := r.do(costRequest{Offer: &o, Room: room, Show: viewer})
	must(t, c.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: a.Answer}))
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	select {
	case <-up:
	case <-ctx.Done():
		t.Fatal("not connected")
	}
	return c
}

// publish sends sound and picture until stop: 50 packets of sound a second, frames of 1200-byte packets, a keyframe a second.
func (c *costClient) publish(stop chan struct{}) {
	audio, video := time.NewTicker(20*time.Millisecond), time.NewTicker(time.Second/time.Duration(*costFPS))
	defer audio.Stop()
	defer video.Stop()
	var as, vs uint16
	frame := 0
	for {
		select {
		case <-stop:
			return
		case <-audio.C:
			as++
			_ = c.tracks[0].WriteRTP(costPacket(as, uint32(as)*960, true, make([]byte, 80)))
		case <-video.C:
			frame++
			for i := range *costBurst {
				vs++
				payload := make([]byte, 1174)
				copy(payload, vp8Packets(uint16(frame), frame%*costFPS == 1, 640, 360, 1)[min(i, 1)])
				_ = c.tracks[1].WriteRTP(costPacket(vs, uint32(frame)*uint32(90000 / *costFPS), i == *costBurst-1, payload))
			}
		}
	}
}

func costPacket(seq uint16, timestamp uint32, marker bool, payload []byte) *rtp.Packet {
	return &rtp.Packet{
		Header:  rtp.Header{Version: 2, SequenceNumber: seq, Timestamp: timestamp, Marker: marker},
		Payload: payload,
	}
}

func (c *costClient) close() {
	_ = c.pc.Close()
	_ = c.mux.Close()
}

package loadgen

import (
	"testing"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
)

func TestFullReceiversSendTransportFeedback(t *testing.T) {
	t.Parallel()
	r := &receiver{}
	if got := r.transport(); got != nil {
		t.Errorf("a light receiver sends %v", got)
	}
	r.feedback = newFeedback(5)
	if got := r.transport(); got != nil {
		t.Errorf("before any packet: %v", got)
	}
	for _, seq := range []byte{1, 2, 4} {
		h := rtp.Header{SSRC: 9}
		if err := h.SetExtension(extTransport, []byte{0, seq}); err != nil {
			t.Fatal(err)
		}
		r.feedback.add(&h, r.feedback.began.Add(time.Duration(seq)*time.Millisecond))
	}
	r.feedback.add(&rtp.Header{SSRC: 9}, time.Now()) // without the extension
	got := r.transport()
	if len(got) != 1 {
		t.Fatalf("%d packets", len(got))
	}
	cc, ok := got[0].(*rtcp.TransportLayerCC)
	if !ok || cc.BaseSequenceNumber != 1 || cc.PacketStatusCount != 4 || len(cc.RecvDeltas) != 3 || cc.SenderSSRC != 5 {
		t.Errorf("%+v", got[0])
	}
}

func TestReceiverReportsEstimateLoss(t *testing.T) {
	t.Parallel()
	for _, every := range []uint16{1, 5} {
		in := &inbound{video: true, sequence: sequence{every: every}}
		for n := range uint16(401) {
			if n%40 != 35 { // a 40th of all, an 8th of the sampled
				in.sequence.add(n)
			}
		}
		lost := map[uint16]uint8{1: 256 / 40, 5: 256 / 8}[every]
		if b := in.block(3); b.FractionLost < lost-3 || b.FractionLost > lost+1 || b.SSRC != 3 || b.TotalLost == 0 {
			t.Errorf("every %d: %+v", every, b)
		}
		if b := in.block(3); b.FractionLost != 0 || b.TotalLost == 0 {
			t.Errorf("every %d: an interval in which nothing came: %+v", every, b)
		}
	}
}

func TestJitter(t *testing.T) {
	t.Parallel()
	in := &inbound{video: true}
	at := time.Unix(1000, 0)
	for n := range uint32(100) {
		in.time(n*3000, at.Add(time.Duration(n)*time.Second/30))
	}
	if in.jitter > 1 {
		t.Errorf("an even stream has jitter %v", in.jitter)
	}
	for n := range uint32(100) {
		in.time((100+n)*3000, at.Add(time.Duration(100+n)*time.Second/30+time.Duration(n%2)*10*time.Millisecond))
	}
	if in.jitter < 700 || in.jitter > 1000 { // 10 ms are 900 ticks
		t.Errorf("10 ms back and forth: jitter %v", in.jitter)
	}
}

// TestAccounts says where packets are that were published.
func TestAccounts(t *testing.T) {
	t.Parallel()
	from := flow{}
	to := flow{published: 100, due: 300, packets: 280}
	b := ServerSample{PacketsIn: 95, PacketsOut: 283, Dropped: map[string]uint64{"udp:queue": 5, "socket_full": 3, "late": 2}}
	got := accounts(from, to, ServerSample{}, b, false)
	if got.LostIn != 0 || got.LostOut != 0 || got.NotForwarded != 300-283-2 {
		t.Errorf("%+v", got)
	}
	b.PacketsOut, b.Resent, b.Extra, b.LeftOut = 260, 7, 3, map[string]uint64{"paused": 40, "waiting": 5}
	b.Dropped["nack_unknown"] = 11 // asked for again, never due
	if got := accounts(from, to, ServerSample{}, b, false); got.NotForwarded != 300+10-260-45-2 {
		t.Errorf("%+v", got)
	}
	b.Dropped["udp:queue"] = 9 // some of them were no media
	if got := accounts(from, to, ServerSample{}, b, false); got.LostIn != 0 {
		t.Errorf("%+v", got)
	}
	if got := accounts(from, to, ServerSample{}, b, true); got.NotForwarded != 0 {
		t.Errorf("simulcast: %+v", got)
	}
}

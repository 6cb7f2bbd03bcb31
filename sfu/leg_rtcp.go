package sfu

import (
	"encoding/binary"
	"net/netip"
	"slices"
	"time"

	"github.com/pion/rtcp"

	"github.com/parley/parley/internal/batch"
	"github.com/parley/parley/internal/steady"
)

const (
	maxEarly    = 32 // packets that are kept until the leg is up: those that overtake the end of our DTLS handshake
	srtcpGrowth = 32 // bytes, at most: index and tag

	maxReporters = 256 // SSRCs that a client sends RTCP with: Firefox uses one for each line that it sends or is shown
)

// isRTCP tells RTCP from everything else (RFC 5761, section 4; RFC 7983).
func isRTCP(b []byte) bool {
	return len(b) >= 8 && b[0]>>6 == 2 && b[1] >= 192 && b[1] <= 223
}

// openRTCP decrypts a packet in place; nil: it did not authenticate, or came before. The caller is in the loop.
func (k *leg) openRTCP(b []byte, from netip.AddrPort) []byte {
	defer k.peer.guard("receive")
	if !k.takes {
		k.peer.count.peerClosed.Add(1)
		return nil
	}
	plain, err := k.in.DecryptRTCP(b, b, nil)
	switch {
	case err == nil:
		if !k.heard.Load() {
			k.heard.Store(true)
		}
		k.heardFrom(from, k.loop.clock())
		k.reporter, k.reported = binary.BigEndian.Uint32(plain[4:]), true
		return k.known(plain)
	case isDuplicate(err):
		k.peer.count.duplicate.Add(1)
	default:
		k.peer.count.unauthenticated.Add(1)
	}
	return nil
}

// known returns b, nil where its sender makes one SSRC too many: SRTCP keeps a state for each. The caller is in the loop.
func (k *leg) known(b []byte) []byte {
	ssrc := binary.BigEndian.Uint32(b[4:])
	if slices.Contains(k.reporters, ssrc) {
		return b
	}
	if len(k.reporters) == maxReporters {
		k.peer.tooManyStreams()
		return nil
	}
	k.reporters = append(k.reporters, ssrc)
	return b
}

// lateRTCP is late for RTCP.
func (k *leg) lateRTCP(b []byte, from netip.AddrPort) {
	k.loop.Lock()
	plain := k.openRTCP(b, from)
	if plain != nil {
		k.meet(from, k.loop.clock())
	}
	k.loop.Unlock()
	if plain == nil {
		return
	}
	k.peer.receiveCompound(plain, steady.Now())
}

// receiveCompound acts on RTCP that has authenticated. The caller is in no loop.
func (p *Peer) receiveCompound(b []byte, now time.Time) {
	defer p.guard("rtcp")
	p.count.signs.Add(1)
	for len(b) > 0 {
		n := 0
		if len(b) >= 4 {
			n = 4 * (1 + int(binary.BigEndian.Uint16(b[2:])))
		}
		if n == 0 || n > len(b) {
			p.count.malformed.Add(1)
			return
		}
		p.receivePart(b[:n], now)
		b = b[n:]
	}
}

// receivePart acts on one packet of a compound.
func (p *Peer) receivePart(b []byte, now time.Time) {
	if isTransportFeedback(b) {
		p.downlink.feedback(now, b)
		return
	}
	pkts, err := rtcp.Unmarshal(b)
	if err != nil {
		p.count.malformed.Add(1)
		return
	}
	for _, pkt := range pkts {
		for _, ssrc := range pkt.DestinationSSRC() {
			p.receiveRTCP(ssrc, pkt, now)
		}
	}
}

// isTransportFeedback tells transport-wide feedback (draft-holmer-rmcat-transport-wide-cc-extensions-01, section 3.1) from the rest.
func isTransportFeedback(b []byte) bool { return len(b) >= 2 && b[0]&0x1f == 15 && b[1] == 205 }

// writeRTCP encrypts and sends one compound packet. While the leg is not up it is lost. The caller is in the loop.
func (k *leg) writeRTCP(pkts []rtcp.Packet) error {
	if !k.up {
		return nil
	}
	raw, err := rtcp.Marshal(pkts)
	if err != nil {
		return err
	}
	if len(raw)+srtcpGrowth > batch.MaxPacket {
		return errTooLong
	}
	out := k.loop.sender()
	b, err := k.out.EncryptRTCP(out.Next(), raw, nil)
	if err != nil {
		return err
	}
	if k.to == nil {
		return k.tcp.write(b)
	}
	out.Commit(len(b), k.to, k, true)
	return nil
}

// Dropped is told by the loop's sender that the socket had no room for RTCP.
func (k *leg) Dropped(n int) { k.peer.count.rtcpFailed.Add(uint64(n)) }

// keep is late, and holds a packet until the leg is up.
func (k *leg) keep(b []byte, from netip.AddrPort) {
	if k.late(b, from) {
		return
	}
	k.loop.Lock()
	defer k.loop.Unlock()
	if k.takes || k.closed || len(k.early) == maxEarly {
		k.peer.count.early.Add(1)
		return
	}
	k.early = append(k.early, append([]byte(nil), b...))
}

// release takes what was kept. The caller is in the loop, the leg is up.
func (k *leg) release() {
	early := k.early
	k.early = nil
	if len(early) == 0 {
		return
	}
	defer k.peer.guard("receive")
	k.loop.now = steady.Now()
	for _, b := range early {
		if isRTP(b) { // RTCP comes again
			k.receive(b)
		}
	}
	k.loop.deliver()
}

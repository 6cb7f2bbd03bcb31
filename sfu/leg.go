package sfu

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/srtp/v3"

	"github.com/parley/parley/internal/batch"
	"github.com/parley/parley/internal/steady"
	"github.com/parley/parley/sfu/internal/budget"
	"github.com/parley/parley/sfu/internal/seal"
)

const (
	replayWindow     = 1024 // packets
	replayWindowRTCP = 64
	maxAddrs         = 8  // of one peer, from which it may send at once; the oldest gives way
	maxForged        = 16 // packets in a row that do not authenticate: the addresses are somebody else's by now
)

var (
	errTooLong  = errors.New("packet does not fit a datagram")
	errFull     = errors.New("the rest of the frame is dropped")
	errRollover = errors.New("no rollover counter")
)

// leg is a peer's part of the plane: its SRTP contexts for RTP in both directions, and where its packets go. It is the only
// one that seals what is sent to the peer, whatever the path: with two, nonces would be used twice.
type leg struct {
	// What each packet that leaves needs comes first: TestHotFields.

	// Static after construction.
	loop     *loop // the peer's
	downlink *downlink

	// Owned by the loop.
	up, closed bool        // up: keys and a path are there, and the client is
	reported   bool        // RTCP came
	reporter   uint32      // the SSRC of that which came last
	to         *batch.Dest // over UDP
	sent       sentCounts
	gcm        seal.GCM // ready where AEAD_AES_128_GCM was agreed

	// Static after construction.
	peer  *Peer
	plane *plane

	ready   atomic.Bool  // takes, for who is not in the loop
	heard   atomic.Bool  // RTCP of the client's has authenticated
	heardAt atomic.Int64 // when something of the client's came over the path last, within heardEvery; Unix nanoseconds
	trusted atomic.Bool  // the path's address has shown that it wants what is sent there

	addrs []netip.AddrPort // Guarded by plane.mu.

	// Owned by the loop.
	in        *srtp.Context
	out       *srtp.Context // RTCP, and RTP where there is no gcm
	early     [][]byte      // RTP from before
	tcp       *tcpConn      // over ICE-TCP
	header    rtp.Header
	streams   []*inStream
	reporters []uint32 // SSRCs that RTCP came from
	forged    int
	takes     bool // keys and a path are there: what comes is taken
	silent    bool // nothing has come for mutedAfter, and nothing is sent
	moves     budget.Budget
}

const (
	heardEvery = 100 * time.Millisecond
	// Who has not been heard for so long, by checks, RTCP or media, is sent nothing until he is: two of Firefox's checks, 5 s apart, may
	// be lost, or one and a report.
	mutedAfter = 11 * time.Second
)

// sentCounts are of what was sealed. Resent is part of packets.
type sentCounts struct{ packets, bytes, resent uint64 }

func newLeg(p *Peer, pl *plane) *leg {
	return &leg{peer: p, plane: pl, loop: p.loop, downlink: &p.downlink, moves: newMoves()}
}

// start is called when DTLS is through, the client's certificate verified. Not before: nobody else is sent anything. It wipes
// the keys.
func (k *leg) start(keys *seal.Keys) error {
	defer keys.Wipe()
	k.loop.Lock()
	defer k.loop.Unlock()
	if k.closed {
		return ErrClosed
	}
	if err := k.open(keys); err != nil {
		return fmt.Errorf("srtp: %w", err)
	}
	k.refresh()
	return nil
}

func (k *leg) open(keys *seal.Keys) error {
	in, err := srtp.CreateContext(keys.Remote.Key, keys.Remote.Salt, keys.Profile,
		srtp.SRTPReplayProtection(replayWindow), srtp.SRTCPReplayProtection(replayWindowRTCP))
	if err != nil {
		return err
	}
	if k.out, err = srtp.CreateContext(keys.Local.Key, keys.Local.Salt, keys.Profile); err != nil {
		return err
	}
	if keys.Profile == srtp.ProtectionProfileAeadAes128Gcm {
		k.gcm, err = seal.NewGCM(keys.Local)
	}
	if err == nil {
		k.in = in
	}
	return err
}

// refresh sets up. The caller is in the loop.
func (k *leg) refresh() {
	before := k.up
	k.takes = !k.closed && k.in != nil && (k.to != nil || k.tcp != nil)
	k.up = k.takes && k.trusted.Load() && !k.silent
	k.ready.Store(k.takes)
	if k.takes {
		if k.to != nil {
			k.plane.claim(k.to.Addr(), k)
		}
		k.release()
	}
	if k.up && !before {
		k.begin(steady.Now())
	}
}

// begin shows what was waiting for the transport, without waiting for its next packet: a keyframe that was there before is sent now, a
// fresh one is asked for where it is too old. The caller is in the loop.
func (k *leg) begin(now time.Time) {
	for _, l := range k.peer.send.Load().lines {
		if s := l.sink.Load(); s != nil && s.source.mu == sync.Locker(k.loop) {
			s.begin(now)
		}
	}
}

// use sends on that path from now on: ICE has chosen it. Media follows once its address is trusted.
func (k *leg) use(v via, trusted bool) {
	k.loop.Lock()
	defer k.loop.Unlock()
	if k.closed {
		return
	}
	if v.tcp != nil {
		k.to, k.tcp = nil, v.tcp
	} else {
		k.to, k.tcp = k.plane.dest(v.addr, v.at), nil
	}
	k.trusted.Store(trusted)
	k.heardAt.Store(steady.Now().UnixNano())
	k.refresh()
}

// hear takes note of a sign of life over the path in use. The caller is in no loop.
func (k *leg) hear(now time.Time) {
	if k.note(now) {
		k.loop.Lock()
		defer k.loop.Unlock()
		k.speak()
	}
}

// heardFrom is hear for who is in the loop, and has a packet that has authenticated.
func (k *leg) heardFrom(from netip.AddrPort, now time.Time) {
	if (k.to == nil || k.to.Addr() == from) && k.note(now) {
		k.speak()
	}
}

// note reports whether it is worth looking whether the client was silent.
func (k *leg) note(now time.Time) bool {
	at := now.UnixNano()
	if since := at - k.heardAt.Load(); since >= 0 && since < int64(heardEvery) {
		return false
	}
	k.heardAt.Store(at)
	return true
}

// speak ends the silence towards a client that was heard. The caller is in the loop.
func (k *leg) speak() {
	if k.silent {
		k.silent = false
		k.refresh()
	}
}

// listen stops sending to a client of whom nothing has come for long. The caller is in no loop.
func (k *leg) listen(now time.Time) {
	if now.UnixNano()-k.heardAt.Load() < int64(mutedAfter) {
		return
	}
	k.loop.Lock()
	defer k.loop.Unlock()
	if k.up && now.UnixNano()-k.heardAt.Load() >= int64(mutedAfter) {
		k.silent = true
		k.peer.count.silenced.Add(1)
		k.refresh()
	}
}

// lose stops all sending: ICE has given the client up, and nobody may be sent what he has not lately consented to (RFC 7675). The next
// pair of candidates begins anew.
func (k *leg) lose() {
	k.loop.Lock()
	defer k.loop.Unlock()
	k.to, k.tcp = nil, nil
	k.refresh()
}

// close ends the leg: keys are forgotten, addresses are free.
func (k *leg) close() {
	k.loop.Lock()
	defer k.loop.Unlock()
	k.closed = true
	k.refresh()
	k.plane.forget(k)
	k.gcm.Wipe()
	k.in, k.out, k.to, k.tcp, k.streams, k.early = nil, nil, nil, nil, nil, nil
}

// take is receive for the reader of the socket, which no mistake of ours must end. The caller is in the loop.
func (k *leg) take(b []byte, from netip.AddrPort) {
	defer k.peer.guard("receive")
	if !k.takes { // closed since the batch was looked at
		k.peer.count.peerClosed.Add(1)
		return
	}
	if k.receive(b) {
		k.heardFrom(from, k.loop.now)
	}
}

// receive decrypts a packet in place and gathers it in the loop. False: it did not authenticate, or came before. The caller is
// in the loop.
func (k *leg) receive(b []byte) bool {
	p := k.peer
	plain, err := k.in.DecryptRTP(b, b, &k.header)
	if err != nil {
		if isDuplicate(err) {
			p.count.duplicate.Add(1)
			return false
		}
		p.count.unauthenticated.Add(1)
		if k.forged++; k.forged == maxForged {
			k.forged = 0
			k.plane.forget(k)
		}
		return false
	}
	k.forged = 0
	k.accept(plain)
	return true
}

// accept gathers a packet that has authenticated, whose header is in k.header. The caller is in the loop.
func (k *leg) accept(plain []byte) {
	to, pkt := k.peer.accept(k.stream(k.header.SSRC), plain, k.loop.now)
	if to != nil {
		k.loop.gather(to.line.source, to.layer, pkt)
	}
}

// isDuplicate tells what networks do from what attackers do. pion does not export this error.
func isDuplicate(err error) bool { return strings.Contains(err.Error(), "duplicated") }

// stream finds a stream: there are about ten.
func (k *leg) stream(ssrc uint32) *inStream {
	for _, s := range k.streams {
		if s.ssrc == ssrc {
			return s
		}
	}
	p := k.peer
	p.streamsMu.Lock()
	defer p.streamsMu.Unlock()
	s := p.openStream(ssrc)
	if s.ssrc == ssrc {
		k.streams = append(k.streams, s)
	}
	return s
}

// late takes RTP and RTCP that came over TCP, or from an address that the plane does not know yet. False: the leg is not up.
func (k *leg) late(b []byte, from netip.AddrPort) bool {
	if !k.ready.Load() {
		return false
	}
	if isRTCP(b) {
		k.lateRTCP(b, from)
		return true
	}
	if !isRTP(b) {
		return false
	}
	l := k.loop
	l.Lock()
	defer l.Unlock()
	if !k.takes {
		return false
	}
	defer k.peer.guard("receive")
	l.now = steady.Now()
	if k.receive(b) {
		k.meet(from, l.now)
	}
	l.deliver()
	return true
}

// meet is told from where a packet came that has authenticated, and was not expected from there; zero: from its connection. The caller is
// in the loop.
func (k *leg) meet(from netip.AddrPort, now time.Time) {
	k.heardFrom(from, now)
	if from.IsValid() && k.moves.Take(now, 1) {
		k.plane.learn(from, k)
	}
}

// write seals a packet. It returns the length of the RTP packet, 0 while the leg is not up. The caller is in the loop.
func (k *leg) write(l *slotLine, h *rtp.Header, payload []byte) (int, error) {
	if !k.up {
		return 0, nil
	}
	d := k.downlink
	numbered := d.numbers(l)
	if n := int(h.PaddingSize); n > 0 { // of a slot of the ring: it lies behind the payload
		payload, h.Padding, h.PaddingSize = payload[:len(payload)+n], true, 0
	}
	fixed, err := d.number(h, l, numbered)
	if err != nil {
		return 0, err
	}
	if fixed+len(payload)+seal.TagLen > batch.MaxPacket {
		return 0, errTooLong
	}
	roll := &l.media
	if h.SSRC != l.ssrc {
		roll = &l.repair
	} else if l.skips(h.Timestamp) {
		return 0, errFull
	}
	roc, ok := roll.Next(h.SequenceNumber)
	if !ok {
		return 0, errRollover
	}
	out := l.sender()
	b := out.Next()[:fixed]
	if err := writeHeader(b, h); err != nil {
		return 0, err
	}
	whole := h
	if numbered && !h.Extension {
		writeNumber(b, l.agreed.ext.transportCC, d.seq)
		whole = nil // pion's context reads the packet's own
	}
	if k.gcm.Ready() {
		b = k.gcm.Seal(b, payload, h.SSRC, roc, h.SequenceNumber)
	} else {
		if b, err = k.out.EncryptRTP(b[:0], append(b, payload...), whole); err != nil {
			return 0, err
		}
	}
	d.leaves(l, h.SSRC, len(b), numbered)
	if k.to != nil {
		again := k.remember(l, b)
		if out.Commit(len(b), k.to, l, !l.video); again {
			k.repeat(l, out)
		}
	} else if err := k.tcp.write(b); err != nil {
		return 0, err
	}
	n := fixed + len(payload)
	k.count(n, h.SSRC != l.ssrc)
	return n, nil
}

// count counts a packet of n bytes, its tag left out. The caller is in the loop.
func (k *leg) count(n int, resent bool) {
	k.sent.packets++
	k.sent.bytes += uint64(n)
	if resent {
		k.sent.resent++
	}
}

// sender returns where the line's datagrams are written now. The caller is in the loop, or does a part of a fan-out for it.
func (l *slotLine) sender() *batch.Sender {
	if h := l.line.hand; h != nil {
		return h.out
	}
	return l.leg.loop.sender()
}

// writeHeader writes h to b, which has its length.
func writeHeader(b []byte, h *rtp.Header) error {
	if h.Extension {
		_, err := h.MarshalTo(b)
		return err
	}
	b[0], b[1] = 0x80, h.PayloadType
	if h.Padding {
		b[0] |= 0x20
	}
	if h.Marker {
		b[1] |= 0x80
	}
	binary.BigEndian.PutUint16(b[2:], h.SequenceNumber)
	binary.BigEndian.PutUint32(b[4:], h.Timestamp)
	binary.BigEndian.PutUint32(b[8:], h.SSRC)
	return nil
}

// skips reports whether a packet belongs to a frame of which a part was dropped already. Sound is never skipped.
func (l *slotLine) skips(timestamp uint32) bool {
	if l.lastTime = timestamp; !l.skipping {
		return false
	}
	if timestamp == l.skipTime {
		l.peer.count.socketFull.Add(1)
		return true
	}
	l.skipping = false
	return false
}

// Dropped is told by the loop's sender that the socket had no room: the rest of a frame would be of no use.
func (l *slotLine) Dropped(n int) {
	l.peer.count.socketFull.Add(uint64(n))
	if l.video {
		l.skipping, l.skipTime = true, l.lastTime
	}
}

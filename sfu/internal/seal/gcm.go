package seal

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"fmt"
)

const (
	// TagLen is what a packet grows by, in bytes.
	TagLen = 16

	labelKey  = 0 // RFC 3711, section 4.3.2
	labelSalt = 2
)

// GCM is the sending direction of AEAD_AES_128_GCM. The zero value is not ready.
type GCM struct {
	aead  cipher.AEAD
	salt  [12]byte
	nonce [12]byte
}

// NewGCM derives the session key from a master key of 16 bytes and a salt of 12.
func NewGCM(k Key) (GCM, error) {
	if len(k.Key) != 16 || len(k.Salt) != 12 {
		return GCM{}, fmt.Errorf("seal: key of %d and salt of %d bytes", len(k.Key), len(k.Salt))
	}
	block, err := aes.NewCipher(k.Key)
	if err != nil {
		return GCM{}, fmt.Errorf("seal: %w", err)
	}
	session, salt := derive(block, k.Salt, labelKey), derive(block, k.Salt, labelSalt)
	defer clear(session[:])
	if block, err = aes.NewCipher(session[:]); err != nil {
		return GCM{}, fmt.Errorf("seal: %w", err)
	}
	var g GCM
	if g.aead, err = cipher.NewGCM(block); err != nil {
		return GCM{}, fmt.Errorf("seal: %w", err)
	}
	copy(g.salt[:], salt[:])
	return g, nil
}

// Ready reports whether there is a key.
func (g *GCM) Ready() bool { return g.aead != nil }

// Wipe overwrites the salt and gives the key up. What crypto/aes made of it is the collector's.
func (g *GCM) Wipe() {
	clear(g.salt[:])
	clear(g.nonce[:])
	g.aead = nil
}

// derive is RFC 3711, section 4.3, with a key derivation rate of 0; RFC 7714, section 11: the salt has 12 bytes.
func derive(master cipher.Block, salt []byte, label byte) [16]byte {
	var iv, out [16]byte
	copy(iv[:], salt)
	iv[7] ^= label
	cipher.NewCTR(master, iv[:]).XORKeyStream(out[:], out[:])
	return out
}

// Seal appends the encrypted payload and the tag to header, which is authenticated and must have the room. The packet is what
// RFC 7714, section 8 makes of an RTP packet with that header.
func (g *GCM) Seal(header, payload []byte, ssrc, roc uint32, seq uint16) []byte {
	n := g.nonce[:]
	copy(n, g.salt[:])
	binary.BigEndian.PutUint32(n[2:], binary.BigEndian.Uint32(n[2:])^ssrc)
	binary.BigEndian.PutUint32(n[6:], binary.BigEndian.Uint32(n[6:])^roc)
	binary.BigEndian.PutUint16(n[10:], binary.BigEndian.Uint16(n[10:])^seq)
	return g.aead.Seal(header, n, payload, header)
}

// reach is how far a packet may be behind the newest, in packets: more than any ring holds.
const reach = 1024

// Rollover counts the wraps of one SSRC's sequence numbers (RFC 3711, section 3.3.1), from the sender's side, and refuses numbers
// that it has given a counter before: no two packets may have one nonce.
type Rollover struct {
	roc     uint32
	last    uint16
	started bool
	sent    [reach / 64]uint64 // by sequence number modulo reach: of the newest reach numbers
}

// Next returns the rollover counter for a packet: the newest, or one that is up to reach behind it. It is false where that would
// be before the first packet, and for a number that was here before.
func (r *Rollover) Next(seq uint16) (roc uint32, ok bool) {
	if !r.started {
		r.started, r.last = true, seq
		r.mark(seq)
		return 0, true
	}
	if delta := int16(seq - r.last); delta > 0 {
		if delta >= reach {
			clear(r.sent[:])
		} else {
			for skipped := r.last + 1; skipped != seq; skipped++ { // they may still come
				r.unmark(skipped)
			}
		}
		if seq < r.last {
			r.roc++
		}
		r.last = seq
		r.mark(seq)
		return r.roc, true
	} else if delta <= -reach || r.isMarked(seq) {
		return 0, false
	}
	if seq > r.last { // from before the wrap
		if r.roc == 0 {
			return 0, false
		}
		r.mark(seq)
		return r.roc - 1, true
	}
	r.mark(seq)
	return r.roc, true
}

func (r *Rollover) mark(seq uint16)   { r.sent[seq%reach/64] |= 1 << (seq % 64) }
func (r *Rollover) unmark(seq uint16) { r.sent[seq%reach/64] &^= 1 << (seq % 64) }

func (r *Rollover) isMarked(seq uint16) bool { return r.sent[seq%reach/64]&(1<<(seq%64)) != 0 }

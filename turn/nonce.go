package turn

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"net/netip"
	"time"
)

// nonceMinutes is how long a nonce is good (RFC 8656 section 5: at most an hour).
const nonceMinutes = 60

// nonces are made and checked without being kept: 16 bits of the minute they were made in, and 32 bits of a MAC of it and
// of whom they were made for. An integrity covers its nonce, so that one who guesses a nonce has nothing; and short ones
// keep a challenge about as small as what it answers.
type nonces struct{ key [32]byte }

func newNonces() *nonces {
	n := &nonces{}
	rand.Read(n.key[:]) // never fails
	return n
}

func (n *nonces) next(to netip.AddrPort, now time.Time) string {
	return n.at(to, now.Unix()/60)
}

func (n *nonces) at(to netip.AddrPort, minute int64) string {
	b := binary.BigEndian.AppendUint64(nil, uint64(minute)) //nolint:gosec // mixed, not counted with
	ip := to.Addr().As16()
	b = binary.BigEndian.AppendUint16(append(b, ip[:]...), to.Port())
	mac := hmac.New(sha256.New, n.key[:])
	mac.Write(b) // a hash never fails
	return base64.URLEncoding.EncodeToString(append(b[6:8:8], mac.Sum(nil)[:4]...))
}

func (n *nonces) good(nonce []byte, from netip.AddrPort, now time.Time) bool {
	b, err := base64.URLEncoding.DecodeString(string(nonce))
	if err != nil || len(b) != 6 {
		return false
	}
	minute := now.Unix() / 60
	age := int64(uint16(minute) - binary.BigEndian.Uint16(b)) //nolint:gosec // the minute's low bits
	return age <= nonceMinutes && hmac.Equal(nonce, []byte(n.at(from, minute-age)))
}

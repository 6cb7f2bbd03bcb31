package guests

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"time"

	"github.com/parley/parley/signaling/token"
)

// What is wrong with an invitation.
var (
	ErrInvalid = errors.New("the invitation is not valid")
	ErrExpired = errors.New("the invitation has expired")
	ErrRevoked = errors.New("the invitation was revoked")
)

// An invitation's text is base64url of
//
//	version and flags (1 byte) | permissions (1) | made at, in ms (6) | good for, in s (4) | id (8) | signature (12)
//
// The signature is the beginning of HMAC-SHA256 over the room's name, a zero byte, and all before it. 96 bits are enough where each try
// is a request.
const (
	version   = 1 << 4
	flagKnock = 1

	idBytes   = 8
	bodyBytes = 1 + 1 + 6 + 4 + idBytes
	sumBytes  = 12
	allBytes  = bodyBytes + sumBytes
)

// bits are the permissions in the order of their bits. It is part of the format.
var bits = [8]token.Permission{
	token.Publish, token.Subscribe, token.Message, token.Moderate, token.Join, token.Invite, token.Watch, token.List,
}

// content is what the text says.
type content struct {
	knock bool
	can   []token.Permission
	made  time.Time // whole milliseconds
	ttl   time.Duration
	id    [idBytes]byte
}

func (c content) expires() time.Time { return c.made.Add(c.ttl) }
func (c content) name() string       { return base64.RawURLEncoding.EncodeToString(c.id[:]) }

// keys sign invitations: the first makes, all verify.
type keys [][]byte

func newKeys(secrets [][]byte) (keys, error) {
	var out keys
	for _, s := range secrets {
		k, err := hkdf.Key(sha256.New, s, nil, "parley invitation", sha256.Size)
		if err != nil {
			return nil, err
		}
		out = append(out, k)
	}
	if len(out) == 0 {
		return nil, errors.New("guests: no secret")
	}
	return out, nil
}

func sum(key []byte, room string, body []byte) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(room))
	h.Write([]byte{0}) // no room's name has one
	h.Write(body)
	return h.Sum(nil)[:sumBytes]
}

// write makes the text.
func (k keys) write(room string, c content) string {
	b := make([]byte, 0, allBytes)
	first := byte(version)
	if c.knock {
		first |= flagKnock
	}
	var can byte
	for i, p := range bits {
		for _, has := range c.can {
			if has == p {
				can |= 1 << i
			}
		}
	}
	b = append(b, first, can)
	var ms [8]byte
	binary.BigEndian.PutUint64(ms[:], uint64(c.made.UnixMilli()))
	b = append(b, ms[2:]...)
	b = binary.BigEndian.AppendUint32(b, uint32(c.ttl/time.Second))
	b = append(b, c.id[:]...)
	return base64.RawURLEncoding.EncodeToString(append(b, sum(k[0], room, b)...))
}

// read takes a text apart that was signed for the room. The error is ErrInvalid.
func (k keys) read(text, room string) (content, error) {
	var c content
	if len(text) != base64.RawURLEncoding.EncodedLen(allBytes) {
		return c, ErrInvalid
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || len(b) != allBytes { // line breaks are skipped by the decoder
		return c, ErrInvalid
	}
	body, signature := b[:bodyBytes], b[bodyBytes:]
	good := false
	for _, key := range k {
		good = hmac.Equal(sum(key, room, body), signature) || good
	}
	if !good || body[0]&^flagKnock != version {
		return c, ErrInvalid
	}
	c.knock = body[0]&flagKnock != 0
	for i, p := range bits {
		if body[1]&(1<<i) != 0 {
			c.can = append(c.can, p)
		}
	}
	var ms [8]byte
	copy(ms[2:], body[2:8])
	c.made = time.UnixMilli(int64(binary.BigEndian.Uint64(ms[:])))
	c.ttl = time.Duration(binary.BigEndian.Uint32(body[8:12])) * time.Second
	c.id = [idBytes]byte(body[12:bodyBytes])
	return c, nil
}

// setID takes an id that validID has passed.
func (c *content) setID(id string) {
	b, err := base64.RawURLEncoding.DecodeString(id)
	if err == nil {
		copy(c.id[:], b)
	}
}

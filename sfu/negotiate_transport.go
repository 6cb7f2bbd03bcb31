package sfu

import (
	"bytes"
	"crypto"
	_ "crypto/sha256" // hashes that fingerprints may be of
	_ "crypto/sha512"
	"encoding/hex"
	"errors"
	"strconv"
	"strings"

	"github.com/pion/sdp/v3"
)

const (
	maxFingerprints       = 4
	defaultMaxMessageSize = 64 << 10 // bytes, RFC 8841, section 6.1
)

// fingerprint is a hash of the certificate that the client will show (RFC 8122).
type fingerprint struct {
	hash crypto.Hash
	sum  string // raw bytes
}

// tagged returns the section whose transport all others use: the first of the BUNDLE group (RFC 9143, section 7.2), whose mids
// those are.
func tagged(d *sdp.SessionDescription, bundle []string) (*sdp.MediaDescription, error) {
	for _, m := range d.MediaDescriptions {
		if mid, _ := m.Attribute("mid"); mid == bundle[0] {
			return m, nil
		}
	}
	return nil, badOffer("there is no media section %q, which the BUNDLE group begins with", bundle[0])
}

// readTransport takes the transport from the tagged section m, or from the session. What other sections say of theirs would
// count if bundling were refused (RFC 8829, section 5.2.1), and is ignored.
func (p *offer) readTransport(d *sdp.SessionDescription, m *sdp.MediaDescription) error {
	mid, _ := m.Attribute("mid")
	t := &p.transport
	t.mid = strings.Clone(mid)
	t.ufrag, t.password = strings.Clone(find(d, m, "ice-ufrag")), strings.Clone(find(d, m, "ice-pwd"))
	switch {
	case find(d, m, "setup") != "actpass":
		return badOffer("media section %q is not an offer's: a=setup is not actpass", mid)
	case t.ufrag == "" || t.password == "":
		return badOffer("media section %q has no ICE user name and password", mid)
	}
	all := append(fingerprintsOf(m.Attributes), fingerprintsOf(d.Attributes)...)
	switch n := len(all); {
	case n == 0:
		return badOffer("media section %q has no DTLS fingerprint", mid)
	case n > maxFingerprints:
		return badOffer("there are more than %d DTLS fingerprints", maxFingerprints)
	}
	for _, v := range all {
		f, err := parseFingerprint(v)
		if err != nil {
			return badOffer("media section %q has no DTLS fingerprint that can be used: %v", mid, err)
		}
		t.fingerprints = append(t.fingerprints, f)
	}
	return nil
}

// find returns an attribute of the section, or else of the session.
func find(d *sdp.SessionDescription, m *sdp.MediaDescription, key string) string {
	if v, ok := m.Attribute(key); ok {
		return v
	}
	v, _ := d.Attribute(key)
	return v
}

func fingerprintsOf(attributes []sdp.Attribute) []string {
	var all []string
	for _, a := range attributes {
		if a.Key == "fingerprint" && len(all) <= maxFingerprints {
			all = append(all, a.Value)
		}
	}
	return all
}

var (
	errFingerprintHash = errors.New("its hash is none of sha-256, sha-384 and sha-512")
	errFingerprintForm = errors.New("it is malformed")
)

// parseFingerprint reads the value of an a=fingerprint.
func parseFingerprint(v string) (fingerprint, error) {
	name, rest, _ := strings.Cut(v, " ")
	var h crypto.Hash
	switch strings.ToLower(name) {
	case "sha-256":
		h = crypto.SHA256
	case "sha-384":
		h = crypto.SHA384
	case "sha-512":
		h = crypto.SHA512
	default:
		return fingerprint{}, errFingerprintHash
	}
	if len(rest) != 3*h.Size()-1 {
		return fingerprint{}, errFingerprintForm
	}
	raw := make([]byte, h.Size())
	for i := range raw {
		if i > 0 && rest[3*i-1] != ':' {
			return fingerprint{}, errFingerprintForm
		}
		if _, err := hex.Decode(raw[i:i+1], []byte(rest[3*i:3*i+2])); err != nil {
			return fingerprint{}, errFingerprintForm
		}
	}
	return fingerprint{h, string(raw)}, nil
}

// matches reports whether f is the certificate's.
func (f fingerprint) matches(certificate []byte) bool {
	h := f.hash.New()
	h.Write(certificate)
	return bytes.Equal(h.Sum(nil), []byte(f.sum))
}

// String is f as a=fingerprint writes it.
func (f fingerprint) String() string {
	const digits = "0123456789ABCDEF"
	b := append([]byte(nil), "sha-"+strconv.Itoa(8*f.hash.Size())...)
	separator := byte(' ')
	for i := range len(f.sum) {
		b = append(b, separator, digits[f.sum[i]>>4], digits[f.sum[i]&15])
		separator = ':'
	}
	return string(b)
}

func fingerprintOf(certificate []byte) fingerprint {
	h := crypto.SHA256.New()
	h.Write(certificate)
	return fingerprint{crypto.SHA256, string(h.Sum(nil))}
}

// maxMessageSize reads a=max-message-size of the data section.
func maxMessageSize(m *sdp.MediaDescription) uint32 {
	v, ok := m.Attribute("max-message-size")
	if !ok {
		return defaultMaxMessageSize
	}
	n, err := strconv.ParseUint(v, 10, 32)
	if err != nil {
		return defaultMaxMessageSize
	}
	return uint32(n)
}

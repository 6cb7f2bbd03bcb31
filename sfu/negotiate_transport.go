package sfu

import (
	"bytes"
	"crypto"
	_ "crypto/sha256" // hashes that fingerprints may be of
	_ "crypto/sha512"
	"encoding/hex"
	"errors"
	"slices"
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

// readTransport takes the transport from the first section, which all others share, or from the session.
func (p *offer) readTransport(d *sdp.SessionDescription) error {
	m := d.MediaDescriptions[0]
	mid, _ := m.Attribute("mid")
	t := &p.transport
	t.ufrag, t.password = strings.Clone(find(d, m, "ice-ufrag")), strings.Clone(find(d, m, "ice-pwd"))
	all := append(fingerprintsOf(m.Attributes), fingerprintsOf(d.Attributes)...)
	if len(all) > maxFingerprints {
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

// check looks for what ICE and DTLS need, in the section or in the session, and that it is the same as in the first section.
func (t *transportOffer) check(d *sdp.SessionDescription, m *sdp.MediaDescription, mid string) error {
	ufrag, password, hash := find(d, m, "ice-ufrag"), find(d, m, "ice-pwd"), find(d, m, "fingerprint")
	switch {
	case find(d, m, "setup") != "actpass":
		return badOffer("media section %q is not an offer's: a=setup is not actpass", mid)
	case ufrag == "" || password == "":
		return badOffer("media section %q has no ICE user name and password", mid)
	case len(strings.Split(hash, " ")) != 2:
		return badOffer("media section %q has no DTLS fingerprint", mid)
	case ufrag != t.ufrag || password != t.password:
		return badOffer("media section %q has another ICE user name or password than the first: they are bundled", mid)
	}
	if f, err := parseFingerprint(hash); err != nil || !slices.Contains(t.fingerprints, f) {
		return badOffer("media section %q has another DTLS fingerprint than the first: they are bundled", mid)
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

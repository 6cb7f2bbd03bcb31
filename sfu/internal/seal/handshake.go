package seal

import (
	"bytes"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"sync"

	"github.com/pion/dtls/v3"
	"github.com/pion/dtls/v3/pkg/crypto/prf"
	"github.com/pion/dtls/v3/pkg/protocol/extension"
	"github.com/pion/dtls/v3/pkg/protocol/handshake"
	"github.com/pion/srtp/v3"
)

// Handshake collects what the keys of one DTLS connection, of which we are the server, are derived from. pion has no exporter
// that an unmodified PeerConnection would let one use; it tells the master secret to a key log and the random numbers to a hook.
type Handshake struct {
	mu           sync.Mutex
	client       [32]byte // random numbers
	server       [32]byte
	master       [48]byte
	profile      extension.SRTPProtectionProfile
	prf          func() hash.Hash
	greeted, has bool
}

// Key is a master key with its salt.
type Key struct{ Key, Salt []byte }

// Keys are the master keys of both directions (RFC 5764, section 4.2).
type Keys struct {
	Profile       srtp.ProtectionProfile
	Local, Remote Key
}

// Wipe overwrites the keys.
func (k *Keys) Wipe() {
	for _, b := range [][]byte{k.Local.Key, k.Local.Salt, k.Remote.Key, k.Remote.Salt} {
		clear(b)
	}
}

var keyLabel = []byte("CLIENT_RANDOM ")

// Write takes a line of the key log: label, client random and master secret in hexadecimal. It keeps nothing of line.
func (h *Handshake) Write(line []byte) (int, error) {
	rest, ok := bytes.CutPrefix(line, keyLabel)
	random, secret, ok2 := bytes.Cut(bytes.TrimRight(rest, "\n"), []byte{' '})
	h.mu.Lock()
	defer h.mu.Unlock()
	if !ok || !ok2 || len(random) != 2*len(h.client) || len(secret) != 2*len(h.master) {
		return len(line), nil // a kind of line that is not needed
	}
	_, err := hex.Decode(h.client[:], random)
	_, err2 := hex.Decode(h.master[:], secret)
	h.has = err == nil && err2 == nil
	return len(line), nil
}

// ServerHello is the hook: it returns the message as it is.
func (h *Handshake) ServerHello(m handshake.MessageServerHello) handshake.Message {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.server, h.greeted, h.prf = m.Random.MarshalFixed(), true, sha256.New
	if m.CipherSuiteID != nil {
		switch dtls.CipherSuiteID(*m.CipherSuiteID) {
		case dtls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, dtls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384:
			h.prf = sha512.New384
		}
	}
	for _, e := range m.Extensions {
		if use, ok := e.(*extension.UseSRTP); ok && len(use.ProtectionProfiles) == 1 {
			h.profile = use.ProtectionProfiles[0]
		}
	}
	return &m
}

// Keys derives the keys and wipes what they came from: a second call fails.
func (h *Handshake) Keys() (Keys, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.greeted || !h.has {
		return Keys{}, errors.New("no keys: the handshake was not seen")
	}
	defer h.wipe()
	keys := Keys{Profile: srtp.ProtectionProfile(h.profile)}
	keyLen, err := keys.Profile.KeyLen()
	if err != nil {
		return Keys{}, fmt.Errorf("no keys: %w", err)
	}
	saltLen, err := keys.Profile.SaltLen()
	if err != nil {
		return Keys{}, fmt.Errorf("no keys: %w", err)
	}
	seed := append([]byte("EXTRACTOR-dtls_srtp"), h.client[:]...)
	seed = append(seed, h.server[:]...)
	m, err := prf.PHash(h.master[:], seed, 2*keyLen+2*saltLen, h.prf)
	if err != nil {
		return Keys{}, fmt.Errorf("no keys: %w", err)
	}
	// client key, server key, client salt, server salt
	keys.Remote.Key, m = m[:keyLen:keyLen], m[keyLen:]
	keys.Local.Key, m = m[:keyLen:keyLen], m[keyLen:]
	keys.Remote.Salt, m = m[:saltLen:saltLen], m[saltLen:]
	keys.Local.Salt = m[:saltLen:saltLen]
	return keys, nil
}

// Wipe forgets everything.
func (h *Handshake) Wipe() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.wipe()
}

func (h *Handshake) wipe() {
	clear(h.client[:])
	clear(h.server[:])
	clear(h.master[:])
	h.greeted, h.has = false, false
}

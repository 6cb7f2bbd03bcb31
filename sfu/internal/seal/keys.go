package seal

import (
	"fmt"
	"io"
	"log/slog"

	"github.com/pion/dtls/v3"
	"github.com/pion/srtp/v3"
)

// Key is a master key with its salt.
type Key struct{ Key, Salt []byte }

// Format writes nothing of the key, whatever verb it is printed with.
func (Key) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "secret") }

// LogValue logs nothing of the key.
func (Key) LogValue() slog.Value { return slog.StringValue("secret") }

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

// Export derives the keys of a DTLS connection that was set up, of which we are the server, and which chose that profile.
func Export(s *dtls.State, profile dtls.SRTPProtectionProfile) (Keys, error) {
	keys := Keys{Profile: srtp.ProtectionProfile(profile)}
	keyLen, err := keys.Profile.KeyLen()
	if err != nil {
		return Keys{}, fmt.Errorf("no keys: %w", err)
	}
	saltLen, err := keys.Profile.SaltLen()
	if err != nil {
		return Keys{}, fmt.Errorf("no keys: %w", err)
	}
	m, err := s.ExportKeyingMaterial("EXTRACTOR-dtls_srtp", nil, 2*keyLen+2*saltLen)
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

package hosts

import (
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

const (
	// MinPassphrase is the shortest passphrase, in bytes.
	MinPassphrase = 8

	// MaxPassphrase is the longest one.
	MaxPassphrase = 1024

	iterations    = 600_000 // of PBKDF2-HMAC-SHA256, as OWASP's Password Storage Cheat Sheet of 2023 asks for: about 0.15 s
	maxIterations = 10_000_000
	scheme        = "pbkdf2-sha256"
	saltBytes     = 16
	hashBytes     = 32
)

// errHash reports something that is no hash of a passphrase.
var errHash = errors.New("it is no hash of a passphrase; make one with: parley passphrase")

// Hash makes what a configuration holds in place of a passphrase: "pbkdf2-sha256.<iterations>.<salt>.<hash>", base64url (RFC 8018,
// section 5.2). It has no character that shells or compose files take for their own.
func Hash(passphrase string) (string, error) {
	if len(passphrase) < MinPassphrase || len(passphrase) > MaxPassphrase {
		return "", fmt.Errorf("a passphrase has %d to %d bytes, this one %d", MinPassphrase, MaxPassphrase, len(passphrase))
	}
	salt := make([]byte, saltBytes)
	rand.Read(salt)
	return hashed{iterations, salt, derive(passphrase, salt, iterations)}.String(), nil
}

// hashed is a hash taken apart.
type hashed struct {
	iterations int
	salt, sum  []byte
}

func (h hashed) String() string {
	b64 := base64.RawURLEncoding
	return strings.Join([]string{scheme, strconv.Itoa(h.iterations), b64.EncodeToString(h.salt), b64.EncodeToString(h.sum)}, ".")
}

// parse takes a hash apart.
func parse(s string) (hashed, error) {
	parts := strings.Split(s, ".")
	if len(parts) != 4 || parts[0] != scheme {
		return hashed{}, errHash
	}
	n, err := strconv.Atoi(parts[1])
	if err != nil || n < 1 || n > maxIterations {
		return hashed{}, errHash
	}
	salt, errSalt := base64.RawURLEncoding.DecodeString(parts[2])
	sum, errSum := base64.RawURLEncoding.DecodeString(parts[3])
	if errSalt != nil || errSum != nil || len(salt) < 8 || len(salt) > 64 || len(sum) != hashBytes {
		return hashed{}, errHash
	}
	return hashed{n, salt, sum}, nil
}

// Valid reports what is wrong with a hash.
func Valid(hash string) error {
	_, err := parse(hash)
	return err
}

// fits reports whether it is the hash of passphrase. It takes as long for any.
func (h hashed) fits(passphrase string) bool {
	return subtle.ConstantTimeCompare(derive(passphrase, h.salt, h.iterations), h.sum) == 1
}

func derive(passphrase string, salt []byte, iterations int) []byte {
	key, err := pbkdf2.Key(sha256.New, passphrase, salt, iterations, hashBytes)
	if err != nil {
		panic("hosts: derive a key: " + err.Error()) // the lengths are ours
	}
	return key
}

package main

import (
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
)

const (
	// minSecret is the shortest secret taken, in bytes. Whoever holds a token can search for its key at leisure.
	minSecret = 16

	// maxSecrets is how many may be good at once. A forged token costs as many checks.
	maxSecrets = 16
)

// secret never shows itself in a log line or an error.
type secret string

// String hides the secret from %v and %s.
func (s secret) String() string {
	if s == "" {
		return ""
	}
	return "(not shown)"
}

// GoString hides the secret from %#v.
func (s secret) GoString() string { return s.String() }

// LogValue hides the secret from slog.
func (s secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// secrets are the keys of one trade. The first signs, all verify.
type secrets []secret

func newSecrets(list []string) secrets {
	out := make(secrets, len(list))
	for i, s := range list {
		out[i] = secret(s)
	}
	return out
}

// String hides the secrets from %v and %s.
func (s secrets) String() string {
	if len(s) == 0 {
		return ""
	}
	return s[0].String()
}

// GoString hides the secrets from %#v.
func (s secrets) GoString() string { return s.String() }

// LogValue hides the secrets from slog.
func (s secrets) LogValue() slog.Value { return slog.StringValue(s.String()) }

// signing is the key of what is signed here, or nil where there is none.
func (s secrets) signing() []byte {
	if len(s) == 0 {
		return nil
	}
	return []byte(s[0])
}

// keys are all that verify, the signing one first.
func (s secrets) keys() [][]byte {
	out := make([][]byte, len(s))
	for i := range s {
		out[i] = []byte(s[i])
	}
	return out
}

// readSecret puts the content of secret_file where the secrets belong, the same for turn, and checks them.
func (l *loaded) readSecret() error {
	c := &l.config
	if err := l.readSecrets("secret", &c.Secret, c.SecretFile); err != nil {
		return err
	}
	if err := l.readClientSecret(); err != nil {
		return err
	}
	if err := l.readSecrets("turn.secret", &c.Turn.Secret, c.Turn.SecretFile); err != nil {
		return err
	}
	for _, s := range c.Turn.Secret {
		if slices.Contains(c.Secret, s) {
			return l.problem("turn.secret", "it is one of secret too: whoever makes relay credentials with it could make access tokens")
		}
	}
	return nil
}

func (l *loaded) readSecrets(key string, into *secrets, file string) error {
	if file != "" {
		if len(*into) > 0 {
			return l.problem(key+"_file", "%s is set too (by %s): keep one of them", key, l.from[key])
		}
		key += "_file"
		b, err := os.ReadFile(file)
		if err != nil {
			return l.problem(key, "%v", err)
		}
		if *into = secretLines(string(b)); len(*into) == 0 {
			return l.problem(key, "%s is empty; make a secret with: openssl rand -hex 32", file)
		}
	}
	if len(*into) > maxSecrets {
		return l.problem(key, "%d secrets are too many, at most %d", len(*into), maxSecrets)
	}
	for i, s := range *into {
		if len(s) >= minSecret {
			continue
		}
		which := ""
		if len(*into) > 1 {
			which = fmt.Sprintf("secret %d of %d: ", i+1, len(*into))
		}
		return l.problem(key, "%s%d bytes are too short, want at least %d; make one with: openssl rand -hex 32",
			which, len(s), minSecret)
	}
	return nil
}

// relaySecrets are the keys of relay credentials: turn.secret, or what follows from each key of access tokens, or,
// where there is neither, one that nobody else needs to know.
func (c *config) relaySecrets() []string {
	var out []string
	for _, s := range c.Turn.Secret {
		out = append(out, string(s))
	}
	if len(out) > 0 {
		return out
	}
	for _, s := range c.Secret {
		key, err := hkdf.Key(sha256.New, []byte(s), nil, "parley turn credentials", 32)
		if err != nil {
			panic(err) // 32 bytes are not too many
		}
		out = append(out, hex.EncodeToString(key))
	}
	if len(out) == 0 {
		return []string{rand.Text()}
	}
	return out
}

// secretLines reads one secret from each line that is not blank.
func secretLines(text string) secrets {
	var out secrets
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			out = append(out, secret(line))
		}
	}
	return out
}

var (
	_ fmt.Stringer   = secrets{}
	_ slog.LogValuer = secrets{}
	_ slog.LogValuer = secret("")
)

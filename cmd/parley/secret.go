package main

import (
	"fmt"
	"log/slog"
	"os"
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

// secrets are the keys of access tokens. The first signs, all verify.
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

// readSecret puts the content of secret_file where the secrets belong, and checks them.
func (l *loaded) readSecret() error {
	c, key := &l.config, "secret"
	if c.SecretFile != "" {
		key = "secret_file"
		if len(c.Secret) > 0 {
			return l.problem(key, "secret is set too (by %s): keep one of them", l.from["secret"])
		}
		b, err := os.ReadFile(c.SecretFile)
		if err != nil {
			return l.problem(key, "%v", err)
		}
		if c.Secret = secretLines(string(b)); len(c.Secret) == 0 {
			return l.problem(key, "%s is empty; make a secret with: openssl rand -hex 32", c.SecretFile)
		}
	}
	if len(c.Secret) > maxSecrets {
		return l.problem(key, "%d secrets are too many, at most %d", len(c.Secret), maxSecrets)
	}
	for i, s := range c.Secret {
		if len(s) >= minSecret {
			continue
		}
		which := ""
		if len(c.Secret) > 1 {
			which = fmt.Sprintf("secret %d of %d: ", i+1, len(c.Secret))
		}
		return l.problem(key, "%s%d bytes are too short, want at least %d; make one with: openssl rand -hex 32",
			which, len(s), minSecret)
	}
	return nil
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

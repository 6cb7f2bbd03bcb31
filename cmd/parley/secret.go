package main

import (
	"bytes"
	"fmt"
	"log/slog"
	"os"
)

// minSecret is the shortest secret taken, in bytes. Whoever holds a token can search for its key at leisure.
const minSecret = 16

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

// readSecret puts the content of secret_file where the secret belongs.
func (l *loaded) readSecret() error {
	c := &l.config
	if c.SecretFile != "" {
		if c.Secret != "" {
			return l.problem("secret_file", "secret is set too (by %s): keep one of them", l.from["secret"])
		}
		b, err := os.ReadFile(c.SecretFile)
		if err != nil {
			return l.problem("secret_file", "%v", err)
		}
		c.Secret = secret(bytes.TrimSpace(b))
		if c.Secret == "" {
			return l.problem("secret_file", "%s is empty; make a secret with: openssl rand -hex 32", c.SecretFile)
		}
	}
	if c.Secret != "" && len(c.Secret) < minSecret {
		key := "secret"
		if c.SecretFile != "" {
			key = "secret_file"
		}
		return l.problem(key, "%d bytes are too short, want at least %d; make one with: openssl rand -hex 32",
			len(c.Secret), minSecret)
	}
	return nil
}

var (
	_ fmt.Stringer   = secret("")
	_ slog.LogValuer = secret("")
)

package main

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"strings"
	"time"
)

// pair is a certificate with its key, and the time for which browsers take it.
type pair struct {
	tls.Certificate
	from, until time.Time // UTC
}

// newPair reads the times: those of the leaf, and of the certificate that signed it where that is in the file too; of several for the same
// key (cross-signed) the one that lasts longest.
func newPair(c tls.Certificate) (*pair, error) {
	if c.Leaf == nil {
		return nil, errors.New("no certificate") // LoadX509KeyPair has set it
	}
	p := &pair{c, c.Leaf.NotBefore.UTC(), c.Leaf.NotAfter.UTC()}
	var signer time.Time
	for _, der := range c.Certificate[1:] {
		above, err := x509.ParseCertificate(der)
		if err != nil {
			return nil, fmt.Errorf("certificate chain: %w", err)
		}
		if bytes.Equal(above.RawSubject, c.Leaf.RawIssuer) && above.NotAfter.After(signer) {
			signer = above.NotAfter.UTC()
		}
	}
	if !signer.IsZero() && signer.Before(p.until) {
		p.until = signer
	}
	return p, nil
}

// faults are why browsers will not take a pair.
type faults struct{ early, ended, misnamed bool }

func (p *pair) faults(name string, now time.Time) faults {
	return faults{
		early: now.Before(p.from), ended: !now.Before(p.until),
		misnamed: name != "" && p.Leaf.VerifyHostname(name) != nil,
	}
}

// worse reports whether browsers would take a pair with the faults f from fewer people than one with g.
func (f faults) worse(g faults) bool {
	if a, b := f.early || f.ended, g.early || g.ended; a != b {
		return a
	}
	return f.misnamed && !g.misnamed
}

func (f faults) String() string {
	var all []string
	for _, fault := range []struct {
		has  bool
		text string
	}{{f.early, "it is not valid yet"}, {f.ended, "it has expired"}, {f.misnamed, "it is not for the host of public_url"}} {
		if fault.has {
			all = append(all, fault.text)
		}
	}
	return strings.Join(all, "; ")
}

// Of a certificate's end.
type stage int

const (
	far   stage = iota
	near        // to be renewed by now: whoever does so by program does it a month ahead
	ended       // browsers refuse it
)

const nearEnd = 14 * 24 * time.Hour

// reminder decides when to warn of the end: at once when a stage is reached, and once a day then. The zero value is ready.
type reminder struct {
	stage stage
	at    time.Time
}

// due returns the stage to warn of now; far: none.
func (r *reminder) due(until, now time.Time) stage {
	s := far
	switch left := until.Sub(now); {
	case left <= 0:
		s = ended
	case left <= nearEnd:
		s = near
	}
	if s == r.stage && (s == far || now.Sub(r.at) < 24*time.Hour) {
		return far
	}
	r.stage, r.at = s, now
	return s
}

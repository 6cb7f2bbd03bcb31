package sfu

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"math/big"
	"time"
)

const (
	certLife    = 30 * 24 * time.Hour
	certRenewal = 15 * 24 * time.Hour // before its end the certificate is replaced for new peers
)

// identity is the certificate that the node shows clients, the same to many peers.
type identity struct {
	certificate tls.Certificate
	x509        *x509.Certificate
	fingerprint fingerprint
}

func newIdentity(now time.Time) (*identity, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("certificate key: %w", err)
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 128))
	if err != nil {
		return nil, fmt.Errorf("certificate serial: %w", err)
	}
	template := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: "WebRTC"},
		NotBefore: now.Add(-24 * time.Hour), NotAfter: now.Add(certLife), // clients' clocks differ
	}
	raw, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, fmt.Errorf("certificate: %w", err)
	}
	parsed, err := x509.ParseCertificate(raw)
	if err != nil {
		return nil, fmt.Errorf("certificate: %w", err)
	}
	return &identity{
		certificate: tls.Certificate{Certificate: [][]byte{raw}, PrivateKey: key, Leaf: parsed},
		x509:        parsed, fingerprint: fingerprintOf(raw),
	}, nil
}

// identity returns the node's, a new one where the old one ends soon.
func (n *Node) identity(now time.Time) (*identity, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.shown == nil || now.Add(certRenewal).After(n.shown.x509.NotAfter) {
		id, err := newIdentity(now)
		if err != nil {
			return nil, err
		}
		n.shown = id
	}
	return n.shown, nil
}

package lan

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"net/netip"
	"slices"
	"time"
)

// Times of a certificate.
const (
	lifetime = 397 * 24 * time.Hour // as a whole
	before   = 24 * time.Hour       // of its life, for clocks that are slow
	renewal  = 30 * 24 * time.Hour  // with less left it is renewed
)

// certificateFile is where it is kept, with its key.
const certificateFile = "lan.pem"

// Store keeps files over a restart.
type Store interface {
	Read(name string) ([]byte, error)
	Write(name string, content []byte) error
	SetAside(name string, why error)
}

// Certificate is the one that is kept, or a new one where that is none, nears its end or lacks an address or a name of the machine's.
// One that cannot be kept is returned with the error: it is as good until the process ends.
func Certificate(kept Store, v *View, now time.Time) (c tls.Certificate, made bool, err error) {
	c, err = read(kept)
	switch {
	case err == nil && good(c.Leaf, v, now):
		return c, false, nil
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		kept.SetAside(certificateFile, err)
	}
	c, content, err := newCertificate(v, now)
	if err != nil {
		return tls.Certificate{}, false, fmt.Errorf("lan: make a certificate: %w", err)
	}
	if err := kept.Write(certificateFile, content); err != nil {
		return c, true, fmt.Errorf("lan: keep the certificate: %w", err)
	}
	return c, true, nil
}

func read(kept Store) (tls.Certificate, error) {
	content, err := kept.Read(certificateFile)
	if err != nil {
		return tls.Certificate{}, err
	}
	return tls.X509KeyPair(content, content)
}

// good reports whether a certificate does for the machine for a while.
func good(leaf *x509.Certificate, v *View, now time.Time) bool {
	if now.Before(leaf.NotBefore) || now.Add(renewal).After(leaf.NotAfter) {
		return false
	}
	for _, ip := range v.Addrs {
		if leaf.VerifyHostname(ip.String()) != nil {
			return false
		}
	}
	return !slices.ContainsFunc(v.Names, func(name string) bool { return leaf.VerifyHostname(name) != nil })
}

// newCertificate makes one, and the file that has it with its key.
func newCertificate(v *View, now time.Time) (tls.Certificate, []byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, nil, err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return tls.Certificate{}, nil, err
	}
	from := now.Add(-before)
	template := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{Organization: []string{"Parley"}, CommonName: "Parley on " + v.Names[len(v.Names)-1]},
		NotBefore: from, NotAfter: from.Add(lifetime),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}, BasicConstraintsValid: true,
		DNSNames: v.Names,
	}
	for _, ip := range append(slices.Clone(v.Addrs), netip.AddrFrom4([4]byte{127, 0, 0, 1}), netip.IPv6Loopback()) {
		template.IPAddresses = append(template.IPAddresses, net.IP(ip.AsSlice()))
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return tls.Certificate{}, nil, err
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return tls.Certificate{}, nil, err
	}
	var content bytes.Buffer
	for kind, b := range map[string][]byte{"CERTIFICATE": der, "PRIVATE KEY": pkcs8} {
		if err := pem.Encode(&content, &pem.Block{Type: kind, Bytes: b}); err != nil {
			return tls.Certificate{}, nil, err
		}
	}
	c, err := tls.X509KeyPair(content.Bytes(), content.Bytes())
	return c, content.Bytes(), err
}

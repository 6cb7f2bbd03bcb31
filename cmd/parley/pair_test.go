package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"log/slog"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// issued is what makes a certificate.
type issued struct {
	serial      int64
	from, until time.Duration // from now
	names       []string
	signers     []time.Duration // ends of the signer's certificates to put into the file; none: self-signed
}

// issue writes a pair of files.
func issue(t *testing.T, c issued, certFile, keyFile string) {
	t.Helper()
	now := time.Now()
	newKey := func() *ecdsa.PrivateKey {
		k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	key, above := newKey(), newKey()
	leaf := &x509.Certificate{
		SerialNumber: big.NewInt(c.serial), NotBefore: now.Add(c.from), NotAfter: now.Add(c.until), DNSNames: c.names,
		Subject: pkix.Name{CommonName: "leaf"},
	}
	parent, parentKey := leaf, key
	var chain [][]byte
	for _, until := range c.signers {
		parent, parentKey = &x509.Certificate{
			SerialNumber: big.NewInt(99), NotBefore: now.Add(-time.Hour), NotAfter: now.Add(until), IsCA: true, BasicConstraintsValid: true,
			Subject: pkix.Name{CommonName: "signer"},
		}, above
		der, err := x509.CreateCertificate(rand.Reader, parent, parent, &above.PublicKey, above)
		if err != nil {
			t.Fatal(err)
		}
		chain = append(chain, der)
	}
	der, err := x509.CreateCertificate(rand.Reader, leaf, parent, &key.PublicKey, parentKey)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	var certs []byte
	for _, der := range append([][]byte{der}, chain...) {
		certs = append(certs, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})...)
	}
	for file, content := range map[string][]byte{certFile: certs, keyFile: pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})} {
		if err := os.WriteFile(file, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

const day = 24 * time.Hour

var goodPair = issued{serial: 1, from: -time.Hour, until: 90 * day, names: []string{"meet.example.org"}}

// shelf is a pair of files, and what serves them.
type shelf struct {
	*certificates
	t   *testing.T
	log *bytes.Buffer
}

func newShelf(t *testing.T, first issued) *shelf {
	t.Helper()
	dir := t.TempDir()
	cert, key := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	issue(t, first, cert, key)
	s := &shelf{t: t, log: &bytes.Buffer{}}
	var err error
	if s.certificates, err = newCertificates(cert, key, "meet.example.org", slog.New(slog.NewTextHandler(s.log, nil))); err != nil {
		t.Fatal(err)
	}
	return s
}

// replace puts another pair on the shelf and returns the serial number of the one that is served then.
func (s *shelf) replace(c issued) int64 {
	s.t.Helper()
	s.log.Reset()
	issue(s.t, c, s.cert, s.key)
	s.look(true, time.Now())
	return s.serving()
}

func (s *shelf) serving() int64 {
	c, err := s.config().GetCertificate(&tls.ClientHelloInfo{})
	if err != nil {
		s.t.Fatal(err)
	}
	return c.Leaf.SerialNumber.Int64()
}

func (s *shelf) warned() int { return strings.Count(s.log.String(), "level=WARN") }

func TestWhatIsWrongWithACertificateIsSaid(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		issued
		want string
	}{
		"good":                        {goodPair, ""},
		"ended":                       {issued{from: -2 * day, until: -day, names: goodPair.names}, "has expired"},
		"ends soon":                   {issued{from: -2 * day, until: 13 * day, names: goodPair.names}, "expires soon"},
		"not yet":                     {issued{from: day, until: 90 * day, names: goodPair.names}, "not valid yet"},
		"another name":                {issued{from: -day, until: 90 * day, names: []string{"example.org"}}, "public_url"},
		"its signer has ended":        {issued{from: -day, until: 90 * day, names: goodPair.names, signers: []time.Duration{-time.Minute}}, "has expired"},
		"one of two signers goes on":  {issued{from: -day, until: 90 * day, names: goodPair.names, signers: []time.Duration{-time.Minute, 100 * day}}, ""},
		"its signer lasts for longer": {issued{from: -day, until: 90 * day, names: goodPair.names, signers: []time.Duration{365 * day}}, ""},
	} {
		s := newShelf(t, c.issued)
		if got := s.log.String(); c.want == "" && got != "" || s.warned() > 1 || !strings.Contains(got, c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func TestAWorseCertificateIsNotTaken(t *testing.T) {
	t.Parallel()
	s := newShelf(t, goodPair)
	for name, c := range map[string]issued{
		"ended":        {serial: 2, from: -2 * day, until: -time.Second, names: goodPair.names},
		"not yet":      {serial: 3, from: time.Hour, until: 90 * day, names: goodPair.names},
		"another name": {serial: 4, from: -day, until: 90 * day, names: []string{"example.org"}},
	} {
		if got := s.replace(c); got != 1 || s.warned() != 1 || !strings.Contains(s.log.String(), "the last one stays") {
			t.Errorf("%s: %d is served, and the log says %s", name, got, s.log)
		}
		s.look(false, time.Now())
		if s.warned() != 1 {
			t.Errorf("%s: it is said again at every look", name)
		}
	}
	if s.refused.Load() != 3 {
		t.Errorf("%d refused", s.refused.Load())
	}
	// Its day comes without a change of the files.
	s.replace(issued{serial: 5, from: time.Hour, until: 90 * day, names: goodPair.names})
	s.look(false, time.Now().Add(2*time.Hour))
	if s.serving() != 5 {
		t.Error("a certificate whose day has come is not taken")
	}
	// What is as bad may replace what is bad, and what is better always does.
	s = newShelf(t, issued{serial: 1, from: -2 * day, until: -day})
	if got := s.replace(issued{serial: 2, from: -2 * day, until: -time.Hour}); got != 2 {
		t.Errorf("%d is served", got)
	}
	if got := s.replace(issued{serial: 3, from: -day, until: 90 * day, names: []string{"example.org"}}); got != 3 {
		t.Errorf("%d is served", got)
	}
	if got := s.replace(goodPair); got != 1 || s.warned() != 0 {
		t.Errorf("%d is served: %s", got, s.log)
	}
}

func TestReminder(t *testing.T) {
	t.Parallel()
	until := time.Date(2030, 1, 31, 0, 0, 0, 0, time.UTC)
	var r reminder
	for _, c := range []struct {
		before time.Duration
		want   stage
	}{
		{15 * day, far},
		{14*day + time.Second, far},
		{14 * day, near},
		{14*day - time.Minute, far},
		{13 * day, near},
		{12*day + time.Hour, far},
		{time.Second, near},
		{0, ended},
		{-time.Hour, far},
		{-day, ended},
		{-day - time.Second, far},
	} {
		if got := r.due(until, until.Add(-c.before)); got != c.want {
			t.Errorf("%v before the end: %v, want %v", c.before, got, c.want)
		}
	}
}

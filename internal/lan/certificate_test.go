package lan

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io/fs"
	"net"
	"testing"
	"time"
)

// drawer is a Store in memory.
type drawer struct {
	files map[string][]byte
	full  error
	aside int
}

func (d *drawer) Read(name string) ([]byte, error) {
	if b, ok := d.files[name]; ok {
		return b, nil
	}
	return nil, fs.ErrNotExist
}

func (d *drawer) Write(name string, content []byte) error {
	if d.full == nil {
		d.files[name] = content
	}
	return d.full
}

func (d *drawer) SetAside(name string, _ error) { d.aside++; delete(d.files, name) }

func newDrawer() *drawer { return &drawer{files: map[string][]byte{}} }

// issue wants a certificate, and says whether it was made now.
func issue(t *testing.T, kept Store, v *View, now time.Time) (tls.Certificate, bool) {
	t.Helper()
	c, made, err := Certificate(kept, v, now)
	if err != nil {
		t.Fatal(err)
	}
	return c, made
}

func TestCertificate(t *testing.T) {
	t.Parallel()
	v := mustNew(t, laptop()).View()
	c, made := issue(t, newDrawer(), v, start)
	if !made {
		t.Error("not a new one")
	}
	key, ok := c.PrivateKey.(*ecdsa.PrivateKey)
	if !ok || key.Curve != elliptic.P256() {
		t.Errorf("the key is a %T", c.PrivateKey)
	}
	if life := c.Leaf.NotAfter.Sub(c.Leaf.NotBefore); life > 398*24*time.Hour || c.Leaf.NotAfter.Sub(start) < 365*24*time.Hour {
		t.Errorf("it lives for %v", life)
	}
	roots := x509.NewCertPool()
	roots.AddCert(c.Leaf)
	for _, host := range []string{"192.168.1.23", "10.1.2.3", "fd12::23", "127.0.0.1", "::1", "localhost", "laptop", "laptop.local", "laptop.example.org"} {
		if _, err := c.Leaf.Verify(x509.VerifyOptions{DNSName: host, Roots: roots, CurrentTime: start}); err != nil {
			t.Errorf("%s: %v", host, err)
		}
	}
	for _, host := range []string{"198.51.100.7", "2001:db8::7", "fe80::23", "evil.example"} {
		if c.Leaf.VerifyHostname(host) == nil {
			t.Errorf("it is for %s too", host)
		}
	}
	if c.Leaf.IsCA || c.Leaf.KeyUsage&x509.KeyUsageCertSign != 0 {
		t.Error("it may sign others")
	}
}

func TestCertificateIsKeptAndRenewed(t *testing.T) {
	t.Parallel()
	d, kept := laptop(), newDrawer()
	n := mustNew(t, d)
	first, _ := issue(t, kept, n.View(), start)
	same := func(what string, now time.Time, want bool) {
		t.Helper()
		c, made := issue(t, kept, n.View(), now)
		if got := bytes.Equal(c.Certificate[0], first.Certificate[0]); got != want || made == want {
			t.Errorf("%s: the same %v, made %v", what, got, made)
		}
		first = c
	}
	same("the next start", start.Add(time.Hour), true)
	same("eleven months later", start.Add(11*30*24*time.Hour), true)
	same("near its end", start.Add(12*30*24*time.Hour+10*24*time.Hour), false)
	start := start.Add(13 * 30 * 24 * time.Hour)
	d.list = d.list[:5]
	if _, err := n.Look(start); err != nil {
		t.Fatal(err)
	}
	same("an address less", start, true)
	d.list = append(d.list, itf("eth2", 9, "10.7.7.7/24"))
	if _, err := n.Look(start); err != nil {
		t.Fatal(err)
	}
	same("an address more", start, false)
	d.host = "other"
	if _, err := n.Look(start); err != nil {
		t.Fatal(err)
	}
	same("another name", start, false)
	same("a clock that was set back", start.Add(-48*time.Hour), false)
}

func TestBrokenFileIsSetAside(t *testing.T) {
	t.Parallel()
	kept := newDrawer()
	kept.files[certificateFile] = []byte("broken")
	if _, made := issue(t, kept, mustNew(t, laptop()).View(), start); !made || kept.aside != 1 {
		t.Errorf("made %v, set aside %d times", made, kept.aside)
	}
}

func TestFullDiskKeepsNobodyOut(t *testing.T) {
	t.Parallel()
	kept := newDrawer()
	kept.full = errors.New("full")
	c, made, err := Certificate(kept, mustNew(t, laptop()).View(), start)
	if !errors.Is(err, kept.full) || !made || c.Leaf == nil || c.Leaf.VerifyHostname("192.168.1.23") != nil {
		t.Errorf("made %v, %v", made, err)
	}
	// and it shakes hands
	here, there := net.Pipe()
	t.Cleanup(func() { here.Close(); there.Close() })
	done := make(chan error, 1)
	go func() {
		done <- tls.Server(there, &tls.Config{Certificates: []tls.Certificate{c}, MinVersion: tls.VersionTLS12}).Handshake()
	}()
	roots := x509.NewCertPool()
	roots.AddCert(c.Leaf)
	client := tls.Client(here, &tls.Config{RootCAs: roots, ServerName: "192.168.1.23", MinVersion: tls.VersionTLS12, Time: func() time.Time { return start }})
	if err := errors.Join(client.Handshake(), <-done); err != nil {
		t.Error(err)
	}
}

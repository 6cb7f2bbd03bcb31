package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/parley/parley/internal/foreign"
	"github.com/parley/parley/internal/lab"
)

const (
	deskAddress, phoneAddress   = "192.168.77.10", "192.168.77.20" // of the nodes SFU and TURN, which are in 203.0.113.0/24 too
	publicAddress, strangerFrom = "203.0.113.10", "203.0.113.20"
)

// privateNetwork is a machine with a private and a public address, and a phone beside it that has both kinds too.
func privateNetwork(t *testing.T, prefix string) *lab.Lab {
	t.Helper()
	lab.Require(t)
	l, err := lab.New(prefix + strconv.FormatInt(int64(os.Getpid()%(36*36*36*36)), 36))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Down(context.Background()); err != nil {
			t.Error(err)
		}
	})
	if err := l.Up(t.Context()); err != nil {
		t.Fatal(err)
	}
	for n, a := range map[lab.Node]string{lab.SFU: deskAddress, lab.TURN: phoneAddress} {
		if out, err := foreign.Command(t.Context(), "ip", "-n", l.Namespace(n), "addr", "add", a+"/24", "dev", "wan").CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	return l
}

// phone is a browser that reaches the desk from one of the phone's addresses.
func phone(t *testing.T, l *lab.Lab, from string, roots *x509.CertPool) *http.Client {
	t.Helper()
	c := &http.Client{
		Timeout:       5 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			DisableKeepAlives: true, TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
			DialContext: func(ctx context.Context, network, address string) (c net.Conn, err error) {
				d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
				err = l.Do(lab.TURN, func() (err error) { c, err = d.DialContext(ctx, "tcp4", address); return err })
				return c, err
			},
		},
	}
	t.Cleanup(c.CloseIdleConnections)
	return c
}

func desk(t *testing.T, l *lab.Lab, folder string, args ...string) *process {
	t.Helper()
	return serveBy(t, func(given ...string) *exec.Cmd {
		admin := given[8] // after serve, --listen, --udp, --tcp and --admin with their values
		return l.Command(context.Background(), lab.SFU, binary, append([]string{"serve", "--lan", "--listen", ":8080", "--admin", admin}, args...)...)
	}, []string{"PARLEY_DATA=" + folder})
}

// keptCertificate is the one in the data folder.
func keptCertificate(t *testing.T, folder string) (*x509.Certificate, *x509.CertPool) {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(folder, "lan.pem"))
	if err != nil {
		t.Fatal(err)
	}
	for block, rest := pem.Decode(content); block != nil; block, rest = pem.Decode(rest) {
		if block.Type != "CERTIFICATE" {
			continue
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			t.Fatal(err)
		}
		roots := x509.NewCertPool()
		roots.AddCert(c)
		return c, roots
	}
	t.Fatal("no certificate is kept")
	return nil, nil
}

// TestLANServesNeighboursAlone runs the binary on a machine that is in a private and in a public network.
func TestLANServesNeighboursAlone(t *testing.T) {
	t.Parallel()
	l := privateNetwork(t, "la")
	folder := filepath.Join(t.TempDir(), "data")
	p := desk(t, l, folder)
	for _, want := range []string{"open https://" + deskAddress + ":8080", "The browser warns once", "the first in a room is its moderator"} {
		if !strings.Contains(p.output.String(), want) {
			t.Errorf("it does not say %q:\n%s", want, p.output)
		}
	}
	if strings.Contains(p.output.String(), "█") {
		t.Errorf("a QR code in a log:\n%s", p.output)
	}
	_, roots := keptCertificate(t, folder)
	neighbour, stranger := phone(t, l, phoneAddress, roots), phone(t, l, strangerFrom, roots)

	for _, c := range []struct {
		url, host string
		status    int
		want      string
	}{
		{"https://" + deskAddress + ":8080/", "", 200, "<!doctype html>"},
		{"https://" + deskAddress + ":8080/v1/rooms", "", 200, `"rooms"`},
		{"https://" + deskAddress + ":8080/", "rebind.example:8080", 421, "private addresses"},
		{"https://" + deskAddress + ":8080/", publicAddress + ":8080", 421, "private addresses"},
		{"http://" + deskAddress + ":8080/r/x?y=1", "", 307, "https://" + deskAddress + ":8080/r/x?y=1"},
	} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, c.url, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Host = c.host
		res, err := neighbour.Do(req)
		if err != nil {
			t.Errorf("%s as %q: %v", c.url, c.host, err)
			continue
		}
		body, err := io.ReadAll(res.Body)
		res.Body.Close()
		if err != nil || res.StatusCode != c.status || !strings.Contains(strings.ToLower(string(body))+res.Header.Get("Location"), c.want) {
			t.Errorf("%s as %q: %s %v %.200s, %v", c.url, c.host, res.Status, res.Header, body, err)
		}
	}
	for _, to := range []string{publicAddress, deskAddress} {
		res, err := stranger.Get("https://" + to + ":8080/")
		if err == nil {
			res.Body.Close()
			t.Errorf("a stranger was served at %s: %s", to, res.Status)
		}
	}

	// the media ports: a neighbour's STUN request is answered, a stranger's is not
	binding := []byte("\x00\x01\x00\x00\x21\x12\xa4\x42abcdefghijkl")
	for from, want := range map[string]bool{phoneAddress: true, strangerFrom: false} {
		for _, network := range []string{"udp4", "tcp4"} {
			if got := answers(t, l, network, from, binding); got != want {
				t.Errorf("%s from %s: answered %v, want %v", network, from, got, want)
			}
		}
	}
	var metrics string
	if err := l.Do(lab.SFU, func() error {
		c, err := net.Dial("tcp4", strings.TrimPrefix(p.admin, "http://"))
		if err != nil {
			return err
		}
		defer c.Close()
		_, err = io.WriteString(c, "GET /metrics HTTP/1.0\r\nHost: localhost\r\n\r\n")
		b, errRead := io.ReadAll(c)
		metrics = string(b)
		return errors.Join(err, errRead)
	}); err != nil {
		t.Fatal(err)
	}
	for _, counter := range []string{
		`parley_http_refused_connections_total\{reason="not_here"\} 2`, `parley_udp_dropped_packets_total\{reason="not_here"\} [1-9]`,
		`parley_tcp_dropped_connections_total\{reason="not_here"\} 1`, `parley_tls_certificate_end_timestamp_seconds [1-9]`,
	} {
		if !regexp.MustCompile(counter).MatchString(metrics) {
			t.Errorf("no %s in\n%s", counter, metrics)
		}
	}
}

// answers reports whether the desk's media port answers a request.
func answers(t *testing.T, l *lab.Lab, network, from string, request []byte) bool {
	t.Helper()
	port := map[string]string{"udp4": "7880", "tcp4": "7881"}[network]
	var local net.Addr = &net.UDPAddr{IP: net.ParseIP(from)}
	if network == "tcp4" {
		local = &net.TCPAddr{IP: net.ParseIP(from)}
	}
	var c net.Conn
	if err := l.Do(lab.TURN, func() (err error) {
		c, err = (&net.Dialer{LocalAddr: local}).Dial(network, net.JoinHostPort(deskAddress, port))
		return err
	}); err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Write(request); err != nil {
		return false // it was closed
	}
	n, err := c.Read(make([]byte, 200))
	return n > 0 && err == nil
}

// TestLANKeepsItsCertificate: whoever has said yes to the warning is not asked again after a restart.
func TestLANKeepsItsCertificate(t *testing.T) {
	t.Parallel()
	l := privateNetwork(t, "lb")
	folder := filepath.Join(t.TempDir(), "data")
	var serial []string
	for range 2 {
		p := desk(t, l, folder)
		c, roots := keptCertificate(t, folder)
		serial = append(serial, c.SerialNumber.String())
		res, err := phone(t, l, phoneAddress, roots).Get("https://" + deskAddress + ":8080/")
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if err := p.cmd.Process.Signal(os.Interrupt); err != nil {
			t.Fatal(err)
		}
		if code := p.wait(t); code != 0 {
			t.Errorf("exit %d\n%s", code, p.output)
		}
	}
	if serial[0] != serial[1] {
		t.Errorf("the second start made another certificate: %v", serial)
	}
	p := desk(t, l, "off")
	if !strings.Contains(p.output.String(), "a certificate was made") {
		t.Errorf("without a folder there should be one in memory:\n%s", p.output)
	}
	if out, err := foreign.Command(t.Context(), "ip", "-n", l.Namespace(lab.SFU), "addr", "del", deskAddress+"/24", "dev", "wan").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	got := l.Command(t.Context(), lab.SFU, binary, "serve", "--lan", "--listen", ":8090", "--udp", ":8091", "--tcp", "off", "--admin", "off")
	if out, err := got.CombinedOutput(); err == nil || !strings.Contains(string(out), "no address in a private network") {
		t.Errorf("without a private address: %v\n%s", err, out)
	}
}

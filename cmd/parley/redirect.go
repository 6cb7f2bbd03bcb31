package main

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"net/http"
	"net/url"
)

// httpsInstead is a listener for TLS that answers who asks without, as people do who type the address, with the way to https.
type httpsInstead struct{ net.Listener }

// Accept implements net.Listener.
func (l httpsInstead) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &maybePlain{Conn: c}, nil
}

// maybePlain is a connection on which TLS should begin. The reader is the handshake of net/http, which has set its deadlines.
type maybePlain struct {
	net.Conn

	begun bool // owned by the reader
}

// Read implements net.Conn. After a request without TLS, which it answers, the connection has ended. A record of TLS never begins with a
// letter, as methods of HTTP do.
func (c *maybePlain) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if c.begun || n == 0 {
		return n, err
	}
	c.begun = true
	if b[0] < 'A' || b[0] > 'Z' {
		return n, err
	}
	if err := c.redirect(io.MultiReader(bytes.NewReader(b[:n]), c.Conn)); err != nil {
		return 0, err
	}
	return 0, io.EOF
}

// CloseWrite ends the sending direction where the connection can.
func (c *maybePlain) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}

func (c *maybePlain) redirect(from io.Reader) error {
	r, err := http.ReadRequest(bufio.NewReader(io.LimitReader(from, headerBytes)))
	if err != nil {
		return err
	}
	to := url.URL{Scheme: "https", Host: r.Host, Path: r.URL.Path, RawPath: r.URL.RawPath, RawQuery: r.URL.RawQuery}
	if to.Host == "" {
		to.Host = c.LocalAddr().String()
	}
	answer := http.Response{
		StatusCode: http.StatusTemporaryRedirect, ProtoMajor: 1, ProtoMinor: 1, Request: r, Close: true,
		Header: http.Header{"Location": {to.String()}, "Cache-Control": {"no-store"}},
	}
	return answer.Write(c.Conn)
}

package hosts

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"strings"
	"time"
)

// The ways of signing in.
const (
	byPassphrase = "passphrase"
	byLink       = "link"
	byOIDC       = "oidc"
)

// maxSession is the longest session that is looked at, in bytes. A browser keeps 4096.
const maxSession = 2048

// claims are what a session says.
type claims struct {
	Host
	How     string `json:"how"`
	Print   string `json:"print"`   // of the way, as it was then
	Expires int64  `json:"expires"` // Unix seconds
}

// session makes the signed string that a host's browser keeps: base64url of JSON, a dot, and its HMAC-SHA256.
func (h *Hosts) session(who Host, how string, now time.Time) string {
	print, _ := h.fingerprint(how)
	body, err := json.Marshal(claims{Host: who, How: how, Print: print, Expires: now.Add(h.cfg.Session).Unix()})
	if err != nil {
		panic("hosts: encode a session: " + err.Error()) // strings and a number
	}
	text := base64.RawURLEncoding.EncodeToString(body)
	return text + "." + base64.RawURLEncoding.EncodeToString(h.sign(text))
}

func (h *Hosts) sign(text string) []byte {
	mac := hmac.New(sha256.New, h.cfg.Key)
	mac.Write([]byte(text))
	return mac.Sum(nil)
}

// Check returns whose session it is, and when it ends, if it is good.
func (h *Hosts) Check(session string, now time.Time) (host Host, end time.Time, ok bool) {
	text, sum, ok := strings.Cut(session, ".")
	if !ok || len(session) > maxSession {
		return Host{}, time.Time{}, false
	}
	if want := base64.RawURLEncoding.EncodeToString(h.sign(text)); !hmac.Equal([]byte(sum), []byte(want)) {
		return Host{}, time.Time{}, false
	}
	body, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return Host{}, time.Time{}, false
	}
	var c claims
	if json.Unmarshal(body, &c) != nil {
		return Host{}, time.Time{}, false
	}
	print, on := h.fingerprint(c.How)
	if !on || print != c.Print || now.Unix() >= c.Expires || c.Identity == "" {
		return Host{}, time.Time{}, false
	}
	return c.Host, time.Unix(c.Expires, 0), true
}

// Session is how long one is good.
func (h *Hosts) Session() time.Duration { return h.cfg.Session }

package oidc

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"golang.org/x/oauth2"

	"github.com/parley/parley/signaling/internal/names"
)

const (
	flowTTL   = 10 * time.Minute // between leaving for the provider and coming back
	maxCookie = 2048
)

// flow is a sign-in under way. Its browser keeps it as a cookie.
type flow struct {
	State    string `json:"state"`
	Nonce    string `json:"nonce"`
	Verifier string `json:"verifier"` // of PKCE
	Return   string `json:"return"`
	Expires  int64  `json:"expires"` // Unix seconds
}

func newFlow(returnTo string, now time.Time) flow {
	return flow{rand.Text(), rand.Text(), oauth2.GenerateVerifier(), LocalPath(returnTo), now.Add(flowTTL).Unix()}
}

// LocalPath is path where that is / or the page of a room, else /.
func LocalPath(path string) string {
	if room, ok := strings.CutPrefix(path, "/r/"); ok && names.Room(room) {
		return path
	}
	return "/"
}

// cookieName has the prefix that keeps other hosts of the domain from setting it, where browsers take it.
func cookieName(secure bool) string {
	if secure {
		return "__Host-parley-oidc"
	}
	return "parley-oidc"
}

func (p *Provider) sign(text string) string {
	h := hmac.New(sha256.New, p.cfg.Key)
	h.Write([]byte("oidc "))
	h.Write([]byte(text))
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil))
}

// remember gives the flow to the browser.
func (p *Provider) remember(w http.ResponseWriter, f flow, secure bool) {
	body, err := json.Marshal(f)
	if err != nil {
		panic("oidc: encode a flow: " + err.Error()) // strings and a number
	}
	text := base64.RawURLEncoding.EncodeToString(body)
	setCookie(w, secure, text+"."+p.sign(text), int(flowTTL/time.Second))
}

// recall takes the flow back from the browser, which has it no more then.
func (p *Provider) recall(w http.ResponseWriter, r *http.Request, secure bool, now time.Time) (flow, bool) {
	setCookie(w, secure, "", -1)
	c, err := r.Cookie(cookieName(secure))
	if err != nil || len(c.Value) > maxCookie {
		return flow{}, false
	}
	text, sum, _ := strings.Cut(c.Value, ".")
	if !hmac.Equal([]byte(sum), []byte(p.sign(text))) {
		return flow{}, false
	}
	body, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return flow{}, false
	}
	var f flow
	if json.Unmarshal(body, &f) != nil || now.Unix() >= f.Expires {
		return flow{}, false
	}
	return f, true
}

func setCookie(w http.ResponseWriter, secure bool, value string, maxAge int) {
	http.SetCookie(w, &http.Cookie{
		Name: cookieName(secure), Value: value, Path: "/", MaxAge: maxAge, HttpOnly: true, Secure: secure, SameSite: http.SameSiteLaxMode,
	})
}

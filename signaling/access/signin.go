package access

import (
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/parley/parley/internal/clientip"
	"github.com/parley/parley/signaling/access/hosts"
	"github.com/parley/parley/signaling/internal/names"
)

// The cookie of a host's session. Browsers take the first name from pages over https alone, for the whole origin, and from nobody else.
const (
	secureCookie = "__Host-parley_host"
	plainCookie  = "parley_host"
)

// host is who is signed in. A session counts for pages of our own origin alone, whatever else a browser sends along.
func (s *Server) host(r *http.Request) (hosts.Host, bool) {
	host, _, ok := s.signedIn(r)
	return host, ok
}

// signedIn is host, and says when the session ends.
func (s *Server) signedIn(r *http.Request) (host hosts.Host, end time.Time, ok bool) {
	if s.cfg.Hosts == nil || !s.ownPage(r) {
		return host, end, false
	}
	name := plainCookie
	if s.secure(r) {
		name = secureCookie
	}
	for _, c := range r.CookiesNamed(name) {
		if host, end, ok := s.cfg.Hosts.Check(c.Value, s.now()); ok {
			return host, end, true
		}
	}
	return hosts.Host{}, time.Time{}, false
}

// ownPage reports whether a request comes from a page of our own origin, or from no page.
func (s *Server) ownPage(r *http.Request) bool {
	if r.Method == http.MethodGet { // which the protection lets through
		site := r.Header.Get("Sec-Fetch-Site")
		return site == "" || site == "same-origin" || site == "none"
	}
	return s.own.Check(r) == nil
}

func (s *Server) secure(r *http.Request) bool { return s.cfg.Secure || r.TLS != nil }

// setCookie gives the browser a session; an empty one takes it away.
func (s *Server) setCookie(w http.ResponseWriter, r *http.Request, session string) {
	c := &http.Cookie{Name: plainCookie, Value: session, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode, MaxAge: int(s.cfg.Hosts.Session() / time.Second)}
	if s.secure(r) {
		c.Name, c.Secure = secureCookie, true
	}
	if session == "" {
		c.MaxAge = -1
	}
	http.SetCookie(w, c)
}

// serveSignIn signs a host in, by the passphrase or the key of the link that the server printed.
func (s *Server) serveSignIn(w http.ResponseWriter, r *http.Request) {
	if s.slow(w, r) {
		return
	}
	host, session, err := s.signIn(w, r)
	if err != nil {
		s.fail(w, r, "", "sign_in", err)
		return
	}
	s.setCookie(w, r, session)
	answer(w, http.StatusOK, map[string]any{"host": host})
}

func (s *Server) signIn(w http.ResponseWriter, r *http.Request) (hosts.Host, string, error) {
	var none hosts.Host
	if s.cfg.Hosts == nil {
		return none, "", errNoSignIn
	}
	if !s.ownPage(r) {
		return none, "", errOrigin
	}
	var a struct {
		Passphrase string `json:"passphrase"`
		Key        string `json:"key"`
		Name       string `json:"name"`
	}
	if err := read(w, r, &a); err != nil {
		return none, "", err
	}
	name, err := s.hostName(a.Name)
	if err != nil {
		return none, "", err
	}
	from, now := clientip.Group(clientip.Of(r)), s.now()
	var host hosts.Host
	var session, how string
	if a.Key != "" {
		how = "link"
		host, session, err = s.cfg.Hosts.Redeem(a.Key, name, from, now)
	} else {
		how = "passphrase"
		host, session, err = s.cfg.Hosts.SignIn(r.Context(), a.Passphrase, name, from, now)
	}
	if err != nil {
		return none, "", err
	}
	s.cfg.Audit.SignedIn(who(r, "", host.Identity), how)
	return host, session, nil
}

// hostName checks the name that a host wants to be shown; none is fine.
func (s *Server) hostName(name string) (string, error) {
	if strings.TrimSpace(name) == "" {
		return "", nil
	}
	shown, err := names.Display(name)
	if err != nil || s.cfg.NameChars > 0 && utf8.RuneCountInString(shown) > s.cfg.NameChars {
		return "", errName
	}
	return shown, nil
}

// serveSignOut takes the session away from this browser.
func (s *Server) serveSignOut(w http.ResponseWriter, r *http.Request) {
	if s.cfg.Hosts == nil {
		s.fail(w, r, "", "sign_out", errNoSignIn)
		return
	}
	if !s.ownPage(r) {
		s.fail(w, r, "", "sign_out", errOrigin)
		return
	}
	s.setCookie(w, r, "")
	answer(w, http.StatusOK, map[string]any{})
}

// serveOIDC sends the browser to the provider.
func (s *Server) serveOIDC(w http.ResponseWriter, r *http.Request) {
	if s.slow(w, r) {
		return
	}
	if s.cfg.OIDC == nil || s.cfg.Hosts == nil {
		s.fail(w, r, "", "sign_in", errNoSignIn)
		return
	}
	s.cfg.OIDC.Start(w, r, localPath(r.URL.Query().Get("return")))
}

// serveCallback signs in whom the provider vouches for.
func (s *Server) serveCallback(w http.ResponseWriter, r *http.Request) {
	if s.slow(w, r) {
		return
	}
	if s.cfg.OIDC == nil || s.cfg.Hosts == nil {
		s.fail(w, r, "", "sign_in", errNoSignIn)
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Referrer-Policy", "no-referrer")
	identity, name, back, code := s.cfg.OIDC.Callback(w, r)
	back = localPath(back)
	if code != "" {
		s.refused.Add(1)
		http.Redirect(w, r, "/sign-in?"+url.Values{"error": {code}, "return": {back}}.Encode(), http.StatusSeeOther)
		return
	}
	if shown, err := s.hostName(name); err == nil {
		name = shown
	} else {
		name = ""
	}
	s.setCookie(w, r, s.cfg.Hosts.Vouch(identity, name, s.now()))
	s.cfg.Audit.SignedIn(who(r, "", identity), "oidc")
	http.Redirect(w, r, back, http.StatusSeeOther)
}

// localPath lets a redirect lead to our first page or to a room's, and nowhere else.
func localPath(path string) string {
	room, ok := strings.CutPrefix(path, "/r/")
	if ok && names.Room(room) {
		return path
	}
	return "/"
}

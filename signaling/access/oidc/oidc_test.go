package oidc

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/parley/parley/internal/oidcprovider"
)

// rig is a provider that nobody here wrote, a server that signs people in by it, and a browser.
type rig struct {
	t        *testing.T
	provider *httptest.Server
	server   *httptest.Server
	signs    *Provider
	browser  *http.Client
	log      *bytes.Buffer

	who  Person // the last who came back
	code Code
	back string
}

func newRig(t *testing.T, change func(*Config)) *rig {
	t.Helper()
	r := &rig{t: t, log: &bytes.Buffer{}}
	mux := http.NewServeMux()
	r.server = httptest.NewServer(mux)
	t.Cleanup(r.server.Close)
	var op http.Handler
	r.provider = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) { op.ServeHTTP(w, req) }))
	t.Cleanup(r.provider.Close)
	op = oidcprovider.New(r.provider.URL, oidcprovider.People(), r.server.URL+CallbackPath)
	cfg := Config{
		Issuer: r.provider.URL, ClientID: oidcprovider.Client, ClientSecret: oidcprovider.Secret, Key: bytes.Repeat([]byte{1}, 32),
		Base: func(*http.Request) string { return r.server.URL }, Log: slog.New(slog.NewTextHandler(r.log, nil)),
	}
	if change != nil {
		change(&cfg)
	}
	var err error
	if r.signs, err = New(cfg); err != nil {
		t.Fatal(err)
	}
	mux.HandleFunc("/start", func(w http.ResponseWriter, req *http.Request) {
		if code := r.signs.Start(w, req, req.URL.Query().Get("return")); code != OK {
			http.Error(w, string(code), http.StatusBadGateway)
		}
	})
	mux.HandleFunc(CallbackPath, func(w http.ResponseWriter, req *http.Request) { r.who, r.back, r.code = r.signs.Callback(w, req) })
	r.browser = newBrowser(t)
	return r
}

func newBrowser(t *testing.T) *http.Client {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &http.Client{
		Jar: jar, Transport: &http.Transport{DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// ask makes a request and returns the address that the answer leads to, if it does, and the answer's body.
func (r *rig) ask(req *http.Request) (to *url.URL, body string) {
	r.t.Helper()
	resp, err := r.browser.Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	to, err = resp.Location()
	if err != nil && !errors.Is(err, http.ErrNoLocation) {
		r.t.Fatal(err)
	}
	return to, string(text)
}

func (r *rig) get(address string) (to *url.URL, body string) {
	r.t.Helper()
	req, err := http.NewRequestWithContext(r.t.Context(), http.MethodGet, address, nil)
	if err != nil {
		r.t.Fatal(err)
	}
	return r.ask(req)
}

var formID = regexp.MustCompile(`name="id" value="([^"]+)"`)

// signIn goes through the provider's form and returns the address that it leads back to.
func (r *rig) signIn(as, returnTo string) *url.URL {
	r.t.Helper()
	to, body := r.get(r.server.URL + "/start?return=" + url.QueryEscape(returnTo))
	if to == nil {
		r.t.Fatalf("not led to the provider: %s", body)
	}
	form, _ := r.get(to.String())
	_, page := r.get(form.String())
	id := formID.FindStringSubmatch(page)
	if id == nil {
		r.t.Fatalf("no form: %s", page)
	}
	filled := url.Values{"id": {id[1]}, "username": {as}, "password": {oidcprovider.Password}}
	req, err := http.NewRequestWithContext(r.t.Context(), http.MethodPost, r.provider.URL+"/login/username", strings.NewReader(filled.Encode()))
	if err != nil {
		r.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	next, page := r.ask(req)
	if next == nil {
		r.t.Fatalf("the form was not taken: %s", page)
	}
	back, page := r.get(next.String())
	if back == nil || !strings.HasPrefix(back.String(), r.server.URL+CallbackPath) {
		r.t.Fatalf("led to %v: %s", back, page)
	}
	return back
}

func (r *rig) want(who Person, back string, code Code) {
	r.t.Helper()
	if r.who != who || r.back != back || r.code != code {
		r.t.Errorf("%+v, to %q, %q; want %+v, %q, %q\n%s", r.who, r.back, r.code, who, back, code, r.log)
	}
}

func TestSignIn(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	back := r.signIn("ann", "/r/club")
	r.get(back.String())
	r.want(Person{"ann@example.org", "Ann Lee"}, "/r/club", OK)

	r.get(back.String()) // once more: the browser has no cookie of it any more
	r.want(Person{}, "/", Failed)

	r.get(r.signIn("eve", "https://evil.example/").String()) // whose address is not verified
	r.want(Person{"eve@127.0.0.1", "Eve Fox"}, "/", OK)
}

func TestAllowed(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		allow []string
		code  map[string]Code
	}{
		"addresses":            {[]string{"ANN@example.org"}, map[string]Code{"ann": OK, "bob": NotAllowed, "eve": NotAllowed}},
		"domains":              {[]string{"@Example.com"}, map[string]Code{"ann": NotAllowed, "bob": OK, "eve": NotAllowed}},
		"the host of subjects": {[]string{"@127.0.0.1"}, map[string]Code{"eve": NotAllowed}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, func(cfg *Config) { cfg.Allow = c.allow })
			for who, code := range c.code {
				if r.get(r.signIn(who, "/").String()); r.code != code || (r.who == Person{}) != (code != OK) {
					t.Errorf("%s: %+v, %q", who, r.who, r.code)
				}
			}
		})
	}
}

func TestDenied(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	for why, code := range map[string]Code{"access_denied": Denied, "consent_required": Denied, "server_error": Failed} {
		to, _ := r.get(r.server.URL + "/start?return=/r/club")
		r.get(r.server.URL + CallbackPath + "?error=" + why + "&state=" + to.Query().Get("state"))
		r.want(Person{}, "/r/club", code)
	}
	r.get(r.server.URL + CallbackPath + "?error=access_denied&state=made-up")
	r.want(Person{}, "/", Failed)
}

// Nobody is signed in by what belongs to another browser or another sign-in.
func TestForeignReturn(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	back := r.signIn("ann", "/r/club")
	victim := r.browser
	r.browser = newBrowser(t) // another browser, without a cookie
	r.get(back.String())
	r.want(Person{}, "/", Failed)
	r.get(r.server.URL + "/start") // and with one of its own
	r.get(back.String())
	r.want(Person{}, "/", Failed)

	// The code of one sign-in with the state of another: PKCE and the nonce do not fit.
	to, _ := r.get(r.server.URL + "/start")
	q := back.Query()
	q.Set("state", to.Query().Get("state"))
	back.RawQuery = q.Encode()
	r.get(back.String())
	r.want(Person{}, "/", Failed)
	r.browser = victim
}

// A code that was used is good for nobody, also where the browser still has the cookie.
func TestReplayedCode(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	back := r.signIn("ann", "/r/club")
	at, err := url.Parse(r.server.URL)
	if err != nil {
		t.Fatal(err)
	}
	kept := r.browser.Jar.Cookies(at)
	r.get(back.String())
	r.want(Person{"ann@example.org", "Ann Lee"}, "/r/club", OK)
	r.browser.Jar.SetCookies(at, kept)
	r.get(back.String())
	r.want(Person{}, "/r/club", Failed)
	if strings.Contains(r.log.String(), back.Query().Get("code")) || strings.Contains(r.log.String(), oidcprovider.Secret) {
		t.Errorf("the log has a code or a secret: %s", r.log)
	}
}

func TestProviderAway(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(cfg *Config) { cfg.Issuer += "/nothing-here" })
	for range 3 {
		if to, body := r.get(r.server.URL + "/start"); to != nil || !strings.Contains(body, string(Failed)) {
			t.Errorf("%v, %s", to, body)
		}
	}
	if strings.Count(r.log.String(), "level=WARN") != 1 || r.signs.Failures() != 3 {
		t.Errorf("%d failures: %s", r.signs.Failures(), r.log)
	}
	r.signs.mu.Lock()
	r.signs.cfg.Issuer, r.signs.again = r.provider.URL, time.Time{} // it is there again
	r.signs.mu.Unlock()
	r.get(r.signIn("ann", "/").String())
	r.want(Person{"ann@example.org", "Ann Lee"}, "/", OK)
}

func TestWrongSecret(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(cfg *Config) { cfg.ClientSecret = "another" })
	r.get(r.signIn("ann", "/").String())
	r.want(Person{}, "/", Failed)
	if !strings.Contains(r.log.String(), "exchange the code") {
		t.Errorf("the operator is not told: %s", r.log)
	}
}

func TestLocalPath(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]string{
		"/": "/", "/r/club": "/r/club", "": "/", "//evil.example": "/", "/r/": "/", "/r/a/b": "/", "/r//evil.example": "/",
		`/r/\evil`: "/", "/\\evil.example": "/", "https://evil.example/r/x": "/", "/r/..": "/", "/r/club?x": "/", "/r/club#x": "/", "/r/a%2fb": "/",
	} {
		if got := LocalPath(path); got != want {
			t.Errorf("%q: %q", path, got)
		}
	}
}

func TestAllowList(t *testing.T) {
	t.Parallel()
	for entry, ok := range map[string]bool{
		"ann@example.org": true, "@example.org": true, "": false, "example.org": false, "@": false, "ann@": false, "*@example.org": false, "a@b@c": false,
	} {
		if err := CheckAllow(entry); (err == nil) != ok {
			t.Errorf("%q: %v", entry, err)
		}
	}
	c := Config{Allow: []string{"@example.org"}}
	for email, ok := range map[string]bool{
		"ann@example.org": true, "ann@EXAMPLE.org": true, "ann@evil.org": false, "ann@sub.example.org": false, "ann@example.org@evil.org": false, "": false,
		"example.org": false, "@example.org": true,
	} {
		if c.allowed(email) != ok {
			t.Errorf("%q: %v", email, !ok)
		}
	}
}

func TestIdentity(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ email, subject, want string }{
		{"ann@example.org", "17", "ann@example.org"},
		{"", "17", "17@accounts.example.org"},
		{"", strings.Repeat("x", 255), "oidc-"},
	} {
		if got := identity(c.email, c.subject, "https://accounts.example.org:8443/realm"); !strings.HasPrefix(got, c.want) || len(got) > maxIdentity {
			t.Errorf("%+v: %q", c, got)
		}
	}
}

// FuzzCookie: no cookie but one's own is taken, and none makes it fall.
func FuzzCookie(f *testing.F) {
	p, err := New(Config{
		Issuer: "https://accounts.example.org", ClientID: "x", Key: bytes.Repeat([]byte{1}, 32), Base: func(*http.Request) string { return "" },
		Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		f.Fatal(err)
	}
	f.Add("", "")
	f.Add("e30.x", "a")
	f.Fuzz(func(t *testing.T, cookie, state string) {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, CallbackPath, nil)
		r.URL.RawQuery = url.Values{"state": {state}}.Encode()
		r.Header.Set("Cookie", cookieName(false)+"="+cookie)
		if _, back, code := p.Callback(httptest.NewRecorder(), r); code != Failed || back != "/" {
			t.Errorf("%q, %q: %q, %q", cookie, state, back, code)
		}
	})
}

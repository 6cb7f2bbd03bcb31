package main

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/parley/parley/internal/oidcprovider"
)

// browse follows redirects within what answers, and keeps cookies.
func browse(t *testing.T) *http.Client {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &http.Client{Jar: jar, Transport: &http.Transport{DisableKeepAlives: true}}
}

// send makes a request and returns the address it ended at, and the body.
func send(t *testing.T, c *http.Client, method, address, kind, body string) (at *url.URL, text string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, address, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if kind != "" {
		req.Header.Set("Content-Type", kind)
	}
	resp, err := c.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.Request.URL, string(b)
}

// providerFor starts a provider that signs people in at the server it makes.
func providerFor(t *testing.T, env ...string) (provider *httptest.Server, s *server) {
	t.Helper()
	var op http.Handler
	provider = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { op.ServeHTTP(w, r) }))
	t.Cleanup(provider.Close)
	s = startHere(t, append([]string{
		"PARLEY_SECRET=" + testSecret, "PARLEY_HOSTS_OIDC_ISSUER=" + provider.URL, "PARLEY_HOSTS_OIDC_CLIENT_ID=" + oidcprovider.Client,
		"PARLEY_HOSTS_OIDC_CLIENT_SECRET=" + oidcprovider.Secret,
	}, env...)...)
	op = oidcprovider.New(provider.URL, oidcprovider.People(), s.url+"/v1/access/oidc/callback")
	return provider, s
}

// signInAs goes through the provider's form, and returns where that ends.
func signInAs(t *testing.T, c *http.Client, provider *httptest.Server, s *server, as, back string) *url.URL {
	t.Helper()
	_, page := send(t, c, http.MethodGet, s.url+"/v1/access/oidc?return="+url.QueryEscape(back), "", "")
	id := regexp.MustCompile(`name="id" value="([^"]+)"`).FindStringSubmatch(page)
	if id == nil {
		t.Fatalf("no form: %s", page)
	}
	form := url.Values{"id": {id[1]}, "username": {as}, "password": {oidcprovider.Password}}.Encode()
	at, _ := send(t, c, http.MethodPost, provider.URL+"/login/username", "application/x-www-form-urlencoded", form)
	return at
}

// TestHostByOpenIDConnect: a host signs in elsewhere, and opens rooms here.
func TestHostByOpenIDConnect(t *testing.T) {
	t.Parallel()
	provider, s := providerFor(t, "PARLEY_HOSTS_OIDC_ALLOW=@example.org")
	c := browse(t)
	if at := signInAs(t, c, provider, s, "ann", "/r/club"); at.String() != s.url+"/r/club" {
		t.Fatalf("led to %v", at)
	}
	var entry struct {
		Identity, Name, Token string
		Host                  bool
	}
	if _, body := send(t, c, http.MethodPost, s.url+"/v1/access/rooms/club", "application/json", "{}"); json.Unmarshal([]byte(body), &entry) != nil ||
		entry.Identity != "ann@example.org" || entry.Name != "Ann Lee" || !entry.Host || entry.Token == "" {
		t.Errorf("%s", body)
	}
	if _, body := send(t, c, http.MethodGet, s.url+"/v1/access", "", ""); !strings.Contains(body, `"sign_in":["oidc"]`) || !strings.Contains(body, `"oidc_name":"127.0.0.1"`) {
		t.Errorf("%s", body)
	}
	stranger := browse(t)
	at := signInAs(t, stranger, provider, s, "bob", "/r/club")
	if at.Path != "/sign-in" || at.Query().Get("error") != "oidc_not_allowed" || at.Query().Get("return") != "/r/club" {
		t.Errorf("led to %v", at)
	}
	if _, body := send(t, stranger, http.MethodGet, s.url+"/v1/access", "", ""); strings.Contains(body, `"host"`) {
		t.Errorf("he is a host: %s", body)
	}
}

// A provider that is away keeps nobody from starting; who wants to sign in is told.
func TestProviderAway(t *testing.T) {
	t.Parallel()
	s := startHere(t, "PARLEY_SECRET="+testSecret, "PARLEY_HOSTS_OIDC_ISSUER=http://"+freePort(t), "PARLEY_HOSTS_OIDC_CLIENT_ID=x")
	at, _ := send(t, browse(t), http.MethodGet, s.url+"/v1/access/oidc?return=//evil.example", "", "")
	if at.Path != "/sign-in" || at.Query().Get("error") != "oidc_failed" || at.Query().Get("return") != "/" {
		t.Errorf("led to %v", at)
	}
}

func TestOIDCConfiguration(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(file, []byte("from a file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	const secretHere, issuer, id = "PARLEY_SECRET=" + testSecret, "PARLEY_HOSTS_OIDC_ISSUER=https://a.example", "PARLEY_HOSTS_OIDC_CLIENT_ID=x"
	l := mustLoad(t, []string{secretHere, issuer, id, "PARLEY_HOSTS_OIDC_CLIENT_SECRET_FILE=" + file}, "")
	if l.Hosts.OIDCClientSecret != "from a file" || l.hostsByLink() || l.oidcName() != "a.example" {
		t.Errorf("%v", l.hostsByLink())
	}
	for want, env := range map[string][]string{
		"oidc_client_id is missing": {secretHere, issuer},
		"oidc_issuer is missing":    {secretHere, id},
		"not like https":            {secretHere, id, "PARLEY_HOSTS_OIDC_ISSUER=a.example"},
		"must be https":             {secretHere, id, "PARLEY_HOSTS_OIDC_ISSUER=http://a.example"},
		"neither an address":        {secretHere, issuer, id, "PARLEY_HOSTS_OIDC_ALLOW=example.org"},
		"rooms.open is hosts":       {secretHere, issuer, id, "PARLEY_ROOMS_OPEN=tokens"},
		"keep one of them":          {secretHere, issuer, id, "PARLEY_HOSTS_OIDC_CLIENT_SECRET=x", "PARLEY_HOSTS_OIDC_CLIENT_SECRET_FILE=" + file},
		"no such file":              {secretHere, issuer, id, "PARLEY_HOSTS_OIDC_CLIENT_SECRET_FILE=" + file + "x"},
	} {
		if _, err := load(env, "", nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q: %v", want, err)
		}
	}
}

package access

import (
	"bytes"
	"crypto/pbkdf2"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/parley/parley/signaling/access/guests"
	"github.com/parley/parley/signaling/access/hosts"
	"github.com/parley/parley/signaling/token"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var secret = []byte("a secret of thirty-two bytes or so")

const passphrase = "correct horse battery"

// hash is that of passphrase, by one iteration: it takes no time.
var hash = sync.OnceValue(func() string {
	salt := []byte("salt salt")
	key, err := pbkdf2.Key(sha256.New, passphrase, salt, 1, 32)
	if err != nil {
		panic(err)
	}
	b64 := base64.RawURLEncoding
	return "pbkdf2-sha256.1." + b64.EncodeToString(salt) + "." + b64.EncodeToString(key)
})

// disk keeps files in memory.
type disk struct {
	mu    sync.Mutex
	files map[string][]byte
}

func (d *disk) Read(name string) ([]byte, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if b, ok := d.files[name]; ok {
		return b, nil
	}
	return nil, fs.ErrNotExist
}

func (d *disk) Write(name string, content []byte) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.files == nil {
		d.files = map[string][]byte{}
	}
	d.files[name] = content
	return nil
}

func (d *disk) SetAside(string, error) {}

// fakeRooms is one room's door.
type fakeRooms struct {
	barred  string
	bans    []guests.Ban
	waiting []Knock
	decided []string
}

func (f *fakeRooms) KeptOut(_ string, c token.Claims) bool {
	return c.Invitation != "" && c.Invitation == f.barred ||
		slices.ContainsFunc(f.bans, func(b guests.Ban) bool { return b.Identity == c.Identity })
}
func (f *fakeRooms) Bans(string) []guests.Ban { return f.bans }
func (f *fakeRooms) Waiting(string) []Knock   { return f.waiting }
func (f *fakeRooms) Unban(_, identity string) bool {
	had := len(f.bans) > 0 && (identity == "" || f.bans[0].Identity == identity)
	if had {
		f.bans = nil
	}
	return had
}

func (f *fakeRooms) Decide(_, id string, admit bool, by string) bool {
	f.decided = append(f.decided, fmt.Sprint(id, admit, by))
	return id != "gone"
}

// fakeProvider vouches for Ann, or says why not.
type fakeProvider struct{ code, back string }

func (f *fakeProvider) Start(w http.ResponseWriter, r *http.Request, back string) {
	f.back = back
	http.Redirect(w, r, "https://id.example.org/", http.StatusFound)
}

func (f *fakeProvider) Callback(http.ResponseWriter, *http.Request) (identity, name, back, code string) {
	return "ann@example.org", "Ann\u202e", f.back, f.code
}

// rig is a Server and what it stands on.
type rig struct {
	t      *testing.T
	srv    *Server
	tokens *token.Verifier
	book   *guests.Book
	hosts  *hosts.Hosts
	rooms  *fakeRooms
	oidc   *fakeProvider
}

func newRig(t *testing.T, change func(*Config, *token.Config)) *rig {
	t.Helper()
	r := &rig{t: t, rooms: &fakeRooms{}, oidc: &fakeProvider{}}
	log := slog.New(slog.DiscardHandler)
	var err error
	may := []token.Permission{token.Publish, token.Subscribe, token.Message, token.Watch}
	r.book, err = guests.Open(guests.Config{Secrets: [][]byte{secret}, Files: &disk{}, Guests: may, TTL: time.Hour, MaxTTL: 24 * time.Hour, PerRoom: 10, Log: log}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.book.Close)
	r.hosts, err = hosts.New(hosts.Config{Key: bytes.Repeat([]byte{1}, 32), Passphrase: hash(), Link: true, OIDC: "it"})
	if err != nil {
		t.Fatal(err)
	}
	cfg := Config{Open: ByHost, Knock: true, Rooms: r.rooms, Guests: r.book, Hosts: r.hosts, OIDC: r.oidc, OIDCName: "Example", Ways: []string{"link", "oidc"}, Strangers: may[:3], NameChars: 10, Log: log}
	tc := token.Config{Secrets: [][]byte{secret}, ModeratorsInvite: true}
	if change != nil {
		change(&cfg, &tc)
	}
	if r.tokens, err = token.New(tc); err != nil {
		t.Fatal(err)
	}
	cfg.Tokens = r.tokens
	if r.srv, err = New(cfg); err != nil {
		t.Fatal(err)
	}
	return r
}

// does sends a request; headers are pairs.
func (r *rig) does(method, path, body string, headers ...string) *httptest.ResponseRecorder {
	r.t.Helper()
	req := httptest.NewRequest(method, "https://meet.example.org"+path, strings.NewReader(body))
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Add(headers[i], headers[i+1])
	}
	rec := httptest.NewRecorder()
	if strings.HasPrefix(path, "/v1/rooms/") {
		r.srv.Rooms().ServeHTTP(rec, req)
	} else {
		r.srv.ServeHTTP(rec, req)
	}
	return rec
}

func (r *rig) gets(rec *httptest.ResponseRecorder) map[string]any {
	r.t.Helper()
	if rec.Code != http.StatusOK {
		r.t.Fatalf("%d %s", rec.Code, rec.Body)
	}
	var out map[string]any
	if err := json.Unmarshal(rec.Body.Bytes(), &out); err != nil {
		r.t.Fatal(err)
	}
	if rec.Header().Get("Cache-Control") != "no-store" {
		r.t.Error("it may be kept")
	}
	return out
}

func (r *rig) refused(status int, code string, rec *httptest.ResponseRecorder) {
	r.t.Helper()
	var out struct {
		Error struct{ Code, Message string }
	}
	if err := json.Unmarshal(rec.Body.Bytes(), &out); err != nil || rec.Code != status || out.Error.Code != code || out.Error.Message == "" {
		r.t.Errorf("%d %s, want %d %s", rec.Code, rec.Body, status, code)
	}
}

// signsIn returns the cookie of a host.
func (r *rig) signsIn() string {
	r.t.Helper()
	rec := r.does("POST", "/v1/access/sign-in", `{"passphrase":"`+passphrase+`","name":"Ann"}`)
	r.gets(rec)
	c := rec.Result().Cookies()[0]
	if c.Name != secureCookie || !c.HttpOnly || !c.Secure || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.Domain != "" {
		r.t.Errorf("%+v", c)
	}
	return c.Name + "=" + c.Value
}

func (r *rig) claims(e map[string]any, room string) token.Claims {
	r.t.Helper()
	compact, _ := e["token"].(string)
	c, err := r.tokens.Verify(compact, room, time.Now())
	if err != nil {
		r.t.Fatalf("%v: %v", e, err)
	}
	return c
}

func (r *rig) invites(knock bool) guests.Invitation {
	r.t.Helper()
	i, err := r.book.Make(guests.Wish{Room: "a", By: "ann", Can: []token.Permission{token.Publish, token.Watch}, Knock: knock}, time.Now())
	if err != nil {
		r.t.Fatal(err)
	}
	return i
}

// A host's session is worth a token with all that a host may; for our own pages alone.
func TestHostEnters(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	cookie := r.signsIn()
	e := r.gets(r.does("POST", "/v1/access/rooms/a", "", "Cookie", cookie, "Sec-Fetch-Site", "same-origin"))
	c := r.claims(e, "a")
	if !c.May(token.Moderate) || !c.May(token.Invite) || !c.May(token.Watch) || c.May(token.List) || c.Guest || c.Knock || c.Name != "Ann" || e["host"] != true {
		t.Errorf("%+v, %v", c, e)
	}
	if _, err := r.tokens.Verify(e["token"].(string), "b", time.Now()); err == nil {
		t.Error("it is for another room, too")
	}
	if _, err := r.tokens.Verify(strings.Split(cookie, "=")[1], "a", time.Now()); err == nil {
		t.Error("the session is a token")
	}
	if got := r.gets(r.does("GET", "/v1/access", "", "Cookie", cookie)); got["host"].(map[string]any)["name"] != "Ann" {
		t.Errorf("%v", got)
	}
	for _, foreign := range [][]string{
		{"Origin", "https://evil.example"}, {"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "same-site", "Origin", "https://x.example.org"},
	} {
		e := r.gets(r.does("POST", "/v1/access/rooms/a", "", append(foreign, "Cookie", cookie)...))
		if c := r.claims(e, "a"); c.May(token.Moderate) || !c.Knock {
			t.Errorf("from %v: %+v", foreign, c)
		}
		r.refused(403, "forbidden", r.does("POST", "/v1/access/sign-out", "", append(foreign, "Cookie", cookie)...))
		r.refused(403, "forbidden", r.does("POST", "/v1/access/sign-in", `{"passphrase":"`+passphrase+`"}`, foreign...))
	}
	if got := r.gets(r.does("GET", "/v1/access", "", "Cookie", cookie, "Sec-Fetch-Site", "cross-site")); got["host"] != nil {
		t.Errorf("another page is told %v", got)
	}
	out := r.does("POST", "/v1/access/sign-out", "", "Cookie", cookie)
	if c := out.Result().Cookies()[0]; c.MaxAge >= 0 || c.Name != secureCookie {
		t.Errorf("%+v", c)
	}
	// Who has been a stranger is a host once signed in, and stays who he is over a reload.
	stranger := r.gets(r.does("POST", "/v1/access/rooms/a", ""))
	e = r.gets(r.does("POST", "/v1/access/rooms/a", `{"token":"`+stranger["token"].(string)+`"}`, "Cookie", cookie))
	if e["host"] != true {
		t.Errorf("%v", e)
	}
	renewed := r.tokens.Renew(r.claims(e, "a"), "a", e["identity"].(string), time.Now()).Compact
	if again := r.gets(r.does("POST", "/v1/access/rooms/a", `{"token":"`+renewed+`"}`, "Cookie", cookie)); again["identity"] != e["identity"] || again["token"] != renewed {
		t.Errorf("%v", again)
	}
}

func TestGuestEnters(t *testing.T) {
	t.Parallel()
	for _, knock := range []bool{false, true} {
		r := newRig(t, nil)
		i := r.invites(knock)
		e := r.gets(r.does("POST", "/v1/access/rooms/a", `{"invite":"`+i.Text+`"}`))
		c := r.claims(e, "a")
		if !c.Guest || c.Knock != knock || c.Invitation != i.ID || !c.May(token.Publish) || c.May(token.Message) || c.WasIn() || e["knock"] != knock || e["guest"] != true {
			t.Errorf("%+v, %v", c, e)
		}
		same := r.gets(r.does("POST", "/v1/access/rooms/a", `{"invite":"`+i.Text+`","token":"`+e["token"].(string)+`"}`))
		other := r.gets(r.does("POST", "/v1/access/rooms/a", `{"invite":"`+i.Text+`"}`))
		if same["identity"] != e["identity"] || other["identity"] == e["identity"] {
			t.Errorf("%v, %v, %v", e, same, other)
		}
		if list := r.book.List("a", time.Now()); list[0].Uses != 2 {
			t.Errorf("used %d times", list[0].Uses)
		}
		r.refused(403, "invitation_invalid", r.does("POST", "/v1/access/rooms/b", `{"invite":"`+i.Text+`"}`))
		r.refused(403, "invitation_invalid", r.does("POST", "/v1/access/rooms/a", `{"invite":"forged"}`))
		r.rooms.barred = i.ID
		r.refused(403, "invitation_closed", r.does("POST", "/v1/access/rooms/a", `{"invite":"`+i.Text+`"}`))
		r.rooms.barred = ""
		r.book.Revoke("a", i.ID, time.Now())
		r.refused(403, "invitation_revoked", r.does("POST", "/v1/access/rooms/a", `{"invite":"`+i.Text+`"}`))
		// Who was in by it comes back as he was, though it is revoked.
		renewed := r.tokens.Renew(c, "a", c.Identity, time.Now()).Compact
		back := r.gets(r.does("POST", "/v1/access/rooms/a", `{"invite":"`+i.Text+`","token":"`+renewed+`"}`))
		if back["token"] != renewed || back["knock"] != false {
			t.Errorf("%v", back)
		}
	}
}

// What is left to a stranger depends on who opens rooms; he sees nobody before he is let in.
func TestStranger(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	e := r.gets(r.does("POST", "/v1/access/rooms/a", ""))
	if c := r.claims(e, "a"); !c.Knock || !c.Guest || c.May(token.Watch) || c.May(token.Moderate) || e["knock"] != true {
		t.Errorf("%+v", c)
	}
	r.refused(400, "bad_room", r.does("POST", "/v1/access/rooms/a%20b", ""))
	shut := newRig(t, func(c *Config, _ *token.Config) { c.Knock = false })
	shut.refused(401, "sign_in_needed", shut.does("POST", "/v1/access/rooms/a", ""))
	apps := newRig(t, func(c *Config, _ *token.Config) { c.Open, c.Hosts, c.OIDC = ByApp, nil, nil })
	apps.refused(401, "unauthorized", apps.does("POST", "/v1/access/rooms/a", ""))
	apps.refused(404, "not_found", apps.does("POST", "/v1/access/sign-in", `{"passphrase":"x"}`))
	apps.refused(404, "not_found", apps.does("GET", "/v1/access/oidc", ""))
	anyone := newRig(t, func(c *Config, tc *token.Config) {
		c.Open, tc.Anyone, tc.Open = Anyone, true, []token.Permission{token.Publish}
	})
	if e := anyone.gets(anyone.does("POST", "/v1/access/rooms/a", "")); e["token"] != nil || e["knock"] != false {
		t.Errorf("%v", e)
	}
}

// An application's token is given back as it is: nobody makes it last longer here.
func TestTokenIsGivenBack(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	compact, err := token.Sign(secret, token.Claims{Room: "a", Identity: "app", Can: []token.Permission{token.Publish}, Expires: time.Now().Add(5 * time.Minute)})
	if err != nil {
		t.Fatal(err)
	}
	e := r.gets(r.does("POST", "/v1/access/rooms/a", `{"token":"`+compact+`"}`))
	if ttl := e["token_ttl"].(float64); e["token"] != compact || ttl > 300 || ttl < 290 {
		t.Errorf("%v", e)
	}
}

func TestSignIn(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	noon := time.Now()
	r.srv.now = func() time.Time { return noon }
	for range 3 {
		r.refused(401, "wrong_passphrase", r.does("POST", "/v1/access/sign-in", `{"passphrase":"wrong"}`))
	}
	slow := r.does("POST", "/v1/access/sign-in", `{"passphrase":"`+passphrase+`"}`)
	r.refused(429, "too_many_tries", slow)
	if slow.Header().Get("Retry-After") != "1" || !strings.Contains(slow.Body.String(), "retry_ms") {
		t.Errorf("%v %s", slow.Header(), slow.Body)
	}
	r = newRig(t, nil)
	r.refused(401, "bad_key", r.does("POST", "/v1/access/sign-in", `{"key":"made-up"}`))
	key := r.hosts.NewLink(time.Now())
	r.gets(r.does("POST", "/v1/access/sign-in", `{"key":"`+key+`"}`))
	r.refused(401, "bad_key", r.does("POST", "/v1/access/sign-in", `{"key":"`+key+`"}`))
	r.refused(400, "bad_name", r.does("POST", "/v1/access/sign-in", `{"passphrase":"x","name":"much too long a name"}`))
	for _, body := range []string{"x", "[]", `{"passphrase":1}`, `{"name":"` + strings.Repeat("x", bodyBytes) + `"}`} {
		r.refused(400, "bad_request", r.does("POST", "/v1/access/sign-in", body))
	}
}

// The provider's answer signs in, and leads to a page of our own and nowhere else.
func TestOIDC(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	for back, want := range map[string]string{
		"/r/club": "/r/club", "": "/", "//evil.example": "/", "https://evil.example/": "/", "/r/../x": "/", `/\evil.example`: "/", "/r/a%0d%0aX: y": "/",
	} {
		r.does("GET", "/v1/access/oidc?return="+strings.NewReplacer(":", "%3A", " ", "%20", "\\", "%5C").Replace(back), "")
		rec := r.does("GET", "/v1/access/oidc/callback?code=x", "")
		if rec.Code != http.StatusSeeOther || rec.Header().Get("Location") != want {
			t.Errorf("%q leads to %d %q", back, rec.Code, rec.Header().Get("Location"))
		}
		c := rec.Result().Cookies()[0]
		if host, _, ok := r.hosts.Check(c.Value, time.Now()); !ok || host.Identity != "ann@example.org" || host.Name != "" {
			t.Errorf("%+v, %v", host, ok)
		}
	}
	r.oidc.code, r.oidc.back = "oidc_denied", "/r/club"
	rec := r.does("GET", "/v1/access/oidc/callback", "")
	if got := rec.Header().Get("Location"); got != "/sign-in?error=oidc_denied&return=%2Fr%2Fclub" || len(rec.Result().Cookies()) != 0 {
		t.Errorf("%q", got)
	}
}

// A configured origin's page may exchange an invitation; no other page reads the answer.
func TestOtherOrigins(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(c *Config, _ *token.Config) { c.Origins = []string{"https://app.example"} })
	i := r.invites(false)
	for origin, want := range map[string]string{"https://app.example": "https://app.example", "https://evil.example": ""} {
		rec := r.does("POST", "/v1/access/rooms/a", `{"invite":"`+i.Text+`"}`, "Origin", origin, "Sec-Fetch-Site", "cross-site", "Content-Type", "application/json")
		if got := rec.Header().Get("Access-Control-Allow-Origin"); got != want || rec.Header().Get("Access-Control-Allow-Credentials") != "" {
			t.Errorf("%s may read: %q", origin, got)
		}
		pre := r.does("OPTIONS", "/v1/access/rooms/a", "", "Origin", origin, "Access-Control-Request-Method", "POST", "Access-Control-Request-Headers", "content-type")
		if got := pre.Header().Get("Access-Control-Allow-Origin"); got != want {
			t.Errorf("%s may ask: %q", origin, got)
		}
	}
}

// What applications' servers ask takes a token that may: for that room, and that thing.
func TestRoomRoutes(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	bearer := func(identity string, can ...token.Permission) string {
		compact, err := token.Sign(secret, token.Claims{Room: "a", Identity: identity, Can: can, Expires: time.Now().Add(time.Hour)})
		if err != nil {
			t.Fatal(err)
		}
		return "Bearer " + compact
	}
	app, host := bearer("app", token.Invite, token.Message, token.Watch), bearer("host", token.Moderate)
	weak := bearer("weak", token.Publish, token.Watch)
	made := r.gets(r.does("POST", "/v1/rooms/a/invitations", `{"ttl":600,"knock":true,"label":"Tuesday"}`, "Authorization", app))
	if made["by"] != "app" || made["knock"] != true || len(made["can"].([]any)) != 2 || made["invite"] == "" {
		t.Errorf("%v", made)
	}
	r.refused(403, "forbidden", r.does("POST", "/v1/rooms/a/invitations", `{"can":["moderate"]}`, "Authorization", app))
	r.refused(400, "bad_request", r.does("POST", "/v1/rooms/a/invitations", `{"can":["fly"]}`, "Authorization", app))
	r.refused(403, "forbidden", r.does("POST", "/v1/rooms/a/invitations", `{"can":["watch"]}`, "Authorization", app))
	r.refused(403, "forbidden", r.does("POST", "/v1/rooms/a/invitations", "", "Authorization", host)) // who may nothing that guests may
	r.refused(400, "bad_request", r.does("POST", "/v1/rooms/a/invitations", `{"ttl":-1}`, "Authorization", app))
	if list := r.gets(r.does("GET", "/v1/rooms/a/invitations", "", "Authorization", host))["invitations"].([]any); len(list) != 1 {
		t.Errorf("%v", list)
	}
	if list := r.gets(r.does("GET", "/v1/rooms/a/invitations", "", "Authorization", bearer("other", token.Invite)))["invitations"].([]any); len(list) != 0 {
		t.Errorf("%v", list)
	}
	r.refused(404, "no_such_invitation", r.does("DELETE", "/v1/rooms/a/invitations?id=AAAAAAAAAAA", "", "Authorization", host))
	r.gets(r.does("DELETE", "/v1/rooms/a/invitations?id="+made["id"].(string), "", "Authorization", app))
	r.gets(r.does("DELETE", "/v1/rooms/a/invitations", "", "Authorization", host))

	r.rooms.bans = []guests.Ban{{Identity: "eve", Name: "Eve", Present: []string{"bob"}}}
	if rec := r.does("GET", "/v1/rooms/a/bans", "", "Authorization", host); strings.Contains(rec.Body.String(), "bob") || !strings.Contains(rec.Body.String(), "eve") {
		t.Errorf("%s", rec.Body)
	}
	r.refused(404, "no_such_ban", r.does("DELETE", "/v1/rooms/a/bans?identity=bob", "", "Authorization", host))
	r.gets(r.does("DELETE", "/v1/rooms/a/bans?identity=eve", "", "Authorization", host))
	r.rooms.waiting = []Knock{{ID: "k", Name: "Bob"}}
	if list := r.gets(r.does("GET", "/v1/rooms/a/waiting", "", "Authorization", host))["waiting"].([]any); len(list) != 1 {
		t.Errorf("%v", list)
	}
	r.gets(r.does("POST", "/v1/rooms/a/waiting", `{"action":"admit","knock":"k"}`, "Authorization", host))
	r.refused(404, "no_such_knock", r.does("POST", "/v1/rooms/a/waiting", `{"action":"decline","knock":"gone"}`, "Authorization", host))
	r.refused(400, "bad_request", r.does("POST", "/v1/rooms/a/waiting", `{"action":"dance"}`, "Authorization", host))
	if len(r.rooms.decided) != 2 || r.rooms.decided[0] != "ktruehost" {
		t.Errorf("%v", r.rooms.decided)
	}
	cookie := r.signsIn()
	r.rooms.bans = []guests.Ban{{Identity: "removed"}} // he may not even lift his own ban
	removed := bearer("removed", token.Moderate, token.Invite)
	for _, route := range []string{"GET invitations", "POST invitations", "DELETE invitations", "GET bans", "DELETE bans", "GET waiting", "POST waiting"} {
		method, of, _ := strings.Cut(route, " ")
		r.refused(403, "forbidden", r.does(method, "/v1/rooms/a/"+of, "", "Authorization", weak))
		r.refused(403, "forbidden", r.does(method, "/v1/rooms/a/"+of, "", "Authorization", removed))
		r.refused(401, "unauthorized", r.does(method, "/v1/rooms/b/"+of, "", "Authorization", host))
		r.refused(401, "unauthorized", r.does(method, "/v1/rooms/a/"+of, ""))
		r.refused(401, "unauthorized", r.does(method, "/v1/rooms/a/"+of, "", "Cookie", cookie))
	}
	r.refused(405, "method_not_allowed", r.does("PUT", "/v1/rooms/a/bans", "", "Authorization", host))
}

// An address that asks all the time is slowed; this machine, which may be a proxy, is not.
func TestRate(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	limited := 0
	for i := 0; limited == 0 && i < 50*burst; i++ { // a slow machine needs more
		if rec := r.does("POST", "/v1/access/rooms/a", "{}"); rec.Code == http.StatusTooManyRequests {
			limited++
		}
	}
	if limited == 0 || r.srv.Stats().Limited == 0 {
		t.Error("nothing is slowed")
	}
}

func FuzzEnter(f *testing.F) {
	f.Add(`{"invite":"x"}`)
	f.Add(`{"token":"x"}`)
	f.Fuzz(func(t *testing.T, body string) {
		r := newRig(t, nil)
		rec := r.does("POST", "/v1/access/rooms/a", body)
		var out map[string]any
		if err := json.Unmarshal(rec.Body.Bytes(), &out); err != nil || rec.Code >= 500 {
			t.Errorf("%d %s", rec.Code, rec.Body)
		}
	})
}

// Where nothing outlives a token a host's ends with his sign-in, and where anyone may come in an old link shuts nobody out.
func TestNothingOutlives(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(_ *Config, tc *token.Config) { tc.Enforce = true })
	cookie := r.signsIn()
	noon := time.Now()
	r.srv.now = func() time.Time { return noon.Add(r.hosts.Session() - time.Minute) }
	if e := r.gets(r.does("POST", "/v1/access/rooms/a", "", "Cookie", cookie)); e["token_ttl"].(float64) > 61 {
		t.Errorf("%v", e["token_ttl"])
	}
	anyone := newRig(t, func(c *Config, tc *token.Config) {
		c.Open, tc.Anyone, tc.Open = Anyone, true, []token.Permission{token.Publish}
	})
	if e := anyone.gets(anyone.does("POST", "/v1/access/rooms/a", `{"invite":"old"}`)); e["guest"] != false {
		t.Errorf("%v", e)
	}
}

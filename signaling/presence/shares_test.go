package presence_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/parley/parley/signaling/presence"
	"github.com/parley/parley/signaling/presence/internal/fakeroom"
	"github.com/parley/parley/signaling/token"
)

// One token, and one address, take their share of the watchers and no more, and get it back.
func TestSharesOfWatchers(t *testing.T) {
	t.Parallel()
	secret := []byte("0123456789abcdef0123456789abcdef")
	tokens, err := token.New(token.Config{Secrets: [][]byte{secret}})
	if err != nil {
		t.Fatal(err)
	}
	pass := func(who string) string {
		signed, err := token.Sign(secret, token.Claims{
			Room: "r", Identity: who, Can: []token.Permission{token.Watch}, Expires: time.Now().Add(time.Hour),
		})
		if err != nil {
			t.Fatal(err)
		}
		return signed
	}
	rooms := &fakeroom.Rooms{}
	server, err := presence.New(presence.Config{Rooms: rooms, Tokens: tokens, PerToken: 2, PerAddress: 3})
	if err != nil {
		t.Fatal(err)
	}
	at := rooms.Room("r").Log().Position().String()
	poll := func(ctx context.Context, from, token string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(http.MethodGet, "/v1/rooms/r/events?wait=50s&after="+at, nil).WithContext(ctx)
		r.RemoteAddr = from
		r.Header.Set("Authorization", "Bearer "+token)
		w := httptest.NewRecorder()
		server.ServeHTTP(deadlines{w}, r)
		return w
	}
	ctx, cancel := context.WithCancel(t.Context())
	badge, other := pass("badge"), pass("other")
	waiting := 0
	wait := func(from, token string) {
		go poll(ctx, from, token)
		waiting++
		waitFor(t, "one more watcher", func() bool { return server.Stats().Watchers == waiting })
	}
	refused := func(from, token, code string) {
		t.Helper()
		w := poll(t.Context(), from, token)
		if w.Code != http.StatusTooManyRequests || w.Header().Get("Retry-After") == "" || !strings.Contains(w.Body.String(), code) {
			t.Errorf("%d %v %s, want %s", w.Code, w.Header(), w.Body, code)
		}
	}
	wait("[2001:db8::1]:1", badge)
	wait("[2001:db8::2]:1", badge)
	refused("192.0.2.1:1", badge, "too_many_of_token")
	wait("[2001:db8::3]:1", other)
	refused("[2001:db8::4]:1", pass("third"), "too_many_of_address")
	for range 4 {
		wait("127.0.0.1:1", pass("here"+at+time.Duration(waiting).String()))
	}
	if s := server.Stats(); s.TokenFull != 1 || s.AddressFull != 1 {
		t.Errorf("%+v", s)
	}
	cancel()
	waitFor(t, "all to be gone", func() bool { return server.Stats().Watchers == 0 })
	again, stop := context.WithCancel(t.Context())
	stop()
	if w := poll(again, "[2001:db8::1]:1", badge); w.Code == http.StatusTooManyRequests {
		t.Errorf("the share is not given back: %d", w.Code)
	}
}

// deadlines is a recorder that takes deadlines, as connections do.
type deadlines struct{ *httptest.ResponseRecorder }

func (deadlines) SetReadDeadline(time.Time) error  { return nil }
func (deadlines) SetWriteDeadline(time.Time) error { return nil }

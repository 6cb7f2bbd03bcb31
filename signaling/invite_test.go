package signaling

import (
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/parley/parley/signaling/token"
)

// fakeInvitations keeps invitations in memory.
type fakeInvitations struct {
	mu   sync.Mutex
	list []Invitation
	made int
	full bool

	meanwhile func() // while one is made
}

func (f *fakeInvitations) Make(wish Invitation, ttl time.Duration, now time.Time) (Invitation, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.full {
		return Invitation{}, ErrTooManyInvitations
	}
	f.made++
	wish.ID, wish.MadeAt, wish.Expires = strconv.Itoa(f.made), now, now.Add(ttl)
	f.list = append(f.list, wish)
	if f.meanwhile != nil {
		f.meanwhile()
	}
	return wish, nil
}

func (f *fakeInvitations) List(room string, _ time.Time) []Invitation {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(f.list), func(i Invitation) bool { return i.Room != room })
}

func (f *fakeInvitations) Revoke(room, id string, _ time.Time) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	before := len(f.list)
	f.list = slices.DeleteFunc(f.list, func(i Invitation) bool { return i.Room == room && (id == "" || i.ID == id) })
	return len(f.list) < before
}

func (f *fakeInvitations) Revoked(room, id string) bool {
	return !slices.ContainsFunc(f.List(room, time.Now()), func(i Invitation) bool { return i.ID == id })
}

func (*fakeInvitations) Guests() []token.Permission { return guestMay }

func (r *rig) withInvitations() *fakeInvitations {
	f := &fakeInvitations{}
	r.srv.cfg.Invitations = f
	return f
}

// Nobody gives what he has not; moderators see all links of the room, others their own.
func TestInvite(t *testing.T) {
	bubble(t, withSecret, func(t *testing.T, r *rig) {
		links := r.withInvitations()
		host := r.in("host", token.Moderate, token.Invite, token.Message, token.Watch)
		ann := r.in("ann", token.Invite, token.Message)
		bob := r.in("bob", token.Message)
		made := host.must("invite", fields{"ttl": 60, "knock": true, "label": "Tuesday"})["invitation"].(map[string]any)
		if can := made["can"].([]any); !slices.Equal(can, []any{"message", "watch"}) || made["knock"] != true || made["by"] != "host" || made["label"] != "Tuesday" {
			t.Errorf("%v", made)
		}
		ann.must("invite", fields{"can": []string{"message"}})
		ann.refused(codeForbidden, "invite", fields{"can": []string{"moderate"}})
		ann.refused(codeForbidden, "invite", fields{"can": []string{"publish"}})
		ann.refused(codeBadMessage, "invite", fields{"can": []string{"fly"}})
		ann.refused(codeBadMessage, "invite", fields{"ttl": -1})
		ann.refused(codeForbidden, "invite", fields{"can": []string{"invite"}}) // it would let nobody in
		ann.refused(codeForbidden, "invite", fields{"can": []string{}})
		bob.refused(codeForbidden, "invite", nil)
		bob.refused(codeForbidden, "invitations", nil)
		bob.refused(codeForbidden, "revoke", nil)
		if n := len(host.must("invitations", nil)["invitations"].([]any)); n != 2 {
			t.Errorf("the moderator sees %d", n)
		}
		if n := len(ann.must("invitations", nil)["invitations"].([]any)); n != 1 {
			t.Errorf("Ann sees %d", n)
		}
		ann.refused(codeNoInvitation, "revoke", fields{"invitation": made["id"]})
		ann.must("revoke", nil)
		if list := links.List("a", time.Now()); len(list) != 1 || list[0].By != "host" {
			t.Errorf("%+v", list)
		}
		host.must("revoke", fields{"invitation": made["id"]})
		ann.must("invite", nil)
		host.must("revoke", nil)
		if list := links.List("a", time.Now()); len(list) != 0 {
			t.Errorf("%+v", list)
		}
		links.full = true
		host.refused(codeTooManyInvitations, "invite", nil)
	})
}

// Where nothing outlives a token, no invitation outlives that of who made it, not one he was given since.
func TestInviteEndsWithTheInviter(t *testing.T) {
	bubble(t, policy(token.Config{Enforce: true, Grace: time.Minute}, fakeICE{}), func(t *testing.T, r *rig) {
		links := r.withInvitations()
		host := r.in("host", token.Invite, token.Message)
		host.must("invite", nil)
		if got := links.List("a", time.Now())[0].NotAfter; !got.Equal(time.Now().Add(time.Hour).Truncate(time.Second)) {
			t.Errorf("not after %v", got)
		}
	})
}

// Who was given a token for a link that is revoked since comes in if he was in; nobody else does, and who waits is told.
func TestRevokedBeforeTheJoin(t *testing.T) {
	bubble(t, withSecret, func(t *testing.T, r *rig) {
		r.withInvitations()
		host := r.in("host", token.Moderate, token.Invite, token.Message)
		made := host.must("invite", nil)["invitation"].(map[string]any)["id"].(string)
		bob := r.dial("a")
		bob.join(r.guest("bob", made, false))
		cem, waiting := r.knocks(r.guest("cem", made, true))
		host.must("revoke", nil)
		late := r.dial("a")
		late.refused(codeInvitationRevoked, "join", r.guest("dan", made, false))
		late.closedWith(closeUnauthorized)
		knocking := r.dial("a")
		knocking.refused(codeInvitationRevoked, "knock", r.guest("dan", made, true))
		renewed := bob.welcome["token"]
		bob.closePage()
		bob = r.dial("a")
		bob.join(fields{"token": renewed})
		host.refused(codeNoKnock, "moderate", fields{"action": "admit", "knock": waiting["knock"]})
		if m := cem.told("error"); m["code"] != string(codeInvitationRevoked) {
			t.Errorf("who waited is told %v", m)
		}
	})
}

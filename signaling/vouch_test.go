package signaling

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/parley/parley/signaling/token"
)

func TestTokenInTheBeginning(t *testing.T) {
	t.Parallel()
	for begin, want := range map[string]string{
		`{"token":"abc","media":{"sdp":"v=0`:                              "abc",
		`{"type":"join","id":1,"metadata":{"token":"x"},"token":"abc","m`: "abc",
		`{"media":{"sdp":"v=0`:                                            "",
		`{"media":{},"token":"ab`:                                         "",
		`{"token":7,"media":`:                                             "",
		`["token","abc"`:                                                  "",
		`{"token"`:                                                        "",
		`{}`:                                                              "",
		``:                                                                "",
	} {
		if got := tokenIn([]byte(begin)); got != want {
			t.Errorf("%s: %q", begin, got)
		}
	}
}

func TestVouch(t *testing.T) {
	bubble(t, withSecret, func(t *testing.T, r *rig) {
		good, other := pass(t, "a", token.Subscribe), pass(t, "b", token.Subscribe)
		join := func(token string) []byte {
			return []byte(`{"token":"` + token + `","media":{"sdp":"` + strings.Repeat("x", 100))
		}
		c := r.dial("a")
		for name, v := range map[string]struct {
			begin []byte
			want  bool
		}{"good": {join(good), true}, "another room's": {join(other), false}, "bad": {join("x"), false}, "none": {[]byte("{"), false}} {
			if got := c.link.Vouch(v.begin); got != v.want {
				t.Errorf("%s: %v", name, got)
			}
		}
		withHeader := r.dial("a")
		withHeader.closePage()
		withHeader.connect(good)
		if !withHeader.link.Vouch([]byte("{")) {
			t.Error("the header's token does not count")
		}
		c.join(fields{"token": good})
		if !c.link.Vouch([]byte("{")) || !c.link.Joined() {
			t.Error("who has joined is a stranger")
		}
	})
}

// FuzzTokenIn wants of the beginning of a message no other token than the whole message has.
func FuzzTokenIn(f *testing.F) {
	f.Add([]byte(`{"type":"join","metadata":{"token":[1]},"token":"abc","media":{"sdp":"v=0"}}`), 50)
	f.Add([]byte(`{"token":"a","token":"b"}`), 12)
	f.Fuzz(func(t *testing.T, msg []byte, n int) {
		if n < 0 || n > len(msg) {
			n = len(msg)
		}
		got := tokenIn(msg[:n])
		if got == "" || !json.Valid(msg) {
			return
		}
		if whole := tokenIn(msg); whole != got {
			t.Errorf("%q at the beginning, %q in the whole", got, whole)
		}
	})
}

package signaling

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/parley/parley/signaling/internal/names"
)

// Whatever comes: no panic, errors are bad_message, and what is accepted can be encoded for others.
func FuzzMessage(f *testing.F) {
	files, err := filepath.Glob(filepath.Join("testdata", "client", "*.json"))
	if err != nil || len(files) == 0 {
		f.Fatalf("no golden files: %v", err)
	}
	for _, file := range files {
		msg, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(msg)
	}
	for _, s := range []string{
		"", "{", "[]", `{"type":"join","id":1e3}`, `{"type":"chat","id":1,"text":"\ud800"}`, `{"TYPE":"ping"}`,
		`{"type":"signal","id":18446744073709551616}`, `{"type":"subscribe","id":1,"tiles":[{"width":1e400}]}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, msg []byte) {
		env, err := decodeEnvelope(msg)
		checkRefusal(t, err)
		if err != nil {
			return
		}
		if env.Type == "" || env.ID != nil && (*env.ID == 0 || *env.ID > maxID) {
			t.Errorf("accepted %+v", env)
		}
		for _, to := range []checker{
			&joinRequest{}, &knockRequest{}, &inviteRequest{}, &resumeRequest{}, &negotiateRequest{}, &publishRequest{}, &unpublishRequest{}, &muteRequest{},
			&layersRequest{}, &subscribeRequest{}, &chatRequest{}, &updateRequest{}, &signalRequest{}, &moderateRequest{},
		} {
			err := parse(msg, to)
			checkRefusal(t, err)
			if err != nil {
				continue
			}
			out, err := json.Marshal(to)
			if err != nil || !utf8.Valid(out) {
				t.Errorf("%T: accepted what cannot be sent on: %q, %v", to, out, err)
			}
		}
	})
}

func checkRefusal(t *testing.T, err error) {
	t.Helper()
	var re *requestError
	if err != nil && (!errors.As(err, &re) || re.code != codeBadMessage || re.text == "" || !utf8.ValidString(re.text)) {
		t.Errorf("%#v is no bad_message", err)
	}
}

func FuzzValidRoom(f *testing.F) {
	for _, s := range []string{"", "a", "..", "stand-up", "a/b", "é", strings.Repeat("x", 65)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, name string) {
		if !ValidRoom(name) {
			return
		}
		if len(name) > names.MaxRoom || strings.Trim(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._~-") != "" ||
			filepath.Base(name) != name || name == "." || name == ".." {
			t.Errorf("%q is no room name", name)
		}
	})
}

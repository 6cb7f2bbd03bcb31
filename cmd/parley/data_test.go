package main

import (
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestDataFolder(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		env  []string
		want string
	}{
		{nil, ""},
		{[]string{"HOME=/home/ann"}, "/home/ann/.config/parley"},
		{[]string{"HOME=/home/ann", "STATE_DIRECTORY=/var/lib/parley"}, "/var/lib/parley"},
		{[]string{"HOME=/home/ann", "PARLEY_DATA=/data"}, "/data"},
		{[]string{"HOME=/home/ann", "PARLEY_DATA=off"}, ""},
	} {
		if got := mustLoad(t, append(c.env, "XDG_CONFIG_HOME="), "").folder; got != filepath.FromSlash(c.want) {
			t.Errorf("%v: %q, want %q", c.env, got, c.want)
		}
	}
}

// A server that needs no folder makes none.
func TestNoFolderWithoutNeed(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "data")
	startHere(t, "PARLEY_DATA="+path)
	if _, err := os.Stat(path); !os.IsNotExist(err) {
		t.Errorf("the folder was made: %v", err)
	}
}

// Over a restart an invitation that is good stays good, and a revoked one revoked. A second server on the folder leaves it alone.
func TestInvitationsOutliveTheProcess(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "data")
	env := []string{"PARLEY_SECRET=" + testSecret, "PARLEY_DATA=" + folder}
	compact := strings.TrimSpace(parley(t, env, "token", "--room", "club", "--identity", "app", "--can", "moderate,publish").stdout)
	ask := func(p *process, method, path, body string) (int, string) {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), method, p.url+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+compact)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		text, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode, string(text)
	}
	type link struct{ ID, Invite string }
	invite := func(p *process) (made link) {
		t.Helper()
		if _, body := ask(p, http.MethodPost, "/v1/rooms/club/invitations", "{}"); json.Unmarshal([]byte(body), &made) != nil || made.Invite == "" {
			t.Fatalf("not made: %s", body)
		}
		return made
	}
	p := serve(t, env)
	good, revoked := invite(p), invite(p)
	if status, body := ask(p, http.MethodDelete, "/v1/rooms/club/invitations?id="+revoked.ID, ""); status != http.StatusOK {
		t.Fatalf("%d %s", status, body)
	}
	second := serve(t, env)
	invite(second)
	if said := second.output.String(); !strings.Contains(said, "another process has the data folder") {
		t.Errorf("it does not say that it keeps nothing:\n%s", said)
	}
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	p.wait(t)
	p = serve(t, env)
	for text, want := range map[string]string{good.Invite: `"guest":true`, revoked.Invite: "invitation_revoked"} {
		if _, body := ask(p, http.MethodPost, "/v1/access/rooms/club", `{"invite":"`+text+`"}`); !strings.Contains(body, want) {
			t.Errorf("want %s: %s", want, body)
		}
	}
	if _, body := ask(p, http.MethodGet, "/v1/rooms/club/invitations", ""); strings.Count(body, `"id"`) != 1 {
		t.Errorf("%s", body)
	}
}

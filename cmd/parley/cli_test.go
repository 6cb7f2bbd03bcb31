package main

import (
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/parley/parley/signaling/token"
)

func TestCommandLineErrors(t *testing.T) {
	t.Parallel()
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { busy.Close() })
	busyUDP, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { busyUDP.Close() })
	garbage := filepath.Join(t.TempDir(), "garbage.pem")
	if err := os.WriteFile(garbage, []byte("no PEM"), 0o600); err != nil {
		t.Fatal(err)
	}
	quiet := func(args ...string) []string { // a server on free ports, but for what args say
		return append([]string{"serve", "--listen", "127.0.0.1:0", "--udp", "127.0.0.1:0", "--tcp", "off", "--admin", "off"}, args...)
	}
	for _, c := range []struct {
		name string
		env  []string
		args []string
		code int
		want string
	}{
		{name: "unknown command", args: []string{"serv"}, code: 2, want: `parley: unknown command "serv"; did you mean "serve"?`},
		{name: "strange command", args: []string{"launch-rocket"}, code: 2, want: `parley: unknown command "launch-rocket"; see: parley help`},
		{name: "unknown flag", args: []string{"--lisen", ":1"}, code: 2, want: `parley: unknown flag --lisen; did you mean "--listen"?`},
		{name: "strange flag", args: []string{"token", "--zzzzzz"}, code: 2, want: "parley: unknown flag --zzzzzz; see: parley token --help"},
		{name: "flag without value", args: []string{"serve", "--listen"}, code: 2, want: "parley: --listen needs a value"},
		{name: "bad flag value", args: []string{"serve", "--shutdown-timeout", "soon"}, code: 2, want: `parley: --shutdown-timeout: "soon" is not a duration`},
		{name: "bad bool flag", args: []string{"serve", "--insecure=perhaps"}, code: 2, want: `parley: --insecure: "perhaps" is neither true nor false`},
		{name: "a flag's short name", args: quiet("--plane", "fast"), code: 2, want: `parley: --media-plane: "fast" is none of batched, pion`},
		{name: "argument", args: []string{"serve", "8080"}, code: 2, want: `parley: serve: unexpected argument "8080"`},
		{name: "no such config file", args: []string{"--config", "/nowhere.yaml"}, code: 2, want: "parley: config file: open /nowhere.yaml"},
		{name: "exposed without a secret", args: quiet("--listen", "0.0.0.0:0"), code: 2, want: "parley: --listen: 0.0.0.0:0 can be reached from other machines"},
		{name: "HTTP port in use", args: quiet("--listen", busy.Addr().String()), code: 1, want: "is in use at " + busy.Addr().String()},
		{name: "TCP port in use", args: quiet("--tcp", busy.Addr().String()), code: 1, want: "choose another port with --tcp"},
		{name: "admin port in use", args: quiet("--admin", busy.Addr().String()), code: 1, want: "choose another port with --admin"},
		{name: "UDP port in use", args: quiet("--udp", busyUDP.LocalAddr().String()), code: 1, want: "choose another port with --udp"},
		{name: "somebody else's address", args: quiet("--insecure", "--udp", "192.0.2.1:0"), code: 1, want: "192.0.2.1:0 is not an address of this machine"},
		{name: "no such certificate", args: quiet("--tls-cert", "/nowhere.pem", "--tls-key", garbage), code: 2, want: "parley: certificate /nowhere.pem with key " + garbage + ": open /nowhere.pem"},
		{name: "no certificate at all", args: quiet("--tls-cert", garbage, "--tls-key", garbage), code: 2, want: "failed to find any PEM data"},
		{name: "nobody there", args: []string{"health", "--admin", "127.0.0.1:1"}, code: 1, want: "parley: not reachable"},
		{name: "nobody to ask", args: []string{"health", "--admin", "off"}, code: 2, want: "the admin address is off"},
		{name: "token without secret", args: []string{"token", "--room", "a", "--identity", "b"}, code: 2, want: "parley: a token needs the server's secret"},
		{name: "token without room", args: []string{"token", "--identity", "b"}, code: 2, want: "parley: --room is missing"},
		{name: "token for a bad room", args: []string{"token", "--room", "a/b", "--identity", "b"}, code: 2, want: `parley: --room: "a/b" is not a room name`},
		{name: "token for the room ..", args: []string{"token", "--room", "..", "--identity", "b"}, code: 2, want: `parley: --room: ".." is not a room name`},
		{name: "token without identity", args: []string{"token", "--room", "a"}, code: 2, want: "parley: --identity is missing"},
		{name: "token with a long identity", args: []string{"token", "--room", "a", "--identity", strings.Repeat("x", 129)}, code: 2, want: "parley: --identity: 129 bytes are too long"},
		{name: "token with a misspelt permission", args: []string{"token", "--room", "a", "--identity", "b", "--can", "publish,subscibe"}, code: 2, want: `parley: --can: "subscibe" is not a permission; did you mean "subscribe"?`},
		{name: "token for nothing", args: []string{"token", "--room", "a", "--identity", "b", "--can", ","}, code: 2, want: "parley: --can: it allows nothing"},
		{name: "token with a bad life", args: []string{"token", "--room", "a", "--identity", "b", "--ttl", "-1h"}, code: 2, want: `parley: --ttl: "-1h" is not a duration from 1s`},
		{name: "link without scheme", args: []string{"token", "--room", "a", "--identity", "b", "--link", "x.org"}, code: 2, want: `parley: --link: "x.org" is not like`},
		{name: "link to all rooms", args: []string{"token", "--room", "*", "--identity", "b", "--link", "https://x.org"}, code: 2, want: "parley: --link: a link leads to one room"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			env := c.env
			if len(c.args) > 0 && c.args[0] == "token" && c.name != "token without secret" {
				env = append(env, "PARLEY_SECRET="+testSecret)
			}
			got := parley(t, env, c.args...)
			if got.code != c.code || !strings.Contains(got.stderr, c.want) {
				t.Errorf("exit %d, %q; want %d and %q", got.code, got.stderr, c.code, c.want)
			}
			if got.stdout != "" || strings.Count(got.stderr, "\n") != 1 {
				t.Errorf("want one line on standard error alone; stdout %q, stderr %q", got.stdout, got.stderr)
			}
		})
	}
}

func TestSecretIsNotPrinted(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{
		{"config"}, {"config", "--secret", testSecret}, {"token", "--help"}, {"serve", "--listen", "127.0.0.1:99999"},
	} {
		got := parley(t, []string{"PARLEY_SECRET=" + testSecret}, args...)
		if all := got.stdout + got.stderr; strings.Contains(all, testSecret) {
			t.Errorf("parley %v prints the secret:\n%s", args, all)
		}
	}
}

func TestToken(t *testing.T) {
	t.Parallel()
	v, err := token.New(token.Config{Secrets: [][]byte{[]byte(testSecret)}})
	if err != nil {
		t.Fatal(err)
	}
	before := time.Now().Truncate(time.Second)
	got := parley(t, []string{"PARLEY_SECRET=" + testSecret}, "token", "--room", "standup", "--identity", "ann@example.org",
		"--name", "Ann", "--can", "publish, moderate, join", "--ttl", "30m", "--update=false")
	if got.code != 0 || strings.Count(got.stdout, "\n") != 1 {
		t.Fatalf("exit %d, %q, %q", got.code, got.stdout, got.stderr)
	}
	claims, err := v.Verify(strings.TrimSpace(got.stdout), "standup", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if claims.Expires.Before(before.Add(30*time.Minute)) || claims.Expires.After(time.Now().Add(30*time.Minute)) {
		t.Errorf("expires at %v, want in 30 minutes", claims.Expires)
	}
	claims.Expires = time.Time{}
	want := token.Claims{Room: "standup", Identity: "ann@example.org", Name: "Ann", Can: []token.Permission{"join", "moderate", "publish"}, Fixed: true}
	if diff := cmp.Diff(want, claims); diff != "" {
		t.Error(diff)
	}
}

func TestTokenLink(t *testing.T) {
	t.Parallel()
	got := parley(t, []string{"PARLEY_SECRET=" + testSecret}, "token", "--room", "a~b", "--identity", "ann", "--link", "https://meet.example.org/")
	if got.code != 0 || !strings.HasPrefix(got.stdout, "https://meet.example.org/r/a~b#token=ey") {
		t.Errorf("exit %d, %q, %q", got.code, got.stdout, got.stderr)
	}
}

func TestVersionAndHelp(t *testing.T) {
	t.Parallel()
	if got, want := parley(t, nil, "version"), "parley v0.0.0-test "+runtime.Version(); got.code != 0 || !strings.HasPrefix(got.stdout, want) {
		t.Errorf("exit %d, %q, want %q", got.code, got.stdout, want)
	}
	for _, args := range [][]string{{"help"}, {"--help"}, {"-h"}} {
		got := parley(t, nil, args...)
		for _, cmd := range commands() {
			if got.code != 0 || !strings.Contains(got.stdout, "  "+cmd.name) {
				t.Errorf("parley %v: exit %d, without %s: %q", args, got.code, cmd.name, got.stdout)
			}
		}
	}
	for _, name := range []string{"serve", "config", "token", "health", "version"} {
		if got := parley(t, nil, name, "--help"); got.code != 0 || !strings.Contains(got.stdout, "Usage: parley") || got.stderr != "" {
			t.Errorf("parley %s --help: exit %d, %q, %q", name, got.code, got.stdout, got.stderr)
		}
	}
	help := parley(t, nil, "serve", "--help").stdout
	c := defaults()
	for _, f := range fields(&c) {
		if !strings.Contains(help, "  --"+f.flag()) {
			t.Errorf("parley serve --help leaves out --%s", f.flag())
		}
	}
}

package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func writeFile(t *testing.T, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "parley.yaml")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func mustLoad(t *testing.T, env []string, file string, flags ...setting) *loaded {
	t.Helper()
	l, err := load(env, file, flags)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestDefaultsAreValid(t *testing.T) {
	t.Parallel()
	l := mustLoad(t, nil, "")
	if diff := cmp.Diff(defaults(), l.config, cmp.AllowUnexported(config{})); diff != "" {
		t.Error(diff)
	}
}

func TestLayers(t *testing.T) {
	t.Parallel()
	file := writeFile(t, "listen: :1\nudp: :1\ntcp: :1\norigins: [https://a.org, https://b.org]\nturn:\n  ttl: 2h\n")
	l := mustLoad(t, []string{"PARLEY_UDP=:2", "PARLEY_TCP=:2", "PARLEY_ADMIN=", "UDP=:9"}, file,
		setting{"tcp", ":3", "--tcp"})
	want := defaults()
	want.Listen, want.UDP, want.TCP = ":1", ":2", ":3"
	want.Origins = []string{"https://a.org", "https://b.org"}
	want.Turn.TTL = 2 * time.Hour
	if diff := cmp.Diff(want, l.config, cmp.AllowUnexported(config{})); diff != "" {
		t.Error(diff)
	}
}

func TestFileNamedByEnvironment(t *testing.T) {
	t.Parallel()
	env := []string{"PARLEY_CONFIG=" + writeFile(t, "listen: :1\n")}
	if got := mustLoad(t, env, "").Listen; got != ":1" {
		t.Errorf("listen is %q, want that of the file", got)
	}
	if got := mustLoad(t, env, writeFile(t, "listen: :2\n")).Listen; got != ":2" {
		t.Errorf("listen is %q, want that of the file named by flag", got)
	}
}

// TestPrintedConfigIsItsOwnSource changes every field, prints the result, and reads it again.
func TestPrintedConfigIsItsOwnSource(t *testing.T) {
	t.Parallel()
	c := defaults()
	for i, f := range fields(&c) {
		switch v := f.value.Addr().Interface().(type) {
		case *string:
			*v += "# odd: \"value\" é"
		case *secret:
			*v = "a hash"
		case *secrets:
			*v = secrets{testSecret, testSecret}
		case *bool:
			*v = !*v
		case *int:
			*v += i + 1
		case *time.Duration:
			*v += time.Duration(i+1) * time.Millisecond
		case *[]string:
			*v = append([]string{"*", "a: b"}, *v...)
		default:
			t.Fatalf("%s has a type that no test knows: %s", f.key, f.value.Type())
		}
	}
	var b bytes.Buffer
	if err := printConfig(&b, c); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(b.String(), testSecret) {
		t.Fatalf("the secret is printed:\n%s", b.String())
	}
	l := &loaded{config: defaults(), from: map[string]string{}}
	settings, err := fromFile(writeFile(t, b.String()), &l.config)
	if err != nil {
		t.Fatalf("%v in\n%s", err, b.String())
	}
	if err := l.apply(settings); err != nil {
		t.Fatal(err)
	}
	c.Secret, c.Turn.Secret, c.Hosts.Passphrase, c.Hosts.OIDCClientSecret = nil, nil, "", ""
	if diff := cmp.Diff(c, l.config); diff != "" {
		t.Errorf("%s\n%s", diff, b.String())
	}
}

func TestEveryFieldIsDocumentedOnce(t *testing.T) {
	t.Parallel()
	c := defaults()
	seen := map[string]string{}
	for _, f := range fields(&c) {
		if f.doc == "" || !strings.HasSuffix(f.doc, ".") {
			t.Errorf("%s: its doc tag is no sentence: %q", f.key, f.doc)
		}
		for _, name := range []string{f.env(), f.flag()} {
			if seen[name] != "" {
				t.Errorf("%s and %s share the name %s", seen[name], f.key, name)
			}
			seen[name] = f.key
		}
	}
	if len(seen) < 80 {
		t.Errorf("only %d names: not every field was found", len(seen))
	}
}

func TestSecret(t *testing.T) {
	t.Parallel()
	const older = "the secret before that one"
	file := filepath.Join(t.TempDir(), "secret")
	for content, want := range map[string]secrets{
		testSecret + "\n": {testSecret},
		testSecret + "\r\n\r\n\t" + older + " \n\n": {testSecret, older},
	} {
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if l := mustLoad(t, []string{"PARLEY_SECRET_FILE=" + file}, ""); !slices.Equal(l.Secret, want) {
			t.Errorf("%q is not read as %d secrets", content, len(want))
		}
	}
	l := mustLoad(t, []string{"PARLEY_SECRET=" + testSecret + ", " + older}, "")
	if !slices.Equal(l.Secret, secrets{testSecret, older}) || string(l.Secret.signing()) != testSecret || len(l.Secret.keys()) != 2 {
		t.Error("the secrets of the variable are not two, the first to sign")
	}
	listed := mustLoad(t, nil, writeFile(t, "secret: [\""+testSecret+"\", \""+older+"\"]\n"))
	if !slices.Equal(listed.Secret, l.Secret) {
		t.Error("a list in the file is not the same")
	}
	shown := fmt.Sprintf("%v %s %#v %+v %v", l.Secret, l.Secret, l.Secret, l.Secret[0], l.Secret.LogValue())
	if strings.Contains(shown, testSecret) || strings.Contains(shown, older) {
		t.Errorf("the secrets show themselves as %q", shown)
	}
}

// TestRelaySecrets: what makes relay credentials never signs tokens.
func TestRelaySecrets(t *testing.T) {
	t.Parallel()
	const older = "the secret before that one"
	two := mustLoad(t, []string{"PARLEY_SECRET=" + testSecret + "," + older}, "").relaySecrets()
	one := mustLoad(t, []string{"PARLEY_SECRET=" + older}, "").relaySecrets()
	if len(two) != 2 || len(one) != 1 || two[1] != one[0] || slices.Contains(two, testSecret) || len(one[0]) != 64 {
		t.Error("each secret gives one for relays, the same always")
	}
	own := mustLoad(t, []string{"PARLEY_SECRET=" + testSecret, "PARLEY_TURN_SECRET=" + older}, "").relaySecrets()
	if !slices.Equal(own, []string{older}) {
		t.Error("turn.secret is not what is used")
	}
	none := mustLoad(t, nil, "")
	if a, b := none.relaySecrets(), none.relaySecrets(); len(a) != 1 || len(a[0]) < 16 || a[0] == b[0] {
		t.Error("without any secret it is random")
	}
}

func TestBadConfiguration(t *testing.T) {
	t.Parallel()
	short := filepath.Join(t.TempDir(), "short")
	if err := os.WriteFile(short, []byte("short"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, file string
		env        []string
		flags      []setting
		want       string // in the error; FILE stands for the file
	}{
		{name: "unknown key", file: "listen: :1\nlisten_udp: :2\n", want: `FILE:2: unknown key "listen_udp"`},
		{name: "misspelt key", file: "\n\nlisen: :1\n", want: `FILE:3: unknown key "lisen"; did you mean "listen"?`},
		{name: "misspelt nested key", file: "turn:\n  relm: x\n", want: `FILE:2: unknown key "turn.relm"; did you mean "turn.realm"?`},
		{name: "dotted key", file: "turn.realm: x\n", want: `FILE:1: unknown key "turn.realm"`},
		{name: "key twice", file: "listen: :1\nudp: :1\nlisten: :2\n", want: "FILE:3: listen is set twice, first on line 1"},
		{name: "not YAML", file: "listen: [\n", want: "FILE: not YAML: line 1"},
		{name: "not a mapping", file: "- listen\n", want: "FILE:1: want keys and values"},
		{name: "a section that is a value", file: "turn: on\n", want: "FILE:1: want keys and values"},
		{name: "a list for a value", file: "listen: [a]\n", want: "FILE:1: listen: want one plain value"},
		{name: "a map for a list", file: "origins: {a: b}\n", want: "FILE:1: origins: want a list"},
		{name: "nested list", file: "origins:\n  - [a]\n", want: "FILE:2: origins: want a list of plain values"},
		{name: "bad duration", file: "shutdown_timeout: soon\n", want: `FILE:1: "soon" is not a duration; write it as 10s`},
		{name: "bare number as duration", env: []string{"PARLEY_SHUTDOWN_TIMEOUT=10"}, want: `PARLEY_SHUTDOWN_TIMEOUT: "10" is not a duration`},
		{name: "bad number", env: []string{"PARLEY_LIMITS_ROOMS=many"}, want: `PARLEY_LIMITS_ROOMS: "many" is not a whole number`},
		{name: "bad bool", env: []string{"PARLEY_INSECURE=ja"}, want: `PARLEY_INSECURE: "ja" is neither true nor false`},
		{name: "no port", flags: []setting{{"listen", "localhost", "--listen"}}, want: `--listen: "localhost" is not an address to listen on: it has no port`},
		{name: "port too large", flags: []setting{{"udp", ":70000", "--udp"}}, want: `--udp: ":70000" is not an address to listen on: port "70000"`},
		{name: "URL as address", flags: []setting{{"listen", "http://x:80", "--listen"}}, want: "it is not host:port"},
		{name: "udp off", flags: []setting{{"udp", "off", "--udp"}}, want: "it has no port"},
		{name: "validation names the line", file: "\ntcp: x\n", want: `FILE:2: tcp: "x" is not an address`},
		{name: "public IP", env: []string{"PARLEY_PUBLIC_IP=1.2.3.4, x"}, want: `PARLEY_PUBLIC_IP: "x" is not an IP address`},
		{name: "certificate without key", flags: []setting{{"tls_cert", "a.pem", "--tls-cert"}}, want: "--tls-cert: a certificate needs its key"},
		{name: "key without certificate", flags: []setting{{"tls_key", "a.pem", "--tls-key"}}, want: "--tls-key: a key needs its certificate"},
		{name: "origin without scheme", env: []string{"PARLEY_ORIGINS=example.org"}, want: `"example.org" is not an origin; write it as https://example.org`},
		{name: "origin with path", env: []string{"PARLEY_ORIGINS=https://example.org/x"}, want: "is not an origin"},
		{name: "public URL", env: []string{"PARLEY_PUBLIC_URL=example.org"}, want: "is not like https://meet.example.org"},
		{name: "permission", env: []string{"PARLEY_ANONYMOUS=watch,publsh"}, want: `"publsh" is not a permission; did you mean "publish"?`},
		{name: "log level", env: []string{"PARLEY_LOG_LEVEL=loud"}, want: `"loud" is none of debug, info, warn, error`},
		{name: "log format", env: []string{"PARLEY_LOG_FORMAT=xml"}, want: `"xml" is none of auto, text, json`},
		{name: "short secret", env: []string{"PARLEY_SECRET=short"}, want: "PARLEY_SECRET: 5 bytes are too short, want at least 16"},
		{name: "short secret in a file", env: []string{"PARLEY_SECRET_FILE=" + short}, want: "PARLEY_SECRET_FILE: 5 bytes are too short"},
		{name: "short second secret", env: []string{"PARLEY_SECRET=" + testSecret + ",short"}, want: "PARLEY_SECRET: secret 2 of 2: 5 bytes are too short"},
		{name: "too many secrets", env: []string{"PARLEY_SECRET=" + strings.Repeat(testSecret+",", 17)}, want: "PARLEY_SECRET: 17 secrets are too many, at most 16"},
		{name: "one secret for two trades", env: []string{"PARLEY_SECRET=" + testSecret, "PARLEY_TURN_SECRET=" + testSecret}, want: "PARLEY_TURN_SECRET: it is one of secret too"},
		{name: "short turn secret", env: []string{"PARLEY_TURN_SECRET=short"}, want: "PARLEY_TURN_SECRET: 5 bytes are too short"},
		{name: "turn ttl below resume", env: []string{"PARLEY_TIMING_RESUME=3m"}, want: "turn.ttl: 2m0s is too short, want at least 3m0s"},
		{name: "secret file missing", env: []string{"PARLEY_SECRET_FILE=/nowhere"}, want: "PARLEY_SECRET_FILE: open /nowhere"},
		{name: "two secrets", env: []string{"PARLEY_SECRET_FILE=" + short, "PARLEY_SECRET=" + testSecret}, want: "secret is set too (by PARLEY_SECRET): keep one of them"},
		{name: "limit of zero", env: []string{"PARLEY_LIMITS_ROOMS=0"}, want: "PARLEY_LIMITS_ROOMS: 0 is not a limit"},
		{name: "negative limit", env: []string{"PARLEY_TURN_PER_IP=-1"}, want: "PARLEY_TURN_PER_IP: -1 is not a limit"},
		{name: "limit that signaling refuses", env: []string{"PARLEY_LIMITS_PUBLICATIONS=5"}, want: "limits: limit of publications: 5 is not from 1 to 4"},
		{name: "negative duration", env: []string{"PARLEY_TIMING_PING=-1s"}, want: "PARLEY_TIMING_PING: -1s is not from"},
		{name: "silence shorter than ping", env: []string{"PARLEY_TIMING_SILENCE=3s"}, want: "must be longer than timing.ping"},
		{name: "resume shorter than silence", env: []string{"PARLEY_TIMING_RESUME=9s"}, want: "must be longer than timing.silence"},
		{name: "relay ports", env: []string{"PARLEY_TURN_RELAY_PORTS=5-1"}, want: `"5-1" is not a range of ports; write it as 49152-65535`},
		{name: "relay address", env: []string{"PARLEY_TURN_RELAY_IP=::1"}, want: "is not an IPv4 address"},
		{name: "prefix", env: []string{"PARLEY_TURN_ALLOW=10.1"}, want: `"10.1" is not a prefix; write it as 10.1.0.0/16`},
		{name: "ICE mode", env: []string{"PARLEY_MEDIA_ICE_LITE=yes"}, want: `"yes" is none of auto, on, off`},
		{name: "bitrate", env: []string{"PARLEY_MEDIA_START_BITRATE=25"}, want: "25 is not from 100000"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			file, shown := "", "(no file)"
			if c.file != "" {
				file = writeFile(t, c.file)
				shown = file
			}
			_, err := load(c.env, file, c.flags)
			if err == nil {
				t.Fatal("no error")
			}
			if got := strings.ReplaceAll(err.Error(), shown, "FILE"); !strings.Contains(got, c.want) {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
			if _, ok := err.(usageError); !ok { //nolint:errorlint // load returns it unwrapped
				t.Errorf("%T is no usage error", err)
			}
		})
	}
}

func TestForeignVariablesAreLeftAlone(t *testing.T) {
	t.Parallel()
	l := mustLoad(t, []string{"PARLEY_SERVICE_HOST=10.0.0.1", "PARLEY_PORT_8080_TCP=tcp://10.0.0.1:8080", "PARLEY_REQUIRE_LAB=1", "PARLEY_BIN=x"}, "")
	if len(l.warnings) > 0 {
		t.Errorf("warnings about an orchestrator's variables: %v", l.warnings)
	}
	l = mustLoad(t, []string{"PARLEY_LISEN=:1"}, "")
	if want := []string{`unknown environment variable PARLEY_LISEN; did you mean "PARLEY_LISTEN"?`}; !reflect.DeepEqual(l.warnings, want) {
		t.Errorf("got %v, want %v", l.warnings, want)
	}
}

func FuzzConfigFile(f *testing.F) {
	f.Add("listen: :1\n")
	f.Add("turn:\n  allow: [10.0.0.0/8]\nlimits:\n")
	f.Add("a: &x [1]\norigins: *x\n")
	f.Add("turn: {realm: [")
	f.Fuzz(func(t *testing.T, content string) {
		c := defaults()
		settings, err := fromFile(writeFile(t, content), &c)
		if err != nil {
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("more than one line: %q", err)
			}
			return
		}
		l := &loaded{config: c, from: map[string]string{}}
		if l.apply(settings) == nil {
			_ = l.validate() // either verdict; it must not panic
		}
	})
}

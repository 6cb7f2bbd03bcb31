package web

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"
)

var script = []byte(strings.Repeat("console.log('a script that is long enough to be worth compressing');\n", 40))

func testFiles() fstest.MapFS {
	return fstest.MapFS{
		"index.html":           {Data: []byte("<!doctype html><title>Parley</title>" + strings.Repeat("<p>text</p>", 200))},
		"index.html.br":        {Data: []byte("brotli of the page")},
		"favicon.svg":          {Data: []byte("<svg/>")},
		"other.html":           {Data: []byte("<p>other")},
		"assets/app-abc123.js": {Data: script},
		"assets/pic-abc123.png": {
			Data: bytes.Repeat([]byte{0}, 2000),
		},
		"sdk/parley.js":    {Data: script},
		"sdk/parley.js.br": {Data: []byte("brotli of the sdk")},
		"sdk/parley.d.ts":  {Data: []byte("export {}")},
	}
}

func newTestHandler(t *testing.T) *handler {
	t.Helper()
	h, err := newHandler(testFiles())
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// get asks h for path with the given headers (name, value, name, value…).
func get(t *testing.T, h http.Handler, path string, headers ...string) *http.Response {
	t.Helper()
	return ask(t, h, http.MethodGet, path, headers...)
}

func ask(t *testing.T, h http.Handler, method, path string, headers ...string) *http.Response {
	t.Helper()
	r := httptest.NewRequest(method, path, nil)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

func body(t *testing.T, r *http.Response) string {
	t.Helper()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestPagesAreTheApplication(t *testing.T) {
	t.Parallel()
	h := newTestHandler(t)
	for _, path := range []string{"/", "/index.html", "/r/standup", "/r/a.b_c~d-e", "/r/bad%20name", "/?x=1", "/sign-in", "/sign-in?return=/r/x"} {
		r := get(t, h, path)
		if r.StatusCode != 200 || !strings.HasPrefix(body(t, r), "<!doctype html>") {
			t.Errorf("%s: status %d, not the application", path, r.StatusCode)
		}
		if got := r.Header.Get("Cache-Control"); got != "no-cache" {
			t.Errorf("%s: Cache-Control %q", path, got)
		}
		if r.Header.Get("ETag") == "" {
			t.Errorf("%s: no ETag", path)
		}
	}
}

func TestNotFound(t *testing.T) {
	t.Parallel()
	h := newTestHandler(t)
	for _, path := range []string{"/nothing", "/r/", "/r/a/b", "/sign-in/x", "/assets/", "/assets", "/sdk/", "/index.html.br", "/assets/../index.html", "/v1/rooms"} {
		r := get(t, h, path)
		if r.StatusCode != 404 {
			t.Errorf("%s: status %d, want 404", path, r.StatusCode)
		}
		if !strings.Contains(body(t, r), "There is nothing here") || r.Header.Get("Content-Type") != "text/html; charset=utf-8" {
			t.Errorf("%s: not the page that says so", path)
		}
		if r.Header.Get("Content-Security-Policy") == "" {
			t.Errorf("%s: no policy", path)
		}
	}
	if r := ask(t, h, http.MethodHead, "/nothing"); r.StatusCode != 404 || body(t, r) != "" {
		t.Error("HEAD of nothing: not an empty 404")
	}
}

func TestMethods(t *testing.T) {
	t.Parallel()
	h := newTestHandler(t)
	for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodDelete, http.MethodOptions} {
		r := ask(t, h, method, "/")
		if r.StatusCode != 405 || r.Header.Get("Allow") != "GET, HEAD" {
			t.Errorf("%s: status %d, Allow %q", method, r.StatusCode, r.Header.Get("Allow"))
		}
	}
	head, full := ask(t, h, http.MethodHead, "/"), get(t, h, "/")
	if body(t, head) != "" || head.Header.Get("Content-Length") != full.Header.Get("Content-Length") || head.Header.Get("ETag") != full.Header.Get("ETag") {
		t.Error("HEAD is not GET without the body")
	}
}

func TestSecurityHeaders(t *testing.T) {
	t.Parallel()
	h := newTestHandler(t)
	for _, path := range []string{"/", "/r/x", "/assets/app-abc123.js", "/sdk/parley.js", "/nothing", "/other.html"} {
		header := get(t, h, path).Header
		if header.Get("X-Content-Type-Options") != "nosniff" || header.Get("Referrer-Policy") != "no-referrer" {
			t.Errorf("%s: headers %v", path, header)
		}
	}
	for _, path := range []string{"/", "/r/x", "/other.html"} {
		header := get(t, h, path).Header
		csp := header.Get("Content-Security-Policy")
		for _, want := range []string{"default-src 'self'", "object-src 'none'", "frame-ancestors 'none'", "base-uri 'none'"} {
			if !strings.Contains(csp, want) {
				t.Errorf("%s: policy lacks %s: %s", path, want, csp)
			}
		}
		if strings.Contains(csp, "unsafe") {
			t.Errorf("%s: policy allows what is unsafe: %s", path, csp)
		}
		for _, want := range []string{"camera=(self)", "microphone=(self)", "display-capture=(self)"} {
			if !strings.Contains(header.Get("Permissions-Policy"), want) {
				t.Errorf("%s: permissions lack %s", path, want)
			}
		}
		if header.Get("X-Frame-Options") != "DENY" {
			t.Errorf("%s: may be framed", path)
		}
	}
}

// TestPagesConnectToTheirOwnHost wants no scheme alone, which would let an injected script talk to anybody.
func TestPagesConnectToTheirOwnHost(t *testing.T) {
	t.Parallel()
	h := newTestHandler(t)
	for host, want := range map[string]string{
		"meet.example.org": "connect-src 'self' ws://meet.example.org wss://meet.example.org;",
		"127.0.0.1:8080":   "connect-src 'self' ws://127.0.0.1:8080 wss://127.0.0.1:8080;",
		"[::1]:8080":       "connect-src 'self';",
		"x; script-src *":  "connect-src 'self';",
		"a.example *":      "connect-src 'self';",
		"":                 "connect-src 'self';",
	} {
		req := httptest.NewRequest(http.MethodGet, "/r/x", nil)
		req.Host = host
		rec := httptest.NewRecorder()
		h.ServeHTTP(rec, req)
		if got := rec.Header().Get("Content-Security-Policy"); !strings.Contains(got, want) || strings.Contains(got, "wss: ") || strings.Contains(got, "wss:;") {
			t.Errorf("%q: %s", host, got)
		}
	}
}

func TestOriginsThatMayFetch(t *testing.T) {
	t.Parallel()
	h := newTestHandler(t)
	if got := get(t, h, "/sdk/parley.js").Header.Get("Access-Control-Allow-Origin"); got != "*" {
		t.Errorf("sdk: Access-Control-Allow-Origin %q", got)
	}
	for _, path := range []string{"/", "/assets/app-abc123.js", "/favicon.svg"} {
		if got := get(t, h, path).Header.Get("Access-Control-Allow-Origin"); got != "" {
			t.Errorf("%s: Access-Control-Allow-Origin %q", path, got)
		}
	}
}

func TestCachingAndTypes(t *testing.T) {
	t.Parallel()
	h := newTestHandler(t)
	for _, c := range []struct{ path, caching, contentType string }{
		{"/", "no-cache", "text/html; charset=utf-8"},
		{"/assets/app-abc123.js", "public, max-age=31536000, immutable", "text/javascript; charset=utf-8"},
		{"/assets/pic-abc123.png", "public, max-age=31536000, immutable", "image/png"},
		{"/sdk/parley.js", "no-cache", "text/javascript; charset=utf-8"},
		{"/sdk/parley.d.ts", "no-cache", "text/plain; charset=utf-8"},
		{"/favicon.svg", "no-cache", "image/svg+xml"},
	} {
		header := get(t, h, c.path).Header
		if header.Get("Cache-Control") != c.caching || header.Get("Content-Type") != c.contentType {
			t.Errorf("%s: Cache-Control %q, Content-Type %q", c.path, header.Get("Cache-Control"), header.Get("Content-Type"))
		}
	}
}

func TestRevalidation(t *testing.T) {
	t.Parallel()
	h := newTestHandler(t)
	for _, accept := range []string{"", "br", "gzip"} {
		first := get(t, h, "/sdk/parley.js", "Accept-Encoding", accept)
		etag := first.Header.Get("ETag")
		again := get(t, h, "/sdk/parley.js", "Accept-Encoding", accept, "If-None-Match", `"other", W/`+etag)
		if again.StatusCode != 304 || body(t, again) != "" || again.Header.Get("ETag") != etag {
			t.Errorf("%q: status %d, ETag %q, want 304 and %q", accept, again.StatusCode, again.Header.Get("ETag"), etag)
		}
		if again.Header.Get("Access-Control-Allow-Origin") != "*" || again.Header.Get("Cache-Control") == "" {
			t.Errorf("%q: the 304 lacks headers that the 200 has: %v", accept, again.Header)
		}
		if r := get(t, h, "/sdk/parley.js", "Accept-Encoding", accept, "If-None-Match", `"other"`); r.StatusCode != 200 {
			t.Errorf("%q: status %d for another tag", accept, r.StatusCode)
		}
	}
}

func TestETagFollowsContent(t *testing.T) {
	t.Parallel()
	files := testFiles()
	before := get(t, newTestHandler(t), "/").Header.Get("ETag")
	files["index.html"] = &fstest.MapFile{Data: []byte("<!doctype html>new")}
	h, err := newHandler(files)
	if err != nil {
		t.Fatal(err)
	}
	if after := get(t, h, "/").Header.Get("ETag"); after == before {
		t.Errorf("the tag %s stayed although the content changed", after)
	}
}

func TestCompression(t *testing.T) {
	t.Parallel()
	h := newTestHandler(t)
	for _, c := range []struct{ path, accept, want string }{
		{"/sdk/parley.js", "gzip, deflate, br, zstd", "br"},
		{"/sdk/parley.js", "gzip, deflate", "gzip"},
		{"/sdk/parley.js", "br;q=0, gzip", "gzip"},
		{"/sdk/parley.js", "identity", ""},
		{"/sdk/parley.js", "", ""},
		{"/sdk/parley.js", "*", "br"},
		{"/assets/app-abc123.js", "br, gzip", "gzip"},
		{"/assets/pic-abc123.png", "br, gzip", ""},
		{"/favicon.svg", "br, gzip", ""},
	} {
		header := get(t, h, c.path, "Accept-Encoding", c.accept).Header
		if got := header.Get("Content-Encoding"); got != c.want {
			t.Errorf("%s for %q: encoding %q, want %q", c.path, c.accept, got, c.want)
		}
		if header.Get("Vary") != "Accept-Encoding" {
			t.Errorf("%s: Vary %q", c.path, header.Get("Vary"))
		}
	}
	if got := body(t, get(t, h, "/sdk/parley.js", "Accept-Encoding", "br")); got != "brotli of the sdk" {
		t.Errorf("brotli: got %q", got)
	}
	z, err := gzip.NewReader(get(t, h, "/sdk/parley.js", "Accept-Encoding", "gzip").Body)
	if err != nil {
		t.Fatal(err)
	}
	if plain, err := io.ReadAll(z); err != nil || !bytes.Equal(plain, script) {
		t.Errorf("gzip does not unpack to the script: %v", err)
	}
	plain := get(t, h, "/sdk/parley.js").Header.Get("ETag")
	if packed := get(t, h, "/sdk/parley.js", "Accept-Encoding", "br").Header.Get("ETag"); packed == plain {
		t.Error("two variants have one tag")
	}
}

func TestBadDist(t *testing.T) {
	t.Parallel()
	if _, err := newHandler(fstest.MapFS{"favicon.svg": {Data: []byte("<svg/>")}}); err == nil {
		t.Error("no error without index.html")
	}
	if _, err := newHandler(fstest.MapFS{"index.html": {}, "x.unknown": {}}); err == nil {
		t.Error("no error for a file of unknown type")
	}
}

// The committed build must be whole: a page that loads, with nothing inline that the policy would block.
func TestEmbeddedBuild(t *testing.T) {
	t.Parallel()
	h, err := Handler()
	if err != nil {
		t.Fatal(err)
	}
	page := body(t, get(t, h, "/"))
	links := regexp.MustCompile(`(?:src|href)="(/[^"]*)"`).FindAllStringSubmatch(page, -1)
	if len(links) < 2 {
		t.Fatalf("the page names %d files, want a script and a style at least", len(links))
	}
	for _, link := range links {
		if r := get(t, h, link[1]); r.StatusCode != 200 {
			t.Errorf("%s: status %d", link[1], r.StatusCode)
		}
	}
	if regexp.MustCompile(`<script(?:\s[^>]*)?>[^<]`).MatchString(page) || regexp.MustCompile(`\s(?:style|on\w+)=|<style`).MatchString(page) {
		t.Error("the page has inline script or style, which the policy blocks")
	}
	for _, path := range []string{"/sdk/parley.js", "/sdk/parley-worker.js", "/sdk/parley-clockworker.js", "/sdk/parley.d.ts"} {
		if r := get(t, h, path); r.StatusCode != 200 {
			t.Errorf("%s: status %d", path, r.StatusCode)
		}
	}
	sdk := get(t, h, "/sdk/parley.js", "Accept-Encoding", "br")
	if sdk.Header.Get("Content-Encoding") != "br" {
		t.Error("the SDK has no brotli variant")
	}
}

func FuzzAcceptEncoding(f *testing.F) {
	for _, s := range []string{"", "br", "gzip;q=0.5, br;q=0", "*;q=0", ",;=,", "br;q=x;;q=0"} {
		f.Add(s)
	}
	h, err := newHandler(testFiles())
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, accept string) {
		r := httptest.NewRequest(http.MethodGet, "/sdk/parley.js", nil)
		r.Header["Accept-Encoding"] = []string{accept}
		r.Header["If-None-Match"] = []string{accept}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		encoding := w.Result().Header.Get("Content-Encoding")
		if encoding != "" && !strings.Contains(strings.ToLower(accept), encoding) && !strings.Contains(accept, "*") {
			t.Errorf("%q was answered with %s", accept, encoding)
		}
	})
}

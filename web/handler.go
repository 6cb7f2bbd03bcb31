package web

import (
	"fmt"
	"io/fs"
	"net/http"
	"regexp"
	"strings"
)

// Caching. Assets carry a hash in their names; the rest is asked for again each time, and answered 304.
const (
	forever    = "public, max-age=31536000, immutable"
	revalidate = "no-cache"
)

// contentPolicy is the Content-Security-Policy of our pages, with a blank for further addresses to connect to. Received files and pictures
// are shown and saved from blob addresses.
const contentPolicy = "default-src 'self'; connect-src 'self'%s; img-src 'self' data: blob:; media-src 'self' blob:; " +
	"object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

// nameable are the hosts that a policy can name: those of IPv6 in brackets are not, nor what a client made up.
var nameable = regexp.MustCompile(`^[A-Za-z0-9.-]{1,253}(:[0-9]{1,5})?$`)

// policyFor names the WebSockets of the host that was asked, because 'self' does not cover them in every browser, and no others.
func policyFor(host string) string {
	sockets := ""
	if nameable.MatchString(host) {
		sockets = " ws://" + host + " wss://" + host
	}
	return fmt.Sprintf(contentPolicy, sockets)
}

// permissionsPolicy lets our pages, and nobody they embed, ask for what a call needs.
const permissionsPolicy = "camera=(self), microphone=(self), display-capture=(self), screen-wake-lock=(self), " +
	"speaker-selection=(self), autoplay=(self), picture-in-picture=(self), geolocation=(), payment=(), usb=()"

// Handler serves the application at /, /sign-in and /r/{room}, its parts under /assets/, and the SDK under /sdk/. The error is that
// of a binary that was built without the application.
func Handler() (http.Handler, error) {
	root, err := fs.Sub(dist, "dist")
	if err != nil {
		return nil, err
	}
	return newHandler(root)
}

type handler struct {
	files map[string]*file // by path without the leading slash
	index *file
}

func newHandler(root fs.FS) (*handler, error) {
	files, err := load(root)
	if err != nil {
		return nil, err
	}
	index := files["index.html"]
	if index == nil {
		return nil, errNoIndex
	}
	return &handler{files: files, index: index}, nil
}

func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Referrer-Policy", "no-referrer")
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		header.Set("Allow", "GET, HEAD")
		http.Error(w, "Only GET and HEAD are served here.", http.StatusMethodNotAllowed)
		return
	}
	path := strings.TrimPrefix(r.URL.Path, "/")
	switch f := h.files[path]; {
	case path == "" || path == "index.html" || path == "sign-in" || isRoom(path):
		h.page(w, r)
	case f == nil:
		notFound(w, r)
	case strings.HasPrefix(path, "assets/"):
		f.serve(w, r, forever)
	case strings.HasPrefix(path, "sdk/"):
		header.Set("Access-Control-Allow-Origin", "*")
		header.Set("Cross-Origin-Resource-Policy", "cross-origin")
		f.serve(w, r, revalidate)
	case strings.HasSuffix(path, ".html"):
		pageHeaders(header, r.Host)
		f.serve(w, r, revalidate)
	default:
		f.serve(w, r, revalidate)
	}
}

// page serves the application; which of its pages is shown, it decides by the path.
func (h *handler) page(w http.ResponseWriter, r *http.Request) {
	pageHeaders(w.Header(), r.Host)
	h.index.serve(w, r, revalidate)
}

func pageHeaders(header http.Header, host string) {
	header.Set("Content-Security-Policy", policyFor(host))
	header.Set("Permissions-Policy", permissionsPolicy)
	header.Set("X-Frame-Options", "DENY") // for browsers that do not know frame-ancestors
}

// isRoom reports whether path is r/{room}. Whether the room's name is a good one, the application tells the user.
func isRoom(path string) bool {
	room, ok := strings.CutPrefix(path, "r/")
	return ok && room != "" && !strings.Contains(room, "/")
}

const notFoundPage = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Not found</title>
<h1>There is nothing here</h1>
<p>The address is wrong, or old. <a href="/">Go to the first page</a>.</p>
</html>
`

func notFound(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	pageHeaders(header, r.Host)
	header.Set("Content-Type", "text/html; charset=utf-8")
	header.Set("Cache-Control", revalidate)
	w.WriteHeader(http.StatusNotFound)
	if r.Method == http.MethodHead {
		return
	}
	// An error here is the client's connection gone: nobody is left to tell.
	_, _ = w.Write([]byte(notFoundPage))
}

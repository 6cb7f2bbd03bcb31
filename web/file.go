package web

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"strconv"
	"strings"
	"sync"
)

var errNoIndex = errors.New("web: dist has no index.html: run `npm ci && npm run build` in web, then build the server again")

// contentTypeOf names the kinds of file that dist may hold; "" is none. It does not ask the system's own table, as net/http
// would, because that differs from machine to machine.
func contentTypeOf(name string) string {
	switch path.Ext(name) {
	case ".html":
		return "text/html; charset=utf-8"
	case ".js", ".mjs":
		return "text/javascript; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	case ".txt", ".ts":
		return "text/plain; charset=utf-8"
	case ".json":
		return "application/json"
	case ".webmanifest":
		return "application/manifest+json"
	case ".wasm":
		return "application/wasm"
	case ".svg":
		return "image/svg+xml"
	case ".png":
		return "image/png"
	case ".ico":
		return "image/x-icon"
	case ".woff2":
		return "font/woff2"
	}
	return ""
}

// smallestGzip is the size from which gzip pays, bytes: less fits one packet anyway.
const smallestGzip = 860

// file is one file of dist, ready to be served.
type file struct {
	contentType string
	etag        string // of the plain content, without quotes
	plain       []byte
	brotli      []byte // nil: not made
	gzip        func() []byte
}

// load reads all files of root. Brotli variants (name.br) belong to their plain file and are not served by themselves.
func load(root fs.FS) (map[string]*file, error) {
	files := make(map[string]*file)
	packed := make(map[string][]byte)
	err := fs.WalkDir(root, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := fs.ReadFile(root, name)
		if err != nil {
			return err
		}
		if plain, ok := strings.CutSuffix(name, ".br"); ok {
			packed[plain] = content
			return nil
		}
		contentType := contentTypeOf(name)
		if contentType == "" {
			return fmt.Errorf("no content type is known for %s", name)
		}
		files[name] = newFile(contentType, content)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("web: read dist: %w", err)
	}
	for name, content := range packed {
		if f := files[name]; f != nil {
			f.brotli = content
		}
	}
	return files, nil
}

func newFile(contentType string, content []byte) *file {
	sum := sha256.Sum256(content)
	f := &file{
		contentType: contentType,
		etag:        base64.RawURLEncoding.EncodeToString(sum[:12]),
		plain:       content,
	}
	f.gzip = sync.OnceValue(func() []byte { return compress(f) })
	return f
}

// compress makes the gzip variant, or nil where it would not pay. It is for the few that take no brotli: browsers take it
// only over TLS and from localhost.
func compress(f *file) []byte {
	if len(f.plain) < smallestGzip || !compressible(f.contentType) {
		return nil
	}
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		return nil // the level is a constant of the package
	}
	_, err = w.Write(f.plain)
	if err != nil || w.Close() != nil {
		return nil // a bytes.Buffer takes everything
	}
	if b.Len() >= len(f.plain) {
		return nil
	}
	return b.Bytes()
}

func compressible(contentType string) bool {
	kind, _, _ := strings.Cut(contentType, ";")
	switch kind {
	case "application/json", "application/manifest+json", "application/wasm", "image/svg+xml":
		return true
	}
	return strings.HasPrefix(kind, "text/")
}

// serve answers a GET or HEAD with the smallest variant that the client takes, or with 304.
func (f *file) serve(w http.ResponseWriter, r *http.Request, caching string) {
	header := w.Header()
	header.Set("Content-Type", f.contentType)
	header.Set("Cache-Control", caching)
	header.Set("Vary", "Accept-Encoding")
	content, encoding := f.variant(r.Header.Get("Accept-Encoding"))
	// Variants have tags of their own: a tag stands for exact bytes (RFC 9110, section 8.8.3).
	etag := `"` + f.etag + `"`
	if encoding != "" {
		etag = `"` + f.etag + "-" + encoding + `"`
		header.Set("Content-Encoding", encoding)
	}
	header.Set("ETag", etag)
	if matches(r.Header.Get("If-None-Match"), etag) {
		header.Del("Content-Encoding")
		header.Del("Content-Type")
		w.WriteHeader(http.StatusNotModified)
		return
	}
	header.Set("Content-Length", strconv.Itoa(len(content)))
	w.WriteHeader(http.StatusOK)
	if r.Method == http.MethodHead {
		return
	}
	// An error here is the client's connection gone: nobody is left to tell.
	_, _ = w.Write(content)
}

func (f *file) variant(accept string) (content []byte, encoding string) {
	if f.brotli != nil && accepts(accept, "br") {
		return f.brotli, "br"
	}
	if accepts(accept, "gzip") {
		if z := f.gzip(); z != nil {
			return z, "gzip"
		}
	}
	return f.plain, ""
}

// accepts reports whether an Accept-Encoding header names the coding (or *) without refusing it (q=0). RFC 9110, 12.5.3.
func accepts(header, coding string) bool {
	others := false // what * says, which a name of its own overrules
	for item := range strings.SplitSeq(header, ",") {
		name, params, _ := strings.Cut(item, ";")
		switch strings.ToLower(strings.TrimSpace(name)) {
		case coding:
			return !refused(params)
		case "*":
			others = !refused(params)
		}
	}
	return others
}

// refused reports whether the parameters say q=0.
func refused(params string) bool {
	for p := range strings.SplitSeq(params, ";") {
		name, value, ok := strings.Cut(strings.TrimSpace(p), "=")
		if !ok || !strings.EqualFold(name, "q") {
			continue
		}
		q, err := strconv.ParseFloat(value, 64)
		return err == nil && q == 0
	}
	return false
}

// matches reports whether an If-None-Match header holds the tag. The comparison is weak (RFC 9110, section 13.1.2).
func matches(header, etag string) bool {
	for item := range strings.SplitSeq(header, ",") {
		item = strings.TrimPrefix(strings.TrimSpace(item), "W/")
		if item == etag || item == "*" {
			return true
		}
	}
	return false
}

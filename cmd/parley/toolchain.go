package main

import (
	"net/http"
	"strconv"
	"strings"
)

// soundHTTP2 reports whether the Go release that built this binary, as runtime.Version names it, has the fix of CVE-2026-97032: before it one
// HTTP/2 connection could end the process. What is no release is taken for a later one.
func soundHTTP2(release string) bool {
	release, _, _ = strings.Cut(release, " ") // experiments come after it
	number, ok := strings.CutPrefix(release, "go")
	if !ok {
		return true
	}
	number, _, _ = strings.Cut(number, "-") // vendors append their own: go1.26.9-X:nodwarf5
	parts := strings.SplitN(number, ".", 3)
	if len(parts) < 2 {
		return true
	}
	major, errMajor := strconv.Atoi(parts[0])
	minor, candidate := leadingNumber(parts[1]) // of a candidate: 27rc1
	if errMajor != nil || minor < 0 {
		return true
	}
	patch := 0
	if len(parts) == 3 {
		patch, _ = leadingNumber(parts[2])
	}
	switch {
	case major != 1:
		return major > 1
	case minor != 26:
		return minor > 26 && (minor > 27 || !candidate)
	default:
		return patch >= 9
	}
}

// leadingNumber is the number that s begins with, -1 where there is none, and whether something follows it.
func leadingNumber(s string) (n int, more bool) {
	end := strings.IndexFunc(s, func(r rune) bool { return r < '0' || r > '9' })
	if end >= 0 {
		s, more = s[:end], true
	}
	n, err := strconv.Atoi(s)
	if err != nil {
		return -1, more
	}
	return n, more
}

// protocols are those of an HTTPS listener in a binary of this Go release.
func protocols(release string) *http.Protocols {
	p := &http.Protocols{}
	p.SetHTTP1(true)
	p.SetHTTP2(soundHTTP2(release))
	return p
}

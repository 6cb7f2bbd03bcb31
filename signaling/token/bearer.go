package token

import (
	"fmt"
	"strings"
)

// FromHeader takes the token out of the values of the Authorization header, "Bearer <token>" (RFC 6750 section 2.1;
// the scheme in any case). No header at all gives "" and no error; anything else that is not one bearer token gives
// ErrInvalid.
func FromHeader(values []string) (string, error) {
	switch len(values) {
	case 0:
		return "", nil
	case 1:
	default:
		return "", fmt.Errorf("%w: more than one Authorization header", ErrInvalid)
	}
	scheme, rest, _ := strings.Cut(strings.Trim(values[0], " \t"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return "", fmt.Errorf("%w: the Authorization scheme is not Bearer", ErrInvalid)
	}
	compact := strings.TrimLeft(rest, " ")
	if compact == "" || !b64token(compact) {
		return "", fmt.Errorf("%w: malformed Authorization header", ErrInvalid)
	}
	return compact, nil
}

// b64token is the grammar of RFC 6750 section 2.1.
func b64token(s string) bool {
	body := strings.TrimRight(s, "=")
	for i := range len(body) {
		switch c := body[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', strings.IndexByte("-._~+/", c) >= 0:
		default:
			return false
		}
	}
	return body != ""
}

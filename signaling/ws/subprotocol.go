package ws

import (
	"errors"
	"strings"
)

const (
	// protocol is the subprotocol that is spoken, and the only one that is echoed.
	protocol = "parley.v1"

	// bearerPrefix begins the subprotocol that carries the access token: a browser can set no header on a WebSocket.
	bearerPrefix = "bearer."

	// maxBearer is the longest token that is taken, in bytes.
	maxBearer = 8 << 10
)

// subprotocols reads the values of Sec-WebSocket-Protocol: our own must be among them, and a token may be. The errors do
// not quote what they are about.
func subprotocols(header []string) (bearer string, err error) {
	ours := false
	for _, value := range header {
		for item := range strings.SplitSeq(value, ",") {
			item = strings.Trim(item, " \t")
			token, isBearer := strings.CutPrefix(item, bearerPrefix)
			switch {
			case item == protocol:
				ours = true
			case !isBearer:
			case bearer != "":
				return "", errors.New("more than one bearer subprotocol")
			case !isToken(token):
				return "", errors.New("the bearer subprotocol holds no token")
			default:
				bearer = token
			}
		}
	}
	if !ours {
		return "", errors.New("the subprotocol " + protocol + " is needed")
	}
	return bearer, nil
}

// isToken reports whether s may be a JWT in its compact form (RFC 7515 section 3.1).
func isToken(s string) bool {
	for i := range len(s) {
		switch c := s[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '.', c == '-', c == '_':
		default:
			return false
		}
	}
	return s != "" && len(s) <= maxBearer
}

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
			case token == "" || len(token) > maxBearer:
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

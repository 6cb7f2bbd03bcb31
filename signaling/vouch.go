package signaling

import (
	"bytes"
	"encoding/json"
)

// Joined reports whether the connection has a session.
func (l *Link) Joined() bool { return l.current() != nil }

// Vouch reports whether a long message may come whole, of which only the beginning is there: the client has joined, or shows a token there
// that is good, or had one in the transport's header. So strangers cannot fill the memory.
func (l *Link) Vouch(begin []byte) bool {
	if l.Joined() {
		return true
	}
	_, err := l.srv.verify(tokenIn(begin), l.bearer, l.room)
	return err == nil
}

// tokenIn finds the token of a join of which only the beginning is there, if it comes before what is cut off.
func tokenIn(begin []byte) string {
	d := json.NewDecoder(bytes.NewReader(begin))
	if open, err := d.Token(); err != nil || open != json.Delim('{') {
		return ""
	}
	for {
		key, err := d.Token()
		if err != nil {
			return ""
		}
		var value json.RawMessage
		if d.Decode(&value) != nil {
			return ""
		}
		if key != "token" {
			continue
		}
		var token string
		if json.Unmarshal(value, &token) != nil {
			return ""
		}
		return token
	}
}
